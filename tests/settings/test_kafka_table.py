import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient

from processor.settings.kafka_properties import admin_config
from processor.settings.kafka_table import ALIASES, ANY_CLIENT, CODE_ONLY, CONSUMER_ONLY, PRODUCER_ONLY
from tests.settings.librdkafka import Property, properties

NOT_ALONE = frozenset({"builtin.features", "ssl.ca.certificate.stores", "log.queue", "log_level"})
"""Not to be set at all, on this system, or here."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Property]:
    """Give the properties that the installed client knows."""
    return properties(tmp_path_factory.mktemp("librdkafka"))


@pytest.mark.parametrize(("role", "table"), [("C", CONSUMER_ONLY), ("P", PRODUCER_ONLY), ("*", ANY_CLIENT)])
def test_the_table_is_what_the_client_says(role: str, table: frozenset[str], installed: dict[str, Property]) -> None:
    """Each property is in the table of its role; when this fails, a new client wants the table mended."""
    assert table == {row.name for row in installed.values() if row.role == role and not row.code}


def test_what_only_code_can_set(installed: dict[str, Property]) -> None:
    """What the client calls an object is refused in a file."""
    assert {row.name for row in installed.values() if row.code} < CODE_ONLY


def test_aliases_are_what_the_client_says(installed: dict[str, Property]) -> None:
    """Two names are one property here exactly where the client says so, whichever of them it prefers."""
    said = {frozenset({row.name, row.alias}) for row in installed.values() if row.alias}
    said.add(frozenset({"auto.commit.enable", "enable.auto.commit"}))  # told apart by the old simple consumer only
    assert {frozenset(pair) for pair in ALIASES.items()} == said


def test_no_client_warns_of_its_properties(installed: dict[str, Property], capfd: pytest.CaptureFixture[str]) -> None:
    """Each client accepts each property of its tables, and warns of none that it ignores."""
    rows = [row for row in installed.values() if row.default and not row.code and not row.deprecated]
    silent = {"log_level": 4}  # without brokers each client says so, as a notice
    for row in rows:
        if row.name in NOT_ALONE:
            continue
        kafka = {row.name: False if row.default == "false" else row.default}
        if row.role != "P":
            Consumer({"group.id": "table"} | silent | kafka).close()
        if row.role != "C":
            Producer(silent | kafka)
        AdminClient(silent | admin_config({row.name: row.default}, "table"))
    assert "will be ignored" not in capfd.readouterr().err
    assert len(rows) > 100
