"""A run from its beginning to its account: find, claim, work, record."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from processor import __version__
from processor.app import build_service
from processor.clock import Clock
from processor.errors import FatalError
from processor.records import Key
from processor.replay.access import Access
from processor.replay.account import Account, account_of, unfinished
from processor.replay.audit import Audit
from processor.replay.audit_writer import AuditWriter
from processor.replay.history import RESTORED, History, Run
from processor.replay.journal import Journal
from processor.replay.letter_feed import LetterFeed, RecordFeed
from processor.replay.live import refuse_beside, unended
from processor.replay.opening import Opener
from processor.replay.reading import Reader, begins_of, ends_of
from processor.replay.rehearsal import Rehearsal
from processor.replay.replaying import Show, Worker, again
from processor.replay.rights import missing_of, of_run
from processor.replay.selectors import Selectors
from processor.replay.spans import Spans
from processor.replay.survey import Survey, Wish, survey
from processor.replay.walk import Walk
from processor.settle.letters import iso


@dataclass(frozen=True, slots=True)
class Terms:
    """How a run goes, and what the audit is to know of it.

    Attributes:
        most: so many records, the oldest; None = all.
        rate: requests a second; None = no limit.
        overlay: files that were laid over the configuration, and their text.
    """

    most: int | None
    rate: float | None
    reason: str = ""
    by: str = ""
    host: str = ""
    overlay: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """Which letters a person asked for.

    Attributes:
        discarded: whether discarded letters are meant, too.
        max_replays: a letter that was replayed so often is left alone.
    """

    selectors: Selectors
    discarded: bool
    max_replays: int

    def as_json(self) -> dict[str, Any]:
        """What selects, for the audit."""
        return {**self.selectors.as_json(), "discarded": self.discarded}


@dataclass(frozen=True, slots=True)
class Found:
    """What a run is about.

    Attributes:
        run: its record; without an id where it is new.
        rate: requests a second; None = no limit.
        left: what is to be done of it.
        feed: how its records get into the pipeline.
        filed: what was found in the file whose letters are put back first; None = there is no file.
    """

    run: Run
    rate: float | None
    survey: Survey
    left: Mapping[Key, Spans]
    feed: type[RecordFeed]
    filed: Survey | None = None

    @property
    def to_do(self) -> bool:
        """Whether there is anything to do; a run that has begun must at least be ended."""
        return bool(self.left or self.run.id or self.to_put_back)

    @property
    def to_put_back(self) -> int:
        """How many letters of a file."""
        return self.filed.selected if self.filed else 0


def find(
    access: Access,
    order: Order,
    terms: Terms,
    resumed: Run | None,
    history: History,
    walk_of: Callable[[Selectors], Walk],
    wall: float,
) -> Found:
    """Look at the letters; nothing is changed.

    Args:
        access: to the topic.
        order: what is asked for; where a run goes on, what was asked for then counts.
        terms: how it goes.
        resumed: a run that is to go on; None = a new one.
        history: what became of letters before.
        walk_of: picks what is selected.
        wall: seconds since 1970.

    Raises:
        FatalError: Kafka does not answer, there is no such topic, or another run goes on.
    """
    topic = access.topic
    bounds = access.reader.watermarks(topic)
    if bounds is None:
        raise FatalError(f"the dead-letter topic {topic} does not exist, so there is nothing to replay")
    begins = begins_of(bounds)
    if resumed is None:
        refuse_beside(access, history, wall)
        run = new_run(
            access,
            terms,
            wall,
            kind="replay",
            selectors=order.as_json(),
            begins={topic: begins},
            ends={topic: ends_of(bounds)},
            max_replays=order.max_replays,
        )
    else:
        run = resumed
        order = _order_of(run, order)
    routes = frozenset(access.plan.mappers)
    wish = Wish(order.discarded, order.max_replays, run.max, routes, done_by(run, history))
    batches = access.reader.read(topic, begins, run.ends[topic])
    return found_of(run, terms.rate, survey(walk_of(order.selectors), batches, history, wish), history, LetterFeed)


def found_of(run: Run, rate: float | None, survey: Survey, history: History, feed: type[RecordFeed]) -> Found:
    """What is left of a run, which may have begun before."""
    return Found(run, rate, survey, unfinished(survey.wanted, history.of_run(run.id)), feed)


def rehearse(access: Access, found: Found, opener: Opener) -> Rehearsal:
    """Try what `work` would do; nothing is sent.

    Raises:
        FatalError: Kafka does not answer, or the registry.
    """
    rehearsal = Rehearsal()
    for topic, ends in found.run.ends.items():
        begins = {partition: min(spans)[0] for (name, partition), spans in found.left.items() if name == topic}
        for records in access.reader.read(topic, begins, ends):
            for record in records:
                if record.offset in found.left[record.assignment.key]:
                    rehearsal.add(found.feed.opened(record), opener)
    return rehearsal


async def work(
    access: Access, found: Found, writer: AuditWriter, clock: Clock, show: Show, stop: asyncio.Event
) -> tuple[Account, str]:
    """Replay what is left of a run, beside its other workers; the end is recorded where it came.

    Args:
        access: to the topic.
        found: with the run's id.
        writer: started.
        clock: the machine's.
        show: is told how far the run is.
        stop: ends this worker; the run can be resumed.

    Returns:
        The account of the whole run, and why the rest was left; empty where nothing was, or `stop` was set.

    Raises:
        FatalError: Kafka does not answer, or the end left something undone.
    """
    run, wanted = found.run, found.left
    journal = Journal(partial(writer.mark, run), wanted)
    ready, plan = again(access.ready, access.plan, run, found.rate, found.survey.since)
    service = build_service(ready, [plan], clock, found.feed(wanted, journal))
    with Reader(access.clients, access.bootstrap, clock) as reader:
        audit = Audit(access.topic, reader, access.admin, access.bootstrap)
        hopeless = await Worker(
            service=service,
            journal=journal,
            run=run,
            wanted=wanted,
            audit=audit,
            reader=reader,
            show=show,
            unwritten=lambda: writer.trouble,
            lacking=partial(missing_of, access, of_run(access.plan, run)),
        ).work(stop)
    account = account_of(found.survey, access.audit.read().of_run(run.id))
    if hopeless or not account.open:
        writer.write_run(run.ended_at(clock.wall(), hopeless, account.counts()))
    return account, hopeless


def done_by(run: Run, history: History) -> dict[Key, Spans]:
    """What a run has done so far; not where the letters of a file lay that it put back."""
    done: dict[Key, Spans] = {}
    for told in (told for outcome, told in history.of_run(run.id).items() if outcome != RESTORED):
        for key, spans in told.items():
            done.setdefault(key, Spans()).update(spans)
    return done


def known_run(access: Access, history: History, run_id: str) -> Run:
    """A run that can go on.

    Raises:
        FatalError: there is none of that name.
    """
    run = history.runs.get(run_id)
    if run is not None and "file" in run.selectors and not run.ends:
        words = f"run {run_id} was ended before all letters of {run.selectors['file']} were put back"
        raise FatalError(f"{words}: give its command again, with --from-file")
    if run is None or not run.ends:
        known = ", ".join(run.id for run in unended(history) if run.ends) or "none"
        raise FatalError(f"no run {run_id} of {access.topic} can be resumed; those that have not ended: {known}")
    now = access.audit.topic_id
    if run.kind == "replay" and run.topic_id and now not in {"", run.topic_id}:
        words = f"run {run_id} was about a topic {access.topic} that was deleted since, with all letters"
        raise FatalError(f"{words}; for those that are in it now give the command without --resume")
    return run


def new_run(access: Access, terms: Terms, wall: float, **more: Any) -> Run:
    """The record of a run that begins now; it has no id yet."""
    return Run(
        id="",
        topic=access.topic,
        topic_id=access.audit.topic_id,
        destination=access.plan.name,
        by=terms.by,
        host=terms.host,
        reason=terms.reason,
        max=terms.most,
        rate="none" if terms.rate is None else f"{terms.rate:.12f}".rstrip("0").rstrip(".") + "/s",
        config_version=access.ready.version,
        service_version=__version__,
        overlay=dict(terms.overlay),
        started=iso(wall),
        **more,
    )


def _order_of(run: Run, given: Order) -> Order:
    """What was asked for when a run began; of a file's letters, those that were put back."""
    asked = {name: value for name, value in run.selectors.items() if name != "discarded"}
    restored = asked.get("restored")
    selectors = Selectors(restored=restored) if restored else Selectors.from_json(asked)
    return Order(selectors, bool(run.selectors.get("discarded")), run.max_replays or given.max_replays)
