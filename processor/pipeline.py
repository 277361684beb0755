"""The main path: all between the topics and one destination.

    consume → decode → route → map → send → settle

Records come in from the Kafka thread; each ends as deliveries, dead letters or nothing, and is settled when all of
that has ended. What becomes of whom is decided in the stages; here they are put in order.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from processor.clock import Clock
from processor.consume.intake import Intake, Stall
from processor.consume.ports import Held
from processor.decode.decoder import AwaitSchema
from processor.decode.schemas import SchemaStore
from processor.mass_failure import Cause, FailureWindow
from processor.records import (
    Assignment,
    Delivery,
    Event,
    Failure,
    Filtered,
    FilterReason,
    Key,
    Payload,
    Record,
    Request,
    SchemaId,
)
from processor.scorekeeper import Scorekeeper
from processor.send.judge import Result
from processor.send.replies import Reply, ReplyClass, Shadowed, describe
from processor.send.sender import Sender
from processor.settle.letters import Letter, Origin, letter
from processor.settle.settler import Settler
from processor.settle.undertaker import Undertaker
from processor.transform import Transform

LETTERS_WAIT = 1.0
"""Seconds at most that a revocation waits for letters, after the requests have ended."""


class Pipeline:
    """One destination's pipeline, on the event loop; the Kafka thread feeds it."""

    def __init__(  # noqa: PLR0913 - one per part of the path, handed over by name
        self,
        *,
        origin: Origin,
        transform: Transform,
        schemas: SchemaStore,
        sender: Sender,
        settler: Settler,
        undertaker: Undertaker,
        failures: FailureWindow,
        score: Scorekeeper,
        clock: Clock,
    ) -> None:
        self._origin = origin
        self._transform = transform
        self._schemas = schemas
        self._sender = sender
        self._settler = settler
        self._undertaker = undertaker
        self._failures = failures
        self._score = score
        self._clock = clock
        self._intake = Intake()
        self._arrived = asyncio.Event()
        self._burying: Counter[Assignment] = Counter()
        self._one_buried = asyncio.Event()
        self._awaiting: set[asyncio.Task[None]] = set()
        self.mass_failure: Held | None = None
        """Why no record is taken any more; only a restart ends it."""

    # The main path.

    async def run(self) -> None:
        """Work until cancelled."""
        loop = asyncio.get_running_loop()

        def hand_over(letter: Letter) -> None:
            loop.call_soon_threadsafe(self._buried, letter)

        self._undertaker.start(hand_over)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._sender.run(self._settle, self._expire, self._score.changed))
            tasks.create_task(self._work())

    def receive(self, records: Sequence[Record]) -> None:
        """Take one poll's records; they are in the ledger already."""
        self._intake.put(records)
        self._arrived.set()

    async def _work(self) -> None:
        while self.mass_failure is None:
            records = self._intake.take()
            if records:
                self._process(records)
                await asyncio.sleep(0)
            else:
                self._arrived.clear()
                await self._arrived.wait()

    def _process(self, records: Sequence[Record]) -> None:
        """Take records of one partition, in offset order, from bytes to deliveries.

        At a mass failure the record that is one too many, and all behind it, stay as they are: neither sent nor buried,
        and unsettled, so that no offset passes them. What was made of those before is sent and settled.
        """
        deliveries: list[Delivery] = []
        for at, record in enumerate(records):
            decoded = self._transform.decode(record)
            match decoded:
                case Event():
                    deliveries += self._map(decoded)
                case Filtered():
                    self._score.filtered(decoded, record)
                    self._settler.open(record, 0)
                case Failure():
                    self._open(record, [], [letter(self._origin, record, decoded, schema_id=decoded.schema_id)])
                case AwaitSchema(schema_id):
                    self._stall(records[at:], schema_id)
                    break
            if self.mass_failure is not None:
                break
        self._sender.send(deliveries)

    def _map(self, event: Event) -> list[Delivery]:
        """Route and map one event; what is not to be sent is filtered or buried here."""
        record, schema_id = event.record, event.schema_id
        deliveries: list[Delivery] = []
        letters: list[Letter] = []
        filtered: list[Filtered] = []
        for route, index, fate in self._transform.fates(event):
            match fate:
                case Payload(channel, body, lane, time, expires):
                    made = self._clock.now()
                    deliveries.append(
                        Delivery(record, schema_id, route, index or 0, channel, body, lane, time, made, expires=expires)
                    )
                case Failure():
                    letters.append(
                        letter(self._origin, record, fate, route=route, index=index, schema_id=schema_id),
                    )
                case Filtered():
                    filtered.append(fate)
        if not letters and (deliveries or any(each.reason is FilterReason.TOO_OLD for each in filtered)):
            self._failures.add()
        if not self._open(record, deliveries, letters):
            return []
        for each in filtered:
            self._score.filtered(each, record)
        return deliveries

    def _open(self, record: Record, deliveries: Sequence[Delivery], letters: Sequence[Letter]) -> bool:
        """Count what must end before the record is settled, and begin with its letters; False = it is held."""
        if letters and self._too_many(letters):
            return False
        self._score.made += len(deliveries) + len(letters)
        spread = len(deliveries) > 1 and len({one.lane for one in deliveries}) > 1
        self._settler.open(record, len(deliveries) + len(letters), spread=spread, stray=bool(letters))
        for one in letters:
            self._bury(one)
        return True

    def _too_many(self, letters: Sequence[Letter]) -> bool:
        """Enter a record that failed; says whether so many did that the fault is not theirs."""
        causes = dict.fromkeys(Cause(one.route, one.failure.stage, one.failure.message) for one in letters)
        found = self._failures.add(tuple(causes))
        if found is None:
            return False
        self.mass_failure = Held(str(found), self._clock.wall())
        self._score.mass_failure(found)
        return True

    # What comes back.

    def _settle(self, request: Request, reply: Reply, reply_class: ReplyClass, result: Result, seconds: float) -> None:
        """Enter what became of a request."""
        if isinstance(reply, Shadowed):
            self._score.shadowed(request, describe(reply))
        else:
            self._score.replied(request, describe(reply), reply_class, result.accepted, seconds)
        self._score.stale(result.stale)
        if result.delay:
            self._score.cooled(result.delay)
        for delivery in result.accepted:
            self._settler.close(delivery.record, delivery.lane)
        for buried in result.buried:
            self._settler.leave(buried.delivery.record, buried.delivery.lane)
            self._bury(self._letter_of(buried.delivery, buried.failure))

    def _letter_of(self, delivery: Delivery, failure: Failure) -> Letter:
        return letter(
            self._origin,
            delivery.record,
            failure,
            route=delivery.route,
            index=delivery.index,
            schema_id=delivery.schema_id,
            delivery=delivery,
        )

    def _expire(self, deliveries: Sequence[Delivery]) -> None:
        """These became too old while they waited."""
        self._score.expired(deliveries)
        for delivery in deliveries:
            self._settler.close(delivery.record)

    def _bury(self, one: Letter) -> None:
        self._score.failed(one.record, one.route, one.index, one.failure)
        self._burying[one.record.assignment] += 1
        self._undertaker.bury(one)

    def _buried(self, one: Letter) -> None:
        """The broker acknowledged a letter; only now does it count (invariant 8)."""
        self._burying -= Counter((one.record.assignment,))
        self._score.buried(one.route, one.failure)
        self._settler.close(one.record)
        self._one_buried.set()

    # What waits for its schema.

    @property
    def awaited(self) -> dict[Key, Stall]:
        """Partitions that stand still, each with the schema that its next record waits for."""
        return {assignment.key: stall for assignment, stall in self._intake.stalled.items()}

    def _stall(self, records: Sequence[Record], schema_id: SchemaId) -> None:
        """This partition waits until the registry has answered; others go on."""
        assignment = records[0].assignment
        self._intake.stall(assignment, records, Stall(schema_id, self._clock.wall()))
        task = asyncio.create_task(self._await_schema(assignment, schema_id))
        self._awaiting.add(task)
        task.add_done_callback(self._awaiting.discard)

    async def _await_schema(self, assignment: Assignment, schema_id: SchemaId) -> None:
        await self._schemas.fetch(schema_id)
        self._intake.resume(assignment)
        self._arrived.set()

    # Partitions that leave.

    async def drain(self, assignments: Sequence[Assignment]) -> None:
        """Send nothing more for these; wait for what is in flight. The caller sets the deadline.

        Letters get a moment more: a healthy topic takes them at once, and the next owner need not write them again.
        """
        self._drop(assignments)
        await self._sender.ended(assignments)
        with suppress(TimeoutError):
            async with asyncio.timeout(LETTERS_WAIT):
                await self._letters(assignments)
        self._settler.flush()

    async def _letters(self, assignments: Sequence[Assignment]) -> None:
        while any(self._burying[assignment] for assignment in assignments):
            self._one_buried.clear()
            await self._one_buried.wait()

    def forget(self, assignments: Sequence[Assignment]) -> None:
        """These have ended; what still comes back of them changes nothing."""
        self._drop(assignments)
        self._settler.forget()

    def _drop(self, assignments: Sequence[Assignment]) -> None:
        """Drop what waits of these: the next owner reads it again."""
        for assignment in assignments:
            assignment.live = False
        self._intake.drop(assignments)
        self._score.stale(self._sender.drop(assignments))
