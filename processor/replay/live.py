"""One run at a time: two replays would take twice the rate, and might send the same letter, or a discarded one."""

from datetime import datetime
from time import sleep

from confluent_kafka import ConsumerGroupState, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConsumerGroupDescription

from processor.consume.troubles import explain_raised
from processor.errors import FatalError
from processor.kafka_rights import DESCRIBE, on_groups
from processor.plan import Plan
from processor.replay.access import Access
from processor.replay.history import History, Run
from processor.replay.reading import PATIENCE

YOUNG = 60.0
"""Seconds for which a run counts as live after its last word; one of `REPLAYS` has a group by then, and its members."""
TURN = 0.5
"""Seconds until a coordinator that is coming up is asked again."""
COMING_UP = frozenset(
    {KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.NOT_COORDINATOR}
)
REPLAYS = frozenset({"replay", "source"})
"""The kinds of run that have a group."""


def groups_of(plan: Plan) -> str:
    """What the groups of all runs of a destination begin with."""
    return f"{plan.group}.replay."


def group_of(plan: Plan, run: str) -> str:
    """The consumer group of a run."""
    return f"{groups_of(plan)}{run}"


def unended(history: History) -> list[Run]:
    """The replays that did not say how they ended: they go on, or were killed; oldest first."""
    return [run for run in history.runs.values() if run.kind in REPLAYS and run.ended is None]


def refuse_beside(
    access: Access, history: History, wall: float, mine: Run | None = None, *, again: bool = False
) -> None:
    """Refuse to begin where a replay goes on, or where somebody discards letters.

    Args:
        access: to the topic.
        history: with the runs so far.
        wall: seconds since 1970.
        mine: a run that is written already. Of several that begin at once the one with the first id goes on: who has a
            later one has seen its record. Clocks do not tell: they differ, and who began to look first may end last.
        again: whether it was there before: then another one may have begun since that took it for dead.

    Raises:
        FatalError: another one goes on, or has just begun; or Kafka does not tell.
    """
    others = [run for run in history.runs.values() if run.ended is None and (mine is None or run.id != mine.id)]
    if mine is not None and not again:
        others = [run for run in others if _order(run) < _order(mine)]
    live = next((run for run in others if wall - _last_heard(run) < YOUNG), None)
    live = live or next((run for run in others if run.kind in REPLAYS and _has_members(access, run)), None)
    if live is None:
        return
    ended = "if it was stopped or killed, that goes on with it, and another one may begin in a minute"
    fix = f"wait for its end, or help it with `{live.resuming}`; {ended}"
    if live.kind not in REPLAYS or not live.ends:  # nobody can help to discard, or to put letters of a file back
        fix = "wait for its end or, if it was killed, give its command again in a minute"
    raise FatalError(
        f"run {live.id} of {live.by} on {live.host} goes on since {live.started}, and only one may at a time: {fix}"
    )


def _order(run: Run) -> tuple[str, int]:
    day, _, number = run.id.rpartition("-")
    return day, int(number) if number.isdecimal() else 0


def _last_heard(run: Run) -> float:
    return max(_seconds(run.started), _seconds(run.alive))


def _seconds(time: str) -> float:
    """Since 1970; 0 where it is no time: somebody wrote that record by hand."""
    try:
        return datetime.fromisoformat(time).timestamp()
    except ValueError:
        return 0.0


def has_group(access: Access, run_id: str) -> bool:
    """Whether Kafka has a group of that name, with the offsets of an earlier run: those would be taken for this one's.

    Raises:
        FatalError: it does not tell.
    """
    described = _described(access, run_id)
    return described is not None and described.state is not ConsumerGroupState.DEAD  # so older brokers say that


def _has_members(access: Access, run: Run) -> bool:
    described = _described(access, run.id)
    return described is not None and bool(described.members)


def _described(access: Access, run_id: str) -> ConsumerGroupDescription | None:
    try:
        return state_of(access.admin, group_of(access.plan, run_id))
    except KafkaException as exception:
        why = str(explain_raised(exception))
        if exception.args[0].code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            why = on_groups(access.bootstrap, groups_of(access.plan), DESCRIBE)
        raise FatalError(f"whether run {run_id} goes on cannot be told: {why}") from None


def state_of(admin: AdminClient, group: str) -> ConsumerGroupDescription | None:
    """What Kafka tells of a group, with what this user may do with it; None where it knows none.

    A coordinator that is just coming up is asked again.

    Raises:
        KafkaException: it does not tell within `PATIENCE` seconds.
    """
    error = KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - its only name
    for _ in range(round(PATIENCE / TURN)):
        asked = admin.describe_consumer_groups([group], include_authorized_operations=True, request_timeout=PATIENCE)
        try:
            described: ConsumerGroupDescription = asked[group].result(PATIENCE)
        except TimeoutError:
            break
        except KafkaException as exception:
            error = exception
            if exception.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return None
            if exception.args[0].code() not in COMING_UP:
                break
            sleep(TURN)
        else:
            return described
    raise error
