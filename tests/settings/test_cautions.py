from pathlib import Path

import pytest

from processor.errors import Level
from tests.settings.example import FILE, changed, load_text
from tests.settings.test_cross import VIEWED, shown, write_schema

ERROR, WARNING = Level.ERROR, Level.WARNING


@pytest.mark.parametrize(
    ("old", "new", "where", "message", "fix"),
    [
        ("https://acme", "http://acme", "destinations.acme.base_url", "travel in clear", "use https"),
        ("registry: {url: http://localhost:8081}\n", "", "registry", "no registry and no schemas", "set registry.url"),
        (
            "routes:",
            "  idle: {type: plain, base_url: 'https://a', api_key: k}\nroutes:",
            "destinations.idle",
            "no route leads here",
            "add a route, or remove it",
        ),
        (
            "type: acme",
            "type: acme\n    mode: shadow",
            "destinations.acme.mode",
            "everything but the calls",
            "`mode: live`",
        ),
        (
            "type: acme",
            "type: acme\n    mode: paused",
            "destinations.acme.mode",
            "nothing is read, sent or comm",
            "live",
        ),
        (
            "type: acme",
            "type: acme\n    timeout: 20s",
            "destinations.acme.timeout",
            "shutdown_timeout is 25 s",
            "set shutdown_timeout to 28s or more, or a shorter timeout",
        ),
        (
            "    map:",
            "    unconditional: true\n    map:",
            "routes.views.unconditional",
            "no destination of this route has a `when`",
            "remove it",
        ),
        ("product.sku}", "{sku: sku}}", "routes.views.map.item", "is a constant", "quotes for an expression"),
        ("product.sku}", "[product.sku]}", "routes.views.map.item", "looks like an expression", "each text in it"),
        ("    map:", "    let: {a: [{b: c.d}]}\n    map:", "routes.views.let.a", "is a constant", ""),
        ("type: acme", "type: acme\n    map: {a: [b, 5]}", "destinations.acme.map.a", "is a constant", ""),
    ],
)
def test_what_is_hardly_meant(tmp_path: Path, old: str, new: str, where: str, message: str, fix: str) -> None:
    """Each is a warning at its line, and the file can be run."""
    loaded = load_text(tmp_path, changed(old, new))
    assert [(fault.where, fault.level) for fault in loaded.faults] == [(where, WARNING)]
    assert message in loaded.faults[0].message
    assert fix in loaded.faults[0].fix
    assert loaded.faults[0].line > 0
    assert loaded.settings is not None


@pytest.mark.parametrize("host", ["localhost:9001", "127.0.0.1", "[::1]:80"])
def test_plain_http_to_this_machine(tmp_path: Path, host: str) -> None:
    """A stub on the same machine is no reason for a warning."""
    assert load_text(tmp_path, changed("https://acme.example", f"http://{host}")).faults == ()


@pytest.mark.parametrize(
    "value", ["[]", "{}", "{const: sku}", "['a', \"b\"]", "[SE, NO]", "[sv-SE, 5, true, null]", "{a: '${NAME:-b}'}"]
)
def test_constants_that_are_meant(tmp_path: Path, value: str) -> None:
    """What no expression would look like, or what is quoted, is a constant beyond doubt."""
    assert load_text(tmp_path, changed("product.sku}", f"{value}}}")).faults == ()


def test_a_condition_to_be_freed_from(tmp_path: Path) -> None:
    """`unconditional` is right where one of the destinations has a condition, or is wrong itself."""
    text = changed("    map:", "    unconditional: true\n    map:")
    assert load_text(tmp_path, text.replace("type: acme", "type: acme\n    when: consent")).faults == ()
    faults = load_text(tmp_path, text.replace("type: acme", "type: acme\n    rate: 5")).faults
    assert [fault.where for fault in faults] == ["destinations.acme.rate"]


def test_a_name_that_hides_a_field(tmp_path: Path) -> None:
    """Where `schemas` tells the fields, a name of `let` that hides one is said, and how the field is reached."""
    write_schema(tmp_path, "a.avsc", VIEWED, field="visitor")
    text = changed("    map:", "    let: {visitor: a, b: c}\n    map:") + "schemas: a.avsc\n"
    message, fix = f"hides the field `visitor` of {VIEWED}", "choose another name; `event().visitor` is the field"
    assert shown(load_text(tmp_path, text)) == [("routes.views.let.visitor", WARNING, message, fix)]


def test_a_format_of_a_topic_that_nobody_reads(tmp_path: Path) -> None:
    """It does nothing, and is probably misspelt."""
    write_schema(tmp_path, "a.avsc", VIEWED)
    text = FILE + f"schemas: a.avsc\nformats: {{shop.clickstraem: {{raw: {VIEWED}}}}}\n"
    expected = ("formats.shop.clickstraem", WARNING, "no route reads this topic", "did you mean `shop.clickstream`?")
    assert shown(load_text(tmp_path, text)) == [expected]
