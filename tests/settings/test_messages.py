"""What the person reads who wrote the YAML: every fault of the list, word by word, through the whole program."""

from pathlib import Path

import pytest

from processor.cli.main import main
from processor.errors import ConfigError
from processor.plan import load_plans

FILE = """\
kafka:
  bootstrap.servers: localhost:9092
registry: {url: "http://localhost:8081"}
topics: [shop.clickstream]
start_from: latest
destinations:
  voyado:
    type: voyado
    base_url: https://acme.voyado.com
    api_key: hunter2
    user_agent: AcmeClickstream/1.0
routes:
  views:
    event: com.acme.shop.ProductViewed
    to: voyado.product_view
    when: contactId
    map:
      itemId: product.sku
      contactId: contactId
"""
KEYS = "commit_interval, destinations, formats, group_prefix, in_memory, kafka, max_ahead, ops, registry, routes, "
KEYS += "schemas, shutdown_timeout, start_from, tables, topics"

# What is put in the place of which piece of the file, and all that is said then: (line, path, message, fix).
Said = tuple[int, str, str, str]
CASES: dict[str, tuple[str, str, Said]] = {
    "unknown key": ("topics:", "kubernetes: 1\ntopics:", (4, "kubernetes", "is not a known key", f"one of: {KEYS}")),
    "misspelt key": (
        "topics:",
        "group_prefx: a\ntopics:",
        (4, "group_prefx", "is not a known key", "did you mean `group_prefix`?"),
    ),
    "misspelt key that is required": (
        "start_from:",
        "start_form:",
        (5, "start_form", "is not a known key", "did you mean `start_from`? It is required"),
    ),
    "misspelt key that is required and has two names": (
        "    event:",
        "    evnts:",
        (14, "routes.views.evnts", "is not a known key", "did you mean `events`? It is required"),
    ),
    "misspelt property of Kafka's that is required": (
        "bootstrap.servers:",
        "bootstrap.server:",
        (
            2,
            "kafka.bootstrap.server",
            "is not a property of the Kafka client (librdkafka)",
            "did you mean `bootstrap.servers`? It is required",
        ),
    ),
    "misspelt property of Kafka's, one of two that are required": (
        "bootstrap.servers:",
        "metadata.broker.lits:",
        (
            2,
            "kafka.metadata.broker.lits",
            "is not a property of the Kafka client (librdkafka)",
            "did you mean `metadata.broker.list`? It is required",
        ),
    ),
    "misspelt type": (
        "    type: voyado",
        "    tpye: voyado",
        (8, "destinations.voyado.tpye", "is not a known key", "did you mean `type`? It is required"),
    ),
    "misspelt key of a group": (
        "    type: voyado",
        "    type: voyado\n    batch: {max_event: 5}",
        (9, "destinations.voyado.batch.max_event", "is not a known key", "did you mean `max_events`?"),
    ),
    "key beside its group": (
        "    type: voyado",
        "    type: voyado\n    max_events: 5",
        (9, "destinations.voyado.max_events", "is not a known key", "it belongs below `batch`"),
    ),
    "key of another vendor": (
        "    type: voyado",
        "    type: voyado\n    partner_id: a",
        (
            9,
            "destinations.voyado.partner_id",
            "is a key of type retail_rocket, not of voyado",
            "remove it, or mend `type`",
        ),
    ),
    "misspelt vendor": (
        "type: voyado",
        "type: voyaddo",
        (8, "destinations.voyado.type", "`voyaddo` is no type of destination", "did you mean `voyado`?"),
    ),
    "misspelt method": (
        "voyado.product_view",
        "voyado.productview",
        (15, "routes.views.to", "`productview` is no method of voyado", "did you mean `product_view`?"),
    ),
    "unknown method": (
        "voyado.product_view",
        "voyado.order",
        (15, "routes.views.to", "`order` is no method of voyado", "one of: cart, product_view"),
    ),
    "misspelt destination": (
        "voyado.product_view",
        "voyadoo.product_view",
        (
            15,
            "routes.views.to",
            "`voyadoo.product_view`: there is no destination `voyadoo`",
            "did you mean `voyado`?",
        ),
    ),
    "method alone": (
        "voyado.product_view",
        "product_view",
        (
            15,
            "routes.views.to",
            "`product_view` is not a destination and its method",
            "destination.method: voyado.product_view",
        ),
    ),
    "misspelt field": (
        "itemId: product.sku",
        "itemId: product.sku\n      catgory: a",
        (19, "routes.views.map.catgory", "`catgory` is no field of product_view", "did you mean `category`?"),
    ),
    "misspelt field that is required": (
        "      itemId:",
        "      itmId:",
        (
            18,
            "routes.views.map.itmId",
            "`itmId` is no field of product_view",
            "did you mean `itemId`? It is required",
        ),
    ),
    "missing field": (
        "      contactId: contactId\n",
        "",
        (
            17,
            "routes.views.map.contactId",
            "product_view requires contactId, and nothing is mapped to it",
            "add `contactId: …` to the map",
        ),
    ),
    "misspelt function": (
        "product.sku",
        "uper(product.sku)",
        (
            18,
            "routes.views.map.itemId",
            "unknown function uper(), did you mean upper()?",
            "`clickstream functions` lists the functions",
        ),
    ),
    "missing variable": (
        "hunter2",
        "${VOYADO_KEY}",
        (
            10,
            "destinations.voyado.api_key",
            "the variable VOYADO_KEY is not set",
            "set it, or write ${VOYADO_KEY:-default}",
        ),
    ),
    "missing file": (
        "hunter2",
        "${file:/none/key}",
        (
            10,
            "destinations.voyado.api_key",
            "the file /none/key does not exist",
            "create or mount it, or mend the path",
        ),
    ),
    "no file": (
        "hunter2",
        "${file:}",
        (10, "destinations.voyado.api_key", "`${file:}` names no file", "write ${file:PATH}"),
    ),
    "variable in brackets": (
        "[shop.clickstream]",
        "[${TOPIC}]",
        (
            4,
            "",
            "YAML cannot read this: within {} and [] a comma parts the values, and a bracket wants quotes",
            'use quotes: topics: ["${TOPIC}"]',
        ),
    ),
    "a number for a duration": (
        "    type: voyado",
        "    type: voyado\n    timeout: 10",
        (
            9,
            "destinations.voyado.timeout",
            "`10` is not a duration",
            "a number with ms, s, m, h or d: 10s, 200ms, 1.5m",
        ),
    ),
    "a time for a duration": (
        "    type: voyado",
        "    type: voyado\n    timeout: 22:00",
        (
            9,
            "destinations.voyado.timeout",
            "`22:00` is not a duration",
            "a number with ms, s, m, h or d: 10s, 200ms, 1.5m",
        ),
    ),
    "a number for a rate": (
        "    type: voyado",
        "    type: voyado\n    rate: 50",
        (9, "destinations.voyado.rate", "`50` is not a rate", "a number per s, m or h: 50/s, 3000/m; or `none`"),
    ),
    "a word for a number": (
        "    type: voyado",
        "    type: voyado\n    concurrency: many",
        (9, "destinations.voyado.concurrency", "`many` is not a whole number", "write digits only"),
    ),
    "an exponent for a number": (
        "    type: voyado",
        "    type: voyado\n    concurrency: 5e123",
        (9, "destinations.voyado.concurrency", "`5e123` is not a whole number", "write digits only"),
    ),
    "on for a number": (
        "topics:",
        "ops: {port: on}\ntopics:",
        (4, "ops.port", "`on` is not a whole number", "write digits only"),
    ),
    "a number for a group": (
        "    type: voyado",
        "    type: voyado\n    batch: 500",
        (9, "destinations.voyado.batch", "`500` must be a mapping", "write `key: value` below it"),
    ),
    "a text for a list": (
        "    type: voyado",
        "    type: voyado\n    retry: {delays: 10s}",
        (9, "destinations.voyado.retry.delays", "`10s` must be a list", "for example `delays: [10s, 30s, 60s]`"),
    ),
    "attempts": (
        "    type: voyado",
        "    type: voyado\n    retry: {max_attempts: 0}",
        (9, "destinations.voyado.retry.max_attempts", "`0` must be at least 1", "for example `max_attempts: 8`"),
    ),
    "stalemate": (
        "    type: voyado",
        "    type: voyado\n    retry: {stalemate: none}",
        (
            9,
            "destinations.voyado.retry.stalemate",
            "`none` is not a duration",
            "a number with ms, s, m, h or d: 5m; or `never`",
        ),
    ),
    "a part of more than all": (
        "    type: voyado",
        "    type: voyado\n    dead_letter: {hold_above: 50}",
        (
            9,
            "destinations.voyado.dead_letter.hold_above",
            "`50` must be at most 1",
            "for example `hold_above: 0.5`",
        ),
    ),
    "more than the window": (
        "    type: voyado",
        "    type: voyado\n    dead_letter: {window: 100, min: 200}",
        (
            9,
            "destinations.voyado.dead_letter.min",
            "`200` is more than `window` (100), so nothing would ever hold",
            "at most 100",
        ),
    ),
    "a window that is too small": (
        "    type: voyado",
        "    type: voyado\n    dead_letter: {window: 20}",
        (
            9,
            "destinations.voyado.dead_letter.min",
            "is more than `window` (20), so nothing would ever hold",
            "at most 20",
        ),
    ),
    "one rule": (
        "    type: voyado",
        "    type: voyado\n    replies: {status: 409, class: accepted}",
        (
            9,
            "destinations.voyado.replies",
            "must be a list",
            "for example `replies: [{status: 409, class: accepted}]`",
        ),
    ),
    "status of many": (
        "    type: voyado",
        "    type: voyado\n    replies: [{status: 4xx, class: accepted}]",
        (9, "destinations.voyado.replies.0.status", "`4xx` is not a whole number", "for example `status: 409`"),
    ),
    "status out of range": (
        "    type: voyado",
        "    type: voyado\n    replies: [{status: 4090, class: accepted}]",
        (9, "destinations.voyado.replies.0.status", "`4090` must be at most 599", "for example `status: 409`"),
    ),
    "misspelt class": (
        "    type: voyado",
        "    type: voyado\n    replies: [{status: 409, class: acepted}]",
        (9, "destinations.voyado.replies.0.class", "`acepted` is not allowed", "did you mean `accepted`?"),
    ),
    "unknown class": (
        "    type: voyado",
        "    type: voyado\n    replies: [{status: 409, class: ok}]",
        (
            9,
            "destinations.voyado.replies.0.class",
            "`ok` is not allowed",
            "one of: accepted, throttled, invalid, forbidden, misconfigured, transient, credential",
        ),
    ),
    "rule without class": (
        "    type: voyado",
        "    type: voyado\n    replies: [{status: 409}]",
        (9, "destinations.voyado.replies.0.class", "is required", "for example `class: accepted`"),
    ),
    "rule with a blank text": (
        "    type: voyado",
        "    type: voyado\n    replies: [{status: 409, body: , class: accepted}]",
        (9, "destinations.voyado.replies.0.body", "has no value", "give it one, or remove the key"),
    ),
    "rule with an unknown key": (
        "    type: voyado",
        "    type: voyado\n    replies: [{status: 409, text: a, class: accepted}]",
        (9, "destinations.voyado.replies.0.text", "is not a known key", "one of: body, class, status"),
    ),
    "another word for a mode": (
        "    type: voyado",
        "    type: voyado\n    mode: off",
        (9, "destinations.voyado.mode", "`off` is not allowed", "one of: live, shadow, paused"),
    ),
    "on for a flag": (
        "    when:",
        "    unconditional: on\n    when:",
        (16, "routes.views.unconditional", "`on` is neither true nor false", "write one of them"),
    ),
    "a day for a time": (
        "start_from: latest",
        "start_from: 2026-11-22",
        (
            5,
            "start_from",
            "`2026-11-22` has no zone",
            "write it with a Z for UTC, or with an offset like +01:00: 2026-11-22T00:00:00Z",
        ),
    ),
    "a blank condition": (
        "when: contactId",
        "when:",
        (16, "routes.views.when", "has no value", "give it one, or remove the key"),
    ),
    "a list for an expression": (
        "when: contactId",
        "when: [contactId]",
        (16, "routes.views.when", "must be text", "put quotes around it where it is an expression"),
    ),
    "unquoted braces": (
        "itemId: product.sku",
        "utm: page.utm[].{key: name, value: value}",
        (
            18,
            "",
            "YAML cannot read this: a value without quotes may not have `: ` in it",
            "use quotes: utm: 'page.utm[].{key: name, value: value}'",
        ),
    ),
    "unquoted exclamation mark": (
        "when: contactId",
        "when: !contactId",
        (16, "", "YAML cannot read this: `!contactId` is a YAML tag", "use quotes: when: '!contactId'"),
    ),
    "unquoted backtick": (
        "when: contactId",
        "when: `1` == a",
        (
            16,
            "",
            "YAML cannot read this: without quotes, a value cannot begin with this sign",
            "use quotes: when: '`1` == a'",
        ),
    ),
    "colon in a text": (
        "when: contactId",
        "when: a == 'b: c'",
        (
            16,
            "",
            "YAML cannot read this: a value without quotes may not have `: ` in it",
            "use quotes: when: \"a == 'b: c'\"",
        ),
    ),
    "const without braces": (
        "product.sku",
        "const: main",
        (
            18,
            "",
            "YAML cannot read this: a value without quotes may not have `: ` in it",
            "use quotes: itemId: {const: 'main'}",
        ),
    ),
    "tab": (
        "    when:",
        "\twhen:",
        (
            16,
            "",
            "YAML cannot read this: a tab stands where a value or the indentation begins",
            "indent with spaces, not with tabs",
        ),
    ),
    "indentation": (
        "    when:",
        "   when:",
        (
            16,
            "",
            "YAML cannot read this: its indentation is that of no key above",
            "begin the line where the other keys of its group begin",
        ),
    ),
    "no blank after the colon": (
        "when: contactId",
        "when:contactId",
        (16, "", "YAML cannot read this: this line has no `key: value`", "a colon and a blank follow the key"),
    ),
    "duplicate key": (
        "    when: contactId",
        "    when: a\n    when: contactId",
        (17, "routes.views.when", "the key is set twice, first in line 16", "remove one of the two"),
    ),
    "leading zeros for an expression": (
        "product.sku",
        "0012",
        (
            18,
            "routes.views.map.itemId",
            "`0012` is no expression",
            "numbers are written bare and as JSON has them: 5, 9.99; texts in const: {const: …}",
        ),
    ),
    "quoted number for an expression": (
        "product.sku",
        "'5'",
        (
            18,
            "routes.views.map.itemId",
            "`5` is no expression",
            "numbers are written bare and as JSON has them: 5, 9.99; texts in const: {const: …}",
        ),
    ),
    "a boolean of another language": (
        "product.sku",
        "True",
        (
            18,
            "routes.views.map.itemId",
            "`True` names a field called True",
            "the constant is written bare: true; a text in const: {const: …}",
        ),
    ),
    "a number in const": (
        "product.sku",
        "{const: [5]}",
        (18, "routes.views.map.itemId", "`const` takes a text", "write a list or a mapping without `const`"),
    ),
    "true as a condition": (
        "when: contactId",
        "when: true",
        (
            16,
            "routes.views.when",
            "`true` names a field called true",
            "between backticks it is the constant: '`true`'; without any condition, remove the key",
        ),
    ),
    "an expression in quotes and braces": (
        "product.sku",
        "[product.sku, 5]",
        (
            18,
            "routes.views.map.itemId",
            "the constant does not fit: itemId: array is not a text",
            "an expression goes in quotes; a constant must be: text, not empty",
        ),
    ),
    "a name that is taken": (
        "    when:",
        "    let: {item: a}\n    when:",
        (16, "routes.views.let.item", "`item` is the name of what `for_each` gives", "choose another name"),
    ),
    "not a python function": (
        "map:\n      itemId: product.sku\n      contactId: contactId",
        "map: python:mymodule",
        (
            17,
            "routes.views.map",
            "`python:mymodule` is neither a mapping nor a Python function",
            "`field: expression` lines, or python:package.module.function",
        ),
    ),
    "a missing table": (
        "topics:",
        "tables: {skus: {file: none.csv}}\ntopics:",
        (
            4,
            "tables.skus.file",
            "the file none.csv cannot be read: No such file or directory",
            "create or mount it, or mend the path",
        ),
    ),
    "a proxy that is none": (
        "    type: voyado",
        "    type: voyado\n    http: {proxy: user:hunter3@proxy}",
        (
            9,
            "destinations.voyado.http.proxy",
            "is not a proxy's address",
            "http://proxy:3128, or http://user:password@proxy:3128",
        ),
    ),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the current one, so that messages have short paths."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CLICKSTREAM_CONFIG", raising=False)
    return tmp_path


def read(*texts: str) -> str:
    """What is said of `clickstream.yaml`, and of `stage.yaml` over it."""
    paths = [Path(name) for name in ("clickstream.yaml", "stage.yaml")][: len(texts)]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_plans(paths, {})
    assert "hunter" not in str(caught.value)
    return str(caught.value)


def changed(old: str, new: str) -> str:
    """The file with one piece replaced."""
    assert FILE.count(old) == 1, f"`{old}` must stand in the file once"
    return FILE.replace(old, new)


@pytest.mark.parametrize("name", CASES)
def test_one_fault(name: str) -> None:
    """One slip is one fault: file, line, path, what is wrong, and the fix; nothing that only follows from it."""
    old, new, (line, path, message, fix) = CASES[name]
    expected = f"ERROR clickstream.yaml:{line} {path}   {message}\n      fix: {fix}"
    assert read(changed(old, new)) == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("contactId =", "is not an expression: `=` is written =="),
        ("contactId && ", "is not an expression: it ends where a field or a value is expected"),
        ("contactId == 'a", "is not an expression: the ' at character 14 is not closed"),
        ("price > 5", "is not an expression: a number is written between backticks: `5`"),
        ("22:00", "is not an expression: a number is written between backticks: `22`"),
        ("length(a", "is not an expression: at its end ) is missing"),
        ("a..b", "is not an expression: after the dot at character 3 comes the name of a field"),
        ("lower(a, b)", "lower() is called with 2 arguments; it is lower(text)"),
        ("lookup('skus', a)", "lookup(): there is no table skus; `tables` has: none"),
    ],
)
def test_a_broken_expression(expression: str, message: str) -> None:
    """What is wrong is said in words, with what to write."""
    text = read(changed("when: contactId", f'when: "{expression}"'))
    assert text.splitlines()[0] == f"ERROR clickstream.yaml:16 routes.views.when   {message}"


@pytest.mark.parametrize(
    ("over", "said"),
    [
        (
            "routes: {views: {events: [a.B]}}\n",
            (
                "ERROR stage.yaml:1 routes.views.events   is another name of a key that is set too\n"
                "      fix: keep one of the two; over another file, null removes a key"
            ),
        ),
        (
            "destinations:\n  voyado: null\n  rocket: {type: retail_rocket, partner_id: a, api_key: b}\n",
            (
                "ERROR clickstream.yaml:15 routes.views.to   "
                "`voyado.product_view`: there is no destination `voyado`\n"
                "      fix: stage.yaml:2 removes it; remove the route there too: `views: null` in `routes`"
            ),
        ),
        (
            "start_from: null\n",
            "ERROR stage.yaml:1 start_from   is required\n      fix: for example `start_from: latest`",
        ),
        (
            "topics:\n  a: b\n",
            (
                "ERROR stage.yaml:1 topics   must be a text or a list of texts\n"
                "      fix: one text, or several in brackets: [a, b]"
            ),
        ),
    ],
)
def test_two_files_that_conflict(over: str, said: str) -> None:
    """The fault names the file that set, or took away, the value."""
    assert read(FILE, over) == said


def test_an_expression_that_yaml_cuts() -> None:
    """What a comment cuts off is said, and nothing that only follows from it."""
    text = read(changed("product.sku", "join(' # ', product.path)"))
    assert text == (
        "ERROR clickstream.yaml:18 routes.views.map.itemId   YAML ends this expression at `#`: `join('`\n"
        "      fix: put quotes around the whole expression"
    )


@pytest.mark.parametrize("text", ["NO", "on", "yes", "22:00", "5e123", "0012", "null", "~"])
def test_texts_that_yaml_might_change(text: str) -> None:
    """In `const`, in a table and as a destination's value they stay what they are; only null is null."""
    quoted = f"'{text}'" if text in {"null", "~"} else text
    table = f"tables: {{t: {{{text}: {quoted}}}}}\n"
    Path("clickstream.yaml").write_text(changed("product.sku", f"{{const: {quoted}}}") + table)
    ready = load_plans([Path("clickstream.yaml")], {})
    assert ready.settings.tables["t"] == {text: text}
    assert ready.warnings == []


TWENTY = """\
kafka: {acks: 1, group.id: a}
registry: {uri: "http://a"}
start_form: latest
destinations:
  voyado:
    type: voyado
    base_url: acme
    apikey: hunter2
    user_agent: Acme
    rate: 50
    timeout: soon
    mode: off
    batch: {max_events: 0}
    http: {ca_file: none.pem}
  rocket: {type: rocket}
routes:
  views: {event: a-b, to: voyado.product_view, map: {}}
  carts: {event: a.B, to: voyado, map: {}}
  orders: {event: a.B, to: nobody.order, when: , let: {item: a}, map: python:a}
tables: {a: b}
"""


def test_twenty_faults_at_once() -> None:
    """All of them are told in one run, in the order of the lines, each once."""
    faults = [line for line in read(TWENTY).splitlines() if line.startswith("ERROR ")]
    assert [line.split()[1].removeprefix("clickstream.yaml:") + " " + line.split()[2] for line in faults] == [
        "1 kafka.acks",
        "1 kafka.group.id",
        "1 kafka.bootstrap.servers",
        "2 registry.uri",
        "3 start_form",
        "7 destinations.voyado.base_url",
        "8 destinations.voyado.apikey",
        "9 destinations.voyado.user_agent",
        "10 destinations.voyado.rate",
        "11 destinations.voyado.timeout",
        "12 destinations.voyado.mode",
        "13 destinations.voyado.batch.max_events",
        "15 destinations.rocket.type",
        "17 routes.views.event",
        "17 routes.views.map.contactId",
        "17 routes.views.map.itemId",
        "18 routes.carts.to",
        "19 routes.orders.when",
        "19 routes.orders.let.item",
        "19 routes.orders.map",
        "20 tables.a",
    ]


def test_the_command_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    """The command says the same, how many faults there are, and ends with 2; never a traceback."""
    said = read(TWENTY)
    assert main(["run"]) == 2
    assert capsys.readouterr().err == f"{said}\n\n21 errors; nothing was started\n"
