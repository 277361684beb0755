"""Heads in turns over partitions, by age within one: a busy partition does not starve a quiet one. Pure."""

from collections import deque
from collections.abc import Iterator

from processor.records import Assignment, Delivery


class Turns:
    """A fair queue of heads.

    Attributes:
        size: bytes of their bodies.
    """

    __slots__ = ("_count", "_partitions", "_turns", "size")

    def __init__(self) -> None:
        self._partitions: dict[Assignment, deque[tuple[float, Delivery]]] = {}
        self._turns: deque[Assignment] = deque()
        self._count = 0
        self.size = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Delivery]:
        for heads in self._partitions.values():
            for _, delivery in heads:
                yield delivery

    def add(self, delivery: Delivery, since: float, *, first: bool = False) -> None:
        """A head comes; `first` = before all others of its partition, for it was out already."""
        assignment = delivery.record.assignment
        heads = self._partitions.get(assignment)
        if heads is None:
            heads = self._partitions[assignment] = deque()
            self._turns.append(assignment)
        if first:
            heads.appendleft((since, delivery))
        else:
            heads.append((since, delivery))
        self._count += 1
        self.size += len(delivery.body)

    def peek(self) -> Delivery:
        """Whose turn it is."""
        return self._partitions[self._turns[0]][0][1]

    def pop(self) -> Delivery:
        """Take the one whose turn it is."""
        assignment = self._turns[0]
        heads = self._partitions[assignment]
        delivery = heads.popleft()[1]
        if heads:
            self._turns.rotate(-1)
        else:
            self._turns.popleft()
            del self._partitions[assignment]
        self._count -= 1
        self.size -= len(delivery.body)
        return delivery

    def holds(self, delivery: Delivery) -> bool:
        """Whether this very one is here."""
        heads = self._partitions.get(delivery.record.assignment, ())
        return any(each is delivery for _, each in heads)

    def oldest(self) -> float:
        """When the one came that waits longest; there must be one."""
        return min(heads[0][0] for heads in self._partitions.values())

    def remove(self, delivery: Delivery) -> None:
        """Take this very one, which must be here."""
        assignment = delivery.record.assignment
        heads = self._partitions[assignment]
        heads.remove(next(entry for entry in heads if entry[1] is delivery))
        if not heads:
            self._turns.remove(assignment)
            del self._partitions[assignment]
        self._count -= 1
        self.size -= len(delivery.body)

    def drop(self, assignments: frozenset[Assignment]) -> list[Delivery]:
        """Forget heads of these assignments; returns them."""
        gone = []
        for assignment in assignments & self._partitions.keys():
            gone += [delivery for _, delivery in self._partitions.pop(assignment)]
            self._turns.remove(assignment)
        self._count -= len(gone)
        self.size -= sum(len(delivery.body) for delivery in gone)
        return gone
