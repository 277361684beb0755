"""One route as it is compiled: conditions, names, fields from everywhere, constants, tables."""

from pathlib import Path
from typing import Any

import pytest

from processor.clock import ManualClock
from processor.records import Payload
from tests.support.configured import EVENT, FIRST, HEAD, ROCKET, VIEW, faults, made, mapped, plans

SENT = {"itemId": "1", "contactId": "c" * 22}
"""What `VIEW` sends of `EVENT`."""


def with_voyado(text: str) -> str:
    """The head, with something more of the first destination."""
    return HEAD.replace("  rocket:\n", f"    {text}\n  rocket:\n")


def with_route(text: str) -> str:
    """The route to Voyado, with something more."""
    return VIEW.replace("to:", f"{text}, to:")


# Conditions.


@pytest.mark.parametrize(
    ("general", "own", "sent"),
    [
        (True, True, True),
        (True, False, False),
        (False, True, False),
        (0, False, False),
        (0, True, True),
        ("", True, False),
        (None, True, False),
        (True, 0, True),
    ],
)
def test_both_conditions_must_hold(tmp_path: Path, general: object, own: object, *, sent: bool) -> None:
    """The destination's and the route's, each as JMESPath has it: false, null and what is empty, but not 0."""
    ready = plans(tmp_path, with_route("when: own"), with_voyado("when: general"))

    assert made(ready, {**EVENT, "general": general, "own": own}) == [SENT if sent else "when"]


def test_a_destination_s_condition_is_judged_first(tmp_path: Path) -> None:
    """Where it does not hold, the route's is not asked, and so cannot fail."""
    ready = plans(tmp_path, with_route("when: length(number) > `0`"), with_voyado("when: consent"))

    assert made(ready, {**EVENT, "consent": False, "number": 5}) == ["when"]
    [failed] = made(ready, {**EVENT, "consent": True, "number": 5})
    assert str(failed).startswith("when: length(number) > `0`: ")


def test_an_unconditional_route(tmp_path: Path) -> None:
    """It is not subject to the destination's condition, but to its own."""
    ready = plans(tmp_path, with_route("unconditional: true, when: own"), with_voyado("when: general"))

    assert made(ready, {**EVENT, "general": False, "own": True}) == [SENT]
    assert made(ready, {**EVENT, "general": True, "own": False}) == ["when"]


def test_a_destination_s_condition_is_for_its_own_routes(tmp_path: Path) -> None:
    """The other destination knows nothing of it."""
    ready = plans(tmp_path, VIEW + ROCKET, with_voyado("when: consent"))

    filtered, sent = made(ready, EVENT)

    assert filtered == "when"
    assert sent == {"sessionExternalId": "v1", "timestamp": "2026-11-22T09:31:07Z", "categoryId": 5}


def test_conditions_are_judged_for_each_item(tmp_path: Path) -> None:
    """Both, with the item in sight."""
    route = with_route("for_each: lines, when: item.n > `1`").replace("itemId: sku", "itemId: item.sku")
    ready = plans(tmp_path, route, with_voyado("when: item.sku != 'b'"))

    lines = [{"sku": "a", "n": 2}, {"sku": "b", "n": 2}, {"sku": "c", "n": 1}]

    assert made(ready, {**EVENT, "lines": lines}) == [{**SENT, "itemId": "a"}, "when", "when"]


# Names.


def test_names_are_for_all_of_a_route(tmp_path: Path) -> None:
    """Expressions and constants, each seeing those before it; condition, order key and mapping see them all."""
    names = "let: {limit: 3, base: lower(sku), full: 'concat(base, ''-'', limit)'}"
    route = with_route(f"{names}, when: limit == `3`, order_key: full").replace("itemId: sku", "itemId: full")
    ready = plans(tmp_path, route)

    assert made(ready, {**EVENT, "sku": "AB"}) == [{**SENT, "itemId": "ab-3"}]
    found = mapped(ready.plans[0], {**EVENT, "full": "ab-3"})
    assert isinstance(found, Payload)
    assert found.lane == "ab-3"


def test_a_name_that_fails(tmp_path: Path) -> None:
    """It is said to be of `let`, with the expression and without the value."""
    ready = plans(tmp_path, with_route("let: {base: lower(n)}"))

    [failed] = made(ready, {**EVENT, "n": 46_368})

    assert str(failed).startswith("let: lower(n): ")
    assert "46368" not in str(failed)


# Fields.


def test_a_destination_s_fields(tmp_path: Path) -> None:
    """They are for every route whose method has them and which does not map them itself."""
    head = with_voyado("map: {contactId: contact, url: page, cartReference: cart, items: []}")
    views = "  views: {event: a.View, to: voyado.product_view, map: {itemId: sku, url: own}}\n"
    carts = "  carts: {event: a.View, to: voyado.cart, map: {items: lines}}\n"
    ready = plans(tmp_path, views + carts, head)

    event = {**EVENT, "page": "general", "own": "mine", "cart": "c1", "lines": [{"sku": "1", "quantity": 2}]}

    assert made(ready, event) == [
        {**SENT, "url": "mine"},
        {
            "cartReference": "c1",
            "contactId": "c" * 22,
            "url": "general",
            "items": [{"sku": "1", "quantity": 2}],
        },
    ]


def test_a_destination_s_fault_has_its_own_place(tmp_path: Path) -> None:
    """A broken expression, and a constant that does not fit, are where they stand; told once for all routes."""
    head = with_voyado("map: {contactId: 'a b', url: {const: ''}, time: {const: yesterday}}")
    second = VIEW.replace("views:", "more:")

    found = faults(tmp_path, VIEW.replace(", contactId: contact", "") + second + ROCKET, head)

    line = head[: head.index("map:")].count("\n") + 1
    assert [(fault.line, fault.where) for fault in found] == [
        (line, "destinations.voyado.map.contactId"),
        (line, "destinations.voyado.map.time"),
    ]


def test_a_required_field_may_be_the_destination_s(tmp_path: Path) -> None:
    """Only what neither maps is missing."""
    route = VIEW.replace(", contactId: contact", "")

    [fault] = faults(tmp_path, route + ROCKET)
    ready = plans(tmp_path, route, with_voyado("map: {contactId: contact}"))

    assert fault.message == "product_view requires contactId, and nothing is mapped to it"
    assert made(ready, EVENT) == [SENT]


def test_constants_and_expressions(tmp_path: Path) -> None:
    """A list, a bare number, a bare flag and `{const: …}` are the same for every event; all else is read from it."""
    route = VIEW.replace(
        "contactId: contact",
        "contactId: contact, url: page.url,"
        "newSession: true, category: {const: Boots}, utm: [{key: source, value: app}]",
    )
    ready = plans(tmp_path, route)

    assert made(ready, {**EVENT, "page": {"url": "u"}, "source": "no", "app": "no"}) == [
        {**SENT, "newSession": True, "category": "Boots", "utm": [{"key": "source", "value": "app"}], "url": "u"}
    ]


@pytest.mark.parametrize(
    ("old", "new", "where", "message"),
    [
        ("itemId: sku", "itemId: [1]", "itemId", "itemId: array is not a text"),
        ("itemId: sku", "itemId: {const: ''}", "itemId", "itemId: the text is empty"),
        ("contactId: contact", "contactId: {const: anna}", "contactId", "contactId: "),
        ("itemId: sku", "itemId: sku, newSession: 2", "newSession", "newSession: "),
        ("itemId: sku", "itemId: sku, time: {const: 2026-11-22}", "time", "time: "),
        ("itemId: sku", "itemId: sku, utm: [{key: a}]", "utm", "utm[0].value: required"),
        ("itemId: sku", "itemId: sku, utm: {key: a}", "utm", "utm: "),
    ],
)
def test_constants_are_judged_at_the_start(tmp_path: Path, old: str, new: str, where: str, message: str) -> None:
    """What could never be sent is refused before any event comes."""
    [fault] = faults(tmp_path, VIEW.replace(old, new) + ROCKET)

    assert (fault.line, fault.where) == (FIRST, f"routes.views.map.{where}")
    assert fault.message.startswith(f"the constant does not fit: {message}")
    assert fault.fix.startswith("an expression goes in quotes; a constant must be: ")


@pytest.mark.parametrize(
    ("key", "lane"),
    [("", "v1"), ("order_key: market,", "SE"), ("order_key: null,", None), ("order_key: nothing,", None)],
)
def test_the_order_key(tmp_path: Path, key: str, lane: str | None) -> None:
    """The method's own, the route's, or none."""
    [plan] = plans(tmp_path, ROCKET.replace("to:", f"{key} to:")).plans

    found = mapped(plan, {**EVENT, "market": "SE"})

    assert isinstance(found, Payload)
    assert found.lane == lane


def test_an_age_is_of_the_clock(tmp_path: Path) -> None:
    """The route's `max_event_age`, and `age` in an expression, go by the clock that was given."""
    clock = ManualClock(wall=1_795_339_867.0)
    route = with_route("max_event_age: 1h, when: 'age(t) < `7200`'").replace("itemId: sku", "itemId: sku, time: t")
    ready = plans(tmp_path, route, clock=clock)
    event = {**EVENT, "t": "2026-11-22T09:31:07Z"}

    fates: list[Any] = []
    for _ in range(3):
        fates += made(ready, event)
        clock.advance(3601.0)

    assert fates == [{**SENT, "time": "2026-11-22T09:31:07Z"}, "too_old", "when"]


# Tables.


def test_tables_are_looked_up(tmp_path: Path) -> None:
    """Those of the file, and those of files beside it."""
    (tmp_path / "ids.csv").write_text("1,SKU-1\n")
    tables = "tables: {markets: {SE: sv-SE}, ids: {file: ids.csv}}\n"
    route = VIEW.replace("itemId: sku", "itemId: 'lookup(''ids'', sku)', language: 'lookup(''markets'', m, `null`)'")
    ready = plans(tmp_path, route + tables)

    assert made(ready, {**EVENT, "m": "SE"}) == [{**SENT, "itemId": "SKU-1", "language": "sv-SE"}]
    assert made(ready, {**EVENT, "m": "NO"}) == [{**SENT, "itemId": "SKU-1"}]
    [failed] = made(ready, {**EVENT, "sku": "46368"})
    assert str(failed).startswith("itemId: lookup(")
    assert "46368" not in str(failed)


@pytest.mark.parametrize(
    ("tables", "hint"),
    [
        ("", "`tables` has: none"),
        ("tables: {culture: {SE: sv-SE}}\n", "did you mean culture?"),
        ("tables: {zzz: {SE: sv-SE}}\n", "`tables` has: zzz"),
    ],
)
def test_an_unknown_table(tmp_path: Path, tables: str, hint: str) -> None:
    """Its name in an expression is judged at the start."""
    route = VIEW.replace("itemId: sku", "itemId: 'lookup(''cultures'', sku)'")

    [fault] = faults(tmp_path, route + ROCKET + tables)

    assert fault.where == "routes.views.map.itemId"
    assert fault.message == f"lookup(): there is no table cultures; {hint}"


def test_a_table_s_file_that_is_not_there(tmp_path: Path) -> None:
    """It is the only fault: expressions that use the table are right."""
    route = VIEW.replace("itemId: sku", "itemId: 'lookup(''ids'', sku)'")

    [fault] = faults(tmp_path, route + ROCKET + "tables: {ids: {file: ids.csv}}\n")

    assert (fault.where, fault.line) == ("tables.ids.file", FIRST + 2)
    assert fault.message == f"the file {tmp_path}/ids.csv cannot be read: No such file or directory"
