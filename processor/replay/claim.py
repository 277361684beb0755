"""How a run gets an id that no other one has."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from time import sleep
from uuid import uuid4

from processor.errors import FatalError
from processor.replay.audit import Audit
from processor.replay.audit_writer import AuditWriter
from processor.replay.history import History, Run
from processor.settle.letters import iso

HIDDEN = 90.0
"""Seconds for which a record may not be seen, because a transaction before it is open: one of a process that was killed
while it put letters back ends after a minute (`kafka_clients.TRANSACTION`), and brokers look every ten seconds."""
TURN = 0.5
"""Seconds between two looks."""


def claim(
    audit: Audit, writer: AuditWriter, run: Run, wall: float, taken: Callable[[str], bool] = lambda _: False
) -> Run:
    """Take the next free id for a run, and write its record.

    Two processes that start at once may take the same one. The first record in the topic has it; the others write that
    one again, so that compaction keeps it and not theirs, and take the next. So who has a higher number has seen the
    records of all lower ones of that day.

    Args:
        audit: read before, for what is taken.
        writer: started.
        run: all but its id, its claim and its start.
        wall: seconds since 1970.
        taken: whether an id is, although the audit topic does not tell of it: one that was made anew tells of none.

    Returns:
        The run with its id.

    Raises:
        FatalError: Kafka does not answer, or refuses.
    """
    while True:
        given = {"id": next_run_id(audit.read(), wall, taken), "claim": uuid4().hex, "started": iso(wall)}
        mine = run.model_copy(update=given)
        writer.write_run(mine)
        first = _first(audit, mine)
        if first.claim == mine.claim:
            return mine
        writer.write_run(first)


def _first(audit: Audit, mine: Run) -> Run:
    """Whose the id is, once it can be seen."""
    for _ in range(round(HIDDEN / TURN)):
        first = audit.read().runs.get(mine.id)
        if first is not None:
            return first
        sleep(TURN)
    raise FatalError(
        f"the record of run {mine.id} cannot be seen in {audit.name}, for a transaction that somebody began there does "
        "not end; see `kafka-transactions.sh find-hanging`"
    )


def next_run_id(history: History, wall: float, taken: Callable[[str], bool] = lambda _: False) -> str:
    """The id of a run that starts now: the day, UTC, and its number.

    Args:
        history: with the runs so far.
        wall: seconds since 1970.
        taken: whether something else has an id that the history does not know.
    """
    day = datetime.fromtimestamp(wall, UTC).date().isoformat()
    numbers = [run.removeprefix(f"{day}-") for run in history.ids if run.startswith(f"{day}-")]
    first = max((int(number) for number in numbers if number.isdecimal()), default=0) + 1
    return next(free for number in count(first) if not taken(free := f"{day}-{number}"))
