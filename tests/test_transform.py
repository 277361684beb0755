"""From a record to the fates of its deliveries, with stand-ins for what decodes, routes and maps."""

from types import SimpleNamespace
from typing import Any

from processor.records import Channel, ErrorClass, Event, Failure, Filtered, FilterReason, Payload, Stage
from processor.route.router import NotRouted, Routed
from processor.transform import Transform
from tests.support.records import record

EVENT = Event(record(), "a.View", {"sku": "1"}, 7)
PAYLOAD = Payload(Channel("view", "/view", batched=False), b"{}", None, None)
UNMAPPED = Failure(Stage.MAP, ErrorClass.UNMAPPED, "itemId: is required")
OLD = Filtered(FilterReason.TOO_OLD, "carts")


class Told:
    """A transform of what the router gives, and the exceptions that it told of."""

    def __init__(self, *routed: Routed | NotRouted, **mappers: Any) -> None:
        self.exceptions: list[Exception] = []
        self.scopes: list[Any] = []
        router: Any = SimpleNamespace(route=lambda _: routed)
        decoder: Any = SimpleNamespace(decode=lambda one: Filtered(FilterReason.TOMBSTONE, one.topic))
        made: Any = {name: SimpleNamespace(map=self._map(fate)) for name, fate in mappers.items()}
        self.transform = Transform(decoder, router, made, self.exceptions.append)

    def _map(self, fate: Any) -> Any:
        def one(scope: Any, event: Event) -> Any:
            self.scopes.append((scope, event))
            if isinstance(fate, Exception):
                raise fate
            return fate

        return one


def test_fates_of_an_event() -> None:
    """Each delivery in the router's order: with what its mapper gives, or with the router's own word."""
    told = Told(
        Routed("views", 0, {"item": 1}),
        NotRouted("orders", None, UNMAPPED),
        NotRouted("carts", 1, OLD),
        Routed("carts", 2, {"item": 2}),
        views=PAYLOAD,
        carts=UNMAPPED,
    )

    assert list(told.transform.fates(EVENT)) == [
        ("views", 0, PAYLOAD),
        ("orders", None, UNMAPPED),
        ("carts", 1, OLD),
        ("carts", 2, UNMAPPED),
    ]
    assert told.scopes == [({"item": 1}, EVENT), ({"item": 2}, EVENT)]


def test_nothing_is_mapped_before_it_is_asked_for() -> None:
    """A pipeline that must stop at one record maps no more of it."""
    told = Told(Routed("views", 0, {}), Routed("views", 1, {}), views=PAYLOAD)

    assert next(told.transform.fates(EVENT)) == ("views", 0, PAYLOAD)
    assert len(told.scopes) == 1


def test_a_defect_is_a_failure_of_one_delivery() -> None:
    """It is told of, its words are not shown, for they may hold values; the other deliveries go on."""
    defect = KeyError("anna@example.com")
    told = Told(Routed("views", 3, {}), Routed("carts", 0, {}), views=defect, carts=PAYLOAD)

    assert list(told.transform.fates(EVENT)) == [
        ("views", 3, Failure(Stage.MAP, ErrorClass.UNMAPPED, "a defect of the service: KeyError")),
        ("carts", 0, PAYLOAD),
    ]
    assert told.exceptions == [defect]


def test_records_are_decoded_by_the_decoder() -> None:
    """Whatever it says is what the transform says."""
    assert Told().transform.decode(record()) == Filtered(FilterReason.TOMBSTONE, "clicks")
