"""The group coordinator of the simulated Kafka: members, who owns what, and the group's offsets.

Both protocols are simulated as the newer one works: a member hears at its heartbeats what it is to own; what it has
to give up is another one's when it has said so. The older one differs in its names of errors.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from confluent_kafka import KafkaError

from processor.offsets import Bookmark
from processor.records import Key
from tests.simulation.machine import Host, Machine

METADATA_LIMIT = 4096
"""Bytes of a commit's metadata that a broker takes (offset.metadata.max.bytes)."""
FENCED_INSTANCE_ID = 82
UNRELEASED_INSTANCE_ID = 111
STALE_MEMBER_EPOCH = 113
Beat = tuple[int, frozenset[Key]]
"""What a member hears at a heartbeat: the group's epoch, and what it is to own."""
Results = Mapping[Key, int | None]
"""What became of each partition of a commit: None, or an error's code."""


@dataclass(eq=False, slots=True)
class Member:
    """Who takes part.

    Attributes:
        host: the process.
        instance: its own name (group.instance.id), under which it comes back as who it was; empty without.
        released: it went, and keeps its place until its session is over.
        heard: when it last gave a sign of life.
        epoch: the group's, when it last heard of it.
        target: what it is to own.
        held: what it may believe to own.
    """

    id: str
    host: Host
    topics: tuple[str, ...]
    session: float
    heard: float
    instance: str = ""
    released: bool = False
    epoch: int = 0
    target: frozenset[Key] = frozenset()
    held: frozenset[Key] = frozenset()


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit of one partition that the coordinator took.

    Attributes:
        before: the group's offset until then.
    """

    at: float
    group: str
    host: Host
    key: Key
    offset: int
    metadata: str
    before: int | None


@dataclass(slots=True)
class Group:
    """One consumer group.

    Attributes:
        name: the group's id.
        partitions: gives all partitions of the cluster.
        classic: which protocol its members speak.
        here: whether there is a coordinator.
        wrote: told of each offset that is written.
    """

    name: str
    machine: Machine
    partitions: Callable[[], list[Key]]
    here: Callable[[], bool]
    wrote: Callable[[Committed], None]
    classic: bool = True
    epoch: int = 0
    members: dict[str, Member] = field(default_factory=dict)
    offsets: dict[Key, Bookmark] = field(default_factory=dict)
    fenced: set[str] = field(default_factory=set)

    # Members.

    def join(self, member: Member) -> KafkaError | None:
        """Somebody new, or somebody with a name of its own who takes its place again."""
        names = {each.instance: each for each in self.members.values() if each.instance}
        before = names.get(member.instance)
        if before is not None and not self.classic and not before.released:
            return KafkaError(UNRELEASED_INSTANCE_ID)
        self.members[member.id] = member
        if before is None:
            self.rebalance()
        else:
            member.target, member.held = before.target, before.held
            self.members.pop(before.id)
            self.fenced.add(before.id)
        self._watch(member)
        return None

    def leave(self, member_id: str) -> None:
        """Somebody goes, and owns nothing any more, unless it has a name of its own."""
        member = self.members.get(member_id)
        if member is not None and member.instance:
            member.released = True
        elif member is not None:
            self._remove(member)

    def _remove(self, member: Member) -> None:
        self.members.pop(member.id)
        self.rebalance()

    def heartbeat(self, member_id: str, told: frozenset[Key] | None) -> Beat | KafkaError:
        """A member is there, and tells what it owns, None = as before; gives the epoch, and what it is to own now."""
        member = self.members.get(member_id)
        if member is None:
            fenced = member_id in self.fenced
            return KafkaError(FENCED_INSTANCE_ID if fenced else KafkaError.UNKNOWN_MEMBER_ID)
        owned = member.held if told is None else told
        taken = {key for other in self.members.values() if other is not member for key in other.held}
        assigned = frozenset(key for key in member.target if key in owned or key not in taken)
        member.heard, member.epoch, member.held = self.machine.clock.now(), self.epoch, owned | assigned
        return self.epoch, assigned

    def rebalance(self) -> None:
        """Share the partitions out again; everybody keeps as much as is fair."""
        self.epoch += 1
        members = sorted(self.members.values(), key=lambda member: member.id)
        free = {key for key in self.partitions() if any(_wants(member, key) for member in members)}
        for member in members:
            member.target = frozenset(key for key in member.target if key in free and _wants(member, key))
        most = sorted(members, key=lambda member: len(member.target), reverse=True)
        for place, member in enumerate(most):
            quota = (len(free) + len(members) - 1 - place) // len(members)
            member.target = frozenset(sorted(member.target)[:quota])
        for key in sorted(free.difference(*(member.target for member in members))):
            willing = [member for member in members if _wants(member, key)]
            if willing:
                least = min(willing, key=lambda member: len(member.target))
                least.target |= {key}

    def _watch(self, member: Member) -> None:
        """Look whether its session is over when it would be; while there is no coordinator none ends."""
        now = self.machine.clock.now()
        if self.members.get(member.id) is not member:
            return
        if not self.here():
            member.heard = now
        left = member.heard + member.session - now
        if left <= 0:
            self._remove(member)
        else:
            self.machine.later(left, lambda: self._watch(member))

    # Offsets.

    def commit(
        self, host: Host, member_id: str, epoch: int, wanted: Mapping[Key, Bookmark], limit: int = METADATA_LIMIT
    ) -> Results | KafkaError:
        """Write offsets. Whether the member owns the partitions is not looked at."""
        refusal = self._refusal(member_id, epoch)
        if refusal is not None:
            return KafkaError(refusal)
        known = frozenset(self.partitions())
        results: dict[Key, int | None] = {}
        for key, bookmark in wanted.items():
            if key not in known:
                results[key] = KafkaError.UNKNOWN_TOPIC_OR_PART
            elif len(bookmark.metadata.encode()) > limit:
                results[key] = KafkaError.OFFSET_METADATA_TOO_LARGE
            else:
                results[key] = None
                self._write(host, key, bookmark)
        return results

    def _refusal(self, member_id: str, epoch: int) -> int | None:
        if not member_id:
            return KafkaError.UNKNOWN_MEMBER_ID if self.members else None
        member = self.members.get(member_id)
        if member is None:
            return FENCED_INSTANCE_ID if member_id in self.fenced else KafkaError.UNKNOWN_MEMBER_ID
        if epoch != member.epoch:
            return KafkaError.ILLEGAL_GENERATION if self.classic else STALE_MEMBER_EPOCH
        return None

    def _write(self, host: Host, key: Key, bookmark: Bookmark) -> None:
        before = self.offsets.get(key)
        self.offsets[key] = bookmark
        now = self.machine.clock.now()
        held = before.offset if before else None
        self.wrote(Committed(now, self.name, host, key, bookmark.offset, bookmark.metadata, held))

    def forget(self, topic: str) -> None:
        """A topic is deleted: its offsets go with it."""
        self.offsets = {key: bookmark for key, bookmark in self.offsets.items() if key[0] != topic}


def _wants(member: Member, key: Key) -> bool:
    return matches(member.topics, key[0])


def matches(wanted: Iterable[str], topic: str) -> bool:
    """Whether a subscription, of names and regular expressions that start with `^`, covers a topic."""
    return any(re.match(each, topic) if each.startswith("^") else each == topic for each in wanted)
