"""What one pipeline says of itself: why something is not moving, and `/status`.

Everything is read from snapshots and plain attributes when somebody asks; nothing here is on the way of the data.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from math import inf
from typing import Any

from processor.consume.open_transactions import FIX as END_TRANSACTION
from processor.holds import MASS_FAILURE_FIX, Reason, State
from processor.ops.health import POLL_LIMIT, PROGRESS_LIMIT
from processor.records import Key
from processor.running import RunningPipeline
from processor.send.gate import Gate
from processor.send.outlet import Outlet
from processor.send.replies import describe
from processor.send.waiting import Standing
from processor.settle.letters import iso

MODES = {
    "shadow": "everything is done but the calls: records are committed, nothing is sent",
    "paused": "the file says `mode: paused`: nothing is fetched, nothing is committed",
}
"""What a mode other than live means, for people."""
TRANSACTION = "transaction"
"""Who is waited for where records cannot be read."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Something stands still on purpose.

    Attributes:
        method: the path's label; empty where more than one method is held.
        words: what was said to it last.
        since: seconds since 1970.
        next_probe: seconds since 1970; None where nobody knows.
        fix: what to do, where that is known.
    """

    method: str
    reason: Reason
    words: str
    since: float
    next_probe: float | None = None
    fix: str = ""


def holds(running: RunningPipeline) -> list[Hold]:
    """What is held now, and why."""
    found = []
    if running.plan.settings.mode == "paused":
        found.append(Hold("", Reason.PAUSED, MODES["paused"], running.started))
    failure = running.pipeline.mass_failure
    if failure is not None:
        found.append(Hold("", Reason.MASS_FAILURE, failure.words, failure.since))
    schemas = [each for each in running.pipeline.awaited.values() if each.schema_id in running.schemas.troubles]
    if schemas:
        found.append(Hold("", Reason.REGISTRY, _schemas(running), min(each.since for each in schemas)))
    trouble = running.undertaker.trouble
    if trouble is not None and running.undertaker.waiting:
        found.append(Hold("", Reason.DEAD_LETTER_TOPIC, trouble.words, trouble.since, fix=trouble.fix))
    found += _offset_holds(running)
    found += _vendor_holds(running)
    return found


def _offset_holds(running: RunningPipeline) -> Iterator[Hold]:
    """One for all partitions whose offset is not known, or has to be put right by a person."""
    held = sorted(running.kafka.snapshot.held.items())
    if held:
        words = "; ".join(f"{topic}[{partition}]: {why.words}" for (topic, partition), why in held)
        fix = "; ".join(dict.fromkeys(why.fix for _, why in held))
        yield Hold("", Reason.OFFSETS, words, min(why.since for _, why in held), fix=fix)


def _vendor_holds(running: RunningPipeline) -> Iterator[Hold]:
    """A refused key holds every path; else each path has its own gate."""
    credential = running.scheduler.credential
    if credential.until is not None:
        words, until = credential.words, _wall(running, credential.until)
        yield Hold("", Reason.CREDENTIAL, words, _wall(running, credential.since), until)
        return
    for outlet in running.scheduler.outlets:
        gate = outlet.gate
        if gate.since is not None:
            probe = _wall(running, gate.until) if gate.state is State.HOLDING else None
            yield Hold(outlet.channel.label, gate.reason, gate.words, _wall(running, gate.since), probe)


def _wall(running: RunningPipeline, at: float) -> float:
    """A time of the clock that never jumps, as seconds since 1970."""
    return running.clock.wall() + at - running.clock.now()


def _schemas(running: RunningPipeline) -> str:
    """Which schemas this pipeline waits for in vain, and why; the store serves other pipelines, too."""
    ids_by_reason = defaultdict(list)
    for schema_id in sorted({each.schema_id for each in running.pipeline.awaited.values()}, key=str):
        if reason := running.schemas.troubles.get(schema_id):
            ids_by_reason[reason].append(str(schema_id))
    return "; ".join(f"schema id {', '.join(ids)}: {reason}" for reason, ids in ids_by_reason.items())


def waiting_for(running: RunningPipeline) -> dict[str, str]:
    """Why something may not be moving: who is waited for, and what they said."""
    reasons = {"kafka": running.kafka.snapshot.trouble, TRANSACTION: _unreadable(running)}
    for hold in holds(running):
        match hold.reason:
            case Reason.PAUSED:
                reasons["mode"] = hold.words
            case Reason.REGISTRY | Reason.DEAD_LETTER_TOPIC | Reason.OFFSETS:
                reasons[hold.reason.value] = "; ".join(filter(None, (hold.words, hold.fix)))
            case Reason.MASS_FAILURE:
                reasons[hold.reason.value] = f"{hold.words}; {MASS_FAILURE_FIX}"
            case _:
                reasons[f"vendor {hold.method}".rstrip()] = _held(running, hold)
    for outlet in running.scheduler.outlets:
        if outlet.cooling and outlet.accepting:
            words = f"{len(outlet.cooling)} refused, each is sent again after its delay: {outlet.last_refusal}"
            reasons.setdefault(f"vendor {outlet.channel.label}", words)
    pause = running.scheduler.pace.not_before - running.clock.now()
    if pause > 0:
        reasons["rate"] = f"the vendor asked for a pause; the next request goes out in {pause:.0f} s"
    return {who: why for who, why in reasons.items() if why}


def _unreadable(running: RunningPipeline) -> str | None:
    """Which partitions are read up to a transaction that stays open, and what to do."""
    found = sorted(running.kafka.snapshot.unreadable.items())
    words = "; ".join(f"{topic}[{partition}]: {why}" for (topic, partition), why in found)
    return f"{words}; {END_TRANSACTION}" if words else None


def _held(running: RunningPipeline, hold: Hold) -> str:
    """A hold in words: since when, why, and when it is looked at again."""
    wait = None if hold.next_probe is None else max(hold.next_probe - running.clock.wall(), 0.0)
    probe = "it is probed now" if wait is None else f"probed again in {wait:.0f} s, nothing else is sent"
    words = f"{hold.reason} since {iso(hold.since)}: {hold.words}; {probe}"
    if hold.reason is Reason.CREDENTIAL:
        fix = "its file is read again before each probe" if running.plan.key else "change it and restart"
        return f"{words}; the key is wrong or revoked: {fix}"
    return words


def dead(running: RunningPipeline) -> str | None:
    """Why the process should be restarted; None = it lives."""
    now = running.clock.now()
    silent = now - running.kafka.snapshot.last_poll
    if silent > POLL_LIMIT:
        return f"{running.plan.name}: the Kafka thread has not polled for {silent:.0f} s"
    # A partition that is not read has no work, and is no excuse for others.
    stated = bool(waiting_for(running).keys() - {Reason.OFFSETS.value, TRANSACTION})
    # A low rate, many partitions that take turns, a record of many calls: minutes until the next one settles. That the
    # limit is reached would be no reason: with much to do it always is.
    paced = running.scheduler.waiting > (running.scheduler.pace.limit or inf) * PROGRESS_LIMIT / 2
    stuck = running.progress.stuck(running.kafka.snapshot.partitions, excused=stated or paced, now=now)
    if stuck:
        names = ", ".join(f"{topic}[{partition}]" for topic, partition in stuck)
        return f"{running.plan.name}: no progress and no reason for it: {names}"
    return None


def status(running: RunningPipeline) -> dict[str, Any]:
    """The pipeline's part of `/status`."""
    snapshot, blocking = running.kafka.snapshot, _blocking(running)
    scheduler, pace = running.scheduler, running.scheduler.pace
    return {
        "group": running.plan.group,
        "mode": running.plan.settings.mode,
        "topics": list(running.plan.topics),
        "assigned": snapshot.assigned,
        "waiting_for": waiting_for(running),
        "holds": [_hold(hold) for hold in holds(running)],
        "gates": [_gate(running, outlet) for outlet in scheduler.outlets],
        "rate": {"limit": pace.limit, "used": round(pace.used(running.clock.now()), 1)},
        "deliveries": {
            "waiting": scheduler.waiting,
            "cooling": scheduler.cooling,
            "sending": running.sender.sending,
            "requests_in_flight": running.sender.in_flight,
            "burying": running.undertaker.waiting,
            "last_replies": dict(running.score.last_replies),
        },
        "dead_letters": _dead_letters(running),
        "partitions": [
            {
                "topic": key[0],
                "partition": key[1],
                "position": view.next,
                "committed": view.committed,
                "settled_up_to": view.frontier,
                "lag": running.ends.lag(key, view.frontier),
                "unsettled": view.records,
                "unsettled_bytes": view.size,
                "spans_ahead": view.ahead,
                "paused": key in snapshot.paused,
                "waiting_for": _partition_waits(running, key),
                "blocked_by": blocking.get((key, view.frontier)),
            }
            for key, view in sorted(snapshot.partitions.items())
        ],
    }


def _partition_waits(running: RunningPipeline, key: Key) -> str | None:
    """Why one partition stands by itself."""
    snapshot, awaited = running.kafka.snapshot, running.pipeline.awaited.get(key)
    if awaited is not None:
        return f"schema id {awaited.schema_id}"
    return snapshot.standing.get(key) or snapshot.unreadable.get(key)


def _dead_letters(running: RunningPipeline) -> dict[str, Any]:
    """The topic of dead letters: what is wrong with it is told here before a letter waits for it."""
    trouble = running.undertaker.trouble
    told = None if trouble is None else {"words": trouble.words, "since": iso(trouble.since), "fix": trouble.fix}
    return {"topic": running.undertaker.topic, "waiting": running.undertaker.waiting, "trouble": told}


def _hold(hold: Hold) -> dict[str, Any]:
    return {
        "method": hold.method,
        "reason": hold.reason.value,
        "last_reply": hold.words,
        "since": iso(hold.since),
        "next_probe": None if hold.next_probe is None else iso(hold.next_probe),
    }


def _gate(running: RunningPipeline, outlet: Outlet) -> dict[str, Any]:
    """One path: may it send, and what is known of those that were refused."""
    gate, credential = outlet.gate, running.scheduler.credential
    keyless = credential.until is not None
    since = credential.since if keyless else gate.since
    return {
        "method": outlet.channel.label,
        "state": State.HOLDING.value if keyless else gate.state.value,
        "reason": Reason.CREDENTIAL.value if keyless else None if gate.since is None else gate.reason.value,
        "since": None if since is None else iso(_wall(running, since)),
        "next_probe": iso(_wall(running, gate.until)) if gate.state is State.HOLDING and not keyless else None,
        "last_reply": running.score.last_replies.get(outlet.channel.label),
        "in_flight": len(outlet.out),
        "heads_waiting": sum(1 for _ in outlet.heads()) - len(outlet.cooling),
        "cooling": len(outlet.cooling),
        "waiting_for_comparison": len(outlet.comparison),
    }


def _blocking(running: RunningPipeline) -> dict[tuple[Key, int | None], dict[str, Any]]:
    """By partition and offset, the first delivery of each partition's first unsettled record: why the offset stays."""
    wanted = {(key, view.frontier) for key, view in running.kafka.snapshot.partitions.items() if view.records}
    found: dict[tuple[Key, int | None], dict[str, Any]] = {}
    for standing in running.scheduler.unsettled():
        at = standing.delivery.record.assignment.key, standing.delivery.record.offset
        if at in wanted and at not in found:
            found[at] = _standing(running, standing)
    return found


def _standing(running: RunningPipeline, standing: Standing) -> dict[str, Any]:
    delivery, state, due = standing.delivery, standing.state, standing.due
    if standing.gate is not None and (at_gate := _at_gate(running, standing.gate)) is not None:
        state, due = at_gate
    elif standing.gate is not None and due is None and running.scheduler.pace.holds_back(running.clock.now()):
        state = f"{state}; this replica may send {running.scheduler.pace.limit:.3g}/s"
    return {
        "offset": delivery.record.offset,
        "route": delivery.route,
        "index": delivery.index,
        "method": delivery.channel.label,
        # Order keys may be personal data.
        "lane": None if delivery.lane is None else sha256(delivery.lane.encode()).hexdigest()[:12],
        "state": state,
        "attempts": delivery.attempts,
        "last_reply": None if standing.last_refusal is None else describe(standing.last_refusal),
        "next_try": None if due is None else iso(_wall(running, due)),
    }


def _at_gate(running: RunningPipeline, gate: Gate) -> tuple[str, float] | None:
    """What keeps a head although it could go out, and until when; None = nothing does."""
    credential, pause = running.scheduler.credential, running.scheduler.pace.not_before
    if credential.until is not None:
        return "waits for the key", credential.until
    if gate.state is State.HOLDING:
        return f"waits at its gate: {gate.reason}", gate.until
    if pause > running.clock.now():
        return "waits until the vendor's pause is over", pause
    return None
