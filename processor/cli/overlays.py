"""Files that somebody lays over the configuration for one run, and what the audit keeps of them."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import yaml
from pydantic import SecretStr
from yarl import URL

from processor.errors import ConfigError, Fault
from processor.send.account import mask_of
from processor.settings.models import Settings
from processor.settings.substitute import REFERENCE
from processor.settings.wording import is_secret
from processor.settings.yaml import compose

NULLS = frozenset({"", "~", "null"})
SECTIONS = frozenset({"kafka", "registry", "destinations"})
"""Where the configuration has secrets; elsewhere names are the user's own."""
PROXY_PASSWORD = re.compile(r"//[^/@]*?:([^/]*)@")


def overlay_paths(names: Sequence[str]) -> list[Path]:
    """The files, each of which can be read again.

    Raises:
        ConfigError: one is a pipe or a folder: the configuration would have it, and the audit nothing.
    """
    paths = [Path(name) for name in names]
    words = "is no regular file, which is read twice: for the configuration, and for the audit"
    fix = "write it to a file; a pipe will do with --print-job"
    faults = [Fault(("--config-overlay",), f"{path} {words}", fix) for path in paths if _passes_by(path)]
    if faults:
        raise ConfigError(faults)
    return paths


def _passes_by(path: Path) -> bool:
    return path.exists() and not path.is_file()


def kept(names: Sequence[str], settings: Settings) -> Mapping[str, str]:
    """What the audit topic has of each: its text, without the secrets of the configuration that they made.

    Nor with one that a later file replaces: the configuration never had it, but it may be valid all the same.
    """
    texts = {name: Path(name).read_text(encoding="utf-8") for name in names}
    replaced = (secret for text in texts.values() for secret in _named_secrets(compose(text)))
    mask = mask_of(*(form for secret in (*_secrets(settings), *replaced) for form in _written(secret)))
    return {name: _without(mask, text) for name, text in texts.items()}


def _without(mask: Callable[[str], str], text: str) -> str:
    """The text without secrets; where YAML finds one in it, what YAML reads, written anew.

    In the text itself it may stand in any number of ways: with escapes, folded, continued on the next line.
    """
    root = compose(text)
    found = [scalar for scalar in _scalars(root) if mask(scalar.value) != scalar.value]
    if not found:
        return mask(text)  # a comment may have one
    for scalar in found:
        scalar.value = mask(scalar.value)
    written: str = yaml.serialize(root, Dumper=yaml.BaseDumper, allow_unicode=True, width=sys.maxsize)
    return written


def _scalars(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """All keys and values."""
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.SequenceNode):
        yield from (scalar for item in node.value for scalar in _scalars(item))
    elif isinstance(node, yaml.MappingNode):
        yield from (scalar for pair in node.value for item in pair for scalar in _scalars(item))


def _secrets(settings: Settings) -> Iterator[str]:
    """All that an overlay must not bring into the audit topic."""
    yield from (value for name, value in settings.kafka.items() if is_secret(name))
    for destination in settings.destinations.values():
        yield destination.api_key.get_secret_value()
        if destination.http.proxy:
            yield URL(destination.http.proxy).password or ""
    if settings.registry:
        given = (getattr(settings.registry, name) for name in type(settings.registry).model_fields)
        yield from (value.get_secret_value() for value in given if isinstance(value, SecretStr))


def _named_secrets(root: yaml.Node | None) -> Iterator[str]:
    """What stands below the name of a secret, where the configuration has secrets."""
    sections = root.value if isinstance(root, yaml.MappingNode) else []
    for section, parts in sections:
        if section.value in SECTIONS:
            yield from _below(parts)


def _below(node: yaml.Node) -> Iterator[str]:
    for key, value in node.value if isinstance(node, yaml.MappingNode) else []:
        if isinstance(value, yaml.MappingNode):
            yield from _below(value)
        elif not isinstance(value, yaml.ScalarNode) or value.value in NULLS:
            continue
        elif key.value == "proxy":
            yield from (REFERENCE.sub(_default, password) for password in PROXY_PASSWORD.findall(value.value))
        elif is_secret(key.value):
            yield REFERENCE.sub(_default, value.value)


def _default(reference: re.Match[str]) -> str:
    """What a reference itself may give away: the value where the variable has none."""
    return (reference["body"] or "").partition(":-")[2]


def _written(secret: str) -> Iterator[str]:
    """A secret as a value or a comment may have it: plain, in quotes of both kinds, or line by line."""
    for line in (secret, *map(str.strip, secret.splitlines())):
        yield from (line, line.replace("'", "''"), json.dumps(line, ensure_ascii=False)[1:-1])
