"""Each gate and each partition in `/status`."""

from dataclasses import replace
from hashlib import sha256

import pytest

from processor.consume.intake import Stall
from processor.consume.open_transactions import FIX
from processor.consume.ports import Snapshot
from processor.ops.health import PROGRESS_LIMIT
from processor.records import Assignment
from processor.report import dead, status
from tests.report_bench import BEGIN, VIEW, Bench
from tests.send.parts import BAD_KEY, BROKEN, FORBIDDEN, LOST, TOO_FAST, deliveries


@pytest.fixture
def bench() -> Bench:
    """A healthy pipeline without limits."""
    return Bench()


# Gates and partitions.


def test_a_gate_in_the_status(bench: Bench) -> None:
    """Its state, its trouble, and what waits before it."""
    bench.opened()
    bench.put("a", "b", "c")
    bench.reply(bench.send(), FORBIDDEN)
    bench.send()

    assert status(bench.running)["gates"] == [
        {
            "method": "view",
            "state": "accepting",
            "reason": None,
            "since": None,
            "next_probe": None,
            "last_reply": "status 403",
            "in_flight": 1,
            "heads_waiting": 1,
            "cooling": 1,
            "waiting_for_comparison": 1,
        }
    ]


def test_a_holding_gate_in_the_status(bench: Bench) -> None:
    """With the reason, and when it asks next."""
    bench.put("a")
    bench.reply(bench.send(), LOST)

    (gate,) = status(bench.running)["gates"]
    assert (gate["state"], gate["reason"], gate["last_reply"]) == ("holding", "outage", "no answer in time")
    assert (gate["since"], gate["next_probe"]) == ("2027-01-15T08:00:00.000Z", "2027-01-15T08:00:10.000Z")


def test_a_partition_s_blocking_delivery_is_in_flight(bench: Bench) -> None:
    """Its offset, route, method and lane, the lane only as a hash: order keys may be personal data."""
    bench.opened()
    bench.put("visitor@example.com")
    bench.unsettled(0)
    bench.send()

    assert bench.blocked_by == {
        "offset": 0,
        "route": "views",
        "index": 0,
        "method": "view",
        "lane": sha256(b"visitor@example.com").hexdigest()[:12],
        "state": "in flight",
        "attempts": 0,
        "last_reply": None,
        "next_try": None,
    }
    assert "visitor@example.com" not in str(status(bench.running))


def test_a_partition_s_blocking_delivery_cools(bench: Bench) -> None:
    """What was said of it, how often it was tried, and when it is tried next."""
    bench.opened()
    bench.put(None)
    bench.unsettled(0)
    bench.reply(bench.send(), BROKEN)

    found = bench.blocked_by
    assert (found["state"], found["attempts"], found["lane"]) == ("waits for its next try", 1, None)
    assert (found["last_reply"], found["next_try"]) == ("status 500", "2027-01-15T08:00:10.000Z")


def test_a_partition_s_blocking_delivery_is_behind_its_lane(bench: Bench) -> None:
    """An older one with its key is out, perhaps of another partition."""
    bench.opened()
    bench.scheduler.add(deliveries(VIEW, "a", of=Assignment("clicks", 8, 1)), 0.0)
    bench.send()
    bench.put("a", first=5)
    bench.unsettled(5)

    assert bench.blocked_by["state"] == "waits for an older one with its order key"


def test_a_partition_s_blocking_delivery_waits_for_its_gate(bench: Bench) -> None:
    """Nothing was said of it yet; the gate says why, and when it probes."""
    bench.put("a", "b", "c")
    bench.reply(bench.send(), BROKEN)
    bench.unsettled(1)

    found = bench.blocked_by
    assert (found["state"], found["last_reply"]) == ("waits at its gate: outage", None)
    assert found["next_try"] == "2027-01-15T08:00:10.000Z"


def test_a_partition_s_blocking_delivery_waits_for_its_turn(bench: Bench) -> None:
    """The gate is open; when its turn comes nobody knows."""
    bench.opened()
    bench.put("a")
    bench.unsettled(0)

    assert (bench.blocked_by["state"], bench.blocked_by["next_try"]) == ("waits for its turn", None)


def test_a_partition_s_blocking_delivery_waits_for_the_rate() -> None:
    """What is left of the account's rate for this replica is said, as long as that is why nothing goes out."""
    bench = Bench(rate=1 / 360)
    bench.opened()
    bench.put("a")
    bench.unsettled(0)

    words = "waits for its turn; this replica may send 0.00278/s"
    assert (bench.blocked_by["state"], bench.blocked_by["next_try"]) == (words, None)
    bench.clock.advance(360.0)
    assert bench.blocked_by["state"] == "waits for its turn"


def test_a_partition_s_blocking_delivery_waits_for_the_vendor_s_pause(bench: Bench) -> None:
    """Too fast means that nothing goes out before then."""
    bench.opened()
    bench.put("a")
    bench.unsettled(0)
    bench.reply(bench.send(), TOO_FAST)

    found = bench.blocked_by
    assert (found["state"], found["next_try"]) == (
        "waits until the vendor's pause is over",
        "2027-01-15T08:00:01.000Z",
    )


def test_a_partition_s_blocking_delivery_waits_for_the_key(bench: Bench) -> None:
    """All gates hold then, whatever they knew before."""
    bench.opened()
    bench.put("a")
    bench.unsettled(0)
    bench.reply(bench.send(), BAD_KEY)

    found, (gate,) = bench.blocked_by, status(bench.running)["gates"]
    assert (found["state"], found["next_try"]) == ("waits for the key", "2027-01-15T08:00:10.000Z")
    assert (gate["state"], gate["reason"], gate["since"]) == ("holding", "credential", "2027-01-15T08:00:00.000Z")


def test_what_cools_before_a_closed_gate_waits_for_the_gate(bench: Bench) -> None:
    """Its own delay is over before, or does not count."""
    bench.put(None)
    bench.unsettled(0)
    bench.reply(bench.send(), BROKEN)
    bench.clock.advance(10.0)
    bench.reply(bench.send(), BROKEN)

    found = bench.blocked_by
    assert (found["state"], found["next_try"]) == ("waits at its gate: outage", "2027-01-15T08:00:40.000Z")
    assert (found["attempts"], found["last_reply"]) == (2, "status 500")


def test_only_the_first_unsettled_record_blocks(bench: Bench) -> None:
    """A partition with nothing unsettled is blocked by nothing; nor is one whose record is on its way elsewhere."""
    bench.opened()
    bench.put("a")
    bench.unsettled(0, records=0)
    nothing = bench.blocked_by
    bench.unsettled(7)

    assert [nothing, bench.blocked_by] == [None, None]


def test_a_record_with_many_deliveries_names_the_first(bench: Bench) -> None:
    """One is enough to find it."""
    bench.opened()
    first, second = bench.put("a", "a")
    second.record.offset = 0
    second.index = 1
    bench.unsettled(0)

    assert bench.blocked_by["index"] == 0
    assert first.record.offset == 0


def test_a_partition_in_the_status(bench: Bench) -> None:
    """Position, what is committed, how far behind, and why it stands still."""
    bench.unsettled(5)
    bench.ends.ends[("clicks", 3)] = 20
    bench.awaited[("clicks", 3)] = Stall(7, BEGIN)

    (found,) = status(bench.running)["partitions"]

    assert {name: found[name] for name in ("topic", "partition", "position", "committed", "settled_up_to")} == {
        "topic": "clicks",
        "partition": 3,
        "position": 9,
        "committed": 5,
        "settled_up_to": 5,
    }
    assert (found["lag"], found["unsettled"], found["unsettled_bytes"], found["paused"]) == (15, 4, 40, False)
    assert found["waiting_for"] == "schema id 7"


def test_a_partition_that_stands_says_why(bench: Bench) -> None:
    """It settled too much behind a gap, or its offset is beyond the end; a schema that it waits for comes first."""
    bench.unsettled(5)
    view = bench.kafka.snapshot.partitions
    bench.kafka.snapshot = Snapshot(0.0, partitions=view, paused=frozenset(view), standing={("clicks", 3): "a gap"})

    (found,) = status(bench.running)["partitions"]
    bench.awaited[("clicks", 3)] = Stall(7, BEGIN)
    (stalled,) = status(bench.running)["partitions"]

    assert (found["paused"], found["waiting_for"], stalled["waiting_for"]) == (True, "a gap", "schema id 7")


def test_a_transaction_that_stays_open_is_told(bench: Bench) -> None:
    """The partition says it, and the pipeline with what to do; it is no excuse for another partition's stand."""
    bench.unsettled(5)
    bench.kafka.snapshot = replace(bench.kafka.snapshot, unreadable={("clicks", 3): "3 offsets cannot be read"})

    found = status(bench.running)
    dead(bench.running)
    bench.clock.advance(PROGRESS_LIMIT)
    bench.kafka.snapshot = replace(bench.kafka.snapshot, last_poll=bench.clock.now())

    assert found["partitions"][0]["waiting_for"] == "3 offsets cannot be read"
    assert found["waiting_for"] == {"transaction": f"clicks[3]: 3 offsets cannot be read; {FIX}"}
    assert dead(bench.running) == "shop: no progress and no reason for it: clicks[3]"
