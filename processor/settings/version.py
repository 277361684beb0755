"""The version of a configuration, by which people see whether all replicas run the same."""

import hashlib
import json
from typing import Any

from processor.settings.avro_files import LocalSchemas
from processor.settings.wording import is_secret
from processor.settings.yaml import Node

MEMBER_KEYS = frozenset({"client.id", "client.rack", "group.instance.id"})
"""Kafka properties that differ between replicas of one configuration."""


def version_of(tree: Node, schemas: LocalSchemas) -> str:
    """Give 8 hex digits that change with the configuration and its .avsc files, and never with a secret.

    Args:
        tree: the values after substitution.
        schemas: all that the configuration names.
    """
    text = json.dumps(_public(tree.python()), sort_keys=True) + schemas.digest
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _public(value: Any) -> Any:
    """Leave out secrets' values, and what differs between replicas."""
    match value:
        case dict():
            return {key: None if is_secret(key) or key in MEMBER_KEYS else _public(item) for key, item in value.items()}
        case list():
            return [_public(item) for item in value]
        case _:
            return value
