"""What a vendor's file says: its settings, its methods, and how a request is addressed and authenticated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict
from yarl import URL

from processor.records import Channel
from processor.settings.models import DestinationSettings

RULES = ConfigDict(extra="forbid", coerce_numbers_to_str=True, hide_input_in_errors=True)
"""How payloads are read: unknown fields are refused, a number is taken where the vendor wants text.

A payload is a `TypedDict` with the vendor's own names: pydantic checks it in a third of the time of a model with
instances, and what it returns is what is sent.
"""


@dataclass(frozen=True, slots=True)
class BatchForm:
    """How many deliveries of a method travel in one call.

    Attributes:
        path: where the array is sent; methods with one path share its gate and its requests.
        label: what metrics call the path; None = the method's own name.
        envelope: the key that wraps each element, `{"view": {…}}`; None = bare elements.
    """

    path: str
    label: str | None = None
    envelope: str | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """One call of a vendor.

    Attributes:
        path: below the base URL, for single calls.
        model: what its payload must be: a `TypedDict` with `RULES`.
        order_key: the payload's field whose equal values keep their order; None = no order.
        time: the payload's field that says when it happened.
        batch: None where the vendor has no batch for it.
    """

    name: str
    path: str
    model: Any
    order_key: str | None
    time: str
    batch: BatchForm | None

    @property
    def required(self) -> frozenset[str]:
        """Fields without which a payload is refused."""
        keys: frozenset[str] = self.model.__required_keys__
        return keys

    @property
    def fields(self) -> frozenset[str]:
        """All fields."""
        keys: frozenset[str] = self.model.__optional_keys__
        return self.required | keys


@dataclass(frozen=True, slots=True)
class Address:
    """Where requests of one account go, and what every one of them carries.

    Attributes:
        url: from a channel's path to the whole URL; it may hold the key, so it is never logged.
    """

    url: Callable[[str], URL]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Vendor:
    """One file of the catalogue; `name` is a destination's `type` in the file."""

    name: str
    settings: type[DestinationSettings]
    methods: Mapping[str, Method]
    address: Callable[[Any], Address]


@dataclass(frozen=True, slots=True)
class Wiring:
    """How one method of one account travels: the channel, and the bytes round its payload in a shared batch."""

    method: Method
    channel: Channel
    prefix: bytes = b""
    suffix: bytes = b""


class Wirings:
    """The ways of one account's methods; methods with one path get one channel, and so one gate and one queue.

    Args:
        batched: whether the account is configured to send batches.
    """

    def __init__(self, *, batched: bool) -> None:
        self._batched = batched
        self._channels: dict[str, Channel] = {}

    def wire(self, method: Method) -> Wiring:
        """Decide the way of a method's payloads."""
        form = method.batch
        if not self._batched or form is None:
            return Wiring(method, self._channel(method.name, method.path, batched=False))
        channel = self._channel(form.label or method.name, form.path, batched=True)
        if form.envelope is None:
            return Wiring(method, channel)
        return Wiring(method, channel, prefix=b'{"%s":' % form.envelope.encode(), suffix=b"}")

    def _channel(self, label: str, path: str, *, batched: bool) -> Channel:
        return self._channels.setdefault(path, Channel(label, path, batched))
