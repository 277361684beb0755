import json
from pathlib import Path

import pytest

from processor.errors import Level
from processor.settings.load import Loaded
from tests.settings.example import FILE, changed, load_text

ERROR, WARNING = Level.ERROR, Level.WARNING
VIEWED, ORDERED = "com.acme.shop.ProductViewed", "com.acme.shop.Ordered"


@pytest.mark.parametrize(
    ("old", "new", "where", "level", "message"),
    [
        ("to: acme.view", "to: acm.view", "routes.views.to.0", ERROR, "there is no destination `acm`"),
        ("to: acme.view", "to: [acme.view, b.c]", "routes.views.to.1", ERROR, "there is no destination `b`"),
        ("topics: [shop.clickstream]\n", "", "routes.views", ERROR, "reads no topic"),
        ("https://acme.example", "http://acme.example", "destinations.acme.base_url", WARNING, "in clear"),
        (
            "topics: [shop.clickstream]",
            "topics: [clickstream.acme.dlq]",
            "routes.views.topics",
            ERROR,
            "reads `clickstream.acme.dlq`, to which its own dead letters go",
        ),
        ("topics: [shop.clickstream]", "topics: ['^.*stream']", "routes.views.topics", ERROR, "its own dead letters"),
        ("registry: {url: http://localhost:8081}\n", "", "registry", WARNING, "no registry and no schemas"),
        (
            "routes:",
            "  idle: {type: plain, base_url: 'https://a', api_key: k}\nroutes:",
            "destinations.idle",
            WARNING,
            "no route leads here",
        ),
    ],
)
def test_keys_that_contradict(tmp_path: Path, old: str, new: str, where: str, level: Level, message: str) -> None:
    """What several keys say together is checked: targets, topics, loops, and what is only worth a warning."""
    loaded = load_text(tmp_path, changed(old, new))
    assert [(fault.where, fault.level) for fault in loaded.faults] == [(where, level)]
    assert message in loaded.faults[0].message
    assert loaded.faults[0].fix
    assert loaded.faults[0].line > 0
    assert (loaded.settings is None) is (level is ERROR)


@pytest.mark.parametrize("host", ["localhost:9001", "127.0.0.1", "[::1]:80"])
def test_plain_http_to_this_machine(tmp_path: Path, host: str) -> None:
    """A stub on the same machine is no reason for a warning."""
    assert load_text(tmp_path, changed("https://acme.example", f"http://{host}")).faults == ()


def test_anothers_dead_letters_may_be_read(tmp_path: Path) -> None:
    """A route may read the dead letters of a destination that it does not feed."""
    text = changed("topics: [shop.clickstream]", "topics: [clickstream.other.dlq]")
    assert load_text(tmp_path, text).faults == ()


def write_schema(folder: Path, file: str, name: str, aliases: list[str] | None = None, field: str = "a") -> None:
    """Write an .avsc file of a record with one field."""
    schema = {"type": "record", "name": name, "aliases": aliases or [], "fields": [{"name": field, "type": "int"}]}
    (folder / file).write_text(json.dumps(schema))


def shown(loaded: Loaded) -> list[tuple[str, Level, str, str]]:
    """Give what a person reads of the faults."""
    return [(fault.where, fault.level, fault.message, fault.fix) for fault in loaded.faults]


def test_a_topic_of_raw_records(tmp_path: Path) -> None:
    """A format of a topic that a route reads, with a type that one file defines, is right; no registry is needed."""
    write_schema(tmp_path, "a.avsc", VIEWED)
    text = changed("registry: {url: http://localhost:8081}", f"formats: {{shop.clickstream: {{raw: {VIEWED}}}}}")
    assert load_text(tmp_path, text + "schemas: a.avsc\n").faults == ()
    by_pattern = text.replace("topics: [shop.clickstream]", "topics: ['^shop']")
    assert load_text(tmp_path, by_pattern + "schemas: a.avsc\n").faults == ()


@pytest.mark.parametrize(
    ("raw", "message", "fix"),
    [
        ("com.acme.shop.Orderd", "is not defined by the files of `schemas`", f"did you mean `{ORDERED}`?"),
        ("com.acme.shop.Bought", "is not defined by the files of `schemas`", f"write `{ORDERED}`, of which it is"),
        (VIEWED, "is ambiguous: {0}/a.avsc, {0}/b.avsc define it differently", "keep the one that is written"),
    ],
)
def test_formats_of_types_that_are_not_clear(tmp_path: Path, raw: str, message: str, fix: str) -> None:
    """A format names a record that the files define in one way."""
    write_schema(tmp_path, "a.avsc", VIEWED)
    write_schema(tmp_path, "b.avsc", VIEWED, field="b")
    write_schema(tmp_path, "c.avsc", ORDERED, ["Bought"])
    text = FILE + f"schemas: [a.avsc, b.avsc, c.avsc]\nformats: {{shop.clickstream: {{raw: {raw}}}}}\n"
    error = next(fault for fault in load_text(tmp_path, text).faults if fault.level is ERROR)
    assert (error.where, error.line) == ("formats.shop.clickstream.raw", 18)
    assert message.format(tmp_path) in error.message
    assert error.fix.startswith(fix)


def test_a_format_without_schemas(tmp_path: Path) -> None:
    """Where there are no schemas at all, that is what is said."""
    text = FILE + "formats: {shop.clickstream: {raw: a.B}}\n"
    message, fix = "`a.B` is not defined: `schemas` has no records", "name its .avsc file in `schemas`"
    assert shown(load_text(tmp_path, text)) == [("formats.shop.clickstream.raw", ERROR, message, fix)]


def test_what_follows_from_a_broken_schema_is_not_said(tmp_path: Path) -> None:
    """A type that may be in a file which could not be read is not missed."""
    (tmp_path / "a.avsc").write_text("{")
    text = FILE + "schemas: a.avsc\nformats: {shop.clickstream: {raw: a.B}, other: {raw: 5-}, third: text}\n"
    wheres = [fault.where for fault in load_text(tmp_path, text).faults]
    assert wheres == ["formats.other.raw", "formats.third", "schemas.0"]


def test_a_faulty_format_is_said_once(tmp_path: Path) -> None:
    """A format that is wrong by itself is not looked up."""
    write_schema(tmp_path, "a.avsc", VIEWED)
    text = FILE + "schemas: a.avsc\nformats: {shop.clickstream: {raw: 5-}, other: {}, third: text}\n"
    wheres = [fault.where for fault in load_text(tmp_path, text).faults]
    assert sorted(wheres) == ["formats.other.raw", "formats.shop.clickstream.raw", "formats.third"]


def test_a_format_of_a_topic_that_nobody_reads(tmp_path: Path) -> None:
    """It does nothing, and is probably misspelt."""
    write_schema(tmp_path, "a.avsc", VIEWED)
    text = FILE + f"schemas: a.avsc\nformats: {{shop.clickstraem: {{raw: {VIEWED}}}}}\n"
    expected = ("formats.shop.clickstraem", WARNING, "no route reads this topic", "did you mean `shop.clickstream`?")
    assert shown(load_text(tmp_path, text)) == [expected]


@pytest.mark.parametrize(("key", "line"), [("event: com.acme.Seen", 14), ("events: [a.B, com.acme.Seen]", 14)])
def test_a_route_for_an_alias(tmp_path: Path, key: str, line: int) -> None:
    """An event has the name of its reader's schema, so a route for the alias would never get one."""
    write_schema(tmp_path, "a.avsc", VIEWED, ["com.acme.Seen"])
    loaded = load_text(tmp_path, changed(f"event: {VIEWED}", key) + "schemas: a.avsc\n")
    message = "`com.acme.Seen` is only an alias in `schemas`, so that no event has this name"
    fix = f"write `{VIEWED}`, of which it is an alias"
    assert shown(loaded) == [(f"routes.views.{key.partition(':')[0]}", ERROR, message, fix)]
    assert loaded.faults[0].line == line
