import pytest

from processor.settings.models import BatchSettings, DestinationSettings, RetrySettings, Settings
from processor.settings.values import Frozen, parse_duration, parse_rate, parse_size, parse_stalemate
from processor.settings.written import as_written


@pytest.mark.parametrize(
    ("model", "key", "value", "written"),
    [
        (DestinationSettings, "timeout", 10.0, "10s"),
        (DestinationSettings, "timeout", 0.0005, "0.5ms"),
        (DestinationSettings, "timeout", 90.0, "90s"),
        (DestinationSettings, "rate", None, "none"),
        (DestinationSettings, "rate", 0.5, "0.5/s"),
        (DestinationSettings, "rate", 100.0, "100/s"),
        (DestinationSettings, "concurrency", 32, 32),
        (
            DestinationSettings,
            "batch",
            BatchSettings(max_bytes=2000),
            {"max_events": 500, "max_bytes": "2000B", "max_wait": "200ms"},
        ),
        (DestinationSettings, "batch", None, None),
        (RetrySettings, "delays", (10.0, 60.0), ["10s", "1m"]),
        (RetrySettings, "stalemate", 300.0, "5m"),
        (RetrySettings, "stalemate", None, "never"),
        (BatchSettings, "max_bytes", 128 * 1024 * 1024, "128MiB"),
        (Settings, "topics", ("a",), ["a"]),
    ],
)
def test_values_as_people_write_them(model: type[Frozen], key: str, value: object, written: object) -> None:
    """A default is shown in the unit that one would write, and reads back as it is."""
    shown = as_written(value, model.model_fields[key])
    assert shown == written
    readers = {"timeout": parse_duration, "rate": parse_rate, "max_bytes": parse_size, "stalemate": parse_stalemate}
    reader = readers.get(key)
    assert reader is None or reader(shown) == value
