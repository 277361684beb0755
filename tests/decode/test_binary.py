from typing import Any

import fastavro
import pytest

from processor.decode.binary import compile_reader
from processor.decode.shapes import SchemaMismatchError
from processor.decode.wire import MAX_DEPTH, MAX_EMPTY_ITEMS, MalformedError
from tests.decode.registries import record_type

TREE = {
    "type": "record",
    "name": "Node",
    "fields": [
        {"name": "next", "type": ["null", "Node"]},
        {"name": "kids", "type": {"type": "array", "items": "Node"}},
    ],
}
STRINGS = {"type": "array", "items": "string"}
NULLS = {"type": "array", "items": "null"}
PAGE = record_type("Page", url="string", marks={"type": "array", "items": record_type("Mark", label="string")})
VIEW = record_type("View", sku="string", page=PAGE)


def read(schema: Any, payload: bytes, reader: Any = None) -> Any:
    """A value of a schema, as what the reader's schema wants where there is one."""
    wanted = None if reader is None else fastavro.parse_schema(reader)
    return compile_reader(fastavro.parse_schema(schema), wanted)(payload, 0)


def refusal(schema: object, payload: bytes, reader: object = None) -> str:
    """Why a payload is refused, which it must be."""
    with pytest.raises(MalformedError) as refused:
        read(schema, payload, reader)
    return str(refused.value)


@pytest.mark.parametrize(
    ("schema", "payload", "reason"),
    [
        ("null", b"\x00", "bytes are left over behind the record"),
        ("boolean", b"", "the bytes end too early"),
        ("boolean", b"\x07", "a boolean that is neither 0 nor 1"),
        ("int", b"\x80\x80\x80\x80\x10", "a number of more than 32 bits"),
        ("int", b"\x80\x80\x80\x80\x80\x00", "a number of more than 32 bits"),
        ("int", b"\x80", "the bytes end too early"),
        ("long", b"\xff" * 9 + b"\x02", "a number of more than 64 bits"),
        ("long", b"\x80" * 10 + b"\x00", "a number of more than 64 bits"),
        ("float", b"\x00" * 3, "the bytes end too early"),
        ("double", b"\x00" * 7, "the bytes end too early"),
        ("string", b"\x04a", "the bytes end too early"),
        ("string", b"\x01", "a length below 0"),
        ("bytes", b"\x80\x80\x80\x80\x80\x40", "a length of more bytes than are left"),
        ("string", b"\x06\xed\xa0\x80", "text that is not UTF-8"),
        ({"type": "fixed", "name": "F", "size": 4}, b"abc", "the bytes end too early"),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, b"\x04", "none of the 2 symbols of an enum"),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, b"\x01", "none of the 2 symbols of an enum"),
        (["null", "int"], b"\x04", "none of the 2 branches of a union"),
        (["null", "int"], b"\x01", "none of the 2 branches of a union"),
        ([], b"\x00", "none of the 0 branches of a union"),
        (STRINGS, b"\x7e", "more items than bytes are left"),
        (STRINGS, b"\x80" * 9 + b"\x01" + b"\x00", "more items than bytes are left"),
        (STRINGS, b"\xff" * 9 + b"\x01" + b"\x00" * 3, "more items than bytes are left"),
        (STRINGS, b"\x01\x02\x02a\x00", "a block of items that says another size than it has"),
        (STRINGS, b"\x01\x06\x02a\x00", "a block of items that says another size than it has"),
        (STRINGS, b"\x01\x01\x02a\x00", "a length below 0"),
        ({"type": "map", "values": "null"}, b"\x04\x02a\x00", "the bytes end too early"),
        ({"type": "map", "values": "int"}, b"\x80" * 9 + b"\x01", "more items than bytes are left"),
    ],
)
def test_what_cannot_be_is_refused(schema: object, payload: bytes, reason: str) -> None:
    """Whatever a payload says of itself is checked."""
    assert refusal(schema, payload).removeprefix("[]: ") == reason


@pytest.mark.parametrize(
    ("schema", "payload", "value"),
    [
        ("long", b"\xff" * 9 + b"\x01", -(2**63)),
        ("long", b"\xfe" + b"\xff" * 8 + b"\x01", 2**63 - 1),
        ("long", b"\x82\x80\x00", 1),
        ("int", b"\xff\xff\xff\xff\x0f", -(2**31)),
        ("string", b"\x82\x00a", "a"),
        (["null", "int"], b"\x82\x00\x02", 1),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, b"\x82\x00", "B"),
        (STRINGS, b"\x80\x00", []),
        (STRINGS, b"\x01\x04\x02a\x00", ["a"]),
        (STRINGS, b"\x02\x02a\x02\x02b\x00", ["a", "b"]),
        (NULLS, b"\x05\x00\x00", [None, None, None]),
    ],
)
def test_every_way_to_write_a_value_is_read(schema: object, payload: bytes, value: object) -> None:
    """Numbers may be longer than they need, and items may come in many blocks, with or without their size."""
    assert read(schema, payload) == value


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        (b"\x02a\x02\xff", "page.url"),
        (b"\x02a\x02b\x04\x02c\x02\xff\x00", "page.marks[].label"),
        (b"\x02a\x02b\x02\x02c", "page.marks"),
        (b"\x02\xff", "sku"),
    ],
)
def test_the_field_is_named(payload: bytes, place: str) -> None:
    """Who is woken at three sees where it broke, at any depth."""
    assert refusal(VIEW, payload).startswith(f"{place}: ")


def test_deep_nesting_is_refused() -> None:
    """Ten thousand bytes nest ten thousand records; no stack is that deep. The place is told shortly."""
    assert read(TREE, b"\x02" * (MAX_DEPTH - 1) + b"\x00" * (MAX_DEPTH + 1))

    reason = refusal(TREE, b"\x02" * 10_000)

    assert reason.endswith(f"more than {MAX_DEPTH} records within each other")
    assert len(reason) < 120


def test_nesting_through_arrays_counts_too() -> None:
    """However a type contains itself."""
    deep = b"\x00\x02" * 5_000

    assert f"more than {MAX_DEPTH} records" in refusal(TREE, deep)


@pytest.mark.parametrize(
    "items", ["null", {"type": "record", "name": "E", "fields": []}, {"type": "fixed", "name": "Z", "size": 0}]
)
def test_items_without_bytes_are_limited(items: object) -> None:
    """Five bytes could announce a billion; they are counted over the whole payload, and from zero for the next one."""
    arrays = compile_reader(fastavro.parse_schema({"type": "array", "items": {"type": "array", "items": items}}))
    thousand = b"\xd0\x0f\x00"

    for _ in range(2):
        assert sum(map(len, arrays(b"\x14" + thousand * 10 + b"\x00", 0))) == MAX_EMPTY_ITEMS
    with pytest.raises(MalformedError, match=f"more than {MAX_EMPTY_ITEMS} items that take no bytes"):
        arrays(b"\x16" + thousand * 11 + b"\x00", 0)


def test_names_of_a_schema_are_never_code() -> None:
    """They come from other people, and the reader is compiled from source."""
    name = "a': boom(), 'b\\"
    enum = {"type": "enum", "name": "E", "symbols": ["A"]}
    schema = {"type": "record", "name": "R", "fields": [{"name": name, "type": enum}]}

    assert compile_reader(schema)(b"\x00", 0) == {name: "A"}


# A reader's schema.


def evolved(*fields: dict[str, Any], name: str = "View", **more: Any) -> dict[str, Any]:
    """A later version of a record."""
    return {"type": "record", "name": name, "namespace": "com.acme", "fields": list(fields), **more}


E = {"type": "enum", "name": "E", "symbols": ["A", "B"]}
SKU = {"name": "sku", "type": "string"}
OLD = record_type("View", sku="string", count="int")
PAYLOAD = b"\x02a\x06"


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        (evolved(SKU), {"sku": "a"}),
        (evolved({"name": "count", "type": "double"}, SKU), {"count": 3.0, "sku": "a"}),
        (evolved({"name": "id", "type": "bytes", "aliases": ["sku"]}), {"id": "YQ=="}),
        (evolved({"name": "id", "type": ["null", "string"], "aliases": ["no", "sku"]}), {"id": "a"}),
        (evolved({"name": "x", "type": ["null", "int"], "default": None}), {"x": None}),
        (evolved({"name": "x", "type": ["null", "int"], "default": 4}), {"x": 4}),
        (evolved({"name": "x", "type": "double", "default": 4}), {"x": 4.0}),
        (evolved({"name": "x", "type": {"type": "array", "items": "int"}, "default": [1]}), {"x": [1]}),
        (evolved({"name": "x", "type": {"type": "long", "logicalType": "timestamp-millis"}, "default": 0}),
         {"x": "1970-01-01T00:00:00.000Z"}),
        (evolved(SKU, {"name": "twin", "type": "string", "aliases": ["sku"], "default": "-"}),
         {"sku": "a", "twin": "-"}),
        (evolved(SKU, name="Seen", aliases=["View"]), {"sku": "a"}),
        (evolved(SKU, name="View", namespace="com.other"), {"sku": "a"}),
    ],
)  # fmt: skip
def test_a_reader_s_schema_decides_what_is_seen(reader: object, value: object) -> None:
    """Fields dropped, added, renamed, promoted and reordered, as Avro's rules have it."""
    found = read(OLD, PAYLOAD, reader)

    assert found == value
    assert list(found) == list(value)  # type: ignore[call-overload]


def test_every_event_has_its_own_defaults() -> None:
    """What one event's mapping does to a list is not seen in the next one."""
    reader = compile_reader(
        fastavro.parse_schema(OLD),
        fastavro.parse_schema(evolved({"name": "x", "type": {"type": "array", "items": "int"}, "default": []})),
    )
    reader(PAYLOAD, 0)["x"].append(1)

    assert reader(PAYLOAD, 0) == {"x": []}


def test_what_the_reader_drops_is_still_checked() -> None:
    """A payload is wrong wherever it is wrong."""
    assert refusal(OLD, b"\x02\xff\x06", evolved({"name": "count", "type": "int"})) == "sku: text that is not UTF-8"


@pytest.mark.parametrize(
    ("reader", "reason"),
    [
        (evolved({"name": "x", "type": "int"}), "com.acme.View.x has no default, and com.acme.View does not have it"),
        (evolved({"name": "sku", "type": "int"}), "com.acme.View.sku: string cannot be read as int"),
        (evolved({"name": "count", "type": ["null", "string"]}), "com.acme.View.count: int is none of null, string"),
        (evolved({"name": "x", "type": {**E, "default": "A"}, "default": "Z"}), "the default 'Z' is no com.acme.E"),
        (evolved({"name": "x", "type": "int", "default": 2**31}), "the default 2147483648 is no int"),
        (
            evolved({"name": "x", "type": {"type": "array", "items": PAGE}, "default": [[]]}),
            "the default [] is no com.acme.Page",
        ),
        (evolved(SKU, name="Other"), "com.acme.View cannot be read as com.acme.Other"),
    ],
)
def test_schemas_that_do_not_match_are_told(reader: dict[str, Any], reason: str) -> None:
    """Before any payload is read."""
    with pytest.raises(SchemaMismatchError) as mismatch:
        compile_reader(fastavro.parse_schema(OLD), fastavro.parse_schema(reader))

    assert str(mismatch.value) == reason


def test_units_are_not_mixed_up() -> None:
    """Avro would read microseconds as milliseconds, for both are longs."""
    written = record_type("View", at={"type": "long", "logicalType": "timestamp-micros"})
    wanted = record_type("View", at={"type": "long", "logicalType": "timestamp-millis"})
    with pytest.raises(
        SchemaMismatchError, match=r"long \(timestamp-micros\) cannot be read as long \(timestamp-millis\)"
    ):
        compile_reader(fastavro.parse_schema(written), fastavro.parse_schema(wanted))


def test_only_a_payload_that_cannot_be_read_is_at_fault() -> None:
    """A branch or a symbol that the reader does not know harms nobody else."""
    written = record_type("View", e=E, u=["int", "string"])
    wanted = record_type("View", e={**E, "symbols": ["A"]}, u="long")

    assert read(written, b"\x00\x00\x02", wanted) == {"e": "A", "u": 1}
    assert refusal(written, b"\x02\x00\x02", wanted) == "e: symbol B, which the reader's schema does not have"
    assert refusal(written, b"\x00\x02\x02a", wanted) == "u: string cannot be read as long"


def test_a_recursive_type_that_fails_leaves_nothing_half_made() -> None:
    """A branch that cannot be read must not be remembered as one that can."""
    leaf = {"type": "record", "name": "Leaf", "fields": [{"name": "up", "type": ["null", "Tree"]}]}
    tree = {
        "type": "record", "name": "Tree", "fields": [{"name": "leaf", "type": leaf}, {"name": "x", "type": "string"}],
    }  # fmt: skip
    written = record_type("View", tree=["null", tree], leaf=["null", "Leaf"])
    wanted_tree = {**tree, "fields": [tree["fields"][0], {"name": "x", "type": "int"}]}
    wanted = record_type("View", tree=["null", wanted_tree], leaf=["null", "Leaf"])

    assert read(written, b"\x00\x02\x00", wanted) == {"tree": None, "leaf": {"up": None}}
    assert "string cannot be read as int" in refusal(written, b"\x00\x02\x02\x00\x02a", wanted)


def test_schemas_that_double_with_each_level_are_compiled_at_once() -> None:
    """Who registers a schema must not stop who reads it."""
    kind: Any = {"type": "record", "name": "R0", "fields": []}
    for level in range(1, 40):
        fields = [{"name": "a", "type": kind}, {"name": "b", "type": f"R{level - 1}"}]
        kind = {"type": "record", "name": f"R{level}", "fields": fields}

    assert callable(compile_reader(fastavro.parse_schema({"type": "array", "items": kind})))


def test_a_default_that_contains_itself_is_told() -> None:
    """Such a record could never end."""
    fields = [{"name": "next", "type": "Loop", "default": {}}]
    reader = evolved({"name": "loop", "type": {"type": "record", "name": "Loop", "fields": fields}, "default": {}})
    with pytest.raises(SchemaMismatchError, match="nested too deep"):
        compile_reader(fastavro.parse_schema(OLD), fastavro.parse_schema(reader))
