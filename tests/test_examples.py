"""The files of `examples/`: each can be run without a warning, and the full one sets every key."""

import re
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from processor.destinations import VENDORS
from processor.plan import load_plans
from processor.settings.files import read_files
from processor.settings.models import DestinationSettings, Settings
from processor.settings.registry import RegistrySettings
from processor.settings.wording import fields_of

EXAMPLES = Path(__file__).parent.parent / "examples"
FULL = EXAMPLES / "full.yaml"

Path_ = tuple[str, ...]
EXCLUSIVE = re.compile(r"bearer\.auth\..*|ssl\.(certificate|key)\..*")
"""Keys of the registry that exclude user and password, or want a key file, which nobody should publish."""


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_an_example_can_be_run(path: Path) -> None:
    """Nobody learns from an example that warns, or that wants anything set."""
    ready = load_plans([path], {})
    assert ready.warnings == []
    assert ready.plans


def test_the_minimal_one_is_short() -> None:
    """Ten lines are enough."""
    assert len((EXAMPLES / "minimal.yaml").read_text().splitlines()) <= 10


def test_the_full_one_sets_every_key() -> None:
    """Every key of every model, and both vendors'; what cannot be set beside another stands in a comment."""
    tree, _ = read_files([FULL])
    assert tree is not None
    comments = set(re.findall(r"^\s*# ([a-z.]+): ", FULL.read_text(), re.MULTILINE))
    absent = set(missing(Settings, [tree.python()]))
    alternatives = {path for path in absent if path[0] == "registry" and EXCLUSIVE.fullmatch(path[1])}
    assert absent - alternatives == set()
    assert {path[1] for path in alternatives} <= comments


def missing(model: type[BaseModel], written: list[Any], path: Path_ = ()) -> list[Path_]:
    """The keys of a model, and of those below it, that none of the values has."""
    absent = []
    for key, field in fields_of(model).items():
        values = [value[key] for value in written if isinstance(value, dict) and key in value]
        below = model_below(field.annotation)
        if not values:
            absent.append((*path, key))
        elif below is DestinationSettings:
            absent += of_vendors(values[0], (*path, key))
        elif below and any(values):
            inner = [item for value in values for item in items_of(value, field.annotation)]
            absent += missing(below, inner, (*path, key))
    return absent


def items_of(value: Any, kind: Any) -> list[Any]:
    """What a key holds of its model: one, a list of them, or some by names of the user's."""
    if get_origin(kind) is dict:
        return list(value.values())
    return value if isinstance(value, list) else [value]


def model_below(kind: Any) -> type[BaseModel] | None:
    """The model that a field holds: itself, or null, or by names of the user's."""
    kinds = [kind, *get_args(kind)]
    return next((one for one in kinds if isinstance(one, type) and issubclass(one, BaseModel)), None)


def of_vendors(destinations: dict[str, Any], path: Path_) -> list[Path_]:
    """The keys that the destinations of each vendor leave out."""
    return [
        absent
        for name, vendor in VENDORS.items()
        for absent in missing(
            vendor.settings, [one for one in destinations.values() if one["type"] == name], (*path, name)
        )
    ]


def test_a_key_that_is_left_out_is_found() -> None:
    """The walk itself sees what is missing at any depth."""
    assert missing(RegistrySettings, [{"url": "a"}])[0] == ("ssl.ca.location",)
    absent = missing(
        Settings, [{"ops": {"host": "a"}, "routes": {"a": {"map": {}}}, "destinations": {"b": {"type": "voyado"}}}]
    )
    assert {("ops", "port"), ("routes", "to"), ("kafka",), ("destinations", "voyado", "key_header")} <= set(absent)
    assert {("ops", "host"), ("routes", "map"), ("destinations", "voyado", "type")}.isdisjoint(absent)
