import json
import shutil
from pathlib import Path

import pytest

from processor.errors import Level
from processor.settings.load import Loaded, load
from tests.settings.example import FILE, VENDORS, changed, load_text

AUTHORITY = Path(__file__).parents[2] / "examples" / "full" / "acme-ca.pem"
ERROR, WARNING = Level.ERROR, Level.WARNING
VIEWED, ORDERED = "com.acme.shop.ProductViewed", "com.acme.shop.Ordered"


@pytest.mark.parametrize(
    ("old", "new", "where", "level", "message"),
    [
        ("to: acme.view", "to: acm.view", "routes.views.to", ERROR, "there is no destination `acm`"),
        ("to: acme.view", "to: [acme.view, b.c]", "routes.views.to.1", ERROR, "there is no destination `b`"),
        ("topics: [shop.clickstream]\n", "", "routes.views", ERROR, "reads no topic"),
        (
            "topics: [shop.clickstream]",
            "topics: [clickstream.acme.dlq]",
            "routes.views.topics",
            ERROR,
            "reads `clickstream.acme.dlq`, to which its own dead letters go",
        ),
        (
            "type: acme",
            "type: plain\n    partner_id: a",
            "destinations.acme.partner_id",
            ERROR,
            "is a key of type acme",
        ),
        (
            "type: acme",
            "type: keyed\n    key_header: X-Key\n    idempotency_header: x-key",
            "destinations.acme.idempotency_header",
            ERROR,
            "`x-key` carries the key",
        ),
        (
            "type: acme",
            "type: acme\n    idempotency_header: X-Id",
            "destinations.acme.idempotency_header",
            WARNING,
            "is not sent with batches",
        ),
        (
            "localhost:9092",
            "localhost:9092\n  ssl.ca.location: /none/ca.pem",
            "kafka.ssl.ca.location",
            ERROR,
            "the file /none/ca.pem does not exist",
        ),
        (
            "type: acme",
            "type: acme\n    http: {ca_file: none.pem}",
            "destinations.acme.http.ca_file",
            ERROR,
            "none.pem does not exist",
        ),
        (
            "type: acme",
            "type: acme\n    http: {ca_file: 0.yaml}",
            "destinations.acme.http.ca_file",
            ERROR,
            "0.yaml holds no certificate in PEM form",
        ),
        ("type: acme", "type: acme\n    http: {ca_file: /}", "destinations.acme.http.ca_file", ERROR, "cannot be read"),
        ("topics: [shop.clickstream]", "topics: ['^.*stream']", "routes.views.topics", ERROR, "its own dead letters"),
    ],
)
def test_keys_that_contradict(tmp_path: Path, old: str, new: str, where: str, level: Level, message: str) -> None:
    """What several keys say together is checked: targets, topics, loops, keys of other vendors, headers."""
    loaded = load_text(tmp_path, changed(old, new))
    assert [(fault.where, fault.level) for fault in loaded.faults] == [(where, level)]
    assert message in loaded.faults[0].message
    assert loaded.faults[0].fix
    assert loaded.faults[0].line > 0
    assert (loaded.settings is None) is (level is ERROR)


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


@pytest.mark.parametrize(("key", "line"), [("event: com.acme.Seen", 14), ("events: [a.B, com.acme.Seen]", 14)])
def test_a_route_for_an_alias(tmp_path: Path, key: str, line: int) -> None:
    """An event has the name of its reader's schema, so a route for the alias would never get one."""
    write_schema(tmp_path, "a.avsc", VIEWED, ["com.acme.Seen"])
    loaded = load_text(tmp_path, changed(f"event: {VIEWED}", key) + "schemas: a.avsc\n")
    message = "`com.acme.Seen` is only an alias in `schemas`, so that no event has this name"
    fix = f"write `{VIEWED}`, of which it is an alias"
    assert shown(loaded) == [(f"routes.views.{key.partition(':')[0]}", ERROR, message, fix)]
    assert loaded.faults[0].line == line


def test_what_another_file_removed(tmp_path: Path) -> None:
    """Where a small file takes a destination away, the fault of a route that is left says so."""
    over = "destinations:\n  acme: null\n  other: {type: plain, base_url: 'https://a', api_key: k}\n"
    (fault,) = load_text(tmp_path, FILE, over).faults
    assert (fault.where, fault.message) == ("routes.views.to", "`acme.view`: there is no destination `acme`")
    assert fault.fix == f"{tmp_path}/1.yaml:2 removes it; remove the route there too: `views: null` in `routes`"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("{status: 409, class: accepted}", "{status: 409, class: accepted}"),
        ("{status: 409, class: accepted}", "{status: 409, class: invalid}"),
        ("{status: 409, class: accepted}", "{status: 409, body: exists, class: invalid}"),
        ("{status: 409, body: exist, class: accepted}", "{status: 409, body: exists, class: invalid}"),
        ("{status: 409, body: exists, class: accepted}", "{status: 409, body: exists, class: accepted}"),
    ],
)
def test_a_rule_that_never_holds(tmp_path: Path, first: str, second: str) -> None:
    """The first rule that fits holds, so one that comes after a wider one is a mistake."""
    rules = f"type: acme\n    replies:\n      - {{status: 400, class: invalid}}\n      - {first}\n      - {second}"
    loaded = load_text(tmp_path, changed("type: acme", rules))
    message, fix = (
        "never holds: `replies.1` fits all replies that it is about",
        "put it first, or remove one of the two",
    )
    assert shown(loaded) == [("destinations.acme.replies.2", ERROR, message, fix)]
    assert loaded.faults[0].line == 12


def test_rules_from_narrow_to_wide(tmp_path: Path) -> None:
    """A longer text before a shorter one, and the rest of the status last; other statuses are others."""
    rules = (
        "[{status: 409, body: exists, class: accepted}, {status: 409, body: exist, class: invalid}, "
        "{status: 410, body: exists, class: invalid}, {status: 409, class: transient}]"
    )
    assert load_text(tmp_path, changed("type: acme", f"type: acme\n    replies: {rules}")).faults == ()


def test_authorities_are_looked_up_beside_their_file(tmp_path: Path) -> None:
    """A relative path counts from the folder of the file that names it, and is resolved in the settings."""
    shutil.copy(AUTHORITY, tmp_path / "ca.pem")
    settings = load_text(tmp_path, FILE, "destinations: {acme: {http: {ca_file: ca.pem}}}\n").settings
    assert settings is not None
    assert settings.destinations["acme"].http.ca_file == str(tmp_path / "ca.pem")


def test_what_may_be_absent_offline(tmp_path: Path) -> None:
    """Files that are mounted where the service runs are only worth a warning elsewhere."""
    path = tmp_path / "0.yaml"
    text = changed("type: acme", "type: acme\n    http: {ca_file: ca.pem}").replace("hunter2", "${file:key}")
    path.write_text(text.replace("localhost:9092", "localhost:9092\n  ssl.ca.location: /none/ca.pem"))
    for offline, level in ((True, WARNING), (False, ERROR)):
        loaded = load([path], {}, VENDORS, offline=offline)
        assert [(fault.line, fault.level) for fault in loaded.faults] == [(3, level), (10, level), (12, level)]
        assert (loaded.settings is not None) is offline
