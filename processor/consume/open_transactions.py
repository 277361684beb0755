"""Transactions that stay open: what is behind their first record is there, and cannot be read.

A consumer that reads committed records only gets no error then, and its lag looks like none: a producer that hangs in
a transaction stops a partition in silence.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from processor.clock import Clock
from processor.consume.statistics import Readable
from processor.logs import Logger
from processor.records import Key

SEEN = 10.0
"""Seconds that one stands until it is a reason: those that end as they should are rarely open for longer."""
PATIENCE = 60.0
"""Seconds that it stands until the log has it: the time that a producer gets by default, after which the broker aborts
its transaction."""
FIX = (
    "end that transaction: start its producer again, or look for it with kafka-transactions.sh find-hanging and end it "
    "with kafka-transactions.sh abort; nothing is lost meanwhile"
)


@dataclass(slots=True)
class Stand:
    """A partition that is read up to an open transaction.

    Attributes:
        offset: the transaction's first one.
        since: the clock's time when it was first seen so.
    """

    offset: int
    since: float
    said: bool = False


class OpenTransactions:
    """Finds partitions that are read up to an open transaction. Lives on the Kafka thread.

    Attributes:
        waiting: those that are so for a while, each with that in words; replaced as a whole.
    """

    def __init__(self, clock: Clock, log: Logger) -> None:
        self._clock = clock
        self._log = log
        self._stands: dict[Key, Stand] = {}
        self.waiting: Mapping[Key, str] = {}

    def look(self, logs: Mapping[Key, Readable], keys: Collection[Key]) -> None:
        """Take what the client told.

        Args:
            logs: how far partitions can be read.
            keys: those that are assigned and fetched; of others it tells what was.
        """
        now = self._clock.now()
        stopped = {key: log for key in keys if (log := logs.get(key)) and log.position >= log.stable < log.end}
        self._stands = {key: self._stand(key, log, now) for key, log in stopped.items()}
        for key, stand in self._stands.items():
            if not stand.said and now - stand.since >= PATIENCE:
                stand.said = True
                self._say(key, stopped[key])
        self.waiting = {
            key: _words(stopped[key], now - stand.since)
            for key, stand in self._stands.items()
            if now - stand.since >= SEEN
        }

    def _stand(self, key: Key, log: Readable, now: float) -> Stand:
        before = self._stands.get(key)
        return before if before is not None and before.offset == log.stable else Stand(log.stable, now)

    def _say(self, key: Key, log: Readable) -> None:
        self._log.warning(
            "transaction_open",
            topic=key[0],
            partition=key[1],
            offset=log.stable,
            reason=_words(log, PATIENCE),
            next="this partition goes on when the transaction has ended, others go on",
            fix=FIX,
        )


def _words(log: Readable, seconds: float) -> str:
    return (
        f"{log.end - log.stable} offsets from {log.stable} on cannot be read: a transaction that began there has been "
        f"open for {seconds:.0f} s"
    )
