import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from processor.settings.avro_files import LocalSchemas, read_schemas
from tests.settings.avro import PAGE, VIEWED, WARNING, crc, only_fault, read, record


def test_a_list_of_names(tmp_path: Path) -> None:
    """A union of events that other files define is fine, and defines nothing."""
    schemas, faults = read(tmp_path, a=["null", "com.acme.Page", {"type": "array", "items": "int"}], b=PAGE)
    assert faults == []
    assert [(schema.name, Path(schema.file).stem) for schema in schemas.all] == [("com.acme.Page", "b")]


def test_the_same_record_twice(tmp_path: Path) -> None:
    """Files that define a record in the same way, documentation aside, define one; and so do nested definitions."""
    full = {**VIEWED, "fields": [{"name": "page", "type": {**PAGE, "doc": "d"}}, VIEWED["fields"][1]]}
    schemas, faults = read(tmp_path, a=VIEWED, b=PAGE, c=full, d=record("a.Both", "com.acme.Viewed", "com.acme.Page"))
    assert faults == []
    assert [schema.name for schema in schemas.all] == ["com.acme.Viewed", "com.acme.Page", "a.Both"]


def test_versions(tmp_path: Path) -> None:
    """Records of one name that differ are all kept; a warning says what they are not used for."""
    second = record("com.acme.Page", "int", aliases=["Site"])
    schemas, faults = read(tmp_path, a=PAGE, b=second, c=record("a.C"))
    assert [Path(schema.file).stem for schema in schemas.named("com.acme.Page")] == ["a", "b"]
    assert schemas.reader_of("com.acme.Page") is None
    assert [(fault.level, Path(fault.file).stem, fault.line) for fault in faults] == [(WARNING, "b", 3)]
    files = f"{tmp_path}/a.avsc, {tmp_path}/b.avsc"
    assert faults[0].message.startswith(f"`com.acme.Page` is defined differently by {files}: as versions for single-")
    assert faults[0].fix


def test_readers(tmp_path: Path) -> None:
    """An event's reader is the record of its name, else the one that has it as an alias."""
    new = record("a.New", aliases=["Old", "a.Page"])
    schemas = read(tmp_path, new=new, page=record("a.Page"))[0]
    assert [getattr(schemas.reader_of(name), "name", None) for name in ("a.New", "a.Old", "a.Page", "a.X")] == [
        "a.New",
        "a.New",
        "a.Page",
        None,
    ]


def test_an_alias_of_two(tmp_path: Path) -> None:
    """An alias that two records claim leads to none of them, with a warning; one's versions are warned of already."""
    one, other = record("a.One", aliases=["Old"]), record("a.Other", aliases=["Old"])
    schemas, faults = read(tmp_path, one=one, other=other)
    assert schemas.reader_of("a.Old") is None
    assert [(fault.level, Path(fault.file).stem) for fault in faults] == [(WARNING, "other")]
    assert "`a.Old` is an alias of a.One and a.Other" in faults[0].message
    assert len(read(tmp_path, one=one, other=record("a.One", "int", aliases=["Old"]))[1]) == 1


def test_a_broken_file_is_said_once(tmp_path: Path) -> None:
    """What uses a type of a broken file is not at fault, be it that the file cannot be read or is no schema."""
    assert only_fault(read(tmp_path, a=record("A", "com.acme.Page"), b="{"))[0] == "b"
    bad = record("com.acme.Page", {"type": "fixed", "name": "F", "size": -1})
    assert only_fault(read(tmp_path, a=record("A", "com.acme.Page"), b=bad))[0] == "b"


def test_deep_schemas(tmp_path: Path) -> None:
    """What JSON can hold but no reader can follow is a fault, whichever step it stops."""
    for depth in (200, 240, 300, 900, 2_000):
        deep: Any = "int"
        text = '{"type": "array", "items": ' * depth + '"int"' + "}" * depth
        found = read(tmp_path, a=f'{{"type": "record", "name": "A", "fields": [{{"name": "a", "type": {text}}}]}}')
        assert found[0].all or only_fault(found) == ("a", "is nested too deep"), deep


def test_a_byte_order_mark(tmp_path: Path) -> None:
    """A file that an editor has marked as UTF-8 is read."""
    (tmp_path / "a.avsc").write_bytes(b"\xef\xbb\xbf" + json.dumps(PAGE).encode())
    assert read_schemas([tmp_path / "a.avsc"])[0].named("com.acme.Page")


def test_folders_and_files(tmp_path: Path) -> None:
    """Folders are searched down to the bottom for .avsc, hidden ones left out; a file has any name and is read once."""
    for name in ("b/c/d.avsc", "..2026_11/d.avsc", "b/readme.md", "e.json"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(record(f"a.{file.stem}")) if file.suffix != ".md" else "no JSON")
    schemas, faults = read_schemas([tmp_path, tmp_path / "b" / "c" / "d.avsc", tmp_path / "e.json"])
    assert faults == []
    assert [schema.name for schema in schemas.all] == ["a.d", "a.e"]


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    """A missing file, a folder without files, a path that is none: each is a fault of its entry."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    schemas, faults = read_schemas([tmp_path / name for name in ("none.avsc", "empty", "a\0b", "loop")])
    assert [(fault.path, fault.file) for fault in faults] == [(("schemas", at), "") for at in range(4)]
    assert [fault.message for fault in faults] == [
        f"the file {tmp_path}/none.avsc does not exist",
        f"the folder {tmp_path}/empty has no .avsc files",
        f"{tmp_path}/a\0b cannot be read: embedded null byte",
        f"{tmp_path}/loop cannot be read: Too many levels of symbolic links",
    ]
    assert all(fault.fix for fault in faults)
    assert schemas == LocalSchemas()


def test_a_folder_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that cannot even be listed are not left out in silence."""
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def refusing(path: str) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    _, faults = read(tmp_path, a=PAGE)
    assert [fault.message for fault in faults] == [f"{tmp_path} cannot be read: Permission denied"]


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are a fault at their line."""
    (tmp_path / "a.avsc").write_bytes(b'{"doc":\n "\xff"}')
    fault = read_schemas([tmp_path])[1][0]
    assert (fault.message, fault.line) == ("the file is not UTF-8 text", 2)


def test_the_digest(tmp_path: Path) -> None:
    """It is another one for other contents, the same for the same, and none without files."""
    digests = [read(tmp_path, a=record("A", doc=doc))[0].digest for doc in ("one", "two", "one")]
    assert digests[0] == digests[2] != digests[1]
    assert read_schemas([]) == (LocalSchemas(), [])


ATTRIBUTES = ["type", "name", "namespace", "fields", "items", "values", "symbols", "size", "aliases", "default"]
ATTRIBUTES += ["logicalType", "precision", "scale"]
JSON = st.recursive(
    st.sampled_from(["int", "a.B", "C", "record", "enum", "a b", "", None, 5, -1, 10**400, 0.5, True]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(ATTRIBUTES),
            inner | st.sampled_from(["record", "array", "map", "fixed", "bytes", "decimal"]),
            max_size=6,
        )
    ),
    max_leaves=12,
)
FIELDS = st.lists(st.fixed_dictionaries({"name": st.sampled_from("ab"), "type": JSON}, optional={"default": JSON}))
RECORDS = st.fixed_dictionaries({"type": st.just("record"), "name": st.sampled_from(["a.B", "C"]), "fields": FIELDS})


@given(st.lists(JSON | RECORDS, min_size=1, max_size=3))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_schemas_raise(tmp_path: Path, contents: list[Any]) -> None:
    """Whatever JSON the files hold, there are records or faults with a message, a file and a line."""
    for file in tmp_path.iterdir():
        file.unlink()
    schemas, faults = read(tmp_path, **{f"a{at}": json.dumps(content) for at, content in enumerate(contents)})
    assert all(fault.message and fault.file and fault.line for fault in faults)
    assert all(crc(schema.parsed) for schema in schemas.all)
