"""CPU-µs of an event from its decoded fields to the bytes that are sent: the stages route and map alone.

The event is the canonical product view, mapped to Voyado as in `examples/canonical.yaml`. `python -m
benchmarks.mapping` runs it by itself, without a broker.
"""

import gc
import io
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastavro

from processor.cli.run import GC_THRESHOLD
from processor.decode.binary import compile_reader
from processor.demo.clicks import Click, Shop
from processor.demo.schemas import NAMESPACE, load_schemas
from processor.demo.shop import FRAME, Encoder
from processor.plan import load_plans
from processor.records import Assignment, Event, Record
from processor.route.router import Routed, Router

VIEW = f"{NAMESPACE}.ProductViewed"
TOPIC = "shop.clickstream"
EVENTS = 20_000
ROUNDS = 7
CHUNK = 50
"""Events in a row of one kind of work: few enough to lie in the processor's cache, as events of the service do; and
both kinds of work meet the same moods of the machine."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians of some rounds.

    Attributes:
        cpu: microseconds per event.
        fastavro: what fastavro alone took to read the same payloads in the same rounds.
        ratio: of the two, round by round.
    """

    cpu: float
    fastavro: float
    ratio: float

    def __str__(self) -> str:
        return f"{self.cpu:6.1f} CPU-µs per event, {self.ratio:.2f} of fastavro's {self.fastavro:.1f} beside it"


def known(count: int) -> list[Click]:
    """Product views of visitors with a contact: others would be filtered, and make the figure look better."""
    shop = Shop(1, int(time.time() * 1000), "ProductViewed")
    clicks: list[Click] = []
    while len(clicks) < count:
        clicks += [click for click in shop.clicks(count) if click.value["contactId"]]
    return clicks[:count]


def mapping_cpu(values: Sequence[bytes]) -> Cost:
    """What route and map take for encoded product views of known contacts."""
    plan = load_plans([Path(__file__).parents[1] / "examples" / "canonical.yaml"], {}).plans[0]
    router, mappers = Router(plan.routes), plan.mappers
    schema = load_schemas()[VIEW].parsed
    reader = compile_reader(schema)
    assignment = Assignment(TOPIC, 0, 1)

    def event(value: bytes) -> Event:
        return Event(Record(assignment, 0, 1, None, value, None), VIEW, reader(value, FRAME.size), 1)

    def deliver(event: Event) -> None:
        for routed in router.route(event):
            assert isinstance(routed, Routed)
            mappers[routed.route].map(routed.scope, event)

    def read(value: bytes) -> None:
        fastavro.schemaless_reader(io.BytesIO(value[FRAME.size :]), schema, None)

    ours, theirs = [], []
    for _ in range(ROUNDS):
        chunks = [values[at : at + CHUNK] for at in range(0, len(values), CHUNK)]
        pairs = [(_cpu(read, chunk), _cpu(deliver, [event(value) for value in chunk])) for chunk in chunks]
        theirs.append(sum(cost for cost, _ in pairs) / len(values) * 1e6)
        ours.append(sum(cost for _, cost in pairs) / len(values) * 1e6)
    ratios = [our / their for our, their in zip(ours, theirs, strict=True)]
    return Cost(statistics.median(ours), statistics.median(theirs), statistics.median(ratios))


def _cpu(work: Callable[[Any], None], values: Sequence[Any]) -> float:
    begun = time.process_time()
    for value in values:
        work(value)
    return time.process_time() - begun


def main() -> None:
    """Measure, with the garbage collector as the service has it."""
    encoder = Encoder({name: number for number, name in enumerate(load_schemas(), 1)})
    values = [encoder.encode(click) for click in known(EVENTS)]
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    print(f"route and map   {mapping_cpu(values)}")


if __name__ == "__main__":
    main()
