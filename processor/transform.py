"""From a record to what is to be sent: decode → route → map. Sends nothing; the service and a dry run share it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from processor.decode.decoder import Decoded
from processor.map.mapper import Mapper
from processor.records import ErrorClass, Event, Failure, Filtered, Payload, Record, Stage
from processor.route.router import NotRouted, Routed

Fate = Payload | Filtered | Failure


class Decodes(Protocol):
    """What makes events of records; `decode.decoder.Decoder` has the documentation."""

    def decode(self, record: Record) -> Decoded: ...  # noqa: D102


class Routes(Protocol):
    """What makes deliveries of events; `route.router.Router` has the documentation."""

    def route(self, event: Event) -> Sequence[Routed | NotRouted]: ...  # noqa: D102


class Transform:
    """The part of a pipeline's way that decides by itself.

    Args:
        mappers: by route name.
        unexpected: told of an exception that no record should be able to raise.
    """

    def __init__(
        self,
        decoder: Decodes,
        router: Routes,
        mappers: Mapping[str, Mapper],
        unexpected: Callable[[Exception], None],
    ) -> None:
        self._router = router
        self._mappers = mappers
        self._unexpected = unexpected
        self.decode = decoder.decode

    def fates(self, event: Event) -> Iterator[tuple[str, int | None, Fate]]:
        """What becomes of an event: route, index (None = that of the whole route), and the fate of that delivery."""
        for routed in self._router.route(event):
            if isinstance(routed, NotRouted):
                yield routed.route, routed.index, routed.fate
            else:
                yield routed.route, routed.index, self._payload(routed, event)

    def _payload(self, routed: Routed, event: Event) -> Fate:
        try:
            return self._mappers[routed.route].map(routed.scope, event)
        except Exception as exception:  # noqa: BLE001 - no record ends the process (invariant 10), not even by our defect
            self._unexpected(exception)
            words = f"a defect of the service: {type(exception).__name__}"
            return Failure(Stage.MAP, ErrorClass.UNMAPPED, words)
