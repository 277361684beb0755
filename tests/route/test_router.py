from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from processor.expressions.language import Language
from processor.records import Assignment, ErrorClass, Event, Failure, Filtered, FilterReason, Stage
from processor.route.router import NotRouted, Route, Routed, Router
from tests.support.records import record

LANGUAGE = Language({}, lambda: 0.0)
ORDER: Mapping[str, Any] = {
    "contactId": "c-1",
    "total": 30,
    "lines": [{"sku": "a", "gift": False}, {"sku": "b", "gift": True}, {"sku": "c", "gift": False}],
}


def route(
    name: str = "orders",
    *,
    events: tuple[str, ...] = ("com.acme.Order",),
    topics: tuple[str, ...] = ("clicks",),
    when: str | None = None,
    for_each: str | None = None,
    let: dict[str, str] | None = None,
) -> Route:
    """A route as the file would have it."""
    return Route(
        name,
        frozenset(events),
        topics,
        LANGUAGE.compile(when) if when else None,
        LANGUAGE.compile(for_each) if for_each else None,
        tuple((name, LANGUAGE.compile(text)) for name, text in (let or {}).items()),
    )


def event(value: Mapping[str, Any] = ORDER, *, name: str = "com.acme.Order", topic: str = "clicks") -> Event:
    """An event that was read from a topic."""
    return Event(record(at=Assignment(topic, 0, 1)), name, dict(value), 1)


def fired(*routes: Route, of: Event | None = None) -> list[Routed | NotRouted]:
    """What these routes make of an event."""
    return list(Router(routes).route(of or event()))


def short(found: list[Routed | NotRouted]) -> list[tuple[str, int | None, str | None]]:
    """Route, index and, where nothing is to be mapped, why."""
    return [(one.route, one.index, why(one)) for one in found]


def why(one: Routed | NotRouted) -> str | None:
    """The reason why something is filtered, or the message of its failure; None where it is to be mapped."""
    if isinstance(one, Routed):
        return None
    return one.fate.reason.value if isinstance(one.fate, Filtered) else one.fate.message


# Which routes fire.


def test_an_event_is_routed_with_all_its_fields() -> None:
    """Without a condition and without items a route fires once, and sees the event as it is."""
    assert fired(route()) == [Routed("orders", 0, ORDER)]


def test_all_matching_routes_fire_in_the_file_s_order() -> None:
    """One event may go to several methods; each of them is told by its route."""
    found = fired(route("b"), route("x", events=("com.acme.View",)), route("a"), route("y", topics=("other",)))

    assert short(found) == [("b", 0, None), ("a", 0, None)]


def test_a_route_may_read_several_events() -> None:
    """`events: [..]` names them all; other events are not its."""
    router = Router([route(events=("com.acme.Order", "com.acme.Invoice"))])

    assert router.wants("clicks", "com.acme.Order")
    assert router.wants("clicks", "com.acme.Invoice")
    assert not router.wants("clicks", "com.acme.View")
    assert not router.wants("clicks", "Order")


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    [
        ("clicks", "clicks", True),
        ("clicks", "clicks2", False),
        ("clicks", "my.clicks", False),
        ("shop.clicks", "shopXclicks", False),
        (r"^shop\..*", "shop.se", True),
        (r"^shop\..*", "shop", False),
        (r"^shop\..*", "my.shop.se", False),
        ("^shop", "shop.se", True),
        ("^shop$", "shop.se", False),
    ],
)
def test_topics_are_names_or_expressions(pattern: str, topic: str, expected: bool) -> None:  # noqa: FBT001 - a column of a table
    """A name is itself only; what starts with ^ is a regular expression, as Kafka's subscription has it."""
    router = Router([route(topics=("other", pattern))])

    assert router.reads(topic) is expected
    assert router.wants(topic, "com.acme.Order") is expected
    assert bool(list(router.route(event(topic=topic)))) is expected


def test_nothing_is_read_without_routes() -> None:
    """A pipeline without routes wants nothing."""
    router = Router([])

    assert not router.reads("clicks")
    assert not router.wants("clicks", "com.acme.Order")
    assert list(router.route(event())) == []


# when.


@pytest.mark.parametrize(
    ("when", "passes"),
    [
        ("contactId", True),
        ("contactId == 'c-1'", True),
        ("contactId == 'c-2'", False),
        ("total > `10`", True),
        ("total > `30`", False),
        ("total", True),
        ("`0`", True),
        ("`false`", False),
        ("`true`", True),
        ("`null`", False),
        ("''", False),
        ("`[]`", False),
        ("`{}`", False),
        ("nothing", False),
        ("nothing.at.all", False),
        ("lines[?gift]", True),
        ("lines[?sku == 'z']", False),
        ("contactId && total", True),
        ("contactId && nothing", False),
        ("!nothing", True),
    ],
)
def test_when_decides(when: str, passes: bool) -> None:  # noqa: FBT001 - a column of a table
    """False, null and what is empty filter; zero does not."""
    expected = [] if passes else [NotRouted("orders", 0, Filtered(FilterReason.WHEN, "orders"))]

    assert [one for one in fired(route(when=when)) if isinstance(one, NotRouted)] == expected


def test_a_condition_that_fails_is_a_dead_letter() -> None:
    """A type error must not look like a rule that the user wrote; the message has the expression, never the value."""
    [found] = fired(route(when="length(total) > `1`"), of=event({**ORDER, "total": 12345}))

    assert isinstance(found, NotRouted)
    assert found.fate == Failure(
        Stage.ROUTE,
        ErrorClass.UNMAPPED,
        "when: length(total) > `1`: length() wants a text, an array or a record, and total is integer",
    )


def test_one_route_s_failure_is_not_the_others() -> None:
    """Each route has its own fate."""
    found = fired(route("a", when="length(total)"), route("b"), route("c", when="nothing"))

    assert short(found) == [
        ("a", 0, "when: length(total): length() wants a text, an array or a record, and total is integer"),
        ("b", 0, None),
        ("c", 0, "when"),
    ]


# for_each.


def test_one_delivery_for_each_item() -> None:
    """Each carries its position in the array, and sees the event's fields and its own item."""
    found = fired(route(for_each="lines"))

    assert found == [Routed("orders", at, {**ORDER, "item": line}) for at, line in enumerate(ORDER["lines"])]


def test_when_is_judged_for_each_item() -> None:
    """Only some lines of an order may be wanted; the others keep their positions."""
    found = fired(route(for_each="lines", when="item.gift == `false`"))

    assert short(found) == [("orders", 0, None), ("orders", 1, "when"), ("orders", 2, None)]


def test_a_condition_may_fail_for_one_item_only() -> None:
    """One bad line is one dead letter, which names its index."""
    lines = [{"sku": "a"}, {"sku": 5}, {"sku": "c"}]
    found = fired(route(for_each="lines", when="length(item.sku) > `0`"), of=event({"lines": lines}))

    assert short(found) == [
        ("orders", 0, None),
        (
            "orders",
            1,
            "when: length(item.sku) > `0`: length() wants a text, an array or a record, and item.sku is integer",
        ),
        ("orders", 2, None),
    ]


def test_the_item_hides_a_field_of_its_name() -> None:
    """`item` is the line, also where the event has a field called so; the event itself is left as it was."""
    value = {"item": "outer", "lines": ["inner"]}
    of = event(value)

    [found] = fired(route(for_each="lines", when="item == 'inner'"), of=of)

    assert isinstance(found, Routed)
    assert found.scope["item"] == "inner"
    assert of.value == value


@pytest.mark.parametrize("for_each", ["nothing", "`null`", "`[]`", "lines[?sku == 'z']"])
def test_no_items_are_filtered(for_each: str) -> None:
    """An order without lines is no error."""
    assert fired(route(for_each=for_each)) == [NotRouted("orders", None, Filtered(FilterReason.EMPTY, "orders"))]


@pytest.mark.parametrize("for_each", ["contactId", "total", "lines[0]", "`false`", "''", "`{}`"])
def test_what_is_no_array_is_a_dead_letter(for_each: str) -> None:
    """Only arrays have items; a text or a record there is a mistake in the file."""
    [found] = fired(route(for_each=for_each))

    assert why(found) == "for_each: the expression gives no array"
    assert found.index is None


def test_items_may_be_anything() -> None:
    """Also null: an item is what stands in the array."""
    found = fired(route(for_each="lines"), of=event({"lines": [None, 1, "a", []]}))

    assert [one.scope["item"] for one in found if isinstance(one, Routed)] == [None, 1, "a", []]


def test_an_expression_for_items_that_fails_is_one_dead_letter() -> None:
    """How many items there would be, nobody knows."""
    assert short(fired(route(for_each="keys(total)"))) == [
        ("orders", None, "for_each: keys(total): keys() wants a record, and total is integer")
    ]


# Names.


def test_names_are_seen_by_the_condition_and_the_mapping() -> None:
    """In order, each with those before it, and per item."""
    let = {"first": "item.sku", "both": "concat(first, '-', contactId)"}
    found = fired(route(for_each="lines", let=let, when="first != 'b'"))

    assert short(found) == [("orders", 0, None), ("orders", 1, "when"), ("orders", 2, None)]
    assert isinstance(found[0], Routed)
    assert found[0].scope["both"] == "a-c-1"
    assert "both" not in ORDER


def test_a_name_that_fails_is_a_dead_letter() -> None:
    """The letter says that it was a name, and which expression."""
    assert short(fired(route(let={"n": "upper(total)"}))) == [
        ("orders", 0, "let: upper(total): upper() wants a text, and total is integer")
    ]


def test_the_destinations_condition_comes_before_all_of_the_routes_own() -> None:
    """An event that may not be sent is filtered, although a name of the route would fail on it."""
    subject = replace(route(let={"path": "join(' > ', total)"}), general=LANGUAGE.compile("consent"))
    refused, passed = fired(subject), fired(subject, of=event({**ORDER, "consent": True}))

    assert short(refused) == [("orders", 0, "when")]
    assert "let: " in (short(passed)[0][2] or "")
