"""What a letter holds, and what today's file would make of it; commands wait for the registry so long only."""

import asyncio

from processor.app import local_types
from processor.decode.decoder import AwaitSchema, Decoder
from processor.decode.schemas import SchemaStore
from processor.errors import FatalError
from processor.plan import Plan, Ready
from processor.records import Event, Failure, Filtered, Record, SchemaId
from processor.replay.letter_feed import LetterRouter
from processor.route.router import Router
from processor.transform import Decodes, Fate, Routes, Transform

PATIENCE = 30.0
"""Seconds that a command waits for a schema."""


class Opener:
    """Decodes records, and rehearses what the pipeline would make of them; nothing is sent.

    Args:
        schemas: somebody else closes them.
        letters: whether the records are letters (`Replayed`), of each of which only what failed is made again.
    """

    def __init__(self, schemas: SchemaStore, ready: Ready, plan: Plan, *, letters: bool = True) -> None:
        self.schemas = schemas
        local, router = local_types(ready), Router(plan.routes)
        routes: Routes = LetterRouter(plan.routes) if letters else router
        self._any: Decodes = Decoder(schemas, local, lambda _topic, _event: True)
        self._wanted: Decodes = Decoder(schemas, local, router.wants)
        self._transform = Transform(self._wanted, routes, plan.mappers, _raise)

    def event(self, record: Record) -> Event | Filtered | Failure:
        """Decode a record, whether a route wants it or not.

        Raises:
            FatalError: the registry does not give its schema.
        """
        return self._decoded(self._any, record)

    def fates(self, record: Record) -> list[tuple[str, int | None, Fate]]:
        """What would become of a record: route, index, and a payload or the reason why there is none.

        Raises:
            FatalError: as for `event`.
        """
        decoded = self._decoded(self._wanted, record)
        return list(self._transform.fates(decoded)) if isinstance(decoded, Event) else [("", None, decoded)]

    def _decoded(self, decoder: Decodes, record: Record) -> Event | Filtered | Failure:
        decoded = decoder.decode(record)
        while isinstance(decoded, AwaitSchema):
            self._fetch(decoded.schema_id)
            decoded = decoder.decode(record)
        return decoded

    def _fetch(self, schema_id: SchemaId) -> None:
        try:
            asyncio.run(asyncio.wait_for(self.schemas.fetch(schema_id), PATIENCE))
        except TimeoutError:
            silent = "it does not answer; look at registry.url, and at the registry"
            why = self.schemas.troubles.get(schema_id, silent)
            raise FatalError(f"the registry gave no schema {schema_id} for {PATIENCE:g} s: {why}") from None


def _raise(exception: Exception) -> None:
    raise exception
