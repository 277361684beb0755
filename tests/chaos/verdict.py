"""What one run showed, and whether what must hold held."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.chaos.arena import MAX_ATTEMPTS, REST, SESSION, Arena
from tests.chaos.books import GONE, Books, Letter
from tests.chaos.faults import Fault
from tests.chaos.weather import is_poison
from tests.reliability.verdict import Check, Finding, people

LONGEST = 10.0
"""Seconds beyond a session's end, or a broker's return, in which everything that waited was taken."""
WORDS = {"lost": "after sessions or commits that were lost by the way", "late": "of what was not waited for"}
"""What replicas tell of themselves."""
DEFECT = "Traceback (most recent call last)"


def books(arena: Arena) -> Books:
    """Collect all that was written down; once everything has settled."""
    letters = [
        Letter(number, headers["dlq.error.class"], float(headers["written"]))
        for number, headers in arena.letters().items()
    ]
    rest = REST if arena.protocol == "classic" else 0.0
    return Books(arena.written(), arena.calls(), letters, arena.commits(), [*arena.faults, *arena.told()], rest)


def judged(arena: Arena, *, poison: bool = False, longest: float | None = None) -> Finding:
    """Hold Kafka's books and the vendor's against what was produced and what was done.

    Args:
        arena: once everything has settled.
        poison: whether some events were never to be taken.
        longest: seconds that no event may have taken after it was written, or after its replica was gone.
    """
    seen = books(arena)
    waited = max(seen.waits(), default=(0.0, 0))
    own = [] if longest is None else [Check(f"none took longer than {longest:g} s", waited[0] <= longest, timed=True)]
    return Finding(
        counted=[*_counted(arena, seen), f"longest from Kafka's log to the vendor {people(waited[0])}"],
        own=[*own, _letters(seen, poison=poison)],
        books=[*_books(arena, seen), *_repeats(seen), _blamed(seen, poison=poison)],
    )


def _books(arena: Arena, seen: Books) -> list[Check]:
    return [
        Check(f"nothing lost{_some(sorted(seen.lost))}", not seen.lost),
        Check("Kafka has all that was produced", len(arena.produced) == len({number for number, _ in seen.written})),
        Check(f"nothing committed ahead{_some(seen.ahead)}", not seen.ahead),
        Check(f"no commit goes back{_some(seen.back)}", not seen.back),
        Check(f"first acceptances in order{_some(seen.out_of_order)}", not seen.out_of_order),
        Check(f"the last acceptance is the newest record's{_some(seen.stale)}", not seen.stale),
        Check(f"nothing is sent after its commit{_some(seen.after_commit)}", not seen.after_commit),
        Check(
            f"never two of a visitor in flight, every payload valid{_some(list(arena.vendor.broken.elements()))}",
            not arena.vendor.broken.total(),
        ),
        Check(f"all offsets committed{_some(seen.uncommitted)}", not seen.uncommitted),
        Check("no defect in any log", not any(DEFECT in process.log for process in arena.logs.values())),
    ]


def _repeats(seen: Books) -> Iterator[Check]:
    repeats = seen.repeats
    over = [
        f"{count} after {seen.faults[place].kind}, {seen.may_repeat(seen.faults[place])} allowed"
        for place, count in repeats.after.items()
        if seen.faults[place].kind in GONE and count > seen.may_repeat(seen.faults[place])
    ]
    # What is allowed is counted in a time, so that a machine which commits late may fail it.
    yield Check(f"repeats at most what was in flight and one commit interval's{_some(over)}", not over, timed=True)
    yield Check(f"no other repeats of what was answered{_some(repeats.unexplained)}", not repeats.unexplained)


def _letters(seen: Books, *, poison: bool) -> Check:
    """Every poisonous event, and what was refused `max_attempts` times."""
    bad = {number for number in seen.places if poison and is_poison(number)}
    kinds = Counter(letter.kind for letter in seen.letters if letter.number in bad)
    unlucky = len(seen.unlucky([letter.number for letter in seen.letters if letter.number not in bad]))
    words = [f"{count} {kind}" for kind, count in sorted(kinds.items())]
    words += [f"{unlucky} that met {MAX_ATTEMPTS} refusals"] * bool(unlucky)
    return Check(f"dead letters: {', '.join(words) or 'none'}", kinds.total() == len(bad))


def _blamed(seen: Books, *, poison: bool) -> Check:
    valid = [letter.number for letter in seen.letters if not (poison and is_poison(letter.number))]
    blamed = sorted(set(valid) - set(seen.unlucky(valid)))
    return Check(f"no valid record dead-lettered{_some(blamed)}", not blamed)


def _counted(arena: Arena, seen: Books) -> Iterator[str]:
    yield f"{len(arena.produced):,} events, {len(seen.calls):,} requests"
    if seen.twice:
        yield f"{seen.twice} written twice by their producer"
    repeats = seen.repeats
    for kind in dict.fromkeys(fault.kind for fault in seen.faults):
        places = [place for place, fault in enumerate(seen.faults) if fault.kind == kind]
        if kind in WORDS and not any(repeats.after.get(place) for place in places):
            continue
        yield _told(seen, kind, [seen.faults[place] for place in places], [repeats.after.get(n, 0) for n in places])
    if seen.half_way:
        yield f"{seen.half_way} deliveries were just being written when their process was stopped"
    if repeats.unread:
        yield f"{repeats.unread} repeats whose answer was lost"
    if again := arena.buried - len(seen.letters):
        yield f"{again} letters twice"


def _told(seen: Books, kind: str, faults: Sequence[Fault], repeats: Sequence[int]) -> str:
    """Faults of one kind."""
    many = f"{len(faults)} × {kind}"
    if kind in WORDS:
        return f"{sum(repeats)} repeats {WORDS[kind]}"
    if kind == "left":
        return f"{many} in order, {sum(repeats)} repeats"
    flows = [seen.flows_after(fault) for fault in faults if fault.partitions or fault.kind not in GONE]
    longest = people(max(flows, default=0.0))
    if kind == "vendor":
        return f"{many}, first delivery {longest} after its return"
    if kind == "broker":
        return f"{many}, first delivery of what came later {longest} after its return, {sum(repeats)} repeats"
    most = max(range(len(faults)), key=lambda place: repeats[place])
    flow = f", all its partitions flow again after {longest} at most" if flows else ""
    allowed = f", at most {repeats[most]} at once (allowed {seen.may_repeat(faults[most])})" if sum(repeats) else ""
    return f"{many}{flow}, {sum(repeats)} repeats{allowed}"


def _some(found: Sequence[object]) -> str:
    """What was found, for people, where it should not be."""
    if not found:
        return ""
    return f": **{len(found)}**, such as {', '.join(map(str, found[:3]))}"


AFTER_SESSION = SESSION + LONGEST
"""What the promise says of a killed or frozen replica."""
