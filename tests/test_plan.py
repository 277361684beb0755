"""From a file to pipelines: what is built, and what is wrong, each with its place."""

from pathlib import Path

import pytest

from processor.errors import ConfigError, Level
from processor.plan import Plan, load_plans
from processor.records import Payload
from tests.support.configured import EVENT, FIRST, HEAD, ROCKET, VIEW, faults, mapped, plans


def payload(plan: Plan) -> Payload:
    """What the first route of a plan sends."""
    found = mapped(plan, EVENT)
    assert isinstance(found, Payload)
    return found


# What is built.


def test_one_plan_for_each_destination(tmp_path: Path) -> None:
    """Each has its own group, topics, routes and dead-letter topic."""
    ready = plans(tmp_path, VIEW + ROCKET)

    assert ready.warnings == []
    assert [(plan.name, plan.vendor.name, plan.group, plan.topics, plan.dead_letter_topic) for plan in ready.plans] == [
        ("voyado", "voyado", "clickstream.voyado", ("shop.clicks",), "clickstream.voyado.dlq"),
        ("rocket", "retail_rocket", "clickstream.rocket", ("shop.clicks",), "clickstream.rocket.dlq"),
    ]
    assert [[route.name for route in plan.routes] for plan in ready.plans] == [["views"], ["rocket"]]
    assert [list(plan.mappers) for plan in ready.plans] == [["views"], ["rocket"]]
    assert len(ready.version) == 8


def test_topics_of_routes_are_joined(tmp_path: Path) -> None:
    """A route's own topics replace the file's; each is read once, in the order of the file."""
    second = VIEW.replace("views:", "more:").replace("to:", "topics: [other, '^shop\\..*', other2], to:")
    third = VIEW.replace("views:", "last:").replace("to:", "topics: other, to:")

    ready = plans(tmp_path, VIEW + second + third + ROCKET)

    assert ready.plans[0].topics == ("shop.clicks", "other", "^shop\\..*", "other2")
    assert ready.plans[1].topics == ("shop.clicks",)


def test_a_dead_letter_topic_may_be_named(tmp_path: Path) -> None:
    """The default follows the group's prefix."""
    head = HEAD.replace("  rocket:\n", "    dead_letter: {topic: letters}\n  rocket:\n")
    head = head.replace("start_from", "group_prefix: shop\nstart_from")

    ready = plans(tmp_path, VIEW + ROCKET, head)

    assert [plan.dead_letter_topic for plan in ready.plans] == ["letters", "shop.rocket.dlq"]


def test_one_route_may_lead_to_several_accounts(tmp_path: Path) -> None:
    """The same mapping for two shops; each pipeline has its own."""
    route = VIEW.replace("voyado.product_view", "[voyado.product_view, twin.product_view]")
    ready = plans(tmp_path, route, HEAD.replace("  rocket:\n", TWIN))

    assert [plan.name for plan in ready.plans] == ["voyado", "twin"]
    assert [list(plan.mappers) for plan in ready.plans] == [["views"], ["views"]]
    assert ready.plans[0].mappers["views"] is not ready.plans[1].mappers["views"]


TWIN = """\
  twin: {type: voyado, base_url: "https://twin.voyado.com", api_key: hunter4, user_agent: Shop/1.0}
  rocket:
"""


def test_batches_go_where_batches_go(tmp_path: Path) -> None:
    """Voyado's default is batches, Retail Rocket's single calls; the file may say otherwise."""
    head = HEAD.replace("  rocket:\n", "    batch: null\n  rocket:\n    batch: {}\n")
    paths = []
    for text in (HEAD, head):
        for plan in plans(tmp_path, VIEW + ROCKET, text).plans:
            found = payload(plan)
            paths.append((found.channel.path, found.channel.batched))

    assert paths == [
        ("/api/v2/tracking/productviews", True),
        ("/categoryView", False),
        ("/api/v2/tracking/productview", False),
        ("/visitorEvents", True),
    ]


def test_a_destination_without_a_route_has_no_plan(tmp_path: Path) -> None:
    """It is a warning: perhaps the route is still to be written."""
    ready = plans(tmp_path, VIEW)

    assert [plan.name for plan in ready.plans] == ["voyado"]
    assert [(fault.level, fault.where) for fault in ready.warnings] == [(Level.WARNING, "destinations.rocket")]


def test_the_version_does_not_tell_secrets_apart(tmp_path: Path) -> None:
    """The same file with another key is the same configuration; with another route it is another one."""
    one = plans(tmp_path, VIEW).version

    assert plans(tmp_path, VIEW, HEAD.replace("hunter2", "hunter5")).version == one
    assert plans(tmp_path, VIEW.replace("sku", "id")).version != one


# What is wrong.


@pytest.mark.parametrize(
    ("route", "where", "message", "fix"),
    [
        (
            VIEW.replace("product_view", "product_veiw"),
            "routes.views.to",
            "`product_veiw` is no method of voyado",
            "did you mean `product_view`?",
        ),
        (
            VIEW.replace("product_view", "zzz"),
            "routes.views.to",
            "`zzz` is no method of voyado",
            "one of: cart, product_view",
        ),
        (
            VIEW.replace("itemId: sku", "itemId: sku, itemid: sku"),
            "routes.views.map.itemid",
            "`itemid` is no field of product_view",
            "did you mean `itemId`?",
        ),
        (
            VIEW.replace("itemId: sku, ", ""),
            "routes.views.map.itemId",
            "product_view requires itemId, and nothing is mapped to it",
            "add `itemId: …` to the map",
        ),
        (
            VIEW.replace("itemId: sku", "itemId: 'a b'"),
            "routes.views.map.itemId",
            "is not an expression: ",
            "{const: …}",
        ),
        (VIEW.replace("to:", "let: {x: 'a.'}, to:"), "routes.views.let.x", "is not an expression: ", "{const: …}"),
        (VIEW.replace("to:", "when: 'a ==', to:"), "routes.views.when", "is not an expression: ", "grammar"),
        (VIEW.replace("to:", "for_each: 'lines[', to:"), "routes.views.for_each", "is not an expression: ", "grammar"),
        (VIEW.replace("to:", "order_key: 'a.', to:"), "routes.views.order_key", "is not an expression: ", "grammar"),
        (
            VIEW.replace("to:", "when: 'lenght(a)', to:"),
            "routes.views.when",
            "unknown function lenght(), did you mean length()?",
            "`clickstream functions` lists the functions",
        ),
    ],
)
def test_a_fault_has_its_place_and_its_fix(tmp_path: Path, route: str, where: str, message: str, fix: str) -> None:
    """What is wrong, where in the file, and what to write instead."""
    [fault] = faults(tmp_path, route + ROCKET)

    assert fault.where == where
    assert fault.message.startswith(message)
    assert fix in fault.fix
    assert fault.line == FIRST
    assert "\n" not in fault.message


def test_a_fault_is_at_its_own_line(tmp_path: Path) -> None:
    """In a file as people write it, each finding has the line of its key."""
    route = """\
  views:
    event: a.View
    to: voyado.product_view
    when: contact ==
    map:
      itemId: sku
      contactID: contact
      time: join(
"""
    found = faults(tmp_path, route + ROCKET)

    assert sorted((fault.line - FIRST, fault.where) for fault in found) == [
        (3, "routes.views.when"),
        (6, "routes.views.map.contactID"),
        (7, "routes.views.map.time"),
    ]


def test_faults_of_all_kinds_come_together(tmp_path: Path) -> None:
    """A fault in one part of the file hides none in another."""
    broken = VIEW.replace("sku", "'a b'") + ROCKET.replace("category_view", "categoryview")
    head = HEAD.replace("latest", "now").replace("    partner_id", "    rat: 5/s\n    partner_id")

    assert sorted(fault.where for fault in faults(tmp_path, broken, head)) == [
        "destinations.rocket.rat",
        "routes.rocket.to",
        "routes.views.map.itemId",
        "start_from",
    ]


def test_warnings_come_with_the_errors(tmp_path: Path) -> None:
    """Who mends the errors sees the warnings too, by line; but none of a value that is convicted."""
    listed = VIEW.replace("itemId: sku", "itemId: [sku]")

    found = faults(tmp_path, listed, HEAD.replace("https://acme", "http://acme"))

    assert [(fault.level, fault.where) for fault in found] == [
        (Level.WARNING, "destinations.voyado.base_url"),
        (Level.WARNING, "destinations.rocket"),
        (Level.ERROR, "routes.views.map.itemId"),
    ]


def test_a_field_that_no_method_has(tmp_path: Path) -> None:
    """In a destination's map a slip would send nothing and say nothing."""
    head = HEAD.replace("  rocket:\n", "    map: {contactID: contact, url: page.url, items: lines}\n  rocket:\n")

    [fault] = faults(tmp_path, VIEW + ROCKET, head)

    assert fault.where == "destinations.voyado.map.contactID"
    assert fault.message == "`contactID` is no field of any method of voyado"
    assert fault.fix == "did you mean `contactId`?"


def test_expressions_that_no_route_uses(tmp_path: Path) -> None:
    """A destination's condition and mapping are read all the same: tomorrow's route would be the one to fail."""
    general = "    when: 'a =='\n    map: {items: 'lines[', contactId: contact}\n"
    head = HEAD.replace("  rocket:\n", f"{general}  rocket:\n    when: lenght(a)\n")
    route = VIEW.replace("to:", "unconditional: true, to:")

    found = faults(tmp_path, route, head)

    assert [(fault.line, fault.where, fault.message[:19], fault.fix[:17]) for fault in found] == [
        (11, "destinations.voyado.when", "is not an expressio", "jmespath.org show"),
        (12, "destinations.voyado.map.items", "is not an expressio", "a text that is th"),
        (13, "destinations.rocket", "no route leads here", "add a route, or r"),
        (14, "destinations.rocket.when", "unknown function le", "`clickstream func"),
    ]


@pytest.mark.parametrize("to", ["voyado.product_veiw", "nobody.product_view", "[nobody.cart, voyado.veiw]"])
def test_expressions_of_a_route_that_leads_nowhere(tmp_path: Path, to: str) -> None:
    """What it calls is mended with all the rest of it, in one go."""
    broken = "when: 'a ==', for_each: 'a[', order_key: 'a.', let: {x: 'a b', y: [1]}, to:"
    route = VIEW.replace("to:", broken).replace("voyado.product_view", to).replace("sku", "lenght(sku)")

    found = {fault.where for fault in faults(tmp_path, route + ROCKET) if fault.level is Level.ERROR}

    assert {where for where in found if ".to" not in where} == {
        f"routes.views.{key}" for key in ("when", "for_each", "order_key", "let.x", "map.itemId")
    }
    assert found & {"routes.views.to", "routes.views.to.0", "routes.views.to.1"}


def test_a_part_that_is_wrong_hides_no_fault(tmp_path: Path) -> None:
    """Methods, fields and constants are looked at also where keys of the destination or of the route are wrong."""
    head = HEAD.replace("    user_agent: Shop/1.0\n  rocket:", "    map: {contactID: a, time: , url: [5]}\n  rocket:")
    head = head.replace("    partner_id", "    rat: 5\n    partner_id")
    views = VIEW.replace("event: a.View", "evnt: a.View").replace("itemId: sku", "item: sku, category: ")
    rocket = ROCKET.replace("to:", "wehn: a, to:").replace("categoryId: c", "categoryId: {const: five}")

    assert [fault.where for fault in faults(tmp_path, views + rocket + THIRD, head) if "hunter" not in str(fault)] == [
        "destinations.voyado.user_agent",
        "destinations.voyado.map.time",
        "destinations.voyado.map.contactID",
        "destinations.voyado.map.url",
        "destinations.rocket.rat",
        "routes.views.map.category",
        "routes.views.evnt",
        "routes.views.map.item",
        "routes.rocket.wehn",
        "routes.rocket.map.categoryId",
        "routes.third.event",
        "routes.third.to",
    ]


THIRD = "  third: {to: rocket.vew, map: {}}\n"


def test_expressions_beside_a_key_that_is_wrong(tmp_path: Path) -> None:
    """Neither a route nor a destination need be right by itself for its expressions to be read."""
    head = HEAD.replace("  rocket:\n", "    rat: 5/s\n    map: {url: 'a b'}\n  rocket:\n")
    route = VIEW.replace("to:", "wehn: a, when: 'a ==', to:").replace("contactId: contact", "contactId: , time: 't.'")

    assert [fault.where for fault in faults(tmp_path, route + ROCKET, head)] == [
        "destinations.voyado.rat",
        "destinations.voyado.map.url",
        "routes.views.map.contactId",
        "routes.views.wehn",
        "routes.views.when",
        "routes.views.map.time",
    ]


def test_a_secret_is_in_no_fault(tmp_path: Path) -> None:
    """Whatever is wrong, keys are not shown."""
    found = faults(tmp_path, VIEW.replace("sku", "'a b'"), HEAD.replace("hunter2", "hunter2 hunter2"))

    assert "hunter" not in "\n".join(map(str, found))


def test_one_account_twice_in_one_route(tmp_path: Path) -> None:
    """One mapping cannot fit two methods of one account: that would have to be two routes."""
    route = VIEW.replace("voyado.product_view", "[voyado.product_view, voyado.cart]")

    assert "routes.views.to" in {fault.where for fault in faults(tmp_path, route + ROCKET)}


def test_a_fault_is_told_once(tmp_path: Path) -> None:
    """A route to two accounts has one expression, and so one fault."""
    route = VIEW.replace("voyado.product_view", "[voyado.product_view, twin.product_view]").replace("sku", "'a b'")

    assert len(faults(tmp_path, route + ROCKET, HEAD.replace("  rocket:\n", TWIN))) == 1


def test_single_calls_for_a_rehearsal(tmp_path: Path) -> None:
    """`singly` has every delivery be a call of its own, whatever the file says."""
    plans(tmp_path, VIEW)

    [plan] = load_plans([tmp_path / "clickstream.yaml"], {}, singly=True).plans

    channel = payload(plan).channel
    assert (channel.path, channel.batched) == ("/api/v2/tracking/productview", False)


def test_a_secret_file_may_be_missing_offline(tmp_path: Path) -> None:
    """It is mounted where the service runs; there its absence is an error."""
    text = HEAD.replace("hunter2", "${file:not-here/api-key}") + VIEW + ROCKET
    file = tmp_path / "clickstream.yaml"
    file.write_text(text)

    with pytest.raises(ConfigError) as caught:
        load_plans([file], {})
    ready = load_plans([file], {}, offline=True)

    [error], [warning] = caught.value.faults, ready.warnings
    assert (error.level, error.where) == (Level.ERROR, "destinations.voyado.api_key")
    assert (warning.level, warning.where) == (Level.WARNING, "destinations.voyado.api_key")
    assert [plan.name for plan in ready.plans] == ["voyado", "rocket"]
