"""The canonical Avro schemas of a shop's clickstream, as the files under `schemas/` have them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import fastavro
import orjson

NAMESPACE = "com.acme.shop"


@dataclass(frozen=True, slots=True)
class ShopSchema:
    """One record type.

    Attributes:
        name: Avro full name, such as `com.acme.shop.ProductViewed`.
        text: the schema as its file has it; nested types are inlined, so it stands alone.
        parsed: what fastavro made of it.
    """

    name: str
    text: str
    parsed: dict[str, Any]


def schema_folder() -> Path:
    """Find the folder of the `.avsc` files.

    A wheel carries them beside this module; a checkout has them at its top level, where people look for them.
    """
    packed = Path(__file__).with_name("schemas")
    return packed if packed.is_dir() else Path(__file__).parents[2] / "schemas"


def load_schemas() -> dict[str, ShopSchema]:
    """Read all schemas, by full name.

    Raises:
        FileNotFoundError: the installation is not complete.
    """
    folder = schema_folder()
    schemas = [_read(path) for path in sorted(folder.glob("*.avsc"))]
    if not schemas:
        raise FileNotFoundError(f"no .avsc files in {folder}; install the package again")
    return {schema.name: schema for schema in schemas}


def _read(path: Path) -> ShopSchema:
    text = path.read_text(encoding="utf-8")
    parsed = cast("dict[str, Any]", fastavro.parse_schema(orjson.loads(text)))  # a record is never a list
    return ShopSchema(parsed["name"], text, parsed)
