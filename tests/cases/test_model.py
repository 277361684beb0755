"""Files of cases: what is read, and what is wrong with them."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from processor.cases.model import Case, read_cases
from processor.errors import ConfigError, Fault
from processor.records import FilterReason

CASE = "- name: a\n  event: {record: a.View, value: {}}\n"
"""A case that wants one more line."""


def cases(folder: Path, text: str) -> list[Case]:
    """Read a file of cases."""
    path = folder / "cases.yaml"
    path.write_text(text, encoding="utf-8")
    return read_cases([path])


def faults(folder: Path, text: str) -> tuple[Fault, ...]:
    """What is wrong with a file of cases, which something must be."""
    with pytest.raises(ConfigError) as caught:
        cases(folder, text)
    assert {fault.file for fault in caught.value.faults} == {str(folder / "cases.yaml")}
    return caught.value.faults


# What is read.


def test_all_keys_of_a_case(tmp_path: Path) -> None:
    """With where it stands."""
    [first, second] = cases(
        tmp_path,
        "# a comment\n"
        "- name: one\n"
        "  route: views\n"
        "  event: {record: a.View, value: {sku: x}}\n"
        "  topic: clicks\n"
        "  key: 7\n"
        "  headers: {tenant: 5, empty: '', city: Malmö, __value_schema_id: {base64: AYwA/w==}}\n"
        "  now: 2026-11-22T10:00:00+01:00\n"
        "  expect: [{method: POST, path: /a, body: {b: c}}, {body: []}]\n"
        "\n"
        "- {name: two, message: AAEC, error: itemId}\n",
    )

    assert first.event is not None
    assert first.expect is not None
    assert (first.name, first.route, first.event.record, first.event.value) == ("one", "views", "a.View", {"sku": "x"})
    assert (first.topic, first.key) == ("clicks", "7")
    assert first.headers == {
        "tenant": b"5",
        "empty": b"",
        "city": "Malmö".encode(),
        "__value_schema_id": b"\x01\x8c\x00\xff",
    }
    assert first.now == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert [(each.method, each.path, each.body) for each in first.expect] == [
        ("POST", "/a", {"b": "c"}),
        ("POST", None, []),
    ]
    assert (first.file, first.line) == (str(tmp_path / "cases.yaml"), 2)
    assert (second.line, second.message, second.event, second.expect) == (11, b"\x00\x01\x02", None, None)
    assert (second.error, second.filtered) == ("itemId", None)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("5", 5),
        ("-5", -5),
        ("9.90", Decimal("9.90")),
        ("1795339867120034000", 1795339867120034000),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'5'", "5"),
        ('"true"', "true"),
        ("'null'", "null"),
        ("''", ""),
        ("NO", "NO"),
        ("on", "on"),
        ("22:00", "22:00"),
        ("0012", "0012"),
        ("5e123", "5e123"),
        ("2026-11-22T09:31:07.120Z", "2026-11-22T09:31:07.120Z"),
        ("[1, '1', [true]]", [1, "1", [True]]),
        ("{a: {b: null}, 5: x}", {"a": {"b": None}, "5": "x"}),
    ],
)
def test_values_are_what_they_look_like(tmp_path: Path, written: str, read: object) -> None:
    """As in `map`: bare numbers and booleans are such, in quotes all is text, and YAML invents nothing."""
    text = f"- name: a\n  event:\n    record: a.View\n    value:\n      x: {written}\n"
    [case] = cases(tmp_path, f"{text}  expect:\n    - body:\n        x: {written}\n")

    assert case.event is not None
    assert case.expect is not None
    for found in (case.event.value["x"], case.expect[0].body["x"]):
        assert found == read
        assert type(found) is type(read)


def test_anchors_hold_over_all_cases(tmp_path: Path) -> None:
    """An event is written once; a later case repeats it, or changes a part of it."""
    first, second, third = cases(
        tmp_path,
        "- name: a\n"
        "  event: &view\n"
        "    record: a.View\n"
        "    value: &value {sku: '1', n: 5, page: {url: u}}\n"
        "  x-shared: {anything: goes}\n"
        "  expect: []\n"
        "- {name: b, event: *view, expect: []}\n"
        "- name: c\n"
        "  event: {record: a.View, value: {<<: *value, n: null}}\n"
        "  expect: []\n",
    )

    assert first.event == second.event
    assert third.event is not None
    assert third.event.value == {"sku": "1", "n": None, "page": {"url": "u"}}
    assert [case.line for case in (first, second, third)] == [1, 7, 8]


def test_a_long_message_may_be_broken(tmp_path: Path) -> None:
    """As `base64` prints it."""
    [case] = cases(tmp_path, "- name: a\n  message: |\n    AAEC\n    AwQ=\n  expect: []\n")

    assert case.message == bytes(range(5))


def test_folders_are_read_as_a_whole(tmp_path: Path) -> None:
    """All YAML files in them and below, in the order of their names; nothing else."""
    (tmp_path / "below").mkdir()
    for name in ("b.yaml", "a.yml", "below/c.yaml"):
        (tmp_path / name).write_text(CASE.replace("name: a", f"name: {name}") + "  filtered: when\n")
    (tmp_path / "notes.md").write_text("no YAML: [")

    assert [case.name for case in read_cases([tmp_path, tmp_path / "b.yaml"])] == [
        "a.yml",
        "b.yaml",
        "below/c.yaml",
        "b.yaml",
    ]


# What is wrong.


@pytest.mark.parametrize(
    ("text", "line", "where", "message", "fix"),
    [
        ("", 1, "", "must be a list of cases", "- name: …"),
        ("[]\n", 1, "", "must be a list of cases", "- name: …"),
        ("name: a\n", 1, "", "must be a list of cases", "- name: …"),
        (CASE + "  expect: []\n-\n", 4, "", "is not a case", "- name: …"),
        (CASE + "  expect: []\n- a\n", 4, "", "is not a case", "- name: …"),
        ("\n" + CASE, 2, "", "must have one of `expect`, `filtered` and `error`", "expect: [{path: …, body: {…}}]"),
        (CASE + "  expect: []\n  error: x\n", 1, "", "must have one of `expect`, `filtered` and `error`", "expect: ["),
        (CASE + "  expect: null\n", 1, "", "must have one of `expect`, `filtered` and `error`", "expect: ["),
        ("- {name: a, expect: []}\n", 1, "", "must have either `event` or `message`", "event: {record: "),
        (CASE + "  expect: []\n  message: AA==\n", 1, "", "must have either `event` or `message`", "event: {record: "),
        ("- {event: {record: a, value: {}}, expect: []}\n", 1, "name", "is required", ""),
        (CASE + "  expct: []\n", 3, "expct", "is not a known key", "did you mean `expect`?"),
        (CASE + "  filtered: whne\n", 3, "filtered", "`whne` is not allowed", "did you mean `when`?"),
        (CASE + "  expect: {body: {}}\n", 3, "expect", "must be a list", "write it in brackets: [a, b]"),
        (CASE + "  expect:\n    - path: /x\n", 4, "expect.0.body", "is required", ""),
        (
            CASE + "  expect:\n    - body: a\n      pth: /x\n",
            5,
            "expect.0.pth",
            "is not a known key",
            "did you mean `path`?",
        ),
        (CASE + "  expect: [{method: GET, body: a}]\n", 3, "expect.0.method", "`GET` is not allowed", "one of: POST"),
        (CASE + "  expect: []\n  now: soon\n", 4, "now", "`soon` is no time", "write it like 2026-11-22T09:31:07Z"),
        (CASE + "  expect: []\n  now: 2026-11-22T09:31\n", 4, "now", "`2026-11-22T09:31` has no zone", "write it like"),
        (CASE + "  expect: []\n  headers: [a]\n", 4, "headers", "must be a mapping", "write `key: value` below it"),
        (CASE + "  expect: []\n  headers: {a: }\n", 4, "headers.a", "has no value", "give it one, or remove the key"),
        (CASE + "  expect: []\n  name: b\n", 4, "name", "the key is set twice, first in line 1", "remove one"),
        (CASE + "  expect: []\n  headers: {a: [b]}\n", 4, "headers.a", "is neither a text nor {base64: …}", "tenant: "),
        (CASE + "  expect: []\n  headers: {a: {base46: AA==}}\n", 4, "headers.a", "is neither a text nor {ba", "ten"),
        (CASE + "  expect: []\n  headers: {a: {base64: '!'}}\n", 4, "headers.a", "is not base64", "write the bytes"),
        ("- name: a\n  message: '!!'\n  expect: []\n", 2, "message", "`!!` is not base64", "write the bytes as base64"),
        ("- name: a\n  event: {record: a}\n  expect: []\n", 2, "event.value", "is required", ""),
        (
            "- nmae: a\n  event: {record: a, value: {}}\n  expect: []\n",
            1,
            "nmae",
            "is not a known key",
            "did you mean `name`? It is required",
        ),
        (
            "- name: a\n  event:\n    record: a\n    value: [a]\n  expect: []\n",
            4,
            "event.value",
            "must be a mapping",
            "",
        ),
        ("- name: a [\n  b: [\n", 3, "", "YAML cannot read this: ", "look for a missing quote"),
        ("- name: &x [*x]\n", 1, "", "the file is nested too deep, or an anchor contains itself", "write it flatter"),
        ("[" * 10_000, 1, "", "the file is nested too deep, or an anchor contains itself", "write it flatter"),
    ],
)
def test_a_fault_has_its_line(tmp_path: Path, text: str, line: int, where: str, message: str, fix: str) -> None:
    """What is wrong, in which line, and what to write instead; never a traceback."""
    [fault] = faults(tmp_path, text)

    assert (fault.line, fault.where) == (line, where)
    assert fault.message.startswith(message)
    assert fault.fix.startswith(fix)


def test_all_faults_of_all_files_at_once(tmp_path: Path) -> None:
    """One file hides nothing of another one, and one case nothing of the next."""
    first, second, binary = (tmp_path / name for name in ("a.yaml", "b.yaml", "c.yaml"))
    first.write_text(CASE + "  expct: []\n" + CASE.replace("record", "recrd") + "  expect: []\n")
    second.write_text("nothing")
    binary.write_bytes(b"\xff")

    with pytest.raises(ConfigError) as caught:
        read_cases([first, second, binary, tmp_path / "none.yaml"])

    assert [(Path(fault.file).name, fault.line, fault.where) for fault in caught.value.faults] == [
        ("a.yaml", 3, "expct"),
        ("a.yaml", 5, "event.recrd"),
        ("b.yaml", 1, ""),
        ("c.yaml", 0, ""),
        ("none.yaml", 0, ""),
    ]


@pytest.mark.parametrize("other", [None, "kafka: {}\n", "", "[]", "text"])
def test_a_folder_without_cases(tmp_path: Path, other: str | None) -> None:
    """Nobody wants to be told that all of no cases are as expected."""
    if other is not None:
        (tmp_path / "clickstream.yaml").write_text(other)

    with pytest.raises(ConfigError, match="there are no cases in this folder") as caught:
        read_cases([tmp_path])

    [fault] = caught.value.faults
    assert (fault.file, fault.fix) == (str(tmp_path), "mend the path, or write cases: `- name: …`")


def test_what_is_no_list_is_passed_over_in_a_folder(tmp_path: Path) -> None:
    """Cases may lie beside a configuration; a file that is named must hold cases, and one that is broken is told."""
    config = tmp_path / "clickstream.yaml"
    config.write_text("kafka: {}\n")
    (tmp_path / "empty.yml").write_text("")
    (tmp_path / "views").mkdir()
    (tmp_path / "views" / "cases.yml").write_text(CASE + "  expect: []\n")

    [case] = read_cases([tmp_path])
    assert case.name == "a"

    with pytest.raises(ConfigError, match="must be a list of cases"):
        read_cases([tmp_path, config])
    config.write_text("- name: [\n")
    with pytest.raises(ConfigError, match="YAML cannot read this"):
        read_cases([tmp_path])


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Why is said in words."""
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)

    with pytest.raises(ConfigError, match="the file cannot be read: Too many levels of symbolic links") as caught:
        read_cases([loop])

    assert len(caught.value.faults) == 1


# What is written of them.


def test_the_page_of_cases_has_every_key(tmp_path: Path) -> None:
    """docs/cases.md names what a case may have, and what it shows are cases."""
    page = (Path(__file__).parents[2] / "docs" / "cases.md").read_text("utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)

    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == [
        name for name in Case.model_fields if name not in {"file", "line"}
    ]
    assert all(f"`{reason}`" in page for reason in FilterReason)
    assert len(cases(tmp_path, example)) == 3
