"""What `clickstream replay` is to do: over letters, over letters of a file, or over source records."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from processor.cli.letters import Letters
from processor.cli.replay_options import range_of, terms_of
from processor.cli.selecting import FROM_SOURCE, selectors_of
from processor.errors import FatalError
from processor.plan import Plan
from processor.replay.audit_writer import AuditWriter
from processor.replay.begin import start
from processor.replay.export import Export
from processor.replay.history import History, Run
from processor.replay.opening import Opener
from processor.replay.rehearsal import Rehearsal
from processor.replay.restoring import Restoring
from processor.replay.rights import Rights, to_look, to_look_at_source, to_replay, to_replay_source
from processor.replay.run import Found, Order, Terms, find, known_run, rehearse
from processor.replay.source import KIND as SOURCE_KIND
from processor.replay.source import Range, find_records, of_routes

Stopped = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done.

    Attributes:
        letters: the access to the letters, or to the routes that are meant.
        found: what it is about.
        rehearse: tries it; nothing is sent.
        begin: begins it, or goes on with it; asks now and then whether somebody wants an end.
    """

    letters: Letters
    found: Found
    rehearse: Callable[[], Rehearsal]
    begin: Callable[[AuditWriter, Stopped], Found]


def task_of(options: argparse.Namespace, letters: Letters, export: Export | None) -> Task:
    """Look at what is meant; nothing is changed.

    Args:
        options: the command's.
        letters: the destination's.
        export: the file whose letters are meant.

    Raises:
        ConfigError: it is not said which records are meant.
        FatalError: Kafka does not answer, its user may not do what is needed, the audit topic cannot be relied on,
            another run goes on, or the one that is to go on cannot.
    """
    letters.require(partial(_rights, options))
    access, finding = letters.access, letters.access.audit.look()
    if finding and not finding.doubt and not options.dry_run:
        raise FatalError(str(finding))
    history = letters.history(finding)
    resumed = known_run(access, history, options.resume) if options.resume else None
    terms = terms_of(options, access, resumed)
    if options.source == FROM_SOURCE or (resumed is not None and resumed.kind == SOURCE_KIND):
        return _of_records(options, letters, terms, resumed, history)
    order, wall = Order(selectors_of(options), options.discarded, options.max_replays), letters.clock.wall
    if export is None:
        return _begun(letters, find(access, order, terms, resumed, history, letters.walk, wall()))
    restoring = Restoring(access, export, order, terms, letters.walk, wall)
    found = restoring.find(history)
    return Task(letters, found, partial(restoring.rehearse, found, letters.opener), partial(restoring.begin, found))


def _rights(options: argparse.Namespace, plan: Plan) -> Rights:
    """What the Kafka user must be allowed; what a run that is resumed is about is not known yet."""
    if options.source != FROM_SOURCE and not options.resume:
        return to_look(plan) if options.dry_run else to_replay(plan)
    topics = () if options.resume else range_of(options, plan).topics
    return to_look_at_source(plan, topics) if options.dry_run else to_replay_source(plan, topics)


def _of_records(
    options: argparse.Namespace, letters: Letters, terms: Terms, resumed: Run | None, history: History
) -> Task:
    access = letters.access
    wanted = Range.of(resumed) if resumed else range_of(options, access.plan)
    if resumed and wanted.waived != tuple(options.waive):
        raise FatalError(f"run {resumed.id} began with other rules waived: resume it with `{resumed.resuming}`")
    access = of_routes(access, wanted.routes)
    found = find_records(access, wanted, terms, resumed, history, letters.clock.wall())
    opener = Opener(letters.opener.schemas, access.ready, access.plan, letters=False)
    return _begun(replace(letters, access=access, opener=opener), found)


def _begun(letters: Letters, found: Found) -> Task:
    """What begins with its record in the audit topic."""
    access = letters.access

    def begin(writer: AuditWriter, _: Stopped) -> Found:
        return start(access, found, writer, letters.clock.wall())

    return Task(letters, found, partial(rehearse, access, found, letters.opener), begin)
