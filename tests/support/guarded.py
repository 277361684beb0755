"""A Kafka that knows who may do what."""

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourcePatternType,
    ResourceType,
)

from tests.support.broker import REQUEST_TIMEOUT, Broker, KafkaProcess, Listener, admin_client
from tests.support.waiting import eventually_sync

USER = "clickstream"
PASSWORD = "let-me-write"  # noqa: S105 - of a server on loopback
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
LOGINS = {
    "sasl.enabled.mechanisms": "PLAIN",
    "plain.sasl.jaas.config": f'{PLAIN} required user_{USER}="{PASSWORD}";',
}
RULES = """
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""
"""On the plain port, where tests look, everybody may do everything; our user only what he is given."""
Rule = TypeVar("Rule", AclBinding, AclBindingFilter)
Entry = tuple[ResourceType, str, AclOperation]
"""The name is a whole one, or ends with `*`: then it means all that begin so."""


class GuardedKafka(KafkaProcess):
    """One such broker."""

    def __init__(self) -> None:
        self._logins = Listener("logins", "SASL_PLAINTEXT", LOGINS)
        super().__init__([self._logins])
        with self._config.open("a") as config:
            config.write(RULES)

    @property
    def broker(self) -> Broker:
        """Its plain port."""
        return Broker(self.bootstrap, "maven", "a Kafka that knows who may do what")

    @property
    def login(self) -> dict[str, str]:
        """Keys of `kafka:` with which the user logs in."""
        return {
            "bootstrap.servers": self._logins.bootstrap,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": USER,
            "sasl.password": PASSWORD,
        }

    def let(self, *entries: Entry) -> None:
        """Let the user do this; he may when this returns."""
        admin = admin_client(self.bootstrap)
        _await(admin.create_acls([_rule(AclBinding, *entry) for entry in entries]))
        eventually_sync(lambda: all(_known(admin, entry) for entry in entries))

    def forbid(self, *entries: Entry) -> None:
        """Take that away again; it is gone when this returns."""
        admin = admin_client(self.bootstrap)
        _await(admin.delete_acls([_rule(AclBindingFilter, *entry) for entry in entries]))
        eventually_sync(lambda: not any(_known(admin, entry) for entry in entries))

    def set(self, topic: str, **config: str) -> None:
        """Change a topic's configuration; names with `_` in the place of a point."""
        entries = [
            ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
            for name, value in config.items()
        ]
        change = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
        admin = admin_client(self.bootstrap)
        _await(admin.incremental_alter_configs([change]))


def _rule(kind: type[Rule], of: ResourceType, name: str, operation: AclOperation) -> Rule:
    pattern = ResourcePatternType.PREFIXED if name.endswith("*") else ResourcePatternType.LITERAL
    return kind(of, name.removesuffix("*"), pattern, f"User:{USER}", "*", operation, AclPermissionType.ALLOW)


def _known(admin: AdminClient, entry: Entry) -> bool:
    """Whether the broker goes by this rule; it hears of rules a moment after they are made."""
    return bool(admin.describe_acls(_rule(AclBindingFilter, *entry)).result(REQUEST_TIMEOUT))


def _await(answers: Mapping[Any, Future[Any]]) -> None:
    for answer in answers.values():
        answer.result(REQUEST_TIMEOUT)
