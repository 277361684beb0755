"""Keeps what a client's callbacks raise."""

from collections.abc import Callable
from typing import ParamSpec

P = ParamSpec("P")


class Guard:
    """Wraps callbacks: one that raises makes `consume()` raise, and records that it had dequeued are gone.

    Attributes:
        raised: what one of them raised, to be raised where nothing is lost by it.
    """

    def __init__(self) -> None:
        self.raised: BaseException | None = None

    def __call__(self, callback: Callable[P, None]) -> Callable[P, None]:
        """The callback, which never raises."""

        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                callback(*args, **kwargs)
            except Exception as exception:  # noqa: BLE001 - kept
                self.raised = exception

        return guarded
