"""What the commands on dead letters have in common: they open a topic, read it up to its end of now, and tell."""

import argparse
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processor.app import schema_store
from processor.cli.options import add_config, add_format, count
from processor.cli.selecting import add_destination, plan_of, selection_of
from processor.clock import Clock, SystemClock
from processor.errors import FatalError
from processor.logs import configure, logger
from processor.plan import load_plans
from processor.records import Event
from processor.replay.access import Access, opened
from processor.replay.audit import Finding
from processor.replay.history import History, Run
from processor.replay.letter import DeadLetter, Replayed
from processor.replay.masking import MASK
from processor.replay.opening import Opener
from processor.replay.reading import Bounds, begins_of, ends_of
from processor.replay.rights import Needs, refuse_without, to_look
from processor.replay.selectors import Selectors
from processor.replay.walk import Walk
from processor.settings.load import config_paths
from processor.settle.letter_topic import Advice


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add what every command on dead letters takes."""
    add_config(parser)
    add_destination(parser)
    add_format(parser)


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters of one destination.

    Attributes:
        access: the topic and its audit.
        opener: decodes, and says what today's file makes of a letter.
    """

    access: Access
    opener: Opener
    clock: Clock

    def look(self) -> tuple[Bounds, History]:
        """Where the topic begins and ends now, and what became of its letters; for a command that changes nothing.

        Raises:
            FatalError: the Kafka user may not look, the topic is missing, or Kafka does not tell.
        """
        self.require(to_look)
        return self.bounds(), self.history(self.access.audit.look())

    def require(self, needs: Needs) -> None:
        """Refuse to go on where the Kafka user is not allowed what the command needs.

        Raises:
            FatalError: that is so, or Kafka does not answer.
        """
        refuse_without(self.access, needs(self.access.plan))

    def bounds(self) -> Bounds:
        """Where the topic begins and ends now.

        Raises:
            FatalError: it is missing, or Kafka does not tell.
        """
        topic = self.access.topic
        found = self.access.reader.watermarks(topic)
        if found is None:
            fix = Advice(topic, self.access.bootstrap).create()
            raise FatalError(f"the dead-letter topic {topic} does not exist, so there are no letters; {fix}")
        return found

    def history(self, finding: Finding | None) -> History:
        """What became of the letters; where nothing is written down, all are open. What is wrong with it is told.

        Args:
            finding: of a look at the audit topic; a command that writes to it has refused it before.

        Raises:
            FatalError: Kafka does not tell.
        """
        audit = self.access.audit
        if finding is not None and finding.missing:
            tell(f"all letters count as open: {finding}")
            return History(self.access.topic, "")
        if finding is not None:
            tell(str(finding))
        history = audit.read()
        if history.malformed:
            said = count(history.malformed, "message")
            tell(f"not understood in {audit.name}, and passed over: {said}: {'; '.join(history.named)}")
        return history

    def walk(self, selectors: Selectors) -> Walk:
        """Picks the letters that are meant.

        Raises:
            ConfigError: `--where` is no expression.
        """
        access = self.access
        for name in selectors.routes:
            if name and name not in access.plan.mappers:  # one that was renamed still has its letters
                tell(f"the file has no route {name} to {access.plan.name}; it has: {', '.join(access.plan.mappers)}")
        return Walk(selection_of(selectors, access.ready, access.plan, self.clock.wall), self._fields)

    def pick(self, walk: Walk, bounds: Bounds) -> Iterator[DeadLetter]:
        """The letters that are meant, between these bounds.

        Raises:
            FatalError: Kafka does not answer, or the registry, where it is needed.
        """
        return walk.pick(self.access.reader.read(self.access.topic, begins_of(bounds), ends_of(bounds)))

    def _fields(self, letter: DeadLetter) -> dict[str, Any] | None:
        decoded = self.opener.event(Replayed(letter))
        return decoded.value if isinstance(decoded, Event) else None


@contextmanager
def open_letters(
    options: argparse.Namespace, overlay: Sequence[Path] = (), *, sending: bool = False, ageless: bool = False
) -> Iterator[Letters]:
    """Open the letters that a command is about.

    Args:
        options: the command's.
        overlay: files that are laid over the configuration.
        sending: whether calls go out: else files with vendors' secrets may be missing, and each delivery is a call.
        ageless: whether `max_event_age` does not hold.

    Raises:
        ConfigError: the file cannot be run, or it is not said whose letters are meant.
        FatalError: there is no Kafka client.
    """
    # What matters is told in words; a run without a terminal tells what a service would, for nobody looks at it.
    configure(logging.WARNING if sending and not sys.stderr.isatty() else logging.CRITICAL)
    clock = SystemClock()
    paths = [*config_paths(options.config, os.environ), *overlay]
    ready = load_plans(paths, os.environ, clock, offline=not sending, singly=not sending, ageless=ageless)
    plan = plan_of(ready, options.destination)
    with closing(schema_store(ready, clock)) as schemas, opened(ready, plan, clock) as access:
        yield Letters(access, Opener(schemas, ready, plan), clock)


def tell(words: str) -> None:
    """Say something that is not what was asked for."""
    print(f"clickstream: {words}", file=sys.stderr)


def log_run(event: str, run: Run, **more: Any) -> None:
    """Tell the log, too, what was done, by whom and why."""
    configure()
    selectors = run.selectors | ({"key": MASK} if run.selectors.get("key") else {})  # a key may well name a person
    told = run.model_dump(include={"by", "host", "reason", "topic"})
    logger(pipeline=run.destination).info(event, run=run.id, selectors=selectors, **told, **more)


def tell_passed_over(walk: Walk) -> None:
    """Say what lies in the topic and is none of the letters, and where `--where` failed."""
    if walk.strangers:
        why = ", ".join(f"{number} {words}" for words, number in walk.strangers.most_common(3))
        tell(f"not letters, and passed over: {why}; the first one is at {walk.stranger}")
    for destination, number in walk.elsewhere.most_common(3):
        tell(f"letters of {destination} in the same topic, and passed over: {number}")
    for words, number in walk.selection.failed.most_common(3):
        tell(f"left out because --where fails on them: {count(number, 'letter')}; {words}")
