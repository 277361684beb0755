"""One worker of a run: the service, over some records of the past, until all of them have an outcome."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from processor.errors import FatalError
from processor.holds import Reason
from processor.plan import Plan, Ready
from processor.records import Key
from processor.replay.absent import Absent
from processor.replay.access import committed_only
from processor.replay.account import unfinished
from processor.replay.audit import Audit
from processor.replay.history import Run
from processor.replay.journal import Journal
from processor.replay.live import group_of
from processor.replay.reading import Reader
from processor.replay.spans import Spans
from processor.report import holds
from processor.running import RunningPipeline
from processor.service import Service

LOOK = 1.0
"""Seconds between two looks at how far the run is, all of its workers together."""
REST = 3.0
"""Seconds for which nothing goes out where the audit topic takes nothing; looked at again before they are over."""
END = 2**63 - 1
"""Behind every offset."""
FRUITLESS = 2
"""Probings, each of ten heads or all that there are, after which a method that refuses is not worth more of them."""


def again(ready: Ready, plan: Plan, run: Run, rate: float | None, since: int | None) -> tuple[Ready, Plan]:
    """The same configuration for a run: its own group, topics and rate; a failure here is no mass failure.

    Those letters have failed before, and a dry run has shown what would fail again.

    Args:
        ready: the whole configuration.
        plan: the destination's.
        run: its record.
        rate: requests a second; None = no limit.
        since: where it begins, in milliseconds since 1970; None = at the earliest record.
    """
    start = "earliest" if since is None or since < 0 else datetime.fromtimestamp(since / 1000, UTC)
    ops = ready.settings.ops.model_copy(update={"host": "127.0.0.1", "port": 0})
    kafka = committed_only(ready.settings.kafka)
    settings = ready.settings.model_copy(update={"start_from": start, "ops": ops, "kafka": kafka})
    letters = plan.settings.dead_letter.model_copy(update={"hold_above": 1.0})
    destination = plan.settings.model_copy(update={"rate": rate, "dead_letter": letters})
    return (
        replace(ready, settings=settings),
        replace(plan, group=group_of(plan, run.id), topics=tuple(run.ends), settings=destination),
    )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        done: of all its workers.
        failed: those of them that failed again.
        held: why nothing is sent; empty while it is.
    """

    done: int
    total: int
    failed: int
    held: str = ""


Show = Callable[[Progress], None]


class Worker:
    """Replays until all that is wanted has an outcome, whoever of the run's workers did it.

    Args:
        service: of the run's one pipeline.
        journal: of that pipeline.
        run: its record.
        wanted: what the worker has to do, by topic and partition.
        audit: reads what all workers have done.
        reader: tells what Kafka has deleted meanwhile.
        show: is told how far the run is, about once a second.
        unwritten: says why the audit topic does not take what was done; None while it does. Nothing is sent then, for
            a run that is resumed would send it once more.
        lacking: asks Kafka what its user may not do any more; gives it in words.
    """

    def __init__(  # noqa: PLR0913 - all that it looks at, handed over by name
        self,
        *,
        service: Service,
        journal: Journal,
        run: Run,
        wanted: Mapping[Key, Spans],
        audit: Audit,
        reader: Reader,
        show: Show,
        unwritten: Callable[[], str | None],
        lacking: Callable[[], Sequence[str]],
    ) -> None:
        self._service = service
        self._journal = journal
        self._run = run
        self._wanted = wanted
        self._audit = audit
        self._reader = reader
        self._show = show
        self._unwritten = unwritten
        self._lacking = lacking
        self._lasts = {key: max(end for _, end in spans) for key, spans in wanted.items()}
        self._total = sum(map(len, wanted.values()))
        self._seen = Progress(0, self._total, 0)
        self._passed: dict[Key, tuple[int, int]] = {}
        self._absent = Absent(reader)
        self._other_topic = False
        self._moves = True
        self._behind = 0

    async def work(self, stop: asyncio.Event) -> str:
        """Work until the run is done, or cannot be, or `stop` is set; all is committed then.

        Returns:
            Why it cannot be done, in words; empty where it is, or was stopped.

        Raises:
            FatalError: as for the service's `run`.
        """
        watch = asyncio.create_task(self._watch())
        watch.add_done_callback(lambda _: stop.set())
        try:
            await self._service.run(stop)
        except FatalError:
            if not (watch.done() and watch.exception() is None and (self._other_topic or not watch.result())):
                raise  # else all has its outcome in the audit topic, or is gone: a commit that was refused is no matter
        finally:
            watch.cancel()
        return watch.result() if watch.done() else ""

    async def _watch(self) -> str:
        """Look until nothing is left to do, or nothing can be done."""
        while True:
            await asyncio.sleep(LOOK)
            for running in self._service.pipelines:  # none before it has begun
                try:
                    left = await self._left(running)
                    lost = await asyncio.to_thread(self._lost) if left else ""
                except FatalError as error:  # Kafka is away, or refuses: the service waits for it, and so do we
                    await self._tell(running, str(error))
                    continue
                await self._tell(running)
                hopeless = lost or (_hopeless(running) if self._has_tried_all(running) else "")
                if not left or hopeless:
                    return hopeless if left else self._left_behind()

    async def _left(self, running: RunningPipeline) -> dict[Key, Spans]:
        """What has no outcome yet; what will never come gets one."""
        partitions = running.kafka.snapshot.partitions
        passed = {key: (view.frontier or 0, view.next or 0) for key, view in partitions.items() if key in self._wanted}
        # Behind what Kafka has deleted the next record is passed; only where there is none must it be asked.
        stands = passed == self._passed
        self._passed = passed
        firsts = await asyncio.to_thread(self._firsts, {topic for topic, _ in passed}) if stands else {}
        history = await asyncio.to_thread(self._audit.read)  # after the look at the partitions: marks come first
        outcomes = history.of_run(self._run.id)
        left = unfinished(self._wanted, outcomes)
        self._journal.left(left)
        self._moves = not stands or any(
            left.get(key, Spans()) != left.get(key, Spans()).minus(Spans(read)) for key, read in passed.items()
        )
        # What was read and has no outcome is on its way, and what lies behind may come.
        never = {
            key: left.get(key, Spans()).minus(Spans((frontier, following), (max(frontier, firsts.get(key, 0)), END)))
            for key, (frontier, following) in passed.items()
        }
        for key, gone in (await asyncio.to_thread(self._absent.of, never)).items():
            self._journal.gone(key, gone)
        waiting = sum(map(len, left.values()))
        failed = sum(map(len, outcomes.get("failed", {}).values()))
        self._seen = Progress(self._total - waiting, self._total, failed)
        coming = unfinished(left, {"passed": self._absent.passed})
        self._behind = waiting - sum(map(len, coming.values()))
        return coming

    def _lost(self) -> str:
        """Why no letter will come any more; empty unless two looks say so: a broker may know less for a moment.

        What lies in another topic of that name, where these lay, are other letters. Of one that was deleted, what was
        read before that may be all that is left of them: it is sent.
        """
        now = self._audit.topic_id_now() if self._run.kind == "replay" else self._run.topic_id
        before, self._other_topic = self._other_topic, bool(self._run.topic_id) and now != self._run.topic_id
        if not (before and self._other_topic) or (self._moves and not now):
            return ""
        return f"{self._run.topic} was {'made anew' if now else 'deleted'} meanwhile, with all letters"

    def _left_behind(self) -> str:
        """Why some are still open although the run is through; empty where none is."""
        words = "of its letters are selected only now, and it is past them: they are open; a new run takes them"
        return f"{self._behind} {words}" if self._behind else ""

    async def _tell(self, running: RunningPipeline, trouble: str | None = None) -> None:
        """Say how far the run is, and what it waits for; what the Kafka user lacks says more than what that led to."""
        unwritten = self._unwritten()
        if unwritten:
            running.scheduler.pace.rest(running.clock.now() + REST)
        held = holds(running)
        kafka = [words for words in (trouble, running.kafka.snapshot.trouble, unwritten) if words]
        asks = kafka or any(hold.reason is Reason.DEAD_LETTER_TOPIC for hold in held)
        lacking = await asyncio.to_thread(self._lacking) if asks else ()
        words = lacking or [*kafka, *(f"{hold.reason.value}: {hold.words}" for hold in held)]
        self._show(replace(self._seen, held="; ".join(words)))

    def _has_tried_all(self, running: RunningPipeline) -> bool:
        """Whether all that is wanted of this worker's partitions was read, or no more of it can be held.

        What was read first may be all of the poison, and what is good lie a million letters behind it.
        """
        snapshot = running.kafka.snapshot
        return all(
            key in snapshot.paused or (view.next or 0) >= self._lasts[key]
            for key, view in snapshot.partitions.items()
            if key in self._lasts
        )

    def _firsts(self, topics: set[str]) -> dict[Key, int]:
        return {
            (topic, partition): begin
            for topic in topics
            for partition, (begin, _) in (self._reader.watermarks(topic) or {}).items()
        }


def _hopeless(running: RunningPipeline) -> str:
    """Why the rest need not be tried; empty while it is worth while."""
    for outlet in running.scheduler.outlets:
        if outlet.gate.fruitless >= FRUITLESS:
            label, words = outlet.channel.label, outlet.gate.words
            return f"{label} refused all that was tried in two probings, up to ten in each, and took nothing: {words}"
    return ""
