"""Avro schemas that the tests of this folder write to files, and what they ask of the result."""

import json
from pathlib import Path
from typing import Any

from fastavro.schema import fingerprint, to_parsing_canonical_form

from processor.errors import Fault, Level
from processor.settings.avro_files import LocalSchemas, read_schemas

ERROR, WARNING = Level.ERROR, Level.WARNING
PAGE = {"type": "record", "name": "com.acme.Page", "fields": [{"name": "url", "type": "string"}]}
SKU = {"type": "fixed", "name": "com.acme.Sku", "size": 4}
VIEWED = {
    "type": "record",
    "name": "Viewed",
    "namespace": "com.acme",
    "fields": [{"name": "page", "type": "Page"}, {"name": "from", "type": ["null", "com.acme.Page"]}],
}


def record(name: str, *types: Any, **attributes: Any) -> dict[str, Any]:
    """Make a record with fields of these types."""
    fields = [{"name": f"f{at}", "type": kind} for at, kind in enumerate(types)]
    return {"type": "record", "name": name, "fields": fields, **attributes}


def read(folder: Path, **files: Any) -> tuple[LocalSchemas, list[Fault]]:
    """Read a folder of files: each a schema, or text."""
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content, indent=1)
        (folder / f"{name}.avsc").write_text(text)
    return read_schemas([folder])


def only_fault(found: tuple[LocalSchemas, list[Fault]]) -> tuple[str, str]:
    """Give file and message of the one error."""
    fault = found[1][0]
    assert len(found[1]) == 1, found[1]
    assert fault.level is ERROR
    assert fault.path == ("schemas", 0)
    return Path(fault.file).stem, fault.message


def crc(schema: Any) -> str:
    """Give a schema's fingerprint, as single-object encoding has it."""
    return fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO")
