"""What will not come to a run: deleted by Kafka, or passed by the run's group, which goes back to nothing."""

from collections.abc import Mapping

from processor.records import Key
from processor.replay.reading import Reader
from processor.replay.spans import Spans


class Absent:
    """Looks where a group has been: what is not there any more is deleted, what is there was not meant then.

    The latter happens to a run that is resumed: by then a file may have a route that it had not when the run passed its
    letters, or a `--where` with a time in it may select others. To call them deleted would close what was never sent.

    Args:
        reader: looks; nothing else may use it during a call.

    Attributes:
        passed: what is still there; it is not looked for again.
    """

    def __init__(self, reader: Reader) -> None:
        self.passed: dict[Key, Spans] = {}
        self._reader = reader
        self._told: dict[Key, Spans] = {}

    def of(self, never: Mapping[Key, Spans]) -> dict[Key, Spans]:
        """Tell what is deleted of that which will never come; once.

        Raises:
            FatalError: Kafka does not answer.
        """
        found: dict[Key, Spans] = {}
        for key, offsets in never.items():
            told, passed = self._told.setdefault(key, Spans()), self.passed.setdefault(key, Spans())
            fresh = offsets.minus(told).minus(passed)
            there = self._there(key, fresh) if fresh else None
            if there is not None:
                found[key] = fresh.minus(there)
                passed.update(fresh.minus(found[key]))
                told.update(found[key])
        return {key: spans for key, spans in found.items() if spans}

    def _there(self, key: Key, offsets: Spans) -> Spans | None:
        """All that lies between the first and the last of these; None where the partition is gone: who knows why."""
        topic, partition = key
        bounds = (self._reader.watermarks(topic) or {}).get(partition)
        if bounds is None:
            return None
        there = Spans()
        begin = max(min(start for start, _ in offsets), bounds[0])
        end = min(max(end for _, end in offsets), bounds[1])
        for records in self._reader.read(topic, {partition: begin}, {partition: end}):
            for record in records:
                there.add_offset(record.offset)
        return there
