"""What happens in the demo, one at a time, for whoever shows it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened.

    Attributes:
        kind: what, for scripts.
        words: the same for people.
        details: JSON types.
    """

    kind: str
    words: str
    details: Mapping[str, Any] = field(default_factory=dict)


Tell = Callable[[Fact], None]
