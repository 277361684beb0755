from pathlib import Path

import fastavro
import orjson
import pytest

from processor.demo import schemas
from processor.demo.clicks import MIX
from processor.demo.schemas import NAMESPACE, load_schemas, schema_folder

HEAD = {
    "eventId",
    "occurredAt",
    "visitorId",
    "sessionId",
    "contactId",
    "market",
    "culture",
    "page",
    "consent",
}


def test_there_is_a_schema_for_each_type_that_the_shop_makes() -> None:
    """The folder and the shop know the same record types."""
    assert {f"{NAMESPACE}.{name}" for name in MIX} == set(load_schemas())


def test_each_file_is_named_after_its_record() -> None:
    """Who looks for a record type finds its file."""
    for path in schema_folder().glob("*.avsc"):
        assert path.stem == orjson.loads(path.read_text(encoding="utf-8"))["name"]


@pytest.mark.parametrize("name", sorted(MIX))
def test_every_event_has_the_common_head(name: str) -> None:
    """A mapping may rely on the head whatever the event."""
    schema = load_schemas()[f"{NAMESPACE}.{name}"]

    assert {field["name"] for field in schema.parsed["fields"]} >= HEAD


@pytest.mark.parametrize("name", sorted(MIX))
def test_every_field_is_explained(name: str) -> None:
    """The files are what a reader learns the events from, so no field goes without a doc string."""
    schema = orjson.loads(load_schemas()[f"{NAMESPACE}.{name}"].text)

    assert schema["doc"]
    assert [field["name"] for field in schema["fields"] if not field.get("doc")] == []


@pytest.mark.parametrize("name", sorted(MIX))
def test_a_file_stands_alone(name: str) -> None:
    """Nested types are inlined, so each file can be registered without references."""
    text = load_schemas()[f"{NAMESPACE}.{name}"].text

    fastavro.parse_schema(orjson.loads(text), named_schemas={})


def test_an_incomplete_installation_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without schemas nothing of the demo works, and the message says where they were looked for."""
    monkeypatch.setattr(schemas, "schema_folder", lambda: tmp_path)

    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        load_schemas()


def test_a_wheel_brings_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an installed package the schemas lie beside the module."""
    (tmp_path / "schemas").mkdir()
    monkeypatch.setattr(schemas, "__file__", str(tmp_path / "schemas.py"))

    assert schema_folder() == tmp_path / "schemas"
