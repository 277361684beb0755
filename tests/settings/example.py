"""A vendor and a file that the tests of this folder start from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from processor.settings.load import Loaded, load
from processor.settings.models import BatchSettings, DestinationSettings
from processor.settings.texts import UserAgent
from processor.settings.values import Rate

FILE = """\
kafka:
  bootstrap.servers: localhost:9092
registry: {url: http://localhost:8081}
topics: [shop.clickstream]
start_from: latest
destinations:
  acme:
    type: acme
    base_url: https://acme.example
    api_key: hunter2
    user_agent: Shop/1.0
routes:
  views:
    event: com.acme.shop.ProductViewed
    to: acme.view
    map: {item: product.sku}
"""


class AcmeSettings(DestinationSettings):
    """A vendor with defaults and a key of its own."""

    type: Literal["acme"]
    user_agent: UserAgent = Field(examples=["AcmeClickstream/1.0"])
    rate: Rate = 50.0
    batch: BatchSettings | None = BatchSettings(max_events=1000, max_bytes=2000)
    partner_id: str | None = None


class PlainSettings(DestinationSettings):
    """A vendor that changes nothing."""

    type: Literal["plain"]


class KeyedSettings(PlainSettings):
    """A vendor whose key has a header of the user's choice."""

    type: Literal["keyed"]  # type: ignore[assignment]  # another name than the vendor's that it extends
    key_header: str = "X-Key"


VENDORS: Mapping[str, type[DestinationSettings]] = {
    "acme": AcmeSettings,
    "plain": PlainSettings,
    "keyed": KeyedSettings,
}


def load_text(folder: Path, *texts: str, env: Mapping[str, str] | None = None) -> Loaded:
    """Load texts as files `0.yaml`, `1.yaml`, … of a folder, later ones over earlier ones."""
    paths = [folder / f"{index}.yaml" for index in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    return load(paths, env or {}, VENDORS)


def changed(old: str, new: str) -> str:
    """Give the example file with one piece replaced."""
    assert FILE.count(old) == 1, f"`{old}` must stand in the example once"
    return FILE.replace(old, new)
