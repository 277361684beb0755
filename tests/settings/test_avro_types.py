from pathlib import Path

import pytest

from tests.settings.avro import ERROR, read


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('{"type": "record",\n "name": }', 2, "is not JSON: Expecting value"),
        ("// a comment\n{}", 1, "is not JSON: Expecting value"),
        ("", 1, "is not JSON: Expecting value"),
        ('{"type": "string"}', 1, "has no record at its top"),
        ('"string"', 1, "has no record at its top"),
        ("[]", 1, "has no record at its top"),
        ('{"type": "array", "items": {"type": "fixed", "name": "A", "size": 1}}', 1, "has no record at its top"),
        ('{"protocol": "P", "types": []}', 1, "has no record at its top"),
        ('{"type": ["null"]}', 1, "has no record at its top"),
        ("5", 1, "has no record at its top"),
        ('{"type": "record", "fields": []}', 1, "`name` must be a text"),
        ('{"type": "record",\n "name": 5, "fields": []}', 2, "`name` must be a text"),
        ('{"type": "record", "name": "a b", "fields": []}', 1, "`a b` is not a name in Avro"),
        ('{"type": "record", "name": "A", "namespace": 5}', 1, "`namespace` must be a text"),
        ('{"type": "record",\n "name": "A"}', 2, "`fields` must be a list"),
        ('{"type": "record", "name": "A", "fields": ["int"]}', 1, '`name` must be a text in "int"'),
        ('{"type": "record", "name": "A", "fields": [{"name": "a"}]}', 1, "`type` must be a schema"),
        ('{"type": "record", "name": "A", "fields": [{"name": "a", "type": null}]}', 1, "`type` must be a schema"),
        ('{"type": "record", "name": "A", "fields": [{"name": "a", "type": 5}]}', 1, "is not an Avro schema: 5"),
        (
            '{"type": "record", "name": "A", "fields": [{"name": "a", "type": {"type": {"type": "int"}}}]}',
            1,
            "is not an Avro schema",
        ),
        (
            '{"type": "record", "name": "A", "fields": [{"name": "a", "type": {"type": "map"}}]}',
            1,
            "`values` must be a schema",
        ),
        (
            '{"type": "record", "name": "A", "fields": [{"name": "a", "type": {"type": "array"}}]}',
            1,
            "`items` must be a schema",
        ),
        (
            '{"type": "record", "name": "A", "fields": [\n{"name": "a", "type": "int"},{"name": "a", "type": "int"}]}',
            2,
            "`A` has two fields `a`",
        ),
        ('{"type": "enum", "name": "A"}', 1, "`symbols` must be a list"),
        ('{"type": "enum", "name": "A", "symbols": [5]}', 1, "`symbols` must be a list of texts"),
        ('{"type": "enum",\n "name": "A", "symbols": ["B", "B"]}', 2, "must be unique"),
        ('{"type": "fixed", "name": "A", "size": "5"}', 1, "`size` must be a whole number"),
        ('{"type": "fixed", "name": "A", "size": -1}', 1, "`A` has a size of -1 bytes"),
        ('{"type": "record", "name": "A", "aliases": "B", "fields": []}', 1, "`aliases` must be a list"),
        (
            '{"type": "record", "name": "A", "fields": [{"name": "a", "type": "int", "aliases": [5]}]}',
            1,
            "`aliases` must be a list of texts",
        ),
        (
            '{"type": "record", "name": "A", "fields": [{"name": "a", "type": "int", "default": "x"}]}',
            1,
            "is not an Avro schema: Default value <x> must match",
        ),
        (
            '{"type": "record", "name": "A", "fields": [{"name": "a", "type": "double", "default": 1%s}]}'
            % ("0" * 400),
            1,
            "is not an Avro schema",
        ),
        (
            '[{"type": "fixed", "name": "A", "size": 1},\n {"type": "fixed", "name": "A", "size": 1}]',
            1,
            "defines `A` twice",
        ),
        ('{"type": "record", "name": "A", "fields": [], "doc": "\\ud800"}', 1, "surrogates not allowed"),
        ('{"type": "fixed", "name": "A", "size": %s}' % ("9" * 5000), 1, "cannot be read"),
        ("[" * 100_000, 1, "is nested too deep"),
        ('{"type": "array", "items": ' * 300 + '"int"' + "}" * 300, 1, "has no record at its top"),
    ],
)
def test_files_that_are_wrong(tmp_path: Path, text: str, line: int, message: str) -> None:
    """What is no JSON, no Avro or no record is a fault with the file and the line, in few words."""
    schemas, faults = read(tmp_path, a=text)
    assert [(fault.file, fault.line, fault.level) for fault in faults] == [(str(tmp_path / "a.avsc"), line, ERROR)]
    assert message in faults[0].message
    assert len(faults[0].message) < 300
    assert schemas.all == ()
