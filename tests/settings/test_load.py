import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from processor.errors import Fault, Level
from processor.settings.load import config_paths, load
from processor.settings.mapped import Constant, Expression, PythonHook
from tests.settings.example import FILE, VENDORS, AcmeSettings, changed, load_text


def test_a_right_file(tmp_path: Path) -> None:
    """The example loads without a fault, and destinations are of their vendor's class."""
    loaded = load_text(tmp_path, FILE)
    assert loaded.faults == ()
    assert loaded.settings is not None
    assert isinstance(loaded.settings.destinations["acme"], AcmeSettings)
    assert loaded.routes == loaded.settings.routes
    assert loaded.destinations == loaded.settings.destinations


def test_every_fault_at_once(tmp_path: Path) -> None:
    """Faults of every kind are found together, each with its line, in the order of the file."""
    text = """\
kafka:
  acks: 1
  linger.ms: ${LINGER}
registry: {uri: "http://a"}
topics: [shop]
topics: [shop]
start_form: latest
destinations:
  acme:
    type: acme
    base_url: acme
    apikey: hunter2
    rate: 50
  other: {type: acne}
  none:
routes:
  views: {event: a.B, to: acm.view, when: , map: {a: b}}
  carts: {event: a-b, to: acme.cart, map: {a: b}}
  orders: {event: a.B, to: acm.view, map: {a: b}}
"""
    loaded = load_text(tmp_path, text)
    assert loaded.settings is None
    assert [(fault.line, fault.where) for fault in loaded.faults] == [
        (1, "start_from"),
        (1, "kafka.bootstrap.servers"),
        (2, "kafka.acks"),
        (3, "kafka.linger.ms"),
        (4, "registry.url"),
        (4, "registry.uri"),
        (6, "topics"),
        (7, "start_form"),
        (9, "destinations.acme.api_key"),
        (9, "destinations.acme.user_agent"),
        (11, "destinations.acme.base_url"),
        (12, "destinations.acme.apikey"),
        (13, "destinations.acme.rate"),
        (14, "destinations.other.type"),
        (15, "destinations.none"),
        (17, "routes.views.when"),
        (17, "routes.views.to"),
        (18, "routes.carts.event"),
        (19, "routes.orders.to"),
    ]
    assert {fault.file for fault in loaded.faults} == {str(tmp_path / "0.yaml")}
    assert "hunter2" not in "\n".join(map(str, loaded.faults))


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        (
            "start_from: latest",
            "start_from: now",
            (
                "ERROR clickstream.yaml:5 start_from   `now` is no place to start from\n"
                "      fix: earliest, latest, or a time: 2026-11-22T00:00:00Z"
            ),
        ),
        (
            "start_from: latest",
            "start_form: latest",
            (
                "ERROR clickstream.yaml:1 start_from   is required\n"
                "      fix: for example `start_from: latest`\n"
                "ERROR clickstream.yaml:5 start_form   is not a known key\n"
                "      fix: did you mean `start_from`?"
            ),
        ),
        (
            "type: acme",
            "type: amce",
            (
                "ERROR clickstream.yaml:8 destinations.acme.type   `amce` is no type of destination\n"
                "      fix: did you mean `acme`?"
            ),
        ),
        (
            "    user_agent: Shop/1.0\n",
            "    user_agent: Shop\n",
            (
                "ERROR clickstream.yaml:11 destinations.acme.user_agent"
                "   `Shop` does not name a product and its version\n"
                "      fix: AcmeClickstream/1.0"
            ),
        ),
        (
            "{item: product.sku}",
            "{item: product.skus[0]}",
            (
                "ERROR clickstream.yaml:16    YAML cannot read this: "
                "within {} and [] a comma parts the values, and a bracket wants quotes\n"
                "      fix: use quotes: map: {item: 'product.skus[0]'}"
            ),
        ),
        (
            "bootstrap.servers: localhost:9092",
            "bootstrap.servers: ${KAFKA_BOOTSTRAP}",
            (
                "ERROR clickstream.yaml:2 kafka.bootstrap.servers   the variable KAFKA_BOOTSTRAP is not set\n"
                "      fix: set it, or write ${KAFKA_BOOTSTRAP:-default}"
            ),
        ),
        (
            "bootstrap.servers: localhost:9092",
            "bootstrap.servers: localhost:9092\n  enable.auto.commit: true",
            (
                "ERROR clickstream.yaml:3 kafka.enable.auto.commit"
                "   `true` would commit offsets of records that are not delivered yet\n"
                "      fix: remove it; see commit_interval"
            ),
        ),
        (
            "map: {item: product.sku}",
            "mode: shadow\n    map: {item: product.sku}",
            (
                "ERROR clickstream.yaml:16 routes.views.mode   is not a known key\n"
                "      fix: one of: event, events, for_each, let, map, max_event_age, order_key, to, topics, "
                "unconditional, when"
            ),
        ),
    ],
)
def test_what_a_person_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, shown: str) -> None:
    """A fault reads as file, line, path, what is wrong with what was written, and the fix."""
    monkeypatch.chdir(tmp_path)
    Path("clickstream.yaml").write_text(changed(old, new))
    loaded = load(config_paths([], {}), {}, VENDORS)
    assert "\n".join(map(str, loaded.faults)) == shown


def test_the_sound_parts_are_there(tmp_path: Path) -> None:
    """Where one part is wrong, it and the others can still be looked at for more faults."""
    carts = "  carts: {event: a-b, to: acme.cart, when: a, map: {a: b, c: , d: [5]}}\n"
    odd = "  odd: 5\n  hook: {too: acme.cart, to: acme.cart, map: python:a.b}\n"
    nothing = "  nowhere: {to: cart, map: {}}\n  blank: {to: acme.cart, map: text}\n"
    loaded = load_text(tmp_path, FILE.replace("user_agent", "agent") + carts + odd + nothing, "commit_interval: soon\n")

    assert loaded.settings is None
    assert list(loaded.routes) == ["carts", "hook", "views"]
    assert loaded.routes["carts"].to == ("acme.cart",)
    assert loaded.routes["carts"].map == {"a": Expression("b"), "d": Constant([5])}
    assert loaded.routes["hook"].map == PythonHook("a.b")
    assert loaded.destinations["acme"].type == "acme"


def test_expressions_are_there_whatever_is_wrong(tmp_path: Path) -> None:
    """By their path, as they are after substitution; constants and what is no text are none."""
    head = FILE.replace("user_agent: Shop/1.0", "agent: Shop/1.0\n    when: a\n    map: {x: b, y: [c], z: {const: d}}")
    routes = """\
  more: {to: 5, when: "e", for_each: f, order_key: "g", let: {h: i, j: 5}, map: {k: l, m: true, n: "5", o: , p: {q: r}}}
  hook: {when: [a], order_key: , map: python:a.b}
  odd: 5
"""
    found = load_text(tmp_path, head + routes).expressions

    assert {".".join(map(str, path)): text for path, text in found.items() if path[1] != "views"} == {
        "destinations.acme.when": "a",
        "destinations.acme.map.x": "b",
        "routes.more.when": "e",
        "routes.more.for_each": "f",
        "routes.more.order_key": "g",
        "routes.more.let.h": "i",
        "routes.more.map.k": "l",
        "routes.more.map.n": "5",
    }


@pytest.mark.parametrize("key", ["kafka", "start_from", "destinations", "routes"])
@pytest.mark.parametrize("value", ["''", "text", "[a]", "[]", "null"])
def test_sections_of_the_wrong_kind(tmp_path: Path, key: str, value: str) -> None:
    """A section that is missing, empty, a text or a list is a fault of that section."""
    loaded = load_text(tmp_path, FILE, f"{key}: {value}\n")
    assert loaded.settings is None
    assert {str(fault.path[0]) for fault in loaded.faults} >= {key}


def test_empty_sections(tmp_path: Path) -> None:
    """There must be brokers, a destination and a route."""
    loaded = load_text(tmp_path, "kafka: {}\nstart_from: latest\ndestinations: {}\nroutes: {}\n")
    assert [(fault.where, fault.message) for fault in loaded.faults] == [
        ("kafka.bootstrap.servers", "is required"),
        ("destinations", "must not be empty"),
        ("routes", "must not be empty"),
    ]


def test_a_second_file_overrides(tmp_path: Path) -> None:
    """A small file over the common one changes what it names; its faults carry its own name and line."""
    loaded = load_text(tmp_path, FILE, "start_from: earliest\ndestinations:\n  acme:\n    rate: 5\n")
    assert [(Path(fault.file).name, fault.line) for fault in loaded.faults] == [("1.yaml", 4)]
    right = load_text(tmp_path, FILE, "start_from: earliest\ndestinations: {acme: {rate: 5/s}}\n")
    assert right.settings is not None
    assert (right.settings.start_from, right.settings.destinations["acme"].rate) == ("earliest", 5.0)


def test_null_removes_and_null_is_a_value(tmp_path: Path) -> None:
    """Over a file that sets a key null takes it away; where null says something of its own it is the value."""
    lower = changed("user_agent: Shop/1.0", "user_agent: Shop/1.0\n    batch: {max_events: 5}\n    rate: 5/s")
    upper = "destinations: {acme: {batch: null, rate: null}}\nroutes: {views: {order_key: null}}\n"
    for common in (lower, FILE.replace("    map:", "    order_key: a\n    map:")):
        settings = load_text(tmp_path, common, upper.replace(", rate: null", "") if common != lower else upper).settings
        assert settings is not None
        assert settings.destinations["acme"].batch is None
        assert settings.destinations["acme"].rate == 50.0
        assert settings.routes["views"].order_key is None


def test_variables_and_files(tmp_path: Path) -> None:
    """Secrets come from files, the rest from variables, and none of the secrets is ever shown."""
    (tmp_path / "key").write_text("hunter2\n")
    text = changed("hunter2", "${file:key}").replace("localhost:9092", "${KAFKA:-a:1}")
    loaded = load_text(tmp_path, text)
    assert loaded.settings is not None
    assert loaded.settings.kafka["bootstrap.servers"] == "a:1"
    assert loaded.settings.destinations["acme"].api_key.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(loaded)


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("timeout", "    timeout: ${SECRET}\n", "`${SECRET}` is not a duration"),
        ("kafka", "  security.protocol: ${SECRET}\n", 'refuses `${SECRET}`: Invalid value "${SECRET}"'),
        (
            "kafka",
            "  security.protocol: sasl_ssl\n  sasl.mechanism: ${SECRET}\n",
            "Unsupported SASL mechanism: ${SECRET}",
        ),
        ("type", "", "`${SECRET}` is no type of destination"),
    ],
)
def test_a_secret_in_the_wrong_place(tmp_path: Path, old: str, new: str, shown: str) -> None:
    """A fault shows the variable as it was written, never its value, also in a client's own words."""
    after = {"timeout": "    user_agent: Shop/1.0\n", "kafka": "  bootstrap.servers: localhost:9092\n"}
    text = changed("type: acme", "type: ${SECRET}") if old == "type" else changed(after[old], after[old] + new)
    loaded = load_text(tmp_path, text, env={"SECRET": "hunter3"})
    assert shown in "\n".join(fault.message for fault in loaded.faults)
    assert "hunter3" not in "\n".join(map(str, loaded.faults))


def test_a_missing_variable_is_said_once(tmp_path: Path) -> None:
    """What follows from a missing value is not reported on top of it."""
    text = changed("https://acme.example", "${URL}").replace("localhost:9092", "${KAFKA}")
    assert [fault.where for fault in load_text(tmp_path, text).faults] == [
        "kafka.bootstrap.servers",
        "destinations.acme.base_url",
    ]


def test_the_registrys_client_is_asked(tmp_path: Path) -> None:
    """What only the client can know of its keys is a fault before anything connects."""
    text = changed("url: http://localhost:8081", "url: 'http://a', ssl.ca.location: '${file:path}'")
    loaded = load_text(tmp_path, text)
    assert "does not exist" in loaded.faults[0].message
    (tmp_path / "path").write_text("/none/key.pem")
    absent = load_text(tmp_path, text).faults
    assert [(fault.where, fault.message) for fault in absent] == [
        ("registry.ssl.ca.location", "the file ${file:path} does not exist")
    ]
    half = changed("url: http://localhost:8081", "url: 'http://a', ssl.key.password: a")
    assert [fault.where for fault in load_text(tmp_path, half).faults] == ["registry"]


def test_later_faults_are_located(tmp_path: Path) -> None:
    """A fault from another part of the program gets the line of its key or of the nearest one above."""
    loaded = load_text(tmp_path, FILE)
    path = ("routes", "views", "map", "item")
    assert loaded.locate(Fault(path, "no field")).line == 16
    assert loaded.locate(Fault(("routes", "views", "to", 0), "no method")).line == 15
    assert loaded.locate(Fault(("routes", "other"), "unknown")).line == 12
    assert loaded.locate(Fault(("nothing",), "unknown")).line == 1
    placed = Fault(path, "said elsewhere", file="b.yaml", line=3)
    assert loaded.locate(placed) == placed


def test_the_version_is_stable_and_says_nothing_of_secrets(tmp_path: Path) -> None:
    """The same configuration has the same version whatever its keys, its order and its replica are."""
    version = load_text(tmp_path, FILE).version
    assert re.fullmatch(r"[0-9a-f]{8}", version)
    assert load_text(tmp_path, changed("hunter2", "hunter3")).version == version
    assert load_text(tmp_path, FILE.replace("start_from: latest\n", "") + "start_from: latest\n").version == version
    assert load_text(tmp_path, changed("start_from: latest", "start_from: earliest")).version != version
    pod = "kafka: {group.instance.id: '${HOSTNAME}'}\n"
    versions = {load_text(tmp_path, FILE, pod, env={"HOSTNAME": name}).version for name in ("pod-1", "pod-2")}
    assert len(versions) == 1


def test_the_version_covers_the_schemas(tmp_path: Path) -> None:
    """Another content of an .avsc file is another configuration."""
    file, text = tmp_path / "a.avsc", FILE + "schemas: a.avsc\n"
    versions = set()
    for doc in ("one", "two", "one"):
        file.write_text(json.dumps({"type": "record", "name": "a.A", "doc": doc, "fields": []}))
        versions.add(load_text(tmp_path, text).version)
    assert len(versions) == 2


def test_schemas_are_read_beside_the_configuration(tmp_path: Path) -> None:
    """A relative path counts from the folder of the file that names it, also where another file was there before."""
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay" / "own.avsc").write_text('{"type": "record", "name": "a.A", "fields": []}')
    common, overlay = tmp_path / "0.yaml", tmp_path / "overlay" / "1.yaml"
    common.write_text(FILE + "schemas: [nothing]\n")
    overlay.write_text("schemas: [own.avsc, '${OTHER}']\n")
    loaded = load([common, overlay], {"OTHER": str(tmp_path / "overlay")}, VENDORS)
    assert loaded.faults == ()
    assert [schema.file for schema in loaded.schemas.all] == [str(tmp_path / "overlay" / "own.avsc")]
    assert loaded.settings is not None
    assert loaded.settings.schemas == ("own.avsc", str(tmp_path / "overlay"))


def test_faults_of_schemas_have_their_own_file(tmp_path: Path) -> None:
    """What is wrong in an .avsc file is told with that file and line; a missing one with the configuration's."""
    (tmp_path / "a.avsc").write_text('{"type": "record",\n "name": "a.A",\n "fields": [],}')
    loaded = load_text(tmp_path, FILE + "schemas:\n  - a.avsc\n  - b.avsc\n")
    assert loaded.settings is None
    assert [(Path(fault.file).name, fault.line, fault.where) for fault in loaded.faults] == [
        ("0.yaml", 19, "schemas.1"),
        ("a.avsc", 3, "schemas.0"),
    ]


@pytest.mark.parametrize(
    ("value", "where", "message"),
    [
        ("{a: b}", "schemas", "must be a text or a list of texts"),
        ("[a, [b]]", "schemas.1", "must be text"),
        ("['']", "schemas.0", "must not be empty"),
        ("null", "schemas", "has no value"),
        ("[a, a]", "schemas", "names twice: a"),
        ("'${NONE}'", "schemas", "the variable NONE is not set"),
    ],
)
def test_schemas_of_the_wrong_kind(tmp_path: Path, value: str, where: str, message: str) -> None:
    """A key that is no list of paths is one fault, and no file is looked for."""
    (tmp_path / "a").write_text('{"type": "record", "name": "a.A", "fields": []}')
    faults = load_text(tmp_path, FILE + f"schemas: {value}\n").faults
    assert [fault.where for fault in faults] == [where]
    assert message in faults[0].message


def test_warnings_do_not_stop(tmp_path: Path) -> None:
    """Settings with nothing but warnings can be run."""
    loaded = load_text(tmp_path, changed("https://", "http://"))
    assert [fault.level for fault in loaded.faults] == [Level.WARNING]
    assert loaded.settings is not None


@pytest.mark.parametrize(
    ("cli", "env", "paths"),
    [
        ([], {}, ["clickstream.yaml"]),
        ([], {"CLICKSTREAM_CONFIG": "a.yaml:/b/c.yaml"}, ["a.yaml", "/b/c.yaml"]),
        ([], {"CLICKSTREAM_CONFIG": ""}, ["clickstream.yaml"]),
        (["x.yaml", "y.yaml"], {"CLICKSTREAM_CONFIG": "a.yaml"}, ["x.yaml", "y.yaml"]),
    ],
)
def test_which_files_are_read(cli: list[str], env: dict[str, str], paths: list[str]) -> None:
    """The command line wins over the environment, and that over the default."""
    assert config_paths(cli, env) == [Path(path) for path in paths]


VALUES = st.sampled_from(
    [
        "",
        "null",
        "~",
        "text",
        "5",
        "[a]",
        "{a: b}",
        "[]",
        "{}",
        "${A}",
        "${NONE}",
        "&a",
        "*a",
        "!t",
        "[?x]",
        "'",
        '"\\ud800"',
        "10s",
        "&a [*a]",
    ]
)
LINES = st.sampled_from(FILE.splitlines())


@given(st.data())
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
def test_nothing_that_a_user_writes_raises(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever lines of the file are broken in whatever way, there are settings or a fault with a message."""
    lines = FILE.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        key = lines[at].partition(":")[0].replace("{", "").replace("}", "")
        lines[at] = data.draw(VALUES.map(f"{key}: {{}}".format) | LINES | st.text(max_size=9))
    loaded = load_text(tmp_path, "\n".join(lines), env={"A": "b"})
    errors = [fault for fault in loaded.faults if fault.level is Level.ERROR]
    assert (loaded.settings is None) is bool(errors)
    assert all(fault.message and fault.file and fault.line > 0 for fault in loaded.faults)


@given(st.binary(max_size=60))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_bytes_raise(tmp_path: Path, content: bytes) -> None:
    """A file of any bytes is a list of faults."""
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    assert load([path], {}, VENDORS).faults
