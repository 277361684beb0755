"""`clickstream test`: files of cases through a configuration, with messages as they are in Kafka."""

import io
import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import fastavro
import pytest
import structlog
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from fastavro.schema import fingerprint, to_parsing_canonical_form

from processor.app import schema_store
from processor.cli import test as command
from processor.cli.main import main
from processor.decode.schemas import SchemaStore
from tests.decode.test_frames import GUID, registry_with_guids
from tests.support.background import in_background
from tests.support.command import clickstream, objects
from tests.support.configured import HEAD, VIEW
from tests.support.registry import stub_registry
from tests.support.server import free_port

CONTACT = "2e40a1de-0a0c-4be5-9f7e-1c1a0f2de22f"
SCHEMA = {
    "type": "record",
    "name": "View",
    "namespace": "a",
    "fields": [{"name": "sku", "type": "string"}, {"name": "contact", "type": ["null", "string"]}],
}
CONFIG = HEAD.replace(
    "[shop.clicks]\n", "[shop.clicks]\nschemas: [view.avsc]\nformats: {shop.raw: {raw: a.View}}\n"
) + (VIEW.replace("to:", "topics: [shop.clicks, shop.raw], when: contact, to:"))
BODY = f"{{itemId: '1', contactId: {CONTACT}}}"
VIEWED = f"event: {{record: a.View, value: {{sku: 1, contact: {CONTACT}}}}}"
PASSES = f"- {{name: passes, {VIEWED}, expect: [{{body: {BODY}}}]}}\n"
FAILS = PASSES.replace("passes", "fails").replace("sku: 1", "sku: 2")
FILTERED = "- {name: filtered, event: {record: a.View, value: {sku: 1}}, filtered: when}\n"

Output = tuple[int, str, str]
Run = Callable[..., Output]


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """The command sets up the process's logging; the next test wants it as it was."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `cases.yaml` with this content in the current folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CLICKSTREAM_CONFIG", raising=False)
    Path("view.avsc").write_text(json.dumps(SCHEMA))
    Path("clickstream.yaml").write_text(CONFIG)

    def with_cases(text: str, *arguments: str) -> Output:
        Path("cases.yaml").write_text(text)
        code = main(["test", *(arguments or ["cases.yaml"])])
        said = capsys.readouterr()
        return code, said.out, said.err

    return with_cases


def message(*, frame: bytes = b"", sku: str = "1") -> str:
    """A view as base64 text, with these bytes before the Avro binary."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(SCHEMA), {"sku": sku, "contact": CONTACT})
    return b64encode(frame + out.getvalue()).decode()


def single_object() -> bytes:
    """The frame of Avro's single-object encoding."""
    parsed = fastavro.parse_schema(SCHEMA)
    return b"\xc3\x01" + bytes.fromhex(fingerprint(to_parsing_canonical_form(parsed), "CRC-64-AVRO"))


def confluent(schema_id: int) -> bytes:
    """Confluent's frame."""
    return b"\x00" + schema_id.to_bytes(4)


def case(written: str, outcome: str, topic: str = "shop.clicks") -> str:
    """A case with a message."""
    return f"- {{name: a message, message: {written}, topic: {topic}, {outcome}}}\n"


# Cases.


def test_all_pass(run: Run) -> None:
    """One line says how many."""
    assert run(PASSES + FILTERED) == (0, "2 cases, all as expected\n", "")


def test_one_fails(run: Run) -> None:
    """With its place and what is different; the others are run all the same."""
    code, out, err = run(PASSES + FAILS + FILTERED)

    assert (code, err) == (1, "")
    assert out == (
        "FAILED cases.yaml:2 fails\n"
        f'  request 1: expected {{"itemId":"1","contactId":"{CONTACT}"}}\n'
        f'              and got  {{"itemId":"2","contactId":"{CONTACT}"}}\n'
        "\n"
        "3 cases, 1 failed\n"
    )


def test_verdicts_as_json(run: Run) -> None:
    """One object for each case, whether it passed or not."""
    code, out, err = run(PASSES + FAILS, "cases.yaml", "--format", "json")

    assert (code, err) == (1, "")
    first, second = objects(out)
    assert first == {"name": "passes", "file": "cases.yaml", "line": 1, "passed": True, "wrong": ""}
    assert (second["name"], second["line"], second["passed"]) == ("fails", 2, False)
    assert second["wrong"].startswith("  request 1: expected ")


def test_several_files_of_both_kinds(run: Run) -> None:
    """Files and folders of cases, and configurations over one another."""
    Path("more").mkdir()
    Path("more/a.yaml").write_text(FILTERED)
    Path("stage.yaml").write_text("routes: {views: {when: sku}}\n")

    assert run(PASSES, "cases.yaml", "more") == (0, "2 cases, all as expected\n", "")
    code, out, _ = run(PASSES, "cases.yaml", "more", "-c", "clickstream.yaml", "-c", "stage.yaml")
    assert code == 1
    assert out.startswith("FAILED more/a.yaml:1 filtered\n")
    assert out.endswith("2 cases, 1 failed\n")


def test_cases_beside_a_configuration(run: Run) -> None:
    """The folder of both is tried as a whole; without any case it ends with 2."""
    assert run(PASSES, ".") == (0, "1 case, all as expected\n", "")

    Path("alone").mkdir()
    Path("alone/clickstream.yaml").write_text(CONFIG)
    code, out, err = run(PASSES, "alone")
    assert (code, out) == (2, "")
    assert err.startswith("ERROR alone:0    there are no cases in this folder")


def test_batches_are_shown_as_single_calls(run: Run) -> None:
    """Voyado's default is batches; what a case is about is the delivery."""
    path = "path: /api/v2/tracking/productview"

    assert run(PASSES.replace("{body:", f"{{{path}, body:"))[0] == 0
    code, out, _ = run(PASSES.replace("{body:", f"{{{path}s, body:"))
    assert code == 1
    assert "expected POST /api/v2/tracking/productviews, and got POST /api/v2/tracking/productview\n" in out


@pytest.mark.parametrize(
    ("cases", "config", "said"),
    [
        ("[", CONFIG, "ERROR cases.yaml:1    YAML cannot read this"),
        (PASSES.replace("expect", "expct"), CONFIG, "ERROR cases.yaml:1 expct   is not a known key"),
        ("", CONFIG, "ERROR cases.yaml:1    must be a list of cases"),
        (PASSES, CONFIG.replace("sku", "'a b'"), "ERROR clickstream.yaml:"),
        (PASSES, "", "ERROR clickstream.yaml:1    the file is empty"),
    ],
)
def test_a_file_that_is_wrong(run: Run, cases: str, config: str, said: str) -> None:
    """The exit code tells it from a case that fails."""
    Path("clickstream.yaml").write_text(config)

    code, out, err = run(cases)

    assert (code, out) == (2, "")
    assert said in err


def test_a_file_that_is_not_there(run: Run) -> None:
    """Neither of the cases nor of the configuration."""
    code, _, err = run(PASSES, "none.yaml")
    assert code == 2
    assert err.startswith("ERROR none.yaml:0    there is no such file")

    code, _, err = run(PASSES, "cases.yaml", "-c", "none.yaml")
    assert code == 2
    assert err.startswith("ERROR none.yaml:0    the file does not exist")


def test_secrets_may_be_missing_here(run: Run) -> None:
    """Nothing is sent."""
    Path("clickstream.yaml").write_text(CONFIG.replace("hunter2", "${file:not-here}"))

    assert run(PASSES)[0] == 0


# Messages.


def test_messages_by_schemas_of_files(run: Run) -> None:
    """Single-object encoding by its fingerprint, and raw Avro by its topic; the registry is not asked."""
    Path("clickstream.yaml").write_text(CONFIG.replace('registry: {url: "http://localhost:8081"}\n', ""))
    expected = f"expect: [{{body: {BODY}}}]"

    both = case(message(frame=single_object()), expected) + case(message(), expected, "shop.raw")

    assert run(both) == (0, "2 cases, all as expected\n", "")


def test_messages_that_cannot_be_decoded(run: Run) -> None:
    """Why is what the dead letter would say."""
    cases = [
        case(b64encode(b"{}").decode(), "error: 'no frame: fewer than 5 bytes'"),
        case(message(frame=b"\xc3\x01" + b"12345678"), "error: 'the fingerprint 3132333435363738, which no file'"),
        case(b64encode(b"\x02").decode(), "error: 'a.View (the schema in `schemas`): '", "shop.raw"),
        case(b64encode(b"{}").decode(), f"expect: [{{body: {BODY}}}]"),
    ]

    code, out, _ = run("".join(cases))

    assert code == 1
    assert out.startswith("FAILED cases.yaml:4 a message\nmapping error: no frame: fewer")
    assert out.endswith("4 cases, 1 failed\n")


def test_messages_by_the_registry(run: Run, tmp_path: Path) -> None:
    """Confluent's frame; an id that the registry does not know is an error of the case, and told once."""
    run(PASSES)
    with stub_registry() as registry:
        with SchemaRegistryClient({"url": registry.url}) as client:
            schema_id = client.register_schema("view", Schema(json.dumps(SCHEMA), "AVRO"))
        Path("clickstream.yaml").write_text(CONFIG.replace("http://localhost:8081", registry.url))
        Path("cases.yaml").write_text(
            case(message(frame=confluent(schema_id)), f"expect: [{{body: {BODY}}}]")
            + case(message(frame=confluent(schema_id), sku="2"), f"expect: [{{body: {BODY}}}]")
            + case(message(frame=confluent(77)), "error: schema id 77 is unknown to the registry")
        )
        done = clickstream("test", "cases.yaml", "--format", "json", cwd=tmp_path)

    assert (done.returncode, done.stderr) == (1, "")
    assert [verdict["passed"] for verdict in objects(done.stdout)] == [True, False, True]


def test_a_message_whose_header_names_its_schema(run: Run, tmp_path: Path) -> None:
    """Confluent's newer serializers write the schema's GUID there, as bytes that are no text."""
    run(PASSES)
    header = b64encode(b"\x01" + UUID(GUID).bytes).decode()
    headers = f"headers: {{__value_schema_id: {{base64: {header}}}}}"
    with in_background(registry_with_guids({GUID: SCHEMA})) as url:
        Path("clickstream.yaml").write_text(CONFIG.replace("http://localhost:8081", url))
        Path("cases.yaml").write_text(case(message(), f"{headers}, expect: [{{body: {BODY}}}]"))
        done = clickstream("test", "cases.yaml", cwd=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "1 case, all as expected\n", "")


def test_the_registry_s_client_is_closed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """When all cases were tried."""
    stores: list[Any] = []

    def kept(*parts: Any) -> SchemaStore:
        stores.append(schema_store(*parts))
        return cast("SchemaStore", stores[-1])

    monkeypatch.setattr(command, "schema_store", kept)
    run(PASSES)

    assert [store._registry._rest_client.session.is_closed for store in stores] == [True]


def test_a_registry_that_does_not_answer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first case waits for a while and fails with the reason, the others at once; stdout has verdicts only."""
    monkeypatch.setattr(command, "PATIENCE", 0.5)
    Path("clickstream.yaml").write_text(CONFIG.replace("localhost:8081", f"localhost:{free_port()}"))

    messages = "".join(case(message(frame=confluent(schema_id)), "expect: []") for schema_id in (1, 2, 1))
    code, out, err = run(messages + PASSES, "cases.yaml", "--format", "json")

    *failed, passed = objects(out)
    assert code == 1
    assert ([each["passed"] for each in failed], passed["passed"]) == ([False] * 3, True)
    assert [told["schema_id"] for told in objects(err)] == [1]
    for each, schema_id in zip(failed, (1, 2, 1), strict=True):
        assert each["wrong"].startswith(f"mapping error: schema id {schema_id}: the registry: ConnectError: ")
    assert "Traceback" not in err


def test_as_a_process(run: Run, tmp_path: Path) -> None:
    """Exit codes are for build servers."""
    run(PASSES + FAILS)

    done = clickstream("test", "cases.yaml", cwd=tmp_path)

    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.endswith("2 cases, 1 failed\n")
