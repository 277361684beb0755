"""Which command needs which rights, as docs/security.md says: what is documented is what the tests grant."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from confluent_kafka.admin import AclOperation, ResourceType

from processor.kafka_rights import on_groups, on_topic, on_transactions
from processor.replay.audit import audit_topic
from tests.replay.scene import Scene
from tests.security.samples import PAGE
from tests.support.guarded import Entry

ROW = re.compile(r"^\| (?P<commands>`.+`) \|(?P<cells>.*)\|$", re.MULTILINE)
HEAD = re.compile(r"^\| command \|(?P<cells>.*)\|$", re.MULTILINE)
RESOURCES: Mapping[str, tuple[ResourceType, str]] = {
    "dead-letter topic": (ResourceType.TOPIC, "{letters}"),
    "audit topic": (ResourceType.TOPIC, "{audit}"),
    "groups of runs": (ResourceType.GROUP, "{group}.replay.*"),
    "source topics": (ResourceType.TOPIC, "{source}"),
    "transactional id": (ResourceType.TRANSACTIONAL_ID, "{group}.restore"),
}
"""Column of the table → what it is about."""


@dataclass(frozen=True, slots=True)
class Right:
    """One operation in one cell of the table.

    Attributes:
        column: its headline.
        operation: as the table has it: `DescribeConfigs`.
    """

    column: str
    operation: str

    @property
    def acl(self) -> AclOperation:
        """The same for the client."""
        return AclOperation[re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.operation).upper()]

    def entry(self, scene: Scene) -> Entry:
        """What has to be allowed in this scene."""
        kind, name = RESOURCES[self.column]
        return kind, name.format(**_names(scene)), self.acl

    def missed(self, scene: Scene, bootstrap: str) -> str:
        """What people are told where it is lacking."""
        kind, name, operation = self.entry(scene)
        said = {ResourceType.GROUP: on_groups, ResourceType.TRANSACTIONAL_ID: on_transactions}.get(kind, on_topic)
        return said(bootstrap, name.removesuffix("*"), frozenset({operation}))


def table() -> dict[str, list[Right]]:
    """The rights of each command, such as `dlq list`."""
    text = PAGE.read_text()
    head = HEAD.search(text)
    assert head is not None
    columns = _cells(head["cells"])
    return {
        command: list(_rights(columns, _cells(row["cells"])))
        for row in ROW.finditer(text, head.end())
        for command in re.findall(r"`(.+?)`", row["commands"])
    }


def _rights(columns: list[str], cells: list[str]) -> Iterator[Right]:
    for column, cell in zip(columns, cells, strict=True):
        yield from (Right(column, operation) for operation in re.findall(r"\w+", cell))


def _cells(text: str) -> list[str]:
    return [cell.strip() for cell in text.split("|")]


def _names(scene: Scene) -> dict[str, str]:
    return {
        "letters": scene.letters,
        "audit": audit_topic(scene.letters),
        "group": f"{scene.path.prefix}.rocket",
        "source": scene.path.topic,
    }
