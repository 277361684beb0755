"""What a simulation's judge says, and the services with a rule broken on which it is tried."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from enum import Enum
from typing import Any
from unittest.mock import patch


class ConvictionError(AssertionError):
    """A rule was broken.

    Attributes:
        charge: which one.
    """

    def __init__(self, charge: Enum, what: str) -> None:
        super().__init__(f"{charge.name}: {charge.value}: {what}")
        self.charge = charge


@dataclass(frozen=True)
class Mutant:
    """A rule that is broken.

    Attributes:
        name: what is wrong with it.
        charge: of what it must be convicted.
        theme: the worlds in which that shows.
        patches: what to replace: of which object, which attribute, by what.
    """

    name: str
    charge: Enum
    theme: str
    patches: Sequence[tuple[Any, str, Any]]

    def __str__(self) -> str:
        return self.name

    def at_large(self) -> AbstractContextManager[object]:
        """While this is entered, the rule is broken."""
        stack = ExitStack()
        for target, name, value in self.patches:
            stack.enter_context(patch.object(target, name, value))
        return stack


def conviction_of(run: Callable[[], object]) -> ConvictionError | None:
    """Of what a run is found guilty."""
    try:
        run()
    except ConvictionError as conviction:
        return conviction
    return None
