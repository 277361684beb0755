"""`mode: shadow`: stands where the HTTP edge stands, takes every request and sends none."""

import asyncio

from processor.records import Request
from processor.send.replies import Reply, Shadowed


class ShadowSender:
    """Takes the requests of one destination as if its vendor answered at once."""

    async def send(self, _: Request) -> Reply:
        """Send nothing; others get their turn, as they would while a call is out."""
        await asyncio.sleep(0)
        return Shadowed()

    async def renew(self) -> None:
        """No key is used."""

    async def close(self) -> None:
        """Nothing is open."""
