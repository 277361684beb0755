"""A shop with dead letters on a Kafka that knows who may do what."""

import os
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest
from confluent_kafka import Producer

from processor.cli.main import main
from processor.records import Assignment, ErrorClass, Failure, Stage
from processor.replay.audit import audit_topic
from processor.replay.history import Run
from processor.settle.letters import Origin
from tests.replay.letters import buried
from tests.replay.scene import Command, Scene
from tests.security.rights import Right
from tests.support.guarded import GuardedKafka
from tests.support.reading import read
from tests.support.records import record

CLICKS = 12
UNDECODED = Failure(Stage.DECODE, ErrorClass.UNDECODABLE, "no such schema")
KILLED = Run(id="2026-11-01-1", kind="replay", topic="", started="2026-11-01T10:00:00.000Z")
"""A run that did not say how it ended: whether it goes on is asked of its group."""
CONFIGS = "DescribeConfigs"


@dataclass
class GuardedShop:
    """A shop with letters, whose commands run as a user who may do only what he is given.

    Attributes:
        letters: how many there are; the last one of each time cannot be decoded and fails again.
    """

    scene: Scene
    kafka: GuardedKafka
    letters: int = 0

    def bury(self, clicks: int = CLICKS, *, bad: int = 1) -> None:
        """Let so many clicks, and records that cannot be decoded, be letters from before any route."""
        path, before = self.scene.path, self.letters
        path.click(clicks)
        for _ in range(bad):
            path.producer.produce(path.topic, b"\xffgarbage", b"visitor")
        assert path.producer.flush(20) == 0
        self.letters += clicks + bad
        origin, producer = Origin("rocket", "77be01aa", "0.1.0"), Producer({"bootstrap.servers": path.broker.bootstrap})
        messages = sorted(read(path.broker.bootstrap, path.topic, self.letters), key=lambda each: each.timestamp())
        for each in messages[before:]:
            at = Assignment(path.topic, each.partition() or 0, 1)
            source = record(each.offset() or 0, at=at, key=each.key(), value=each.value(), headers=[])
            told = buried(source=source, failure=UNDECODED, route="", index=None, origin=origin)
            producer.produce(self.scene.letters, told.value, told.key, headers=list(told.headers or ()))
        assert producer.flush(20) == 0

    def let(self, *rights: Right) -> None:
        """Give these to the user."""
        self.kafka.let(*(right.entry(self.scene) for right in rights))

    def forbid(self, *rights: Right) -> None:
        """Take these away."""
        self.kafka.forbid(*(right.entry(self.scene) for right in rights))

    def missed(self, right: Right) -> str:
        """What people are told where this one is lacking."""
        return right.missed(self.scene, self.kafka.login["bootstrap.servers"])

    def run(self, *arguments: str, rate: str = "none") -> Command:
        """Start a command."""
        return self.scene.command(*self._whole(arguments, rate), faulty={})

    def attempt(self, *arguments: str) -> tuple[int, str, str]:
        """Run a command that is refused before it begins: here, for a process of its own takes a second to start.

        Returns:
            Its exit code, and what it wrote to stdout and stderr.
        """
        out, err = StringIO(), StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for name, value in self.scene.path.env.items():
                patch.setenv(name, value)
            patch.setattr(os, "_exit", lambda _: pytest.fail("it was not refused"))  # as a replay ends
            code = main(self.scene.given(*self._whole(arguments, "none"), faulty={}))
        return code, out.getvalue(), err.getvalue()

    def _whole(self, arguments: tuple[str, ...], rate: str) -> list[str]:
        file = str(self.scene.path.folder / "letters.avro")
        paced = ["--rate", rate] if arguments[0] == "replay" else []
        return [*(file if each == "FILE" else each for each in arguments), *paced]

    @property
    def done(self) -> tuple[int, list[str]]:
        """What the vendor has taken, and which runs are known."""
        return len(self.scene.books), list(self.scene.history.runs)

    @property
    def expected(self) -> Counter[Any]:
        """What the vendor must have in the end, once."""
        return Counter(self.scene.path.expected["rocket"])

    def put_killed(self) -> None:
        """Let there be a run that was killed long ago."""
        killed = KILLED.model_copy(update={"topic": self.scene.letters})
        producer = self.scene.path.producer
        producer.produce(audit_topic(self.scene.letters), killed.as_json(), killed.key)
        assert producer.flush(20) == 0


def replayed(shop: GuardedShop, command: Command) -> bool:
    """The vendor has all, once; what cannot be decoded is a letter more."""
    return Counter(shop.scene.books) == shop.expected and command.account["letters"]["failed"] == 1
