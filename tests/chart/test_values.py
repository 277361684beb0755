"""values.yaml, its schema and its README: one list of values, each of use."""

import re
from typing import Any

import pytest

from tests.chart.readme import PAGE, rendered
from tests.chart.rendering import CHART, Helm, Json, RefusedError, minimal, values_of
from tests.chart.values import Value, documented, resolved, schema

ONE_OR_THE_OTHER = {"existingConfigMap"}
"""What `ci/full-values.yaml` cannot set beside `config`."""


def changed(values: Json, path: tuple[str, ...], to: Any) -> Json:
    """The values with another one at a path."""
    first, *rest = path
    return {**values, first: changed(values.get(first, {}), tuple(rest), to) if rest else to}


def at(values: Json, path: tuple[str, ...]) -> Any:
    """The value at a path."""
    for key in path:
        values = values[key]
    return values


def told(helm: Helm, values: Json) -> object:
    """What Helm makes of the values, or why it does not."""
    try:
        return helm.render(values).texts
    except RefusedError as error:
        return str(error)


@pytest.mark.parametrize("value", documented(), ids=lambda value: value.name)
def test_every_value_is_of_use(helm: Helm, value: Value) -> None:
    """Setting a value beside the least, or taking it back from all of them, changes what is rendered."""
    full = values_of("full")
    if value.path[0] in ONE_OR_THE_OTHER:
        other: Any = "clickstream"
    elif isinstance(value.default, bool):
        other = not value.default
    else:
        other = at(full, value.path)
    set_alone = told(helm, changed(minimal(), value.path, other)) != told(helm, minimal())
    taken_back = told(helm, changed(full, value.path, value.default)) != told(helm, full)

    assert set_alone or taken_back


@pytest.mark.parametrize("value", documented(), ids=lambda value: value.name)
def test_every_value_is_explained(value: Value) -> None:
    """A comment in values.yaml says what it is for, and begins like a sentence."""
    assert value.meaning
    assert not value.meaning[0].islower()


def test_the_full_example_sets_every_value() -> None:
    """What can be set is shown being set."""
    full = values_of("full")

    assert [
        value.name for value in documented() if value.path[0] not in ONE_OR_THE_OTHER and not _has(full, value.path)
    ] == []


def _has(values: Json, path: tuple[str, ...]) -> bool:
    try:
        at(values, path)
    except KeyError:
        return False
    return True


def test_the_schema_knows_just_the_values() -> None:
    """Every key of the schema is in values.yaml, but Helm's own `global`; the other way round Helm itself refuses."""
    top = {value.path[0] for value in documented()}

    assert set(schema()["properties"]) - {"global"} == top


def test_the_schema_lets_no_key_pass_that_is_not_known() -> None:
    """Every mapping of ours is closed; open is only what Kubernetes itself checks, and texts by names of the user's."""
    kubernetes = {
        "global",
        "podSecurityContext",
        "securityContext",
        "affinity",
        "valueFrom",
        "envFrom[]",
        "tolerations[]",
        "topologySpreadConstraints[]",
        "metrics.podMonitor.relabelings[]",
        "networkPolicy.ingressFrom[]",
        "networkPolicy.egress[]",
        "extraVolumes[]",
        "extraVolumeMounts[]",
        "extraContainers[]",
        "initContainers[]",
        "claims[]",
    }

    assert {place for place in _open(schema(), "") if not place.endswith(tuple(kubernetes))} == set()


def _open(part: Any, place: str) -> set[str]:
    part = resolved(part)
    found = set()
    if part.get("type") == "object" and "additionalProperties" not in part:
        found.add(place)
    for key, child in part.get("properties", {}).items():
        found |= _open(child, f"{place}.{key}".strip("."))
    if isinstance(part.get("additionalProperties"), dict):
        found |= _open(part["additionalProperties"], f"{place}.*")
    if "items" in part:
        found |= _open(part["items"], f"{place}[]")
    return found


def test_templates_read_only_values_that_are_there() -> None:
    """No template asks for a value that nobody can set."""
    templates = "".join(path.read_text() for path in (CHART / "templates").iterdir())

    asked = set(re.findall(r"\.Values\.(\w+)|\$values\.(\w+)", templates))
    assert {"".join(names) for names in asked} <= set(schema()["properties"])


def test_the_readme_is_rendered_from_the_values() -> None:
    """`python -m tests.chart.readme` writes it; it is not to be changed by hand."""
    assert PAGE.read_text() == rendered()
