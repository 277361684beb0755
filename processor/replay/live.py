"""One replay at a time: two would take twice the rate, and might send the same letter."""

from collections.abc import Sequence
from datetime import datetime
from time import sleep

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from processor.consume.troubles import explain_raised
from processor.errors import FatalError
from processor.plan import Plan
from processor.replay.access import Access
from processor.replay.history import History, Run
from processor.replay.reading import PATIENCE

YOUNG = 60.0
"""Seconds for which a run counts as live before its group has members."""
TURN = 0.5
"""Seconds until a coordinator that is coming up is asked again."""
COMING_UP = frozenset(
    {KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.NOT_COORDINATOR}
)
REPLAYS = frozenset({"replay", "source"})
"""The kinds of run that have a group."""


def group_of(plan: Plan, run: str) -> str:
    """The consumer group of a run."""
    return f"{plan.group}.replay.{run}"


def unended(history: History) -> list[Run]:
    """The replays that did not say how they ended: they go on, or were killed; oldest first."""
    return [run for run in history.runs.values() if run.kind in REPLAYS and run.ended is None]


def refuse_beside(access: Access, history: History, wall: float, mine: Run | None = None) -> None:
    """Refuse to begin where a replay goes on.

    Args:
        access: to the topic.
        history: with the runs so far.
        wall: seconds since 1970.
        mine: a run that is written already; of several that begin at once the first goes on.

    Raises:
        FatalError: another one goes on, or has just begun; or Kafka does not tell.
    """
    others = [run for run in unended(history) if mine is None or _order(run) < _order(mine)]
    live = next((run for run in others if wall - _seconds(run.started) < YOUNG), None)
    live = live or _with_members(access.admin, {group_of(access.plan, run.id): run for run in others})
    if live is not None:
        raise FatalError(
            f"run {live.id} of {live.by} on {live.host} goes on since {live.started}, and only one may at a time: "
            f"wait for its end, help it with `{live.resuming}`, or, if it was killed, go on with that in a "
            "minute"
        )


def _order(run: Run) -> tuple[str, str]:
    return run.started, run.id


def _seconds(time: str) -> float:
    """Since 1970; 0 where it is no time: somebody wrote that record by hand."""
    try:
        return datetime.fromisoformat(time).timestamp()
    except ValueError:
        return 0.0


def _with_members(admin: AdminClient, runs: dict[str, Run]) -> Run | None:
    """The first of these runs whose group has members."""
    return next((run for group, run in runs.items() if _members(admin, group, run)), None)


def _members(admin: AdminClient, group: str, run: Run) -> Sequence[object]:
    """The members of a run's group; a coordinator that is just coming up is asked again."""
    error = None
    for _ in range(round(PATIENCE / TURN)):
        answer = admin.describe_consumer_groups([group], request_timeout=PATIENCE)[group]
        try:
            members: Sequence[object] = answer.result(PATIENCE).members
        except TimeoutError:
            break
        except KafkaException as exception:
            error = exception
            if exception.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return ()
            if exception.args[0].code() not in COMING_UP:
                break
            sleep(TURN)
        else:
            return members
    why = explain_raised(error) if error else "no answer"
    raise FatalError(f"whether run {run.id} goes on cannot be told: {why}")
