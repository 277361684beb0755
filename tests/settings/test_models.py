from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from processor.settings.models import (
    DEFAULT,
    BatchSettings,
    Constant,
    DeadLetterSettings,
    DestinationSettings,
    Expression,
    HttpSettings,
    PythonHook,
    RetrySettings,
    RouteSettings,
    Settings,
    TableFile,
)
from processor.settings.yaml import Bare
from tests.settings.example import AcmeSettings, PlainSettings

ROUTE = {"event": "com.acme.Viewed", "to": "acme.view", "map": {"item": "sku"}}
ACME = {"type": "acme", "base_url": "https://a", "api_key": "hunter2", "user_agent": "Shop/1.0"}
SETTINGS = {
    "kafka": {"bootstrap.servers": "a", "sasl.password": "hunter2"},
    "start_from": "latest",
    "topics": ["shop"],
    "destinations": {"acme": AcmeSettings.model_validate(ACME)},
    "routes": {"views": ROUTE},
}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("product.sku", Expression("product.sku")),
        (Bare("product.sku"), Expression("product.sku")),
        (Bare("NO"), Expression("NO")),
        ("page.utm[0]", Expression("page.utm[0]")),
        (Bare("5"), Constant(5)),
        (Bare("-0.50"), Constant(Decimal("-0.50"))),
        (Bare("true"), Constant(value=True)),
        (Bare("false"), Constant(value=False)),
        ({"const": "text"}, Constant("text")),
        ({"const": Bare("5")}, Constant("5")),
        ([], Constant([])),
        ([Bare("1"), "1", Bare("NO"), None, [Bare("true")]], Constant([1, "1", "NO", None, [True]])),
        ({"a": {"b": Bare("2.5")}}, Constant({"a": {"b": Decimal("2.5")}})),
        ({"const": "a", "b": "c"}, Constant({"const": "a", "b": "c"})),
        (5, Constant(5)),
        (Constant(1), Constant(1)),
        (Expression("a"), Expression("a")),
    ],
)
def test_expressions_and_constants(written: object, value: Expression | Constant) -> None:
    """Text is an expression; lists, mappings, bare numbers and bare booleans are constants; numbers are exact."""
    mapped = RouteSettings.model_validate({**ROUTE, "let": {"field": written}}).let["field"]
    assert RouteSettings.model_validate({**ROUTE, "map": {"field": written}}).map == {"field": mapped}
    assert mapped == value
    assert type(mapped) is type(value)
    if isinstance(mapped, Constant) and isinstance(value, Constant):
        assert type(mapped.value) is type(value.value)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (None, "has no value"),
        ("", "must not be empty"),
        (Bare("0012"), "is no expression"),
        (Bare("1e5"), "is no expression"),
        (Bare("22:00"), "is no expression"),
        (Bare("-.5"), "is no expression"),
        ("5", "is no expression"),
        ("true", "names a field called true"),
        (Bare("False"), "names a field called False"),
        ({"const": None}, "`const` takes a text"),
        ({"const": ["a"]}, "`const` takes a text"),
    ],
)
def test_what_maps_nothing(written: object, message: str) -> None:
    """A field left blank is a slip, not a null; what looks like a number or a boolean is no expression."""
    with pytest.raises(ValidationError, match=message):
        RouteSettings.model_validate({**ROUTE, "map": {"field": written}})


@pytest.mark.parametrize("key", ["event", "events"])
@pytest.mark.parametrize("value", ["a.B", ["a.B"]])
def test_event_and_events_are_one_key(key: str, value: object) -> None:
    """Either key takes one name or many."""
    route = {key: value, "to": "acme.view", "map": {}}
    assert RouteSettings.model_validate(route).events == ("a.B",)


def test_exactly_one_of_them() -> None:
    """Both together are refused, and so is neither."""
    with pytest.raises(ValidationError, match="events"):
        RouteSettings.model_validate({**ROUTE, "events": ["a.B"]})
    with pytest.raises(ValidationError, match="event"):
        RouteSettings.model_validate({"to": "acme.view", "map": {}})


@pytest.mark.parametrize(("given", "key"), [({}, DEFAULT), ({"order_key": None}, None), ({"order_key": "a"}, "a")])
def test_order_keys(given: dict[str, Any], key: object) -> None:
    """Absent is the method's default, null is no order, text is an expression."""
    assert RouteSettings.model_validate({**ROUTE, **given}).order_key == key


@pytest.mark.parametrize("value", ["", "false", ["a"], {"a": "b"}])
def test_wrong_order_keys(value: object) -> None:
    """Nothing else is one."""
    with pytest.raises(ValidationError):
        RouteSettings.model_validate({**ROUTE, "order_key": value})


@pytest.mark.parametrize("key", ["when", "for_each", "topics", "max_event_age"])
def test_blank_is_no_condition(key: str) -> None:
    """A condition that was left blank does not deliver everything."""
    with pytest.raises(ValidationError, match="has no value"):
        RouteSettings.model_validate({**ROUTE, key: None})


def test_route_defaults() -> None:
    """A route of three keys takes the topics of all, every event, and the method's order."""
    route = RouteSettings.model_validate(ROUTE)
    assert (route.topics, route.when, route.for_each, route.order_key) == (None, None, None, DEFAULT)
    assert (route.let, route.unconditional, route.max_event_age) == ({}, False, None)


def test_names_of_a_route() -> None:
    """Names are expressions or constants, as in `map`."""
    let = {"visitor": "alnum(visitorId)", "_1": Bare("5")}
    route = RouteSettings.model_validate({**ROUTE, "let": let, "unconditional": "true", "max_event_age": "72h"})
    assert route.let == {"visitor": Expression("alnum(visitorId)"), "_1": Constant(5)}
    assert (route.unconditional, route.max_event_age) == (True, 259_200.0)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"let": {"item": "a"}}, "is the name of what `for_each` gives"),
        ({"let": {"a-b": "a"}}, "is not a name"),
        ({"let": {"a": None}}, "has no value"),
        ({"let": ["a"]}, "let"),
        ({"unconditional": "on"}, "is neither true nor false"),
        ({"max_event_age": "0s"}, "greater than 0"),
        ({"map": "python:function"}, "is neither a mapping nor a Python function"),
        ({"map": "package.function"}, "is neither a mapping nor a Python function"),
        ({"map": ["a"]}, "map"),
    ],
)
def test_wrong_routes(keys: dict[str, Any], message: str) -> None:
    """Names that expressions cannot use, flags and functions that are none."""
    with pytest.raises(ValidationError, match=message):
        RouteSettings.model_validate({**ROUTE, **keys})


def test_a_python_function_in_place_of_a_map() -> None:
    """`python:` names a function by its module."""
    for written in ("python:acme.maps.view", PythonHook("acme.maps.view")):
        assert RouteSettings.model_validate({**ROUTE, "map": written}).map == PythonHook("acme.maps.view")


def test_tables() -> None:
    """A table is texts by key; one whose only key is `file` is in that file."""
    tables = {"a": {"SE": "sv-SE", "file": "x"}, "b": {"file": "b.csv"}, "c": {}}
    settings = Settings.model_validate({**SETTINGS, "tables": tables})
    assert settings.tables == {"a": {"SE": "sv-SE", "file": "x"}, "b": TableFile(file="b.csv"), "c": {}}
    assert Settings.model_validate({**SETTINGS, "tables": settings.tables}).tables == settings.tables


def test_what_all_routes_to_a_destination_share() -> None:
    """A destination has a condition, a mapping, a mode, a way to the vendor and a header of its own."""
    given = {
        "when": "consent",
        "map": {"contactId": "contactId", "kind": {"const": "web"}},
        "mode": "shadow",
        "http": {"proxy": "http://user:hunter2@proxy:3128", "ca_file": "ca.pem"},
        "idempotency_header": "Idempotency-Key",
    }
    acme = AcmeSettings.model_validate({**ACME, **given})
    assert (acme.when, acme.mode, acme.idempotency_header) == ("consent", "shadow", "Idempotency-Key")
    assert acme.map == {"contactId": Expression("contactId"), "kind": Constant("web")}
    assert acme.http == HttpSettings(proxy="http://user:hunter2@proxy:3128", ca_file="ca.pem")
    assert "hunter2" not in repr(acme)
    plain = AcmeSettings.model_validate(ACME)
    assert (plain.when, plain.map, plain.mode, plain.idempotency_header) == (None, {}, "live", None)
    assert plain.http == HttpSettings(proxy=None, ca_file=None)


def test_a_partial_group_keeps_the_vendors_defaults() -> None:
    """What a group leaves out comes from the vendor's class, where that has a default."""
    acme = AcmeSettings.model_validate({**ACME, "batch": {"max_events": "100"}})
    plain = PlainSettings.model_validate({**ACME, "type": "plain", "batch": {"max_events": "100"}})
    assert acme.batch == BatchSettings(max_events=100, max_bytes=2000, max_wait=0.2)
    assert plain.batch == BatchSettings(max_events=100, max_bytes=1024 * 1024, max_wait=0.2)


def test_no_batches() -> None:
    """Null is single calls, also where the vendor's default is batches."""
    assert AcmeSettings.model_validate({**ACME, "batch": None}).batch is None


def test_rules_for_replies() -> None:
    """A status, perhaps a text, and what it means; in the order of the file."""
    written = [
        {"status": "409", "body": "exists", "class": "accepted"},
        {"status": "403", "class": "credential"},
    ]
    first, second = AcmeSettings.model_validate({**ACME, "replies": written}).replies
    assert (first.status, first.body, first.reply_class) == (409, "exists", "accepted")
    assert (second.status, second.body, second.reply_class) == (403, None, "credential")


def test_retrying() -> None:
    """What is left out of `retry` keeps its default."""
    retry = AcmeSettings.model_validate({**ACME, "retry": {"stalemate": "never", "max_attempts": "3"}}).retry
    assert (retry.delays, retry.max_attempts, retry.stalemate) == ((10.0, 30.0, 60.0, 300.0), 3, None)


def test_when_a_pipeline_holds() -> None:
    """What is left out of `dead_letter` keeps its default."""
    letters = AcmeSettings.model_validate({**ACME, "dead_letter": {"hold_above": "1", "window": "60"}}).dead_letter
    assert (letters.topic, letters.hold_above, letters.window, letters.min) == (None, 1.0, 60, 50)


def test_vendor_defaults() -> None:
    """A vendor's class changes defaults and adds keys."""
    acme = AcmeSettings.model_validate(ACME)
    assert (acme.rate, acme.batch, acme.concurrency, acme.timeout) == (
        50.0,
        BatchSettings(max_events=1000, max_bytes=2000),
        32,
        10.0,
    )
    assert acme.retry == RetrySettings(delays=(10.0, 30.0, 60.0, 300.0), max_attempts=8, stalemate=300.0)
    assert acme.replies == ()
    assert acme.dead_letter == DeadLetterSettings(topic=None, hold_above=0.5, window=500, min=50)
    assert AcmeSettings.model_validate({**ACME, "rate": "none"}).rate is None


def test_both_vendors_get_a_user_agent() -> None:
    """A vendor that demands none gets ours."""
    plain = PlainSettings.model_validate({"type": "plain", "base_url": "https://a", "api_key": "k"})
    assert plain.user_agent.startswith("clickstream-processor/")


@pytest.mark.parametrize(
    "keys",
    [
        {"concurrency": "0"},
        {"timeout": "0s"},
        {"retry": {"delays": []}},
        {"retry": {"delays": ["0s"]}},
        {"retry": {"delays": "10s"}},
        {"retry": {"max_attempts": "0"}},
        {"retry": {"max_attempts": "never"}},
        {"retry": {"stalemate": "0s"}},
        {"retry": {"stalemate": None}},
        {"dead_letter": {"hold_above": "-0.1"}},
        {"dead_letter": {"hold_above": "1.1"}},
        {"dead_letter": {"hold_above": "nan"}},
        {"dead_letter": {"hold_above": "never"}},
        {"dead_letter": {"window": "0"}},
        {"dead_letter": {"window": "49"}},
        {"dead_letter": {"min": "0"}},
        {"dead_letter": {"min": "501"}},
        {"replies": {"status": "409", "class": "accepted"}},
        {"replies": [{"status": "409"}]},
        {"replies": [{"class": "accepted"}]},
        {"replies": [{"status": "199", "class": "accepted"}]},
        {"replies": [{"status": "600", "class": "accepted"}]},
        {"replies": [{"status": "4xx", "class": "accepted"}]},
        {"replies": [{"status": "409", "class": "shadowed"}]},
        {"replies": [{"status": "409", "reply_class": "accepted"}]},
        {"replies": [{"status": "409", "class": "accepted", "body": ""}]},
        {"replies": [{"status": "409", "class": "accepted", "body": None}]},
        {"batch": {"max_events": "0"}},
        {"batch": {"max_bytes": "0"}},
        {"batch": "none"},
        {"dead_letter": {"topic": "^a"}},
        {"rate": None},
        {"mode": "off"},
        {"when": None},
        {"map": "python:acme.maps.view"},
        {"http": {"proxy": "proxy:3128"}},
        {"http": {"proxy": "http://proxy/path"}},
        {"http": {"ca_file": ""}},
        {"http": {"proxies": "http://proxy"}},
        {"idempotency_header": "a b"},
        {"idempotency_header": "Content-TYPE"},
        {"max_ahead": "5"},
        {"type": "plain"},
    ],
)
def test_wrong_destinations(keys: dict[str, Any]) -> None:
    """Limits of nothing, lists without brackets and keys that are not known are refused."""
    with pytest.raises(ValidationError):
        AcmeSettings.model_validate({**ACME, **keys})


def test_settings_defaults() -> None:
    """The shortest file gets these."""
    settings = Settings.model_validate(SETTINGS)
    assert settings.registry is None
    assert (settings.schemas, settings.formats) == ((), {})
    assert settings.group_prefix == "clickstream"
    assert (settings.in_memory.max_records, settings.in_memory.max_bytes) == (20_000, 128 * 1024 * 1024)
    assert (settings.commit_interval, settings.max_ahead, settings.shutdown_timeout) == (1.0, 100_000, 25.0)
    assert (settings.ops.host, settings.ops.port) == ("0.0.0.0", 8080)  # noqa: S104  # the default that is meant


def test_schemas_and_formats() -> None:
    """One path or many; a format names a topic and the type of its values."""
    given = {"schemas": "a.avsc", "formats": {"shop": {"raw": "com.acme.Viewed"}}}
    settings = Settings.model_validate({**SETTINGS, **given})
    assert settings.schemas == ("a.avsc",)
    assert settings.formats["shop"].raw == "com.acme.Viewed"


@pytest.mark.parametrize(
    ("topic", "keys", "message"),
    [
        ("^shop", {"raw": "a.B"}, "must be the name of one topic"),
        ("^(", {"raw": "a.B"}, "is not a regular expression"),
        ("a b", {"raw": "a.B"}, "is not a topic's name"),
        ("shop", {"raw": "a-b"}, "is not the full name of an Avro record"),
        ("shop", {}, "raw"),
        ("shop", {"raw": "a.B", "json": "a.B"}, "json"),
        ("shop", "a.B", "FormatSettings"),
    ],
)
def test_wrong_formats(topic: str, keys: object, message: str) -> None:
    """A format is for one topic, and says which record it holds."""
    with pytest.raises(ValidationError, match=message):
        Settings.model_validate({**SETTINGS, "formats": {topic: keys}})


def test_names_that_follow_from_others() -> None:
    """Group, dead-letter topic and topics are derived where they are not set."""
    settings = Settings.model_validate(SETTINGS)
    named = AcmeSettings.model_validate({**ACME, "dead_letter": {"topic": "letters"}})
    route = RouteSettings.model_validate({**ROUTE, "topics": ["other"]})
    assert settings.group_id("acme") == "clickstream.acme"
    assert settings.dead_letter_topic("acme") == "clickstream.acme.dlq"
    assert settings.route_topics(settings.routes["views"]) == ("shop",)
    assert settings.route_topics(route) == ("other",)
    assert Settings.model_validate({**SETTINGS, "destinations": {"acme": named}}).dead_letter_topic("acme") == "letters"


def test_a_vendors_settings_stay_what_they_are() -> None:
    """Within the whole, a destination is still of its vendor's class."""
    assert isinstance(Settings.model_validate(SETTINGS).destinations["acme"], AcmeSettings)


def test_the_tree_is_frozen() -> None:
    """Nothing in the settings can be set."""
    settings = Settings.model_validate(SETTINGS)
    for model in (settings, settings.ops, settings.destinations["acme"], settings.routes["views"]):
        with pytest.raises(ValidationError, match="frozen"):
            model.__setattr__(next(iter(type(model).model_fields)), None)


def test_secrets_are_not_shown() -> None:
    """Neither the settings nor an error about them shows a key or a password."""
    settings = Settings.model_validate(SETTINGS)
    assert "hunter2" not in f"{settings!r} {settings}"
    with pytest.raises(ValidationError) as caught:
        DestinationSettings.model_validate({**ACME, "concurrency": "0", "nonsense": "hunter2"})
    assert "hunter2" not in str(caught.value)
