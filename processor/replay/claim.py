"""How a run gets an id that no other one has."""

from uuid import uuid4

from processor.replay.audit import Audit
from processor.replay.audit_writer import AuditWriter
from processor.replay.history import Run, next_run_id


def claim(audit: Audit, writer: AuditWriter, run: Run, wall: float) -> Run:
    """Take the next free id for a run, and write its record.

    Two processes that start at once may take the same one. The first record in the topic has it; the others write that
    one again, so that compaction keeps it and not theirs, and take the next.

    Args:
        audit: read before, for what is taken.
        writer: started.
        run: all but its id and its claim.
        wall: seconds since 1970.

    Returns:
        The run with its id.

    Raises:
        FatalError: Kafka does not answer, or refuses.
    """
    while True:
        mine = run.model_copy(update={"id": next_run_id(audit.read(), wall), "claim": uuid4().hex})
        writer.write_run(mine)
        first = audit.read().runs.get(mine.id, mine)
        if first.claim == mine.claim:
            return mine
        writer.write_run(first)
