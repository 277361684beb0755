"""Schedulers with one rule broken each, and the charge that the simulation must bring against each of them."""

from processor.send import blame, dispatch, gate, judge, outlet, scheduler
from processor.send.blame import History, Stalemates
from processor.send.dispatch import Dispatch
from processor.send.gate import Gate
from processor.send.judge import Judge
from processor.send.lanes import Lanes
from processor.send.outlet import Outlet
from processor.send.pace import Pace
from processor.send.strikes import Comparison
from processor.send.waiting import Waiting
from tests.send import broken_rules as broken
from tests.send import referee, rest
from tests.send.charges import Charge
from tests.support.convictions import Mutant

PLENTY = 10**9


MUTANTS = (
    Mutant("no budget for 400s", Charge.INVALID_BUDGET, "all_invalid", [(gate, "INVALID_BUDGET", PLENTY)]),
    Mutant("no budget for suspects", Charge.SUSPECTS_BUDGET, "lone_suspects", [(gate, "SUSPECTS_BUDGET", PLENTY)]),
    Mutant("strikes of all classes", Charge.ADDED_UP, "many_dice", [(History, "strike", broken.strike_of_any_class)]),
    Mutant(
        "overlapping evidence only", Charge.KEPT, "quiet",
        [(Judge, "_compare", broken.compare_beside), (Comparison, "accepted", broken.accepted_beside)],
    ),
    Mutant("three strikes", Charge.KEPT, "quiet", [(blame, "STRIKES", 3)]),
    Mutant("suspects close the gate", Charge.IDLE, "poison_in_traffic", [(judge, "rule", broken.suspects_count)]),
    Mutant("a refused batch whole again", Charge.WHOLE, "batches", [(Waiting, "set_apart", broken.whole_again)]),
    Mutant("no stalemate", Charge.DEADLOCK, "poison_alone", [(Stalemates, "give_up", broken.never)]),
    Mutant("a lane with two in flight", Charge.LANE, "calm_lane", [(Dispatch, "_request", broken.two_in_flight)]),
    Mutant("a probe beside others", Charge.PROBE, "long_outage", [(Dispatch, "_probe_due", broken.probe_at_once)]),
    Mutant("Retry-After ignored", Charge.RETRY_AFTER, "told_to_wait", [(Pace, "throttled", broken.deaf_pace)]),
    Mutant("401 holds its own path", Charge.CREDENTIAL, "key_refused", [(Judge, "_refused_key", broken.own_path_only)]),
    Mutant("short holds", Charge.HOLD, "long_outage", [(Gate, "hold", broken.brief_hold)]),
    Mutant("long holds", Charge.SILENT, "long_outage", [(Gate, "hold", broken.endless_hold)]),
    Mutant("blame without comparison", Charge.EVIDENCE, "quiet", [(judge, "rule", broken.refused_twice)]),
    Mutant("the innocent blamed", Charge.INNOCENT, "long_outage", [(judge, "rule", broken.refused_twice)]),
    Mutant("invalid at once", Charge.INVALID_TWICE, "all_invalid", [(blame, "INVALID_REFUSALS", 1)]),
    Mutant("exhausted early", Charge.ATTEMPTS_LEFT, "lone_suspects", [(judge, "rule", broken.hurried)]),
    Mutant("a wrong name", Charge.GROUNDS, "quiet", [(judge, "failure_of", broken.misnamed)]),
    Mutant("stalemates at will", Charge.STALEMATE_OFTEN, "poison_alone", [(Stalemates, "give_up", broken.always_more)]),
    Mutant("the same probe again", Charge.TURN, "long_outage", [(outlet, "_least_refused", broken.most_refused)]),
    Mutant("once never risked", Charge.LATE, "dumb_sisters", [(dispatch, "ONCE_PATIENCE", PLENTY)]),
    Mutant("all together again", Charge.TRIAL, "poison_in_traffic", [(Outlet, "answered", broken.all_together)]),
    Mutant("newcomers wait", Charge.IDLE, "poison_alone", [(Outlet, "newcomer", broken.nobody)]),
    Mutant("twice the rate", Charge.RATE, "limited", [(Pace, "spend", broken.cheap)]),
    Mutant("short delays", Charge.DELAY, "quiet", [(Waiting, "cool", broken.hasty_cooling)]),
    Mutant("a batch is an attempt", Charge.ATTEMPTS, "batches", [(scheduler, "_note", broken.counted_together)]),
    Mutant("once is twice", Charge.ONCE, "risky_calls", [(judge, "may_have_happened", broken.never)]),
    Mutant("too old, and sent", Charge.AGE, "mortals", [(dispatch, "too_old", broken.never)]),
    Mutant("behind the others", Charge.ORDER, "one_lane", [(Lanes, "come_back", broken.last_again)]),
    Mutant("one too many", Charge.LIMITS, "batches", [(Outlet, "next", broken.one_more)]),
    Mutant("another body", Charge.BODY, "quiet", [(dispatch, "Request", broken.spoilt)]),
    Mutant("a hoard", Charge.MEMORY, "quiet", [(Waiting, "leave", broken.hoarded)]),
    Mutant("a wrong figure", Charge.COUNTERS, "quiet", [(Waiting, "take_out", broken.miscounted)]),
    Mutant("asks at once", Charge.SPIN, "quiet", [(Dispatch, "take", broken.spinning)]),
    Mutant("never asks", Charge.ASLEEP, "quiet", [(Waiting, "warm", broken.forgetful)]),
    Mutant("tells broken.nobody", Charge.FATE, "quiet", [(Judge, "_accepted", broken.silent)]),
    Mutant(
        "the gate broken.never closes", Charge.OUTAGE, "long_outage",
        [
            (Comparison, "refused", broken.never),
            (referee, "check_probe", broken.nobody),
            (rest, "_check_idle", broken.nobody),
        ],
    ),
)  # fmt: skip
