import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from processor.destinations import VENDORS
from processor.errors import Level
from processor.settings.models import RouteSettings, Settings
from processor.settings.schema import json_schema, meanings_of, summary
from tests.settings import example as tests_example
from tests.settings.example import FILE, load_text

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


def checker(schema: dict[str, Any]) -> Draft202012Validator:
    """What an editor does with a schema."""
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.fixture(scope="module")
def real() -> Draft202012Validator:
    """The schema of the real vendors."""
    return checker(json_schema({name: vendor.settings for name, vendor in VENDORS.items()}))


@pytest.fixture(scope="module")
def example() -> Draft202012Validator:
    """The schema of the tests' vendors."""
    return checker(json_schema(tests_example.VENDORS))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_right(real: Draft202012Validator, path: Path) -> None:
    """What the loader takes an editor takes too, as its own YAML reads it."""
    assert [error.message for error in real.iter_errors(read(path.read_text()))] == []


RIGHT = [
    "",
    "x-anything: {a: [1]}",
    "group_prefix: 5",
    "start_from: '2026-11-22T00:00:00+01:00'",
    "topics: shop",
    "topics: ['^shop', 'a.b']",
    "schemas: a.avsc",
    "schemas: [a.avsc]",
    "registry: null",
    "registry: {url: '${URL:-http://a}', timeout: 5, ssl.ca.location: false}",
    "commit_interval: 1.5m",
    "max_ahead: 1",
    "commit_interval: ${INTERVAL:-1s}",
    "ops: {port: '${PORT:-80}', host: localhost}",
    "ops: {port: 0012}",
    "in_memory: {max_bytes: 1048576, max_records: 5}",
    "in_memory: {max_bytes: 0.5GiB}",
    "tables: {culture: {SE: sv-SE, NO: nb-NO, 5: 010}, b: {file: 1.csv}}",
    "kafka: {bootstrap.servers: a, enable.ssl.certificate.verification: false, linger.ms: 5, acks: all}",
    "destinations: {acme: {when: a, map: {b: c, d: 5, e: [f]}, mode: paused, rate: none, batch: null}}",
    "destinations: {acme: {api_key: 12345, user_agent: '${AGENT:-a/1}', idempotency_header: null}}",
    "destinations: {acme: {retry: {delays: [1s, 0.5m]}}}",
    "destinations: {acme: {retry: {max_attempts: 3, stalemate: never}}}",
    "destinations: {acme: {retry: {max_attempts: '3', stalemate: 90s}}}",
    "destinations: {acme: {dead_letter: {hold_above: 0.25, window: 1000, min: '100'}}}",
    "destinations: {acme: {dead_letter: {hold_above: '1'}}}",
    "destinations: {acme: {replies: []}}",
    "destinations: {acme: {replies: [{status: 409, body: exists, class: accepted}, {status: '403', class: invalid}]}}",
    "destinations: {acme: {replies: [{status: 409, body: 5, class: '${MEANS:-accepted}'}]}}",
    "destinations: {acme: {http: {proxy: 'http://u:p@proxy:1', ca_file: null}, dead_letter: {topic: a}}}",
    "destinations: {acme: {partner_id: 0012}}",
    "routes: {views: {order_key: null, unconditional: true, max_event_age: 72h}}",
    "routes: {views: {map: 'python:acme.maps.view', let: {a: b, c: {const: NO}}}}",
    "routes: {views: {to: [acme.view], topics: ['^a'], for_each: lines, when: 'a == `1`'}}",
    "routes: {views: {unconditional: '${U:-false}'}}",
    "routes: {views: {map: {a: 5.5, b: true, c: {const: 5}, d: [], e: {f: null}, g: '${E:-a}'}}}",
]


@pytest.mark.parametrize("over", RIGHT)
def test_what_the_loader_takes(example: Draft202012Validator, tmp_path: Path, over: str) -> None:
    """Right files are right for both; for an editor numbers and booleans are what YAML makes of them."""
    (tmp_path / "a.avsc").write_text('{"type": "record", "name": "a.A", "fields": []}')
    loaded = load_text(tmp_path, FILE, over or "x-a: 1")
    assert [fault for fault in loaded.faults if fault.level is Level.ERROR] == []
    assert [error.message for error in example.iter_errors(merged(FILE, over))] == []


def merged(lower: str, upper: str) -> Any:
    """One file over the other, as an editor's YAML reads them."""

    def put(under: Any, over: Any) -> Any:
        if isinstance(under, dict) and isinstance(over, dict):
            return under | {key: put(under.get(key), value) for key, value in over.items()}
        return over

    return put(read(lower), read(upper) or {})


def read(text: str) -> Any:
    """What an editor's YAML makes of a text."""
    return yaml.load(text, CoreLoader)  # noqa: S506  # a safe loader, with fewer types


class CoreLoader(yaml.SafeLoader):
    """YAML 1.2, which editors speak: no dates, no `on` and `off`, and keys are texts."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  # PyYAML's own
        """Make a mapping whose keys are texts, as JSON's are."""
        return {str(key): value for key, value in super().construct_mapping(node, deep).items()}


CoreLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":bool"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
CoreLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


WRONG = [
    "group_prefx: a",
    "group_prefix: a b",
    "start_from: now",
    "start_from: '2026-11-22'",
    "topics: []",
    "topics: [a, a]",
    "topics: 'a b'",
    "topics: {a: b}",
    "schemas: ['']",
    "registry: {uri: http://a}",
    "registry: {url: a}",
    "registry: {timeout: 0}",
    "registry: {cache.capacity: many}",
    "registry: {bearer.auth.credentials.source: X}",
    "commit_interval: 1",
    "max_ahead: 0",
    "max_ahead: many",
    "commit_interval: 0s",
    "commit_interval: soon",
    "ops: null",
    "ops: {port: on}",
    "ops: {port: 70000}",
    "in_memory: {max_bytes: 0}",
    "in_memory: {max_bytes: 0MiB}",
    "in_memory: {max_bytes: 1 MiB}",
    "in_memory: {max_records: 0}",
    "tables: {a-b: {a: b}}",
    "tables: {a: b.csv}",
    "tables: {a: {b: null}}",
    "tables: {a: {b: [c]}}",
    "kafka: {bootstrap.servers: [a]}",
    "kafka: {group.id: a}",
    "destinations: {Acme: {type: plain}}",
    "destinations: {acme: {type: amce}}",
    "destinations: {other: {base_url: 'https://a', api_key: b}}",
    "destinations: {other: {type: plain, base_url: 'https://a'}}",
    "destinations: {other: {type: plain, base_url: 'https://a', api_key: b, partner_id: c}}",
    "destinations: {acme: {base_url: acme}}",
    "destinations: {acme: {base_url: 'https://a?b=c'}}",
    "destinations: {acme: {user_agent: Acme}}",
    "destinations: {acme: {when: null}}",
    "destinations: {acme: {when: ''}}",
    "destinations: {acme: {map: 'python:a.b'}}",
    "destinations: {acme: {map: {a: null}}}",
    "destinations: {acme: {mode: off}}",
    "destinations: {acme: {rate: 50}}",
    "destinations: {acme: {rate: 0/s}}",
    "destinations: {acme: {rate: null}}",
    "destinations: {acme: {concurrency: 0}}",
    "destinations: {acme: {concurrency: 5.5}}",
    "destinations: {acme: {batch: 500}}",
    "destinations: {acme: {batch: {max_event: 5}}}",
    "destinations: {acme: {retry: {delays: []}}}",
    "destinations: {acme: {retry: {delays: 10s}}}",
    "destinations: {acme: {retry: {delays: [0s]}}}",
    "destinations: {acme: {retry: {max_attempts: 0}}}",
    "destinations: {acme: {retry: {stalemate: 0s}}}",
    "destinations: {acme: {retry: {stalemate: none}}}",
    "destinations: {acme: {retry: {stalemate: null}}}",
    "destinations: {acme: {dead_letter: {hold_above: 2}}}",
    "destinations: {acme: {dead_letter: {hold_above: never}}}",
    "destinations: {acme: {dead_letter: {window: 0}}}",
    "destinations: {acme: {dead_letter: {min: 0}}}",
    "destinations: {acme: {replies: {status: 409, class: accepted}}}",
    "destinations: {acme: {replies: [{status: 409}]}}",
    "destinations: {acme: {replies: [{status: 4xx, class: accepted}]}}",
    "destinations: {acme: {replies: [{status: 600, class: accepted}]}}",
    "destinations: {acme: {replies: [{status: 409, class: ok}]}}",
    "destinations: {acme: {replies: [{status: 409, class: accepted, body: ''}]}}",
    "destinations: {acme: {replies: [{status: 409, class: accepted, body: null}]}}",
    "destinations: {acme: {replies: [{status: 409, class: accepted, text: a}]}}",
    "destinations: {acme: {dead_letter: {topic: '^a'}}}",
    "destinations: {acme: {http: {proxy: 'proxy:1'}}}",
    "destinations: {acme: {http: {ca_file: ''}}}",
    "destinations: {acme: {idempotency_header: a b}}",
    "destinations: {acme: {idempotency_header: content-Type}}",
    "formats: {a: {raw: a-b}}",
    "formats: {a: {}}",
    "formats: {'^a': {raw: a.B}}",
    "routes: {'a b': {}}",
    "routes: {views: {events: [a.B]}}",
    "routes: {views: {event: a-b}}",
    "routes: {views: {event: []}}",
    "routes: {views: {to: acme}}",
    "routes: {views: {to: [acme.view, acme.view]}}",
    "routes: {views: {when: null}}",
    "routes: {views: {when: true}}",
    "routes: {views: {when: 5}}",
    "routes: {views: {when: [a]}}",
    "routes: {views: {for_each: ' '}}",
    "routes: {views: {let: {item: a}}}",
    "routes: {views: {let: {a-b: a}}}",
    "routes: {views: {unconditional: maybe}}",
    "routes: {views: {order_key: [a]}}",
    "routes: {views: {max_event_age: 3 days}}",
    "routes: {views: {max_event_age: null}}",
    "routes: {views: {topics: null}}",
    "routes: {views: {map: 'python:a'}}",
    "routes: {views: {map: [a]}}",
    "routes: {views: {map: {a: null}}}",
    "routes: {views: {map: {a: ''}}}",
    "routes: {views: {map: {a: '5'}}}",
    "routes: {views: {map: {a: {const: [b]}}}}",
    "routes: {views: {map: {a: {const: null}}}}",
]
LATER = {"routes: {views: {when: 5}}"}
"""What the loader leaves to those who compile expressions."""


@pytest.mark.parametrize("over", WRONG)
def test_what_the_loader_refuses(example: Draft202012Validator, tmp_path: Path, over: str) -> None:
    """A fault that a schema can know of is one in the editor, and never is anything else."""
    assert list(example.iter_errors(merged(FILE, over)))
    loaded = load_text(tmp_path, FILE, over)
    assert loaded.settings is None or over in LATER


def test_what_must_be_there(example: Draft202012Validator) -> None:
    """Sections may not be empty, and there must be brokers, under either name."""
    file = merged(FILE, "")
    for key in ("kafka", "destinations", "routes"):
        assert list(example.iter_errors({**file, key: {}}))
        assert list(example.iter_errors({name: value for name, value in file.items() if name != key}))
    assert not list(example.iter_errors({**file, "kafka": {"metadata.broker.list": "a"}}))


def test_every_key_is_described() -> None:
    """An editor shows what a key means: nothing in the schema is without words."""
    schema = json_schema({name: vendor.settings for name, vendor in VENDORS.items()})
    models = [schema, *schema["$defs"].values()]
    blank = [key for model in models for key, written in model["properties"].items() if not written.get("description")]
    assert blank == ["type"]  # by which the vendors are told apart; each vendor's own has words
    assert all(model.get("description") for name, model in schema["$defs"].items() if name != "DestinationSettings")


def test_words_come_from_the_docstrings() -> None:
    """A model's sentence and its attributes, those of the model that it extends included, in the file's words."""
    assert summary(RouteSettings).startswith("Which events, under which condition,")
    assert meanings_of(Settings)["registry"] == "The schema registry; null where no topic needs one."
    assert "`None` to filter" in meanings_of(RouteSettings)["map"]
    voyado = meanings_of(VENDORS["voyado"].settings)
    assert voyado.keys() >= {"key_header", "base_url"}


def test_defaults_are_written_as_people_do() -> None:
    """A default is what one could write in its place."""
    models = json_schema(tests_example.VENDORS)["$defs"]
    acme = models["acme"]["properties"]
    shown = {key: acme[key].get("default") for key in ("timeout", "rate", "batch", "when", "retry")}
    batch = {"max_events": 1000, "max_bytes": "2000B", "max_wait": "200ms"}
    assert shown == {"timeout": "10s", "rate": "50/s", "batch": batch, "when": None, "retry": None}
    assert "default" not in models["RouteSettings"]["properties"]["order_key"]
