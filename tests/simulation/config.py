"""The configuration that a simulated service runs with: one file, compiled once, and its figures drawn per world."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from processor.plan import Ready, load_plans
from processor.settings.models import BatchSettings, DeadLetterSettings, InMemorySettings, RetrySettings

TOPIC = "clicks"
LETTERS = "clicks.dlq"
GROUP = "clickstream.rocket"
API_KEY = "key-that-nobody-may-read"
PASSWORD = "password-that-nobody-may-read"  # noqa: S105 - of a simulated broker
FILE = f"""\
kafka:
  bootstrap.servers: kafka:9092
  security.protocol: SASL_SSL
  sasl.mechanism: PLAIN
  sasl.username: clickstream
  sasl.password: {PASSWORD}
  group.protocol: {{protocol}}
  {{timeouts}}
registry: {{{{url: "http://registry:8081"}}}}
topics: [{TOPIC}]
start_from: earliest
destinations:
  rocket:
    type: retail_rocket
    base_url: https://vendor.test
    partner_id: 5ba1feda97a5252320437f20
    api_key: {API_KEY}
    user_agent: Shop/1.0
    rate: none
    batch: {{batch}}
    dead_letter: {{{{topic: {LETTERS}}}}}
routes:
  seen:
    event: com.acme.Seen
    to: rocket.view
    map: {{{{sessionExternalId: session, timestamp: time, productId: product}}}}
  bought:
    event: com.acme.Bought
    to: rocket.add_to_basket
    for_each: lines
    map: {{{{sessionExternalId: item.session, timestamp: time, productId: item.product}}}}
"""
SESSION_TIMEOUT = 12.0
"""Seconds of the classic protocol's `session.timeout.ms` here; the other protocol's is the broker's."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a world sets in the file.

    Attributes:
        protocol: `classic` or `consumer` (KIP-848).
        batched: whether deliveries travel in batches.
        delays, max_attempts, stalemate: of `retry`.
        max_records, max_bytes: of `in_memory`.
        hold_above, failures: of `dead_letter`; `failures` is its `min`.
    """

    protocol: str = "classic"
    batched: bool = False
    rate: float | None = None
    concurrency: int = 8
    timeout: float = 5.0
    delays: Sequence[float] = (1.0, 3.0, 10.0)
    max_attempts: int = 8
    stalemate: float | None = 60.0
    max_records: int = 20_000
    max_bytes: int = 1 << 27
    max_ahead: int = 100_000
    commit_interval: float = 1.0
    shutdown_timeout: float = 25.0
    hold_above: float = 1.0
    failures: int = 50


def configured(figures: Figures) -> Ready:
    """The configuration with these figures."""
    ready = _loaded(figures.protocol, batched=figures.batched)
    (plan,) = ready.plans
    destination = plan.settings.model_copy(
        update={
            "rate": figures.rate,
            "concurrency": figures.concurrency,
            "timeout": figures.timeout,
            "batch": BatchSettings(max_events=20, max_wait=0.05) if figures.batched else None,
            "retry": RetrySettings(
                delays=tuple(figures.delays), max_attempts=figures.max_attempts, stalemate=figures.stalemate or "never"
            ),
            "dead_letter": DeadLetterSettings(
                topic=LETTERS, hold_above=figures.hold_above, window=500, min=figures.failures
            ),
        }
    )
    settings = ready.settings.model_copy(
        update={
            "in_memory": InMemorySettings(max_records=figures.max_records, max_bytes=figures.max_bytes),
            "max_ahead": figures.max_ahead,
            "commit_interval": figures.commit_interval,
            "shutdown_timeout": figures.shutdown_timeout,
        }
    )
    return replace(ready, settings=settings, plans=(replace(plan, settings=destination),))


@cache
def _loaded(protocol: str, *, batched: bool) -> Ready:
    timeouts = f"session.timeout.ms: {SESSION_TIMEOUT * 1000:.0f}" if protocol == "classic" else ""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "clickstream.yaml"
        path.write_text(FILE.format(protocol=protocol, timeouts=timeouts, batch="{}" if batched else "null"))
        return load_plans([path], {})
