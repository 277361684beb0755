"""One account at a vendor: where its requests go and the key that they carry, which may change while we run."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol
from urllib.parse import quote

from yarl import URL

from processor.logs import Logger
from processor.settings.secrets import SecretSource


class Address(Protocol):
    """Where the requests of one key go, and what every one of them carries."""

    @property
    def url(self) -> Callable[[str], URL]:
        """From a channel's path to the whole URL, which may hold the key."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Sent to the vendor only."""


class Account:
    """Addresses and authenticates requests; a key from a file can be read again.

    Args:
        key: what it begins with.
        address: what a key makes of the account's settings.
        source: where the key comes from; None where no file is part of it, so that it cannot change.
        others: more secrets that a reply might repeat.

    Attributes:
        headers: what every request carries; only for the vendor, never for a proxy.
    """

    headers: dict[str, str]

    def __init__(
        self,
        key: str,
        address: Callable[[str], Address],
        *,
        source: SecretSource | None,
        others: Iterable[str],
        log: Logger,
    ) -> None:
        self._address = address
        self._source = source
        self._others = tuple(others)
        self._log = log
        self._use(key)

    def url(self, path: str) -> URL:
        """The whole URL of a channel's path; it may hold the key, so it is never logged."""
        url = self._urls.get(path)
        if url is None:
            url = self._urls[path] = self._url(path)
        return url

    def mask(self, text: str) -> str:
        """Take secrets out of a vendor's words, which may repeat the URL or a key."""
        return self._mask(text)

    async def renew(self) -> None:
        """Read the key again; where that is not possible, the old one stays."""
        if self._source is None:
            return
        read = await asyncio.to_thread(self._source.read)
        if not isinstance(read, str):
            self._log.warning("secret_not_renewed", setting="api_key", reason=read.message, fix=read.fix)
        elif read != self._key:
            self._use(read, self._key)
            self._log.info("secret_renewed", setting="api_key", files=self._source.files)

    def _use(self, key: str, before: str = "") -> None:
        """Take a key into use; replies to requests with the one before may still come."""
        address = self._address(key)
        self.headers = dict(address.headers)
        self._key = key
        self._url = address.url
        self._urls: dict[str, URL] = {}
        self._mask = mask_of(key, before, *self._others)


def mask_of(*secrets: str) -> Callable[[str], str]:
    """A function that takes secrets out of a text, also as a URL writes them; empty ones are none."""
    # As it is, fully quoted, and as yarl writes it into a query, which leaves `/` and `:` alone.
    forms = {
        form
        for secret in filter(None, secrets)
        for form in (secret, quote(secret, safe=""), URL.build(query={"k": secret}).raw_query_string.removeprefix("k="))
    }

    # One may be a part of another, whose rest would stay; and a text is to be masked alike in every process.
    longest_first = sorted(forms, key=lambda form: (-len(form), form))

    def mask(text: str) -> str:
        for form in longest_first:
            text = text.replace(form, "****")
        return text

    return mask
