"""One vendor behind HTTP: which call it takes, which it refuses, and what goes wrong when asked to."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict

from processor.demo.account import Account
from processor.demo.rocket_rules import ROCKET_PATHS, VISITOR_EVENTS, admit_rocket, check_rocket, read_rocket
from processor.demo.rules import Accepted, Refusal
from processor.demo.voyado_rules import VOYADO_METHODS, admit_voyado, check_voyado, read_voyado

OVERLAPPING = "two calls in flight with deliveries of one session"

PRODUCT_FIELDS = frozenset({"itemId", "productId", "sku"})

MAX_BODY = 64 * 1024 * 1024
"""Bytes; the vendors name no limit, and the server's own (1 MiB) is below what a batch may have."""


class Faults(BaseModel):
    """What is wrong with a vendor right now.

    Attributes:
        status: every call is answered with it.
        retry_after: goes with `status`, as the header has it.
        reset: the connection is cut without an answer: with nothing done, or after the call was accepted.
        delay: seconds that each answer takes longer.
        refuse: calls that name one of these products (Voyado: SKUs) are answered with 400.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: int | None = None
    retry_after: str | None = None
    reset: Literal["at_once", "after_accepting"] | None = None
    delay: float = 0.0
    refuse: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Vendor:
    """What tells one vendor from another.

    Attributes:
        paths: what may be called, with POST.
        admit: judges headers and query.
        check: judges a parsed body by its path.
        read: notes what a good body delivers.
        exclusive: paths on which no two calls with deliveries of one lane may be in flight.
        identity: what a body has once per delivery; counted where bodies are not parsed.
    """

    paths: Collection[str]
    admit: Callable[[web.BaseRequest], Refusal | None]
    check: Callable[[str, Any], str | None]
    read: Callable[[str, Any], list[Accepted]]
    exclusive: frozenset[str]
    identity: bytes


def voyado(key: str) -> Vendor:
    """Voyado Engage with one good API key."""
    return Vendor(
        paths=VOYADO_METHODS.keys(),
        admit=lambda request: admit_voyado(request.headers, key),
        check=check_voyado,
        read=read_voyado,
        exclusive=frozenset(),
        identity=b'"contactId":',
    )


def rocket(key: str, partner: str) -> Vendor:
    """Retail Rocket with one shop and its good API key."""
    return Vendor(
        paths=ROCKET_PATHS,
        admit=lambda request: admit_rocket(request.headers, request.query, key, partner),
        check=check_rocket,
        read=read_rocket,
        exclusive=frozenset({VISITOR_EVENTS}),
        identity=b'"sessionExternalId":',
    )


class Limit:
    """A token bucket that holds what one second brings."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._tokens = rate or 0.0
        self._filled = 0.0

    def exceeded(self, now: float) -> bool:
        """Take a token.

        Args:
            now: seconds on a clock that never jumps.

        Returns:
            True when there was none.
        """
        if self._rate is None:
            return False
        self._tokens = min(max(self._rate, 1.0), self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        if self._tokens < 1:
            return True
        self._tokens -= 1
        return False


class VendorStub:
    """One vendor's server.

    Attributes:
        account: what it saw.
        faults: what is wrong right now; set it at any time.
        vendor: who it is, and which key is good; the same.
    """

    def __init__(
        self, vendor: Vendor, latency: float, limit: float | None, *, count_only: bool, keep: int | None = None
    ) -> None:
        self.account = Account(keep)
        self.faults = Faults()
        self.vendor = vendor
        self._latency = latency
        self._limit = Limit(limit)
        self._count_only = count_only

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one call; it is accepted when it arrives, and answered `latency` later."""
        now = asyncio.get_running_loop().time()
        self.account.arrive(now)
        try:
            body = await request.read()
            faults = self.faults
            verdict = self._judge(request, body, faults, now)
            await self._work(request.path, verdict, faults)
            return self._answer(request, verdict, faults)
        finally:
            self.account.leave()

    def _judge(self, request: web.BaseRequest, body: bytes, faults: Faults, now: float) -> list[Accepted] | Refusal:
        refusal = self._refuse(request, faults, now)
        if refusal is not None:
            return refusal
        if self._count_only:
            self.account.deliveries[request.path] += body.count(self.vendor.identity)
            return []
        verdict = self._read(request.path, body, faults)
        if isinstance(verdict, list):
            self.account.accept(verdict)
        return verdict

    def _refuse(self, request: web.BaseRequest, faults: Faults, now: float) -> Refusal | None:
        """Everything that can be said before the body is looked at."""
        if faults.reset == "at_once":
            return Refusal(0, "connection reset on request")
        if faults.status is not None:
            return Refusal(faults.status, "fault on request")
        if self._limit.exceeded(now):
            return Refusal(429, "too many requests")
        if request.path not in self.vendor.paths:
            return Refusal(404, f"no such path: {request.path}")
        if request.method != "POST":
            return Refusal(405, f"{request.method} is not allowed")
        return self.vendor.admit(request)

    def _read(self, path: str, body: bytes, faults: Faults) -> list[Accepted] | Refusal:
        try:
            payload = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            return Refusal(400, f"the body is not JSON: {error}")
        wrong = self.vendor.check(path, payload)
        if wrong is not None:
            return Refusal(400, wrong)
        if faults.refuse and not faults.refuse.isdisjoint(products(payload)):
            return Refusal(400, "product refused on request")
        return self.vendor.read(path, payload)

    async def _work(self, path: str, verdict: list[Accepted] | Refusal, faults: Faults) -> None:
        """Take the time that an answer takes."""
        lanes = set() if isinstance(verdict, Refusal) else {delivery.lane for delivery in verdict}
        overlap = self.account.open_lanes(lanes) > 1
        if overlap and path in self.vendor.exclusive:
            self.account.violations[OVERLAPPING] += 1
        try:
            await asyncio.sleep(self._latency + faults.delay)
        finally:
            self.account.close_lanes(lanes)

    def _answer(
        self, request: web.BaseRequest, verdict: list[Accepted] | Refusal, faults: Faults
    ) -> web.StreamResponse:
        if faults.reset and request.transport:
            request.transport.abort()
        if isinstance(verdict, list):
            return web.Response(body=b"{}", content_type="application/json")
        self.account.refused[verdict.status, verdict.message] += 1
        return web.Response(
            status=verdict.status or 503,  # never seen: the connection is cut
            body=orjson.dumps({"message": verdict.message}),
            content_type="application/json",
            headers=_retry_after(verdict, faults),
        )


def _retry_after(refusal: Refusal, faults: Faults) -> dict[str, str]:
    if refusal.status == faults.status:
        return {"Retry-After": faults.retry_after} if faults.retry_after else {}
    return {"Retry-After": "1"} if refusal.status == 429 else {}  # noqa: PLR2004 - Too Many Requests


def products(payload: Any) -> Iterator[str]:
    """Find every product that a payload names, as text."""
    if isinstance(payload, list):
        for element in payload:
            yield from products(element)
    elif isinstance(payload, dict):
        for name, value in payload.items():
            if name in PRODUCT_FIELDS:
                yield str(value)
            else:
                yield from products(value)
