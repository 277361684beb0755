"""What stands before a vendor's stub, in tests that must know what it took, when, and in which order."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web

from processor.demo.rules import Accepted, Refusal
from processor.demo.vendor_stub import Faults
from tests.support.path import WholePath

ID = "X-Delivery"
"""For `idempotency_header`."""


@dataclass(frozen=True)
class Call:
    """One that the vendor took: the delivery's topic, partition, offset, route and index, and its lane."""

    delivery: tuple[str, ...]
    lane: str = ""

    @property
    def record(self) -> tuple[int, int]:
        """Partition and offset."""
        return int(self.delivery[1]), int(self.delivery[2])


class Gatekeeper:
    """Stands before a vendor's stub: notes what it takes, and never answers one lane.

    Attributes:
        slow: the lane.
        calls: what was taken.
    """

    def __init__(self, path: WholePath, monkeypatch: pytest.MonkeyPatch) -> None:
        self.slow: str | None = None
        self.calls: list[Call] = []
        stub = path.vendors.rocket
        self._judge, self._work = stub._judge, stub._work
        monkeypatch.setattr(stub, "_judge", self.judge)
        monkeypatch.setattr(stub, "_work", self.work)

    def judge(self, request: web.BaseRequest, body: bytes, faults: Faults, now: float) -> list[Accepted] | Refusal:
        """Note what is taken."""
        verdict = self._judge(request, body, faults, now)
        if isinstance(verdict, list):
            lane = verdict[0].lane if verdict else ""
            self.calls.append(Call(tuple(request.headers[ID].split(":")), lane))
        return verdict

    async def work(self, where: str, verdict: Any, faults: Faults) -> None:
        """Take for ever for the slow lane."""
        if isinstance(verdict, list) and any(one.lane == self.slow for one in verdict):
            await asyncio.sleep(3600)
        await self._work(where, verdict, faults)


def disorder(calls: Sequence[Call]) -> list[str]:
    """Lanes whose order was broken: first acceptances are to be in offset order, the last one the newest record's."""
    lanes: dict[tuple[int, str], list[int]] = defaultdict(list)
    for call in calls:
        lanes[call.record[0], call.lane].append(call.record[1])
    return [
        f"{lane} in partition {partition}: {offsets}"
        for (partition, lane), offsets in lanes.items()
        if list(dict.fromkeys(offsets)) != sorted(set(offsets)) or offsets[-1] != max(offsets)
    ]
