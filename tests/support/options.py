"""Several ways to get one part: the first that this machine offers is taken, and the others say why not."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from typing import TypeVar

T = TypeVar("T")


class UnavailableError(Exception):
    """This machine does not offer a part in this way; the message says what is missing."""


def enter_first(
    stack: ExitStack, options: Iterable[Callable[[], AbstractContextManager[T]]]
) -> tuple[T, tuple[str, ...]]:
    """Enter the first option that is available.

    Args:
        stack: leaves the option again.
        options: in order of preference.

    Returns:
        What the option gave, and why each one before it was not available.

    Raises:
        UnavailableError: none was; carries all reasons.
    """
    reasons: list[str] = []
    for option in options:
        try:
            return stack.enter_context(option()), tuple(reasons)
        except UnavailableError as error:
            reasons.append(str(error))
    raise UnavailableError("; ".join(reasons))
