"""Services with one rule broken each, and the charge that the simulation must bring against each of them."""

from processor.consume import standing
from processor.consume.arrivals import Arrivals
from processor.consume.commits import Commits
from processor.consume.intake import Intake
from processor.consume.kafka_thread import KafkaThread
from processor.consume.lease import Lease
from processor.consume.polls import Polls
from processor.consume.roll import Roll
from processor.decode.schemas import SchemaStore
from processor.pipeline import Pipeline
from processor.running import RunningPipeline
from processor.scorekeeper import Scorekeeper
from processor.send.dispatch import Dispatch
from processor.send.gate import Gate
from processor.send.lanes import Lanes
from processor.settle.commits import CommitPace
from processor.settle.ledger import Ledger
from processor.settle.naming import Naming
from processor.settle.partition import PartitionLedger
from tests.send import broken_rules
from tests.simulation import broken
from tests.simulation.charges import Charge
from tests.support.convictions import Mutant

MUTANTS = (
    Mutant("commits all", Charge.LOST, "vendor", [(PartitionLedger, "to_commit", broken.commits_what_was_read)]),
    Mutant("names more", Charge.NAMED, "vendor", [(PartitionLedger, "to_commit", broken.names_what_was_read)]),
    Mutant("hands over first", Charge.UNENTERED, "healthy", [(KafkaThread, "_take", broken.hands_over_first)]),
    Mutant("goes back", Charge.WENT_BACK, "healthy", [(PartitionLedger, "to_commit", broken.goes_back)]),
    Mutant("commits what left", Charge.NOT_OURS, "scaling", [(Commits, "send", broken.commits_former_ones)]),
    Mutant("two commits", Charge.TWO_COMMITS, "brokers", [(CommitPace, "due", broken.impatient)]),
    Mutant("two in a lane", Charge.TWO_IN_LANE, "healthy", [(Dispatch, "_request", broken_rules.two_in_flight)]),
    Mutant("backwards", Charge.FIRST_ATTEMPTS, "healthy", [(Intake, "take", broken.backwards)]),
    Mutant("late results", Charge.LATE, "letters_on_the_move", [(Ledger, "settle", broken.settles_by_partition)]),
    Mutant("never full", Charge.MEMORY, "long_outage", [(standing, "decide", broken.never_full)]),
    Mutant("rests", Charge.NOT_POLLING, "long_outage", [(KafkaThread, "_take", broken.rests_while_paused)]),
    Mutant("miscounts records", Charge.RECORDS, "healthy", [(Polls, "enter", broken.reads_too_few)]),
    Mutant("miscounts deliveries", Charge.DELIVERIES, "scaling", [(Scorekeeper, "stale", broken.forgets_stale_ones)]),
    Mutant(
        "letters at once", Charge.LETTER, "letters",
        [(Pipeline, "_bury", broken.counted_at_once), (Pipeline, "_buried", broken.nothing)],
    ),
    Mutant("no patience", Charge.INNOCENT, "registry", [(SchemaStore, "_ask", broken.gives_up)]),
    Mutant("mortal", Charge.ENDED, "broken_clients", [(KafkaThread, "_failed", broken.raises)]),
    Mutant("talkative", Charge.SECRET, "healthy", [(Pipeline, "run", broken.tells)]),
    Mutant("retries last", Charge.ORDER, "credential", [(Lanes, "come_back", broken_rules.last_again)]),
    Mutant("names all", Charge.NEWEST, "crashes_in_trouble", [(Naming, "settle", broken.always)]),
    Mutant("names in vain", Charge.REPEATED, "crashes_in_trouble", [(Ledger, "resume", broken.forgets_what_is_named)]),
    Mutant("reads untold", Charge.REPEATED, "told_late", [(Arrivals, "_wait", broken.reads_at_once)]),
    Mutant("seldom commits", Charge.MUCH_REPEATED, "crashes", [(CommitPace, "due", broken.at_most(30.0))]),
    Mutant(
        "no lease", Charge.STALE_MEMBER, "frozen",
        [(Lease, "holds", broken.always), (Lease, "check", broken.nothing), (Lease, "renew", broken.always)],
    ),
    Mutant("long holds", Charge.STUCK, "vendor", [(Gate, "hold", broken.endless_hold)]),
    Mutant("never listed", Charge.UNREADY, "healthy", [(Roll, "spares", broken.never)]),
    Mutant("never again", Charge.SILENT, "registry", [(Intake, "resume", broken.never_again)]),
    Mutant("does not end", Charge.EXIT, "healthy", [(KafkaThread, "stop", broken.nothing)]),
    Mutant(
        "ends at once", Charge.UNCOMMITTED, "restarts",
        [(KafkaThread, "_finish", broken.nothing), (RunningPipeline, "undone", broken.none)],
    ),
)  # fmt: skip
