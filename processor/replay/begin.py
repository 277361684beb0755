"""How a run begins, or goes on: nobody else is at its letters, and others know."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from threading import Event, Thread

from processor.errors import FatalError
from processor.records import Key
from processor.replay.access import Access
from processor.replay.account import unfinished
from processor.replay.audit_writer import AuditWriter
from processor.replay.claim import claim
from processor.replay.history import History, Run
from processor.replay.live import has_group, refuse_beside
from processor.replay.run import Found, done_by
from processor.replay.spans import Spans
from processor.replay.survey import without
from processor.settle.letters import iso

BEAT = 15.0
"""Seconds between two words of a run that has no group yet: a quarter of `live.YOUNG`."""
NOTHING = Spans()


def start(access: Access, found: Found, writer: AuditWriter, wall: float) -> Found:
    """Write the record of a run; from now on nobody else may begin one.

    Finding the letters may have taken minutes, in which others may have closed some.

    Returns:
        The same, its run with an id, without letters that were closed meanwhile.

    Raises:
        FatalError: the audit topic refuses, or another run goes on.
    """
    if found.run.id:
        run = found.run.model_copy(update={"alive": iso(wall), "ended": None, "state": "running", "words": ""})
        writer.write_run(run)
    else:
        run = claim(access.audit, writer, found.run, wall, partial(has_group, access))
    give_way(access, run, writer, wall, again=bool(found.run.id))
    return _still_open(replace(found, run=run), access.audit.read())


def give_way(access: Access, run: Run, writer: AuditWriter, wall: float, *, again: bool = False) -> None:
    """End a run whose record is written, where another one goes on.

    Args:
        access: to the topic.
        run: as it is written.
        writer: started.
        wall: seconds since 1970.
        again: whether it was there before: it may have been taken for dead, so that another one began.

    Raises:
        FatalError: there is one.
    """
    try:
        refuse_beside(access, access.audit.read(), wall, run, again=again)
    except FatalError as error:
        writer.write_run(run.ended_at(wall, str(error)))
        raise


@contextmanager
def kept_alive(writer: AuditWriter, run: Run, wall: Callable[[], float]) -> Iterator[None]:
    """Let others know now and then that a run goes on which has no group yet."""
    over = Event()

    def beat() -> None:
        while not over.wait(BEAT):
            with suppress(FatalError):  # said again
                writer.write_run(run.model_copy(update={"alive": iso(wall())}))

    thread = Thread(target=beat, name=f"run {run.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _still_open(found: Found, history: History) -> Found:
    """The same without what others have closed since it was found; source records are never closed."""
    run, mine = found.run, done_by(found.run, history)
    survey = found.survey
    if run.kind == "replay":
        closed = history.replayed if run.selectors.get("discarded") else history.done
        survey = without(survey, by_others(run.topic, closed, mine))
    return replace(found, survey=survey, left=unfinished(survey.wanted, history.of_run(run.id)))


def by_others(topic: str, closed: Mapping[int, Spans], mine: Mapping[Key, Spans]) -> dict[Key, Spans]:
    """Which letters somebody else has closed."""
    keys = {(topic, partition): spans for partition, spans in closed.items()}
    return {key: spans.minus(mine.get(key, NOTHING)) for key, spans in keys.items()}
