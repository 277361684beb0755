"""A simulated vendor: answers requests in all weathers, and keeps the books of what it was sent and took."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from processor.plan import Plan
from processor.records import Request
from processor.send.replies import Answered, NotSent, Reply, Unknown
from tests.simulation.machine import Host, Machine
from tests.simulation.weather import Ill, Weather

ILLS = (
    Ill.ERROR,
    Ill.KEY,
    Ill.FORBIDDEN,
    Ill.MISSING,
    Ill.INVALID,
    Ill.REDIRECT,
    Ill.BUSY,
    Ill.BUSY_UNTIL,
    Ill.UNAVAILABLE_UNTIL,
    Ill.UNREACHABLE,
    Ill.RESET,
    Ill.TIMEOUT,
    Ill.LOST,
)
STATUSES = {
    Ill.ERROR: 500,
    Ill.KEY: 401,
    Ill.FORBIDDEN: 403,
    Ill.MISSING: 404,
    Ill.INVALID: 400,
    Ill.REDIRECT: 302,
    Ill.BUSY: 429,
    Ill.BUSY_UNTIL: 429,
    Ill.UNAVAILABLE_UNTIL: 503,
}
WAITS = (1.0, 2.0, 7.0, 30.0)
"""Seconds that it asks to wait."""
Judge = Callable[[Request], Ill | None]
"""What is wrong with a request's payloads for good; None = nothing."""


@dataclass(eq=False, slots=True)
class Entry:
    """One request in the books.

    Attributes:
        sent: when it left its process; `arrived` when it was here, None where it never was.
        host: that process.
        path: the channel's.
        ids: of its deliveries, in their order; `lanes` likewise.
        ill: what was wrong with the weather or the payload; `diced` where chance alone chose it among others.
        taken: whether it was carried out.
        heard: when its process had the reply; None where it never had it.
    """

    sent: float
    host: Host
    path: str
    ids: Sequence[str]
    lanes: Sequence[str | None]
    bodies: Sequence[bytes]
    once: bool
    arrived: float | None = None
    ill: Ill | None = None
    diced: bool = False
    taken: bool = False
    reply: Reply | None = None
    heard: float | None = None


OnRequest = Callable[[Request, Entry], None]
"""Told of each request when it is decided."""


@dataclass(slots=True)
class Endpoint:
    """The vendor.

    Attributes:
        judge: finds poison.
        latency: seconds that it needs, about.
        on_request: told of each request as it is decided, whether its reply is then lost or not.
        books: every request, in the order of sending.
    """

    machine: Machine
    weather: Weather
    judge: Judge = lambda _: None
    latency: float = 0.05
    on_request: OnRequest = lambda *_: None
    books: list[Entry] = field(default_factory=list)

    def http(self, host: Host, plan: Plan) -> "EndpointHttp":
        """As `http_of(plan, …)` in that process."""
        return EndpointHttp(self, host, plan.settings.timeout)

    def arrive(self, request: Request, entry: Entry) -> tuple[Reply, bool]:
        """What becomes of a request that has come here: what its process hears, and whether that is a reply."""
        entry.arrived = self.machine.clock.now()
        episode = self.weather.now(*ILLS)
        hit = episode is not None and self.machine.random.random() < episode.share
        poison = self.judge(request)
        ill = episode.ill if episode is not None and hit else poison
        entry.ill = ill
        entry.diced = hit and episode is not None and episode.share < 1
        done = ill in {None, Ill.LOST} or (ill is Ill.RESET and self.machine.random.random() < 0.5)
        entry.taken = done and poison is None
        entry.reply = reply = self._reply(ill)
        self.on_request(request, entry)
        return reply, ill not in {Ill.TIMEOUT, Ill.LOST}

    def _reply(self, ill: Ill | None) -> Reply:
        match ill:
            case None | Ill.REDIRECT:
                return Answered(STATUSES[ill] if ill else 200, "")
            case Ill.UNREACHABLE:
                return NotSent("ClientConnectorError: Connection refused")
            case Ill.RESET:
                return Unknown("ServerDisconnectedError")
            case Ill.TIMEOUT | Ill.LOST:
                return Unknown("no answer in time")
            case Ill.BUSY_UNTIL | Ill.UNAVAILABLE_UNTIL:
                return Answered(STATUSES[ill], "refused", self.machine.random.choice(WAITS))
            case _:
                return Answered(STATUSES[ill], "refused")


class EndpointHttp:
    """One process's connections to it."""

    def __init__(self, endpoint: Endpoint, host: Host, timeout: float) -> None:
        self._endpoint = endpoint
        self._machine = endpoint.machine
        self._host = host
        self._timeout = timeout
        self.renewed = 0

    async def send(self, request: Request) -> Reply:
        """Send one request."""
        entry = self._enter(request)
        answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        takes = self._machine.random.uniform(0.5, 2.0) * self._endpoint.latency
        self._machine.later(takes / 2, partial(self._arrive, request, entry, answered, takes / 2))
        return await answered

    async def renew(self) -> None:
        """Read the key again."""
        self.renewed += 1

    async def close(self) -> None:
        """Close the connections."""

    def _enter(self, request: Request) -> Entry:
        deliveries = request.deliveries
        entry = Entry(
            self._machine.clock.now(),
            self._host,
            request.channel.path,
            [delivery.id for delivery in deliveries],
            [delivery.lane for delivery in deliveries],
            [delivery.body for delivery in deliveries],
            request.channel.once,
        )
        self._endpoint.books.append(entry)
        return entry

    def _arrive(self, request: Request, entry: Entry, answered: "asyncio.Future[Reply]", way: float) -> None:
        """At the vendor."""
        reply, in_time = self._endpoint.arrive(request, entry)

        def hear() -> None:
            if not answered.done():
                entry.heard = self._machine.clock.now()
                answered.set_result(reply)

        left = entry.sent + self._timeout - self._machine.clock.now()
        self._machine.later(way if in_time else left, hear, self._host)
