"""Letters of a file: put back behind the ends of their topic, and from there replayed like all others.

An export is of a time; since then Kafka may have deleted its letters, or somebody replayed some. What nobody has closed
is written to the dead-letter topic once more, byte for byte, with a header that says by which request; its old place
then counts as replayed.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace

from processor.errors import FatalError
from processor.records import Record
from processor.replay.access import Access
from processor.replay.audit_writer import AuditWriter
from processor.replay.begin import give_way, kept_alive, start
from processor.replay.export import Export
from processor.replay.history import History, Run
from processor.replay.letter_feed import LetterFeed
from processor.replay.opening import Opener
from processor.replay.reading import begins_of, ends_of
from processor.replay.rehearsal import Rehearsal
from processor.replay.restorer import Restorer
from processor.replay.run import Found, Order, Terms, find, rehearse
from processor.replay.selectors import Selectors
from processor.replay.survey import Survey, Wish, survey
from processor.replay.walk import Walk
from processor.settle.letters import iso

DIGITS = 16
"""Hexadecimal ones of a request's name."""


class Restoring:
    """One request to replay the letters of a file.

    Args:
        access: to the topic.
        export: the file.
        order: which of its letters are meant.
        terms: how the run goes.
        walk_of: picks what is selected.
        wall: seconds since 1970.

    Raises:
        FatalError: these are letters of another topic.
    """

    def __init__(
        self,
        access: Access,
        export: Export,
        order: Order,
        terms: Terms,
        walk_of: Callable[[Selectors], Walk],
        wall: Callable[[], float],
    ) -> None:
        if export.topic not in {"", access.topic}:
            raise FatalError(
                f"{export.path} has letters of {export.topic}, and those of {access.plan.name} are in {access.topic}: "
                "name the destination whose letters they are with --destination"
            )
        self._access = access
        self._export = export
        self._order = order
        self._terms = terms
        self._walk_of = walk_of
        self._wall = wall

    def find(self, history: History) -> Found:
        """Look at the letters of the file; nothing is changed.

        Returns:
            What is to be put back, and what is in the topic already: put back at the same request, by a run that did
            not come to its end.

        Raises:
            FatalError: the file is not whole, Kafka does not answer, there is no such topic, or another run goes on.
        """
        order = replace(self._order, selectors=Selectors(restored=self._name()))
        found = find(self._access, order, self._terms, None, history, self._walk_of, self._wall())
        asked = {**self._order.as_json(), "file": self._export.path.name, "restored": self._name()}
        run = found.run.model_copy(update={"selectors": asked})
        return replace(found, run=run, filed=self._survey(found))

    def rehearse(self, found: Found, opener: Opener) -> Rehearsal:
        """Try what would become of the letters; nothing is sent.

        Raises:
            FatalError: Kafka does not answer, or the registry.
        """
        rehearsal = rehearse(self._access, found, opener)
        for records in self._wanted(found.filed):
            for record in records:
                rehearsal.add(LetterFeed.opened(record), opener)
        return rehearsal

    def begin(self, found: Found, writer: AuditWriter, stopped: Callable[[], bool]) -> Found:
        """Begin the run: put the file's letters back, and fix the ends behind them.

        Args:
            found: by `find`.
            writer: started.
            stopped: whether somebody wants an end.

        Returns:
            The same as it turned out, its run with an id and with ends.

        Raises:
            FatalError: Kafka does not take them, another run began meanwhile, or somebody wants an end. What was put
                back by then is open, and the same command goes on with it.
        """
        access = self._access
        restorer = Restorer(access, self._export, self._name())
        unbounded = found.run.model_copy(update={"begins": {}, "ends": {}})
        run = start(access, replace(found, run=unbounded), writer, self._wall()).run
        try:
            with kept_alive(writer, run, self._wall):
                filed = self._put_back(run, found, restorer, stopped)
        except FatalError as error:
            words = f"{restorer.number} letters of {self._export.path} were put back, then: {error}"
            writer.write_run(run.ended_at(self._wall(), words))
            raise FatalError(
                f"{words}. They are open; the same command{self._times()} goes on with all of it"
            ) from None
        wall = self._wall()
        run = run.model_copy(update={**self._bounds(restorer), "alive": iso(wall)})
        writer.write_run(run)
        give_way(access, run, writer, wall, again=True)  # a process that stood still was taken for dead
        try:
            with kept_alive(writer, run, self._wall):
                begun = find(access, self._order, self._terms, run, access.audit.read(), self._walk_of, self._wall())
        except FatalError as error:
            raise FatalError(f"{error}; all is put back, and `{run.resuming}` goes on with it") from None
        return replace(begun, filed=filed)

    def _put_back(self, run: Run, found: Found, restorer: Restorer, stopped: Callable[[], bool]) -> Survey:
        filed = self._survey(found)  # once more, for from now on nobody else is at it
        for records in self._wanted(filed):
            if stopped():
                raise FatalError("it was asked to end")
            restorer.put_back(run, records)
        return filed

    def _times(self) -> str:
        """Which times make it the same: one that was said as "2d" is another one by then."""
        given = {"--since": self._order.selectors.since, "--until": self._order.selectors.until}
        times = " ".join(f"{name} {time.isoformat()}" for name, time in given.items() if time)
        return f", with {times}," if times else ""

    def _name(self) -> str:
        """Of the request: the same one goes on with what an earlier one could not end."""
        asked = json.dumps([self._export.digest, self._order.as_json()], sort_keys=True)
        return hashlib.sha256(asked.encode()).hexdigest()[:DIGITS]

    def _survey(self, found: Found) -> Survey:
        """Which letters of the file are wanted, and open where they lay. What is in the topic counts for `max`."""
        most = found.run.max and max(found.run.max - found.survey.selected, 0)
        wish = Wish(self._order.discarded, self._order.max_replays, most, frozenset(self._access.plan.mappers))
        history = self._access.audit.read_of(self._export.topic_id)
        return survey(self._walk_of(self._order.selectors), self._export.batches(), history, wish)

    def _wanted(self, filed: Survey | None) -> Iterator[list[Record]]:
        wanted = filed.wanted if filed else {}
        for records in self._export.batches():
            kept = [each for each in records if each.offset in wanted.get(each.assignment.key, ())]
            if kept:
                yield kept

    def _bounds(self, restorer: Restorer) -> dict[str, dict[str, dict[int, int]]]:
        """Where the topic begins, and where it ends with what was put back.

        A transaction is over before readers are told so: the watermark may be behind it for a moment.
        """
        topic = self._access.topic
        bounds = self._access.reader.watermarks(topic) or {}
        ends = {partition: max(end, restorer.ends.get(partition, 0)) for partition, end in ends_of(bounds).items()}
        return {"begins": {topic: begins_of(bounds)}, "ends": {topic: ends}}
