"""Cases against routes: what passes, and what is said of what does not."""

import re
from pathlib import Path

import pytest

from processor.cases.model import read_cases
from processor.cases.rehearsal import Decoded, PinnedClock, Rehearsal, Verdict
from processor.decode.decoder import undecodable
from processor.plan import Plan, load_plans
from processor.records import Event, Filtered, FilterReason, Record
from tests.support.configured import HEAD, ROCKET, VIEW

CONTACT = "2e40a1de-0a0c-4be5-9f7e-1c1a0f2de22f"
ROUTES = f"""\
  views:
    event: a.View
    to: voyado.product_view
    when: contact
    max_event_age: 1h
    map: {{itemId: sku, contactId: contact, time: t, newSession: first}}
  carts:
    event: a.Cart
    topics: [shop.carts, "^other"]
    to: voyado.cart
    map: {{cartReference: kafka_key(), contactId: {{const: {CONTACT}}}, language: header('culture'), items: lines}}
  lines:
    event: a.Order
    to: rocket.order
    for_each: lines
    when: item.n > `0`
    map: {{sessionExternalId: s, timestamp: t, productId: item.id, price: item.price, quantity: item.n, transaction: o}}
"""
VIEWED = f"event: {{record: a.View, value: {{sku: '1', contact: {CONTACT}, t: '2026-11-22T09:31:07Z', first: true}}}}"
BODY = f"{{itemId: '1', contactId: {CONTACT}, time: '2026-11-22T09:31:07Z', newSession: true}}"
SENT = f'{{"itemId":"1","contactId":"{CONTACT}","time":"2026-11-22T09:31:07Z","newSession":true}}'
NOW = "now: 2026-11-22T10:00:00Z"
ORDERED = """\
event: {record: a.Order, value: {s: v1, t: "2026-11-22T09:31:07Z", o: 4711, lines: [
    {id: 1, price: 9.90, n: 2}, {id: 2, price: 5, n: 0}, {id: 3, price: 0, n: 1}]}}"""


def judge(folder: Path, *lines: str, routes: str = ROUTES, head: str = HEAD) -> str:
    """What is wrong with one case; nothing where it passes."""
    return verdict(folder, *lines, routes=routes, head=head).wrong


def verdict(folder: Path, *lines: str, routes: str = ROUTES, head: str = HEAD) -> Verdict:
    """Run one case that has these lines."""
    config, file, clock = folder / "clickstream.yaml", folder / "cases.yaml", PinnedClock()
    config.write_text(head + routes)
    file.write_text("".join(["- name: a case\n", *(f"  {line}\n" for line in lines)]))
    ready = load_plans([config], {}, clock, singly=True)
    [case] = read_cases([file])
    return Rehearsal(ready, clock, decode).judge(case)


def decode(record: Record, plan: Plan) -> Decoded:
    """Stand in for the registry: the message is the name of an event."""
    if record.value is None or record.value == b"broken":
        return undecodable("it is broken")
    if record.value == b"tombstone":
        return Filtered(FilterReason.TOMBSTONE)
    value = {"sku": record.assignment.topic, "contact": CONTACT, "lines": [], "plan": plan.name}
    return Event(record, record.value.decode(), value, 7)


# What passes.


@pytest.mark.parametrize(
    "lines",
    [
        [VIEWED, NOW, f"expect: [{{method: POST, path: /api/v2/tracking/productview, body: {BODY}}}]"],
        [VIEWED, NOW, f"expect: [{{body: {BODY}}}]"],
        [VIEWED, NOW, f"expect: [{{body: {BODY}}}]", "route: views"],
        [VIEWED, "now: 2026-11-22T11:31:07Z", "filtered: too_old"],
        [VIEWED, "now: 2026-11-22T11:31:07+01:00", f"expect: [{{body: {BODY}}}]"],
        [VIEWED, "filtered: too_old", "now: 2026-11-23T00:00:00Z"],
        [VIEWED, "filtered: no_route", "route: carts"],
        [VIEWED, "filtered: no_route", "topic: elsewhere"],
        [VIEWED, NOW, f"expect: [{{body: {BODY}}}]", "topic: shop.clicks"],
        ["event: {record: a.View, value: {contact: null}}", "filtered: when"],
        ["event: {record: a.View, value: {contact: null}}", "expect: []"],
        [f"event: {{record: a.View, value: {{contact: {CONTACT}}}}}", "error: 'itemId: required'"],
        ["event: {record: a.Order, value: {lines: []}}", "filtered: empty"],
        ["event: {record: a.Nobody, value: {}}", "filtered: no_route"],
        ["event: {record: a.Nobody, value: {}}", "expect: []"],
    ],
)
def test_what_is_as_expected(tmp_path: Path, lines: list[str]) -> None:
    """Requests, the reason for none, or an error."""
    assert judge(tmp_path, *lines) == ""


def test_one_request_for_each_item(tmp_path: Path) -> None:
    """In the order of the items; those that are filtered make none, and numbers are compared by value."""
    assert (
        judge(
            tmp_path,
            ORDERED,
            "expect:",
            "- path: /1.0/order",
            "  body: {sessionExternalId: v1, timestamp: '2026-11-22T09:31:07Z', productId: 1, price: 9.9,",
            "    quantity: 2.0, transaction: '4711'}",
            "- body: {sessionExternalId: v1, timestamp: '2026-11-22T09:31:07Z', productId: 3, price: 0.00,",
            "    quantity: 1, transaction: '4711'}",
        )
        == ""
    )


def test_key_headers_and_topic(tmp_path: Path) -> None:
    """Expressions see them as those of a record."""
    event = "event: {record: a.Cart, value: {lines: [{sku: x, quantity: 1}]}}"
    body = f"{{cartReference: c-1, contactId: {CONTACT}, items: [{{sku: x, quantity: 1}}]"

    assert judge(tmp_path, event, "key: c-1", f"expect: [{{body: {body}}}}}]") == ""
    assert (
        judge(
            tmp_path, event, "key: c-1", "headers: {culture: nb-NO}", f"expect: [{{body: {body}, language: nb-NO}}}}]"
        )
        == ""
    )
    assert judge(tmp_path, event, "error: 'cartReference: required'") == ""
    assert judge(tmp_path, event, "topic: other.carts", "error: cartReference") == ""
    assert judge(tmp_path, event, "topic: shop.clicks", "filtered: no_route") == ""


def test_a_message_is_decoded_as_of_the_route_s_topic(tmp_path: Path) -> None:
    """Its first one, unless the case names one; the rest is as with an event."""
    views = "message: YS5WaWV3"
    body = f"{{itemId: shop.clicks, contactId: {CONTACT}}}"

    assert judge(tmp_path, views, f"expect: [{{body: {body}}}]", "route: views") == ""
    assert judge(tmp_path, views, "filtered: no_route", "route: views", "topic: shop.carts") == ""
    assert judge(tmp_path, "message: YnJva2Vu", "error: it is broken") == ""
    assert judge(tmp_path, "message: dG9tYnN0b25l", "filtered: tombstone") == ""


def test_every_route_makes_its_own(tmp_path: Path) -> None:
    """In the order of the destinations, then of their routes; also where the file has batches."""
    head = HEAD.replace("  rocket:\n", "  rocket:\n    batch: {}\n")
    routes = VIEW + VIEW.replace("views:", "more:").replace("itemId: sku", "itemId: t") + ROCKET
    value = f"{{sku: '1', contact: {CONTACT}, s: v1, t: '2026-11-22T09:31:07Z', c: 5}}"

    wrong = judge(
        tmp_path,
        f"event: {{record: a.View, value: {value}}}",
        "expect:",
        f"- {{path: /api/v2/tracking/productview, body: {{itemId: '1', contactId: {CONTACT}}}}}",
        f"- {{path: /api/v2/tracking/productview, body: {{itemId: '2026-11-22T09:31:07Z', contactId: {CONTACT}}}}}",
        "- path: /1.0/categoryView",
        "  body: {sessionExternalId: v1, timestamp: '2026-11-22T09:31:07Z', categoryId: 5}",
        routes=routes,
        head=head,
    )

    assert wrong == ""


def test_the_time_of_one_case_is_not_the_next_one_s(tmp_path: Path) -> None:
    """Without `now` it is the machine's time."""
    file, clock = tmp_path / "cases.yaml", PinnedClock()
    (tmp_path / "clickstream.yaml").write_text(HEAD + ROUTES)
    file.write_text(
        f"- {{name: a, {NOW}, {VIEWED}, filtered: when}}\n- {{name: b, {VIEWED}, filtered: too_old}}\n".replace(
            "2026-11-22T09:31:07Z", "2001-11-22T09:31:07Z"
        ).replace("filtered: when", "filtered: too_old")
    )
    rehearsal = Rehearsal(load_plans([tmp_path / "clickstream.yaml"], {}, clock, singly=True), clock, decode)

    first, second = (rehearsal.judge(case) for case in read_cases([file]))

    assert (first.wrong, second.wrong) == ("", "")
    assert clock.pinned is None


# What is said of what does not pass.


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        (
            [VIEWED, NOW, f"expect: [{{path: /productview, body: {BODY}}}]"],
            "  request 1: expected POST /productview, and got POST /api/v2/tracking/productview",
        ),
        (
            [VIEWED, NOW, f"expect: [{{body: {{itemId: 1, contactId: {CONTACT}}}}}]"],
            f'  request 1: expected {{"itemId":1,"contactId":"{CONTACT}"}}\n              and got  {SENT}',
        ),
        (
            [VIEWED, NOW, "expect: []"],
            f"expected requests: 0, made: 1\n  only made: POST /api/v2/tracking/productview {SENT}",
        ),
        (
            ["event: {record: a.View, value: {contact: null}}", "expect: [{body: {itemId: '1'}}]"],
            'expected requests: 1, made: 0; filtered (when)\n  only expected: {"itemId":"1"}',
        ),
        (
            ["event: {record: a.Veiw, value: {}}", "expect: [{body: {itemId: '1'}}]"],
            'expected requests: 1, made: 0; filtered (no_route)\n  only expected: {"itemId":"1"}',
        ),
        (
            [f"event: {{record: a.View, value: {{contact: {CONTACT}}}}}", "expect: []"],
            "mapping error: itemId: required, but the mapping gives null",
        ),
        (
            [f"event: {{record: a.View, value: {{contact: {CONTACT}}}}}", "filtered: when"],
            "expected to be filtered (when), and got: itemId: required, but the mapping gives null",
        ),
        (
            [f"event: {{record: a.View, value: {{contact: {CONTACT}}}}}", "error: contactId"],
            "expected an error with `contactId`, and got: itemId: required, but the mapping gives null",
        ),
        (
            ["event: {record: a.View, value: {contact: null}}", "filtered: too_old"],
            "expected to be filtered (too_old), and got: filtered (when)",
        ),
        (
            ["event: {record: a.View, value: {contact: null}}", "error: contactId"],
            "expected an error with `contactId`, and got: filtered (when)",
        ),
        ([VIEWED, "filtered: when", "route: veiws"], "there is no route `veiws`; did you mean `views`?"),
        ([VIEWED, "filtered: when", "route: zzz"], "there is no route `zzz`; one of: carts, lines, views"),
        (["message: YnJva2Vu", "expect: []", "route: views"], "mapping error: it is broken"),
    ],
)
def test_what_is_not_as_expected(tmp_path: Path, lines: list[str], wrong: str) -> None:
    """What was expected, and what there is instead."""
    assert judge(tmp_path, *lines) == wrong


def test_filtered_is_of_all_there_is(tmp_path: Path) -> None:
    """A case that is to be filtered fails where one item is sent."""
    wrong = judge(tmp_path, ORDERED, "filtered: when")

    assert wrong.startswith('expected to be filtered (when), and got: POST /1.0/order {"sessionExternalId":"v1",')
    assert "; filtered (when); POST /1.0/order {" in wrong


def test_a_verdict_knows_its_case(tmp_path: Path) -> None:
    """For who looks for it in the file."""
    found = verdict(tmp_path, VIEWED, "filtered: when")

    assert (found.case.name, found.case.line, found.case.file) == ("a case", 1, str(tmp_path / "cases.yaml"))


def test_the_cases_of_the_documentation_pass(tmp_path: Path) -> None:
    """Those of docs/cases.md that hold an event, with the routes that every event of the shop has."""
    root, file, clock = Path(__file__).parents[2], tmp_path / "cases.yaml", PinnedClock()
    (written,) = re.findall(r"```yaml\n(.*?)```", (root / "docs" / "cases.md").read_text("utf-8"), re.DOTALL)
    file.write_text(written, encoding="utf-8")
    ready = load_plans([root / "examples" / "canonical.yaml"], {}, clock, offline=True, singly=True)
    rehearsal = Rehearsal(ready, clock, decode)

    assert [rehearsal.judge(case).wrong for case in read_cases([file]) if case.event] == ["", ""]
