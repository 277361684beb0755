"""The mappings of `examples/*/`: each is checked, its cases pass, and its events can be written by its schema."""

import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import fastavro
import pytest
import structlog

from processor.cases.model import Case, read_cases
from processor.cases.rehearsal import Decoded, PinnedClock, Rehearsal
from processor.cli.main import main
from processor.clock import ManualClock
from processor.decode.decoder import Decoder
from processor.decode.local import LocalTypes
from processor.decode.schemas import SchemaStore
from processor.plan import Plan, load_plans
from processor.records import Event, Record
from processor.settings.avro_files import LocalSchemas, read_schemas
from tests.support.logs import Lines
from tests.support.records import record

EXAMPLES = Path(__file__).parent.parent / "examples"
FILES = sorted(EXAMPLES.glob("*/cases.yaml"))
CASES = [(file.parent, case) for file in FILES for case in read_cases([file])]
NAMED = [f"{folder.name}: {case.name}" for folder, case in CASES]
ANY_TOPIC = "clicks"


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """The command sets up the process's logging; the next test wants it as it was."""
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.parent.name))
def test_an_example_is_checked_and_its_cases_pass(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As who copies it would do; without a finding, and without a variable to be set."""
    config = str(file.parent / "clickstream.yaml")

    assert main(["check", "--offline", "--strict", "-c", config]) == 0, capsys.readouterr().err
    assert main(["test", str(file), "-c", config]) == 0, capsys.readouterr().out


@pytest.mark.parametrize(("folder", "case"), CASES, ids=NAMED)
def test_the_event_of_a_case_is_one_of_its_schema(folder: Path, case: Case) -> None:
    """Written by the schema and decoded again it has the same values, and the same requests come of it."""
    assert case.event is not None
    schemas, faults = read_schemas([folder])
    assert faults == []
    [schema] = schemas.named(case.event.record)
    value = written(case.event.value, schema.parsed)

    event = decoded(value, case.event.record, schemas)

    assert is_within(case.event.value, event.value)
    again = case.model_copy(update={"event": case.event.model_copy(update={"value": event.value})})
    assert judged(folder, again) == ""


def written(value: Any, schema: Any) -> bytes:
    """An event's values as Avro binary."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, natural(value, schema), strict_allow_default=True)
    return out.getvalue()


def natural(value: Any, schema: Any) -> Any:
    """A value of JSON types as fastavro takes it: times as `datetime`; what is left out stays out."""
    match schema:
        case {"logicalType": "timestamp-millis" | "timestamp-micros"}:
            return datetime.fromisoformat(value)
        case {"type": "record", "fields": fields}:
            return {
                each["name"]: natural(value[each["name"]], each["type"]) for each in fields if each["name"] in value
            }
        case {"type": "array", "items": items}:
            return [natural(each, items) for each in value]
        case {"type": "map", "values": values}:
            return {key: natural(each, values) for key, each in value.items()}
        case ["null", inner] if value is not None:
            return natural(value, inner)
        case _:
            return value


def decoded(value: bytes, name: str, schemas: LocalSchemas) -> Event:
    """What the service reads in it."""
    store = SchemaStore(None, schemas, ManualClock(), Lines().log)
    event = Decoder(store, LocalTypes(schemas, {ANY_TOPIC: name}), lambda *_: True).decode(record(value=value))
    assert isinstance(event, Event), event
    assert event.name == name
    return event


def is_within(wanted: Any, found: Any) -> bool:
    """Whether all that a case says is there; what it leaves out has a default."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(key in found and is_within(value, found[key]) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(map(is_within, wanted, found))
    return bool(wanted == found)


def judged(folder: Path, case: Case) -> str:
    """What is wrong with a case."""
    clock = PinnedClock()
    ready = load_plans([folder / "clickstream.yaml"], {}, clock, offline=True, singly=True)
    return Rehearsal(ready, clock, no_messages).judge(case).wrong


def no_messages(record: Record, plan: Plan) -> Decoded:
    """None of these cases has one."""
    raise AssertionError((record, plan.name))


def test_every_example_of_a_mapping_has_cases() -> None:
    """A folder with a configuration has cases and a schema beside it, and none is passed over."""
    assert {file.parent for file in FILES} == {file.parent for file in EXAMPLES.glob("*/clickstream.yaml")}
    assert {file.parent for file in FILES} <= {file.parent for file in EXAMPLES.glob("*/*.avsc")}
    assert len(FILES) >= 3


def test_another_value_is_seen() -> None:
    """The comparison itself finds what differs, at any depth."""
    assert is_within({"a": [{"b": 1}]}, {"a": [{"b": 1, "c": None}], "d": 2})
    assert not is_within({"a": [{"b": 1}]}, {"a": [{"b": "1"}]})
    assert not is_within({"a": None}, {})
    assert not is_within([1], [1, 2])
