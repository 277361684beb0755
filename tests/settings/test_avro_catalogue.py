import json
from pathlib import Path

from tests.settings.avro import PAGE, SKU, VIEWED, WARNING, crc, only_fault, read, record


def test_records_are_complete(tmp_path: Path) -> None:
    """What a record uses of other files is defined within it, once, at its first mention, whatever the files' order."""
    schemas, faults = read(tmp_path, a=VIEWED, b=PAGE)
    viewed, page = schemas.all
    assert faults == []
    assert (viewed.name, page.name) == ("com.acme.Viewed", "com.acme.Page")
    assert viewed.file == str(tmp_path / "a.avsc")
    inline = {**VIEWED, "fields": [{"name": "page", "type": PAGE}, {"name": "from", "type": ["null", "Page"]}]}
    assert crc(viewed.parsed) == crc(inline)
    assert page.parsed["fields"] == PAGE["fields"]


def test_nested_types_can_be_used_by_others(tmp_path: Path) -> None:
    """A type inside of a record, at any depth, is known by its full name; its own namespace holds within it."""
    enum = {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}
    sku = {**SKU, "name": "Sku", "namespace": ""}
    inner = record("b.Inner", {"type": "array", "items": enum}, {"type": "map", "values": ["null", sku]}, "Kind")
    (tmp_path / "c.avsc").write_text(
        json.dumps({"type": "record", "name": "C", "fields": [{"name": "s", "type": "Sku"}]})
    )
    schemas, faults = read(tmp_path, a=record("a.Outer", inner, "b.Kind"), b=record("z.User", "b.Kind"))
    assert faults == []
    assert [schema.name for schema in schemas.all] == ["a.Outer", "z.User", "C"]
    assert schemas.all[1].parsed["fields"][0]["type"]["symbols"] == ["A", "B"]
    assert schemas.all[2].parsed["fields"][0]["type"]["name"] == "Sku"


def test_a_list_is_several_schemas(tmp_path: Path) -> None:
    """A file may hold a list, in any order; its records are all there, what is no record is not listed."""
    schemas, faults = read(tmp_path, a=[record("a.B", "a.C", "a.E"), record("a.C"), {**SKU, "name": "a.E"}])
    assert faults == []
    assert [schema.name for schema in schemas.all] == ["a.B", "a.C"]


def test_files_of_parts_only(tmp_path: Path) -> None:
    """An enum or a fixed in a file of its own is there for others."""
    schemas, faults = read(tmp_path, sku=SKU, order=record("com.acme.Order", "Sku", {"type": "Sku"}))
    assert faults == []
    assert [field["type"] for field in schemas.all[0].parsed["fields"]] == [
        {"name": "com.acme.Sku", "type": "fixed", "size": 4},
        "com.acme.Sku",
    ]


def test_what_is_kept(tmp_path: Path) -> None:
    """Logical types, defaults and aliases stay, aliases as full names; documentation and tools' attributes do not."""
    time = {"type": "long", "logicalType": "timestamp-millis", "connect.name": "x"}
    enum = {"type": "enum", "name": "Kind", "symbols": ["A"], "default": "A", "aliases": ["old.Kind"], "doc": "d"}
    text = {"type": "string", "avro.java.string": "String"}
    schema = record("a.B", enum, aliases=["C", "x.D"], doc="d", __fastavro_parsed=True)
    schema["fields"] += [
        {"name": "time", "type": time, "default": 0, "aliases": ["at"], "doc": "d"},
        {"name": "text", "type": text, "order": "ignore"},
    ]
    (local,) = read(tmp_path, a=schema)[0].all
    assert local.aliases == ("a.C", "x.D")
    fields = local.parsed["fields"]
    assert fields[0]["type"] == {k: v for k, v in {**enum, "name": "a.Kind"}.items() if k != "doc"}
    assert fields[1]["type"] == {"type": "long", "logicalType": "timestamp-millis"}
    assert (fields[1]["default"], fields[1]["aliases"]) == (0, ["at"])
    assert fields[2] == {"name": "text", "type": "string"}
    assert local.parsed["aliases"] == ["a.C", "x.D"]


def test_recursive_records(tmp_path: Path) -> None:
    """A type may contain itself, also around over several files."""
    tree = record("a.Tree", ["null", "Tree"], "Leaf", aliases=[])
    schemas, faults = read(tmp_path, tree=tree, leaf=record("a.Leaf", ["null", "a.Tree"]))
    assert faults == []
    leaf, tree_ = schemas.all
    assert leaf.parsed["fields"][0]["type"][1]["fields"][1]["type"] == "a.Leaf"
    assert tree_.parsed["fields"][1]["type"]["fields"][0]["type"] == ["null", "a.Tree"]


def test_an_error_is_a_record(tmp_path: Path) -> None:
    """A protocol's error type can be read too."""
    assert read(tmp_path, a={**PAGE, "type": "error"})[0].all[0].parsed["type"] == "record"


def test_no_namespace(tmp_path: Path) -> None:
    """A null namespace is that of what is around; an empty one is none."""
    inner = [record("B", namespace=None), record("C", namespace="")]
    schemas, faults = read(tmp_path, a=record("a.A", *inner))
    assert faults == []
    assert [field["type"]["name"] for field in schemas.all[0].parsed["fields"]] == ["a.B", "C"]


def test_versions_may_differ_inside(tmp_path: Path) -> None:
    """Two versions of a record that differ in a nested record only are two."""
    inner = [record("a.Inner", kind) for kind in ("int", "long")]
    schemas, faults = read(tmp_path, a=record("a.Outer", inner[0]), b=record("a.Outer", inner[1]))
    assert len(schemas.named("a.Outer")) == 2
    assert [fault.level for fault in faults] == [WARNING]
    assert len({crc(schema.parsed) for schema in schemas.all}) == 2


def test_types_that_are_not_there(tmp_path: Path) -> None:
    """A name that no file defines is a fault at its line, with the one that was probably meant."""
    found = read(tmp_path, a=record("com.acme.A", "Pgae"), b=PAGE)
    assert only_fault(found) == (
        "a",
        "uses the type `com.acme.Pgae`, which neither this file nor another one of `schemas` defines",
    )
    assert (found[1][0].line, found[1][0].fix) == (7, "did you mean `com.acme.Page`?")
    assert read(tmp_path, a=record("A", {"type": "zzz"}))[1][0].fix == "add the file that defines it to `schemas`"


def test_ambiguous_types(tmp_path: Path) -> None:
    """A type that two files define differently can be used by neither name nor guess; their own files can."""
    inner = [record("a.Inner", kind) for kind in ("int", "long")]
    (tmp_path / "c.avsc").write_text(json.dumps(record("a.C", "a.Inner")))
    file, message = only_fault(read(tmp_path, a=record("a.A", inner[0], "Inner"), b=record("a.B", inner[1])))
    assert file == "c"
    files = f"{tmp_path}/a.avsc and {tmp_path}/b.avsc"
    assert message == f"uses the type `a.Inner`, which is ambiguous: {files} define it differently"


def test_two_definitions_in_one_record(tmp_path: Path) -> None:
    """A record that would get both of two differing definitions of a name is refused."""
    inner = [record("a.Inner", kind) for kind in ("int", "long")]
    found = read(tmp_path, a=record("a.A", inner[0], "a.B"), b=record("a.B", inner[1]))
    assert only_fault(found)[1].startswith("`a.Inner` would be used in one schema as")


def test_a_circle_through_two_definitions(tmp_path: Path) -> None:
    """Where the definitions to be compared contain each other, that is said, and nothing runs round for ever."""
    tree = record("a.Tree", ["null", "a.Leaf"])
    schemas, faults = read(tmp_path, a=tree, b=record("a.Leaf", ["null", tree]), c=record("a.C", "a.Tree"))
    assert faults
    assert all("uses itself through one of them" in fault.message for fault in faults)
    assert all(schema.name != "a.C" for schema in schemas.all)


def test_a_chain_that_is_too_long(tmp_path: Path) -> None:
    """Files that use each other without end are refused in words."""
    types = [record(f"A{at}", f"A{at + 1}") for at in range(600)]
    schemas, faults = read(tmp_path, a=[*types, record("A600")])
    assert {fault.message for fault in faults} == {"is nested too deep"}
    assert len(faults) == 1
    assert schemas.reader_of("A599")
