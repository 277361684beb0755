"""`clickstream replay`: dead letters are delivered again, as today's file maps them."""

import argparse
import asyncio
import shlex
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, NoReturn

import uvloop

from processor.cli.columns import grouped, span
from processor.cli.letters import Letters, log_run, open_letters, tell
from processor.cli.options import add_config, add_format, count, print_json
from processor.cli.overlays import overlay_paths
from processor.cli.progress import ProgressLine
from processor.cli.replay_job import print_job
from processor.cli.replay_options import WAIVABLE, add_options, refuse_mixed
from processor.cli.replay_task import Task, task_of
from processor.cli.signals import Signals, leave
from processor.errors import ConfigError, FatalError, Fault
from processor.logs import logger
from processor.plan import Plan
from processor.replay.account import Account, account_of, filed_counts, filed_lines
from processor.replay.audit_writer import AuditWriter
from processor.replay.export import open_export
from processor.replay.history import Run
from processor.replay.masking import as_is, masked
from processor.replay.outcomes import Outcome
from processor.replay.rehearsal import REASONS, as_curl
from processor.replay.run import Found, work
from processor.replay.source import KIND as SOURCE_KIND

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
        ConfigError: the configuration cannot be run, or the arguments do not go together.
        FatalError: Kafka does not answer, or the run cannot begin.
    """
    refuse_mixed(options)
    if options.print_job:
        return print_job(options)
    overlay = overlay_paths(options.config_overlay)
    ageless = WAIVABLE[0] in options.waive
    with (
        Signals(early=1) as signals,
        open_letters(options, overlay, sending=not options.dry_run, ageless=ageless) as opened,
        open_export(options.from_file) if options.from_file else nullcontext() as export,
    ):
        _refuse_mode(opened.access.plan)
        task = task_of(options, opened, export)
        if options.dry_run:
            return _rehearse(task, options)
        if task.found.to_do:
            _replay(task, options, signals)
        _print(task.letters, task.found, account_of(task.found.survey, {}), "", options)
        if not task.found.survey.selected and options.format == "text":
            print("nothing is selected: nothing was sent")
        return 0


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
        "file": filed_counts(found.filed) if found.filed else None,
    }


def _filing(found: Found, *, would: bool) -> Iterator[str]:
    """What becomes of the file's letters, where there is one."""
    if found.filed:
        yield f"{found.run.selectors['file']} → {found.run.topic}"
        yield from filed_lines(found.filed, would=would)


def _opening(letters: Letters, found: Found) -> Iterator[str]:
    run, version = found.run, letters.access.ready.version
    began = "" if run.config_version == version else f" (it began with {run.config_version})"
    laid = f"   overlay {', '.join(run.overlay)}" if run.overlay else ""
    told = ", ".join(run.selectors["topics"]) if run.kind == SOURCE_KIND else run.topic
    yield f"{told} → {run.destination}   run {run.id or '(new)'}   config {version}{began}{laid}"


def _pace(found: Found) -> str:
    return f"at {found.rate:g}/s" if found.rate else "without a limit of its own"


# The dry run.


def _rehearse(task: Task, options: argparse.Namespace) -> int:
    letters, found, rehearsal = task.letters, task.found, task.rehearse()
    survey, outcomes, filed = found.survey, rehearsal.outcomes, found.to_put_back
    selected = survey.selected + filed
    account = Account(survey.read + filed, survey.passed, selected, outcomes, selected - outcomes.total())
    hidden = as_is if options.reveal else masked
    samples = {route: as_curl(letters.access.plan, one, hidden) for route, one in rehearsal.samples.items()}
    seconds = rehearsal.requests / found.rate if found.rate else 0.0
    if options.format == "json":
        reasons = [{"reason": reason, "deliveries": number} for reason, number in rehearsal.reasons.most_common()]
        more = {"deliveries": rehearsal.requests, "seconds": round(seconds, 1), "reasons": reasons, "samples": samples}
        print_json(account.as_json(dry_run=True, **_facts(letters, found), **more))
        return 0
    print(*_filing(found, would=True), *_opening(letters, found), *account.lines(would=True), sep="\n")
    for reason, number in rehearsal.reasons.most_common(REASONS):
        print(f"{grouped(number):>9}      {reason}")
    if not selected:
        print("nothing is selected: a run would send nothing")
        return 0
    print(f"{_pace(found)}: {span(seconds)} at most for {grouped(rehearsal.requests)} deliveries")
    for route, sample in samples.items():
        print(f"sample {route}: {sample}")
    print("nothing was sent, nothing was written: run it without --dry-run")
    return 0


# The run.


def _replay(task: Task, options: argparse.Namespace, signals: Signals) -> NoReturn:
    """Replay; the process ends here, for threads of it may wait for a Kafka that does not answer."""
    letters, access = task.letters, task.letters.access
    writer = AuditWriter(access.audit.name, access.clients.producer, access.bootstrap, letters.clock, logger())
    writer.start()
    stop, timeout = threading.Event(), access.ready.settings.shutdown_timeout
    signals.running(stop.set, timeout, lambda: "what was put back is open; the same command goes on")
    runner, goes_on = asyncio.Runner(loop_factory=uvloop.new_event_loop), ""
    try:
        begun = task.begin(writer, stop.is_set)
        goes_on = f"; `{_resuming(begun.run, options)}` goes on with the others"
        if begun.filed:
            tell(f"put back into {access.topic}: {count(begun.to_put_back, 'letter')} of {options.from_file}")
        tell(*_opening(letters, begun))
        account, left = runner.run(_work(letters, begun, writer, signals, stop, _resuming(begun.run, options)))
    except FatalError as error:
        leave(1, f"{error}{goes_on}")
    except BaseException:  # noqa: BLE001 - a defect
        leave(1, f"ended by a defect of the service{goes_on}: {traceback.format_exc()}")
    unwritten = writer.stop(WRITER_STOP)
    log_run("letters_replayed", begun.run, kind=begun.run.kind, counts=account.counts())
    _print(letters, begun, account, left, options)
    sys.stdout.flush()
    words = f"{unwritten} marks were not acknowledged: what they tell of may be sent again" if unwritten else ""
    leave(1 if unwritten or left or account.open or account.outcomes.get(Outcome.FAILED) else 0, words)


async def _work(
    letters: Letters, found: Found, writer: AuditWriter, signals: Signals, stopped: threading.Event, resuming: str
) -> tuple[Account, str]:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    timeout = letters.access.ready.settings.shutdown_timeout
    words = f"`{resuming}` goes on"
    signals.running(lambda: loop.call_soon_threadsafe(stop.set), timeout, lambda: words)
    if stopped.is_set():  # before there was a loop that hears of it
        stop.set()
    shown = ProgressLine(letters.clock)
    try:
        return await work(letters.access, found, writer, letters.clock, shown.show, stop)
    finally:
        shown.end()


def _resuming(run: Run, options: argparse.Namespace) -> str:
    """The command that goes on with a run, with the files that this one was given: the audit has no place of theirs."""
    return shlex.join([*shlex.split(run.resuming), *(part for name in options.config for part in ("-c", name))])


def _print(letters: Letters, found: Found, account: Account, left: str, options: argparse.Namespace) -> None:
    resume = _resuming(found.run, options) if account.open and not left else ""
    if options.format == "json":
        print_json(account.as_json(**_facts(letters, found), why_open=left, resume=resume))
        return
    print(*_filing(found, would=False), *_opening(letters, found), *account.lines(), sep="\n")
    if account.outcomes.get(Outcome.FAILED):
        print(
            f"what failed again is a new letter: `clickstream dlq stats --destination {found.run.destination}` says why"
        )
    if left:
        print(f"ended with the rest open: {left}")
    elif resume:
        print(f"not finished: `{resume}` goes on with it")
