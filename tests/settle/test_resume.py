from dataclasses import dataclass

import pytest

from processor.offsets import Bookmark, Finding, PartitionLog, no_topic_id
from processor.settle.metadata import Settled, encode
from processor.settle.resume import Reading, recheck, remembers_topic, resume

OLD, NEW = "A" * 21 + "B", "A" * 21 + "C"
AHEAD = ((12, 14), (20, 30))


def held(offset: int = 10, ahead: tuple[tuple[int, int], ...] = AHEAD, topic_id: str | None = None) -> Bookmark:
    """What our own commit left."""
    return Bookmark(offset, encode(Settled(offset, ahead, topic_id)))


def log(first: int | None = None, end: int | None = None, topic_id: str | None = None) -> PartitionLog:
    """What the broker has."""
    return PartitionLog(first, end, lambda: topic_id)


@dataclass(frozen=True)
class Case:
    """What is known, and where it goes on."""

    held: Bookmark | None
    log: PartitionLog
    committed: int | None
    offset: int | None
    ahead: tuple[tuple[int, int], ...] = ()
    finding: Finding = Finding.GOOD
    expired: int = 0
    ignored: str = ""


CASES = {
    "no offset": Case(None, log(0, 50), None, None),
    "an offset and nothing else": Case(Bookmark(10), log(0, 50), 10, 10),
    "spans": Case(held(), log(0, 50), 10, 10, AHEAD),
    "spans, nothing known of the log": Case(held(), log(), 10, 10, AHEAD),
    "at the end": Case(held(ahead=()), log(10, 10), 10, 10),
    "spans up to the end": Case(held(), log(0, 30), 10, 10, AHEAD),
    "spans beyond the end": Case(
        held(), log(0, 29), 10, 10, ignored="it names records beyond the end of the partition"
    ),
    "another offset's text": Case(
        Bookmark(11, held().metadata), log(0, 50), 11, 11, ignored="it belongs to offset 10"
    ),
    "another tool's text": Case(Bookmark(10, "flink"), log(0, 50), 10, 10, ignored="it is not ours"),
    "beyond the end": Case(held(), log(0, 9), 10, 10, finding=Finding.BEYOND_END),
    "beyond the end, with another tool's text": Case(
        Bookmark(10, "flink"), log(0, 9), 10, 10, finding=Finding.BEYOND_END, ignored="it is not ours"
    ),
    "expired before the spans": Case(held(), log(11, 50), 10, 11, AHEAD, Finding.EXPIRED, expired=1),
    "expired up to a span": Case(held(), log(12, 50), 10, 14, AHEAD[1:], Finding.EXPIRED, expired=2),
    "expired into a span": Case(held(), log(13, 50), 10, 14, AHEAD[1:], Finding.EXPIRED, expired=2),
    "expired between spans": Case(held(), log(17, 50), 10, 17, AHEAD[1:], Finding.EXPIRED, expired=5),
    "expired beyond the spans": Case(held(), log(40, 50), 10, 40, (), Finding.EXPIRED, expired=18),
    "expired, without spans": Case(Bookmark(10), log(40, 50), 10, 40, (), Finding.EXPIRED, expired=30),
    "the same topic": Case(held(topic_id=OLD), log(0, 50, OLD), 10, 10, AHEAD),
    "no id at hand": Case(held(topic_id=OLD), log(0, 50), 10, 10, AHEAD),
    "no id remembered": Case(held(), log(0, 50, NEW), 10, 10, AHEAD),
    "another topic": Case(held(topic_id=OLD), log(0, 50, NEW), None, 0, (), Finding.RECREATED, expired=1),
    "another topic, shorter": Case(held(topic_id=OLD), log(3, 5, NEW), None, 3, (), Finding.RECREATED, expired=1),
    "another topic, nothing else known": Case(
        held(topic_id=OLD), log(None, None, NEW), None, None, (), Finding.RECREATED, expired=1
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_where_an_assignment_goes_on(case: Case) -> None:
    """The group's offset, its metadata and the log give one answer, named where it is not the offset itself."""
    start = resume(case.held, case.log)

    assert (start.committed, start.offset, start.ahead) == (case.committed, case.offset, case.ahead)
    assert (start.finding, start.expired, start.ignored) == (case.finding, case.expired, case.ignored)


@pytest.mark.parametrize(
    ("earlier", "now", "finding"),
    [
        (OLD, NEW, Finding.RECREATED),
        (OLD, OLD, Finding.GOOD),
        (OLD, None, Finding.GOOD),
        (None, NEW, Finding.GOOD),
    ],
)
def test_an_offset_that_went_with_its_topic(earlier: str | None, now: str | None, finding: Finding) -> None:
    """Brokers forget it; who has read the earlier topic of that name knows that this is another one."""
    start = resume(None, log(3, 50, now), earlier)

    assert (start.committed, start.finding) == (None, finding)
    assert (start.offset, start.expired) == ((3, 1) if finding is Finding.RECREATED else (None, 0))


@dataclass(frozen=True)
class Lapse:
    """Where an assignment stands, what the broker has, and where it goes on."""

    at: int | None
    log: PartitionLog
    offset: int | None
    finding: Finding = Finding.GOOD
    expired: int = 0
    settled: tuple[tuple[int, int], ...] = ()
    topic_id: str | None = None


LAPSES = {
    "nothing to begin at": Lapse(None, log(0, 50), None),
    "it is there": Lapse(10, log(0, 50), 10),
    "it is there, at the end": Lapse(50, log(0, 50), 50),
    "nobody says": Lapse(10, log(), 10),
    "expired": Lapse(10, log(40, 50), 40, Finding.EXPIRED, 30),
    "expired up to the end": Lapse(10, log(50, 50), 50, Finding.EXPIRED, 40),
    "expired, some of it settled": Lapse(10, log(40, 50), 40, Finding.EXPIRED, 15, ((0, 5), (20, 30), (35, 60))),
    "expired, all of it settled": Lapse(10, log(40, 50), 40, settled=((0, 45),)),
    "cut": Lapse(51, log(0, 50), 51, Finding.BEYOND_END),
    "another topic": Lapse(10, log(2, 50, NEW), 2, Finding.RECREATED, 1, topic_id=OLD),
    "another topic, shorter": Lapse(10, log(0, 5, NEW), 0, Finding.RECREATED, 1, topic_id=OLD),
    "the same topic": Lapse(10, log(40, 50, OLD), 40, Finding.EXPIRED, 30, topic_id=OLD),
    "no id remembered": Lapse(10, log(0, 5, NEW), 10, Finding.BEYOND_END),
}


@pytest.mark.parametrize("case", LAPSES.values(), ids=LAPSES)
def test_where_an_assignment_goes_on_in_between(case: Lapse) -> None:
    """What was to be read and is gone is counted, unless it was settled; another topic is read from its beginning."""
    start = recheck(Reading(7, case.at, case.settled, case.topic_id), case.log)

    assert (start.offset, start.finding, start.expired) == (case.offset, case.finding, case.expired)
    assert start.committed == (None if case.finding is Finding.RECREATED else 7)


def test_a_topic_s_id_is_kept() -> None:
    """What the broker says later counts; until then, what was remembered."""
    answers: list[str] = []
    late = PartitionLog(0, 50, lambda: answers[0] if answers else None)

    start, plain = resume(held(topic_id=OLD), late), resume(Bookmark(10), late)
    before = start.topic_id(), plain.topic_id(), resume(None, late).topic_id()
    answers.append(NEW)

    assert before == (OLD, None, None)
    assert (start.topic_id(), plain.topic_id()) == (NEW, NEW)


@pytest.mark.parametrize(
    ("bookmark", "remembers"),
    [
        (held(topic_id=OLD), True),
        (held(), False),
        (Bookmark(11, held(topic_id=OLD).metadata), False),
        (Bookmark(10, "x"), False),
    ],
)
def test_who_remembers_the_topic(bookmark: Bookmark, remembers: bool) -> None:  # noqa: FBT001 - a test's parameter
    """Only our own text beside its own offset does."""
    assert remembers_topic(bookmark) is remembers


def test_nobody_knows_an_id() -> None:
    """What stands for an unknown id answers with nothing."""
    answer: object = no_topic_id()  # type: ignore[func-returns-value] # that is the point

    assert answer is None
