"""`clickstream replay`: dead letters are delivered again, as today's file maps them."""

import argparse
import asyncio
import sys
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import uvloop

from processor.cli.columns import grouped, span
from processor.cli.letters import Letters, open_letters, tell
from processor.cli.options import add_config, add_format, print_json
from processor.cli.progress import ProgressLine
from processor.cli.replay_job import print_job
from processor.cli.replay_options import WAIVABLE, add_options, range_of, terms_of
from processor.cli.selecting import FROM_SOURCE, selectors_of
from processor.cli.signals import Signals, leave
from processor.errors import ConfigError, FatalError, Fault
from processor.logs import configure, logger
from processor.plan import Plan
from processor.replay.account import Account, account_of
from processor.replay.audit_writer import AuditWriter
from processor.replay.history import Run
from processor.replay.masking import MASK, as_is, masked
from processor.replay.opening import Opener
from processor.replay.outcomes import Outcome
from processor.replay.rehearsal import REASONS, as_curl
from processor.replay.run import Found, Order, find, known_run, rehearse, start, work
from processor.replay.source import KIND as SOURCE_KIND
from processor.replay.source import Range, find_records, of_routes

WRITER_STOP = 5.0
"""Seconds for what the audit topic has not acknowledged at the end."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "replay",
        help="deliver dead letters again",
        description="Delivers dead letters again: today's mapping, only the delivery that failed. "
        "Ends with 1 where something failed again, or was left open.",
    )
    add_config(parser)
    add_options(parser)
    add_format(parser)
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    """Replay, or tell what would become of the letters.

    Raises:
        ConfigError: the configuration cannot be run.
        FatalError: Kafka does not answer, or the run cannot begin.
    """
    if options.print_job:
        return print_job(options)
    overlay = [Path(name) for name in options.config_overlay]
    ageless = WAIVABLE[0] in options.waive
    with (
        Signals(early=1) as signals,
        open_letters(options, overlay, sending=not options.dry_run, ageless=ageless) as opened,
    ):
        _refuse_mode(opened.access.plan)
        if not options.dry_run and (finding := opened.access.audit.look()):
            raise FatalError(str(finding))
        letters, found = _found(opened, options)
        if options.dry_run:
            return _rehearse(letters, found, options)
        if found.left or found.run.id:
            _replay(letters, found, options, signals)
        _print(letters, found, account_of(found.survey, {}), "", options.format)
        return 0


def _found(letters: Letters, options: argparse.Namespace) -> tuple[Letters, Found]:
    """Look at what is to be replayed; gives access to the routes that are meant, too."""
    access, history, now = letters.access, letters.history(), letters.clock.wall()
    resumed = known_run(access, history, options.resume) if options.resume else None
    terms = terms_of(options, access, resumed)
    if options.source != FROM_SOURCE and (resumed is None or resumed.kind != SOURCE_KIND):
        order = Order(selectors_of(options), options.discarded, options.max_replays)
        return letters, find(access, order, terms, resumed, history, letters.walk, now)
    wanted = Range.of(resumed) if resumed else range_of(options, access.plan)
    if resumed and wanted.waived != tuple(options.waive):
        raise FatalError(f"run {resumed.id} began with other rules waived: resume it with `{resumed.resuming}`")
    access = of_routes(access, wanted.routes)
    opener = Opener(access.ready, access.plan, letters.clock, letters=False)
    return replace(letters, access=access, opener=opener), find_records(access, wanted, terms, resumed, history, now)


def _refuse_mode(plan: Plan) -> None:
    mode = plan.settings.mode
    if mode != "live":
        fix = "wait until it is live, or lay a file with `mode: live` over it with --config-overlay"
        raise ConfigError([Fault(("destinations", plan.name, "mode"), f"is {mode}, so nothing would be sent", fix)])


def _facts(letters: Letters, found: Found) -> dict[str, Any]:
    """What a run is about, for JSON."""
    run = found.run
    return {
        "run": run.id,
        "topic": run.topic,
        "destination": run.destination,
        "config_version": letters.access.ready.version,
        "selectors": run.selectors,
        "rate": found.rate,
        "overlay": sorted(run.overlay),
    }


def _opening(letters: Letters, found: Found) -> Iterator[str]:
    run, version = found.run, letters.access.ready.version
    began = "" if run.config_version == version else f" (it began with {run.config_version})"
    laid = f"   overlay {', '.join(run.overlay)}" if run.overlay else ""
    yield f"{run.topic} → {run.destination}   run {run.id or '(new)'}   config {version}{began}{laid}"


def _pace(found: Found) -> str:
    return f"at {found.rate:g}/s" if found.rate else "without a limit of its own"


# The dry run.


def _rehearse(letters: Letters, found: Found, options: argparse.Namespace) -> int:
    rehearsal, survey = rehearse(letters.access, found, letters.opener), found.survey
    outcomes = rehearsal.outcomes
    account = Account(survey.read, survey.passed, survey.selected, outcomes, survey.selected - outcomes.total())
    hidden = as_is if options.reveal else masked
    samples = {route: as_curl(letters.access.plan, one, hidden) for route, one in rehearsal.samples.items()}
    seconds = rehearsal.requests / found.rate if found.rate else 0.0
    if options.format == "json":
        reasons = [{"reason": reason, "deliveries": number} for reason, number in rehearsal.reasons.most_common()]
        more = {"deliveries": rehearsal.requests, "seconds": round(seconds, 1), "reasons": reasons, "samples": samples}
        print_json(account.as_json(dry_run=True, **_facts(letters, found), **more))
        return 0
    print(*_opening(letters, found), *account.lines(would=True), sep="\n")
    for reason, number in rehearsal.reasons.most_common(REASONS):
        print(f"{grouped(number):>9}      {reason}")
    print(f"{_pace(found)}: {span(seconds)} at most for {grouped(rehearsal.requests)} deliveries")
    for route, sample in samples.items():
        print(f"sample {route}: {sample}")
    print("nothing was sent, nothing was written: run it without --dry-run")
    return 0


# The run.


def _replay(letters: Letters, found: Found, options: argparse.Namespace, signals: Signals) -> NoReturn:
    """Replay; the process ends here, for threads of it may wait for a Kafka that does not answer."""
    access = letters.access
    writer = AuditWriter(access.audit.name, access.clients.producer, letters.clock, logger())
    writer.start()
    runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    try:
        begun = start(access, found, writer, letters.clock.wall())
        tell(*_opening(letters, begun))
        account, left = runner.run(_work(letters, begun, writer, signals))
    except FatalError as error:
        leave(1, str(error))
    except BaseException:  # noqa: BLE001 - a defect
        leave(1, f"ended by a defect of the service: {traceback.format_exc()}")
    unwritten = writer.stop(WRITER_STOP)
    _log(begun.run, account)
    _print(letters, begun, account, left, options.format)
    sys.stdout.flush()
    words = f"{unwritten} marks were not acknowledged: what they tell of may be sent again" if unwritten else ""
    leave(1 if unwritten or left or account.open or account.outcomes.get(Outcome.FAILED) else 0, words)


async def _work(letters: Letters, found: Found, writer: AuditWriter, signals: Signals) -> tuple[Account, str]:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    timeout = letters.access.ready.settings.shutdown_timeout
    words = f"`{found.run.resuming}` goes on"
    signals.running(lambda: loop.call_soon_threadsafe(stop.set), timeout, lambda: words)
    shown = ProgressLine(letters.clock)
    try:
        return await work(letters.access, found, writer, letters.clock, shown.show, stop)
    finally:
        shown.end()


def _log(run: Run, account: Account) -> None:
    """What was done is told in the log, too."""
    configure()
    selectors = run.selectors | ({"key": MASK} if run.selectors.get("key") else {})  # a key may well name a person
    told = run.model_dump(include={"by", "host", "reason", "topic", "kind"})
    logger(pipeline=run.destination).info(
        "letters_replayed", run=run.id, selectors=selectors, counts=account.counts(), **told
    )


def _print(letters: Letters, found: Found, account: Account, left: str, form: str) -> None:
    resume = found.run.resuming if account.open and not left else ""
    if form == "json":
        print_json(account.as_json(**_facts(letters, found), why_open=left, resume=resume))
        return
    print(*_opening(letters, found), *account.lines(), sep="\n")
    if left:
        print(f"ended with the rest open: {left}")
    elif resume:
        print(f"not finished: `{resume}` goes on with it")
