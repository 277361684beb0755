"""`clickstream dlq discard`: letters that are not to be sent any more."""

import argparse
from collections.abc import Iterator

from processor.cli.columns import NONE, columns, cut, grouped
from processor.cli.dlq_stats import CAUSES, MESSAGE, print_causes
from processor.cli.identity import add_who, who
from processor.cli.letters import Letters, add_common, log_run, open_letters, tell, tell_passed_over
from processor.cli.options import count, print_json
from processor.cli.selecting import add_selectors, selectors_of
from processor.errors import ConfigError, FatalError, Fault
from processor.logs import logger
from processor.replay.audit_writer import AuditWriter
from processor.replay.discard import Account, discard, find
from processor.replay.history import Run
from processor.replay.live import refuse_beside
from processor.replay.reading import begins_of, ends_of
from processor.replay.rights import to_discard, to_look
from processor.replay.run import Terms, new_run
from processor.replay.selectors import Selectors
from processor.replay.stats import Cause, Tally
from processor.replay.survey import Survey

STOP = 5.0
"""Seconds for the writer's end; nothing waits by then."""
HEAD = ("open", "route", "stage", "class", "status", "message")
NUMBERS = (0, 4)
WORDS = {
    "read": "read",
    "not_a_letter": "  no letters",
    "tombstone": "  tombstones",
    "not_selected": "  not selected",
    "closed": "  replayed or discarded before",
    "discarded": "  discarded",
    "open": "  still open",
}


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "discard",
        help="close letters that are not to be sent any more",
        description="Discards open letters: they are open no longer, and are never replayed unless asked for with "
        "`replay --discarded`. Nothing is deleted. At least one selector, or --all.",
    )
    add_common(parser)
    add_who(parser, why=True)
    parser.add_argument("--all", action="store_true", help="all open letters of the destination")
    parser.add_argument("--dry-run", action="store_true", help="only say how many there are")
    add_selectors(parser)
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    """Discard, and print the account.

    Raises:
        ConfigError: the file or an argument is wrong.
        FatalError: the dead-letter topic or its audit topic is missing, a replay goes on, or Kafka does not answer.
    """
    selectors = _selectors(options)
    with open_letters(options) as letters:
        walk = letters.walk(selectors)
        letters.require(to_look if options.dry_run else to_discard)
        access, finding = letters.access, letters.access.audit.look()
        if finding and not finding.doubt and not options.dry_run:
            raise FatalError(f"nothing can be discarded: {finding}")
        history = letters.history(finding)
        if not options.dry_run:
            refuse_beside(access, history, letters.clock.wall())
        run = _run(options, selectors, letters)
        batches = access.reader.read(access.topic, run.begins[access.topic], run.ends[access.topic])
        found, tally = find(walk, batches, history)
        account = Account(found)
        if found.selected and not options.dry_run:
            run, account = _discard(letters, found, run)
    _show(options, tally, run, account)
    tell_passed_over(walk)
    if account.balanced:
        return 0
    tell("the account does not balance: a defect; see what `dlq stats` says")
    return 1


def _selectors(options: argparse.Namespace) -> Selectors:
    selectors = selectors_of(options)
    if options.all == (selectors != Selectors()):
        words = (
            "goes with no selector" if options.all else "or a selector is needed, so that nobody discards by mistake"
        )
        raise ConfigError([Fault(("--all",), words, "say which letters: `clickstream dlq discard --help`")])
    return selectors


def _run(options: argparse.Namespace, selectors: Selectors, letters: Letters) -> Run:
    """What is going to be done; it has no id before it is."""
    access, bounds, (by, host) = letters.access, letters.bounds(), who(options)
    return new_run(
        access,
        Terms(None, None, options.reason, by, host),
        letters.clock.wall(),
        kind="discard",
        selectors=selectors.as_json(),
        begins={access.topic: begins_of(bounds)},
        ends={access.topic: ends_of(bounds)},
    )


def _discard(letters: Letters, found: Survey, run: Run) -> tuple[Run, Account]:
    access, clock = letters.access, letters.clock
    writer = AuditWriter(access.audit.name, access.clients.producer, access.bootstrap, clock, logger())
    writer.start()
    try:
        run, account = discard(access, found, run, writer, clock)
    finally:
        writer.stop(STOP)
    log_run("letters_discarded", run, counts=run.counts)
    return run, account


def _show(options: argparse.Namespace, tally: Tally, run: Run, account: Account) -> None:
    causes, others, rest = tally.causes(CAUSES)
    if options.format == "json":
        print_causes(causes, others, rest)
        print_json(account.as_json(run=run.id or None, dry_run=options.dry_run))
        return
    if causes:
        print("\n".join(columns([HEAD, *map(_cells, causes)], NUMBERS)))
    if others:
        print(f"{count(others, 'other cause')}: {grouped(rest.states.total())} letters")
    print("\n".join(_lines(account)))
    print(_words(run, account))


def _lines(account: Account) -> Iterator[str]:
    counts = account.counts()
    told = [(grouped(counts[name]), words) for name, words in WORDS.items() if counts[name] or name == "read"]
    width = max(len(number) for number, _ in told)
    yield from (f"{number:>{width}} {words}" for number, words in told)


def _cells(cause: Cause) -> tuple[str, ...]:
    status = NONE if cause.status is None else str(cause.status)
    number = grouped(cause.count.states.total())
    return number, cause.route or NONE, cause.stage, cause.error_class, status, cut(cause.message, MESSAGE)


def _words(run: Run, account: Account) -> str:
    if run.id:
        return f"discarded {grouped(account.discarded)} as run {run.id} by {run.by}: {run.reason}"
    if account.found.selected:
        return f"would discard {grouped(account.found.selected)}; run without --dry-run"
    return "no open letter is meant; nothing was written"
