"""A registry in trouble, each trouble on a real one: what needs it waits and says so, the rest goes on."""

import http.client
import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from processor.demo.vendors import VendorOptions
from tests.decode.registries import framed, record_type
from tests.support.background import in_background
from tests.support.broker import Broker
from tests.support.gateway import Gateway, running_gateway
from tests.support.options import UnavailableError
from tests.support.path import running_path
from tests.support.registry import API, Registry, RegistryProcess
from tests.support.server import listening
from tests.support.service import ServiceProcess
from tests.support.stream import (
    PARTITIONS,
    Stream,
    await_trouble,
    lines,
    partitions_waiting,
    waiting_for,
)
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

LOGIN = "clickstream:registry-pa55word"
StreamFactory = Callable[[], Stream]
UNKNOWN = 999_999
MAX_ID = 2**31 - 1


@pytest.fixture(scope="module")
def shared_process() -> Iterator[RegistryProcess]:
    """A registry that the tests of this file break and mend."""
    try:
        process = RegistryProcess()
    except UnavailableError as error:
        pytest.skip(f"no registry that may be broken: {error}")
    with process:
        yield process


@pytest.fixture
def process(shared_process: RegistryProcess) -> RegistryProcess:
    """It runs when a test begins."""
    if not listening(shared_process.port):
        shared_process.start()
    return shared_process


@pytest.fixture
def streams(tmp_path: Path, broker: Broker, process: RegistryProcess, topic: TopicFactory) -> Iterator[StreamFactory]:
    """Makes topics on their way to a vendor, each with one of its own."""
    registry = Registry(process.url, "maven", "the registry of these tests")
    with ExitStack() as stack:

        def make() -> Stream:
            path = stack.enter_context(running_path(tmp_path, broker, registry, topic, VendorOptions(latency=0.0)))
            return Stream(path, process.url)

        yield make


@pytest.fixture
def stream(streams: StreamFactory) -> Stream:
    """A topic on its way to a vendor."""
    return streams()


@pytest.fixture
def late(streams: StreamFactory) -> Stream:
    """Another one, whose service starts later."""
    return streams()


def gateway_to(process: RegistryProcess) -> AbstractContextManager[Gateway]:
    """A gateway before the registry that lets everybody in."""
    return in_background(running_gateway(process.url, lambda _: True))


@dataclass(frozen=True)
class Seen:
    """What a service did and said while its registry was away."""

    trouble: str
    waiting: dict[int, str]
    committed: dict[int, int]
    delivered: dict[int, list[str]]
    live: int

    @classmethod
    def of(cls, stream: Stream, service: ServiceProcess, partitions: int) -> Self:
        """Look once so many partitions wait, and the service has said so; they do not come all at once."""
        trouble = await_trouble(service, "ConnectError")
        eventually_sync(lambda: len(partitions_waiting(service)) >= partitions)
        live = service.get("/live")[0]
        return cls(trouble, partitions_waiting(service), stream.committed, stream.delivered, live)


def test_a_registry_that_goes_down_stops_only_what_needs_it(
    stream: Stream, late: Stream, process: RegistryProcess
) -> None:
    """Who runs goes on with all schemas that it knows, who starts waits; then all goes out in order (invariant 9)."""
    stream.send(stream.first, 20, *PARTITIONS)
    late.send(late.first, 25, *PARTITIONS)

    with stream.service({"url": process.url}, in_memory={"max_records": 400}) as running:
        stream.settled()
        process.kill()
        stream.send(stream.first, 10, 0)
        stream.send(stream.second, 150, 0)  # more than one partition's share of the memory
        stream.send(stream.first, 10, 0)
        stream.send(stream.first, 150, 1, 2, 3)
        with late.service({"url": process.url}) as starting:
            stream.settled(1, 2, 3)
            eventually_sync(lambda: stream.committed[0] == 30)
            seen_running, seen_starting = Seen.of(stream, running, 1), Seen.of(late, starting, len(PARTITIONS))
            process.start()
            stream.settled()
            late.settled()
            after = waiting_for(starting), partitions_waiting(starting)

    check_what_ran(seen_running, stream)
    check_what_started(seen_starting, late, starting)
    assert after == ({}, {})
    assert (stream.letters(), late.letters()) == ([], [])
    assert stream.delivered == stream.sent
    assert late.delivered == late.sent


def check_what_ran(seen: Seen, stream: Stream) -> None:
    """The partition with the new schema stands still, the others have everything behind them."""
    assert seen.waiting == {0: f"schema id {stream.second}"}
    assert seen.trouble.startswith(f"schema id {stream.second}: ConnectError: ")
    assert seen.delivered == {**stream.sent, 0: stream.sent[0][:30]}
    assert seen.live == 200


def check_what_started(seen: Seen, stream: Stream, service: ServiceProcess) -> None:
    """It settles nothing, says what it waits for and what to look at, and says it once."""
    assert seen.waiting == dict.fromkeys(PARTITIONS, f"schema id {stream.first}")
    assert seen.committed == dict.fromkeys(PARTITIONS, 0)
    assert seen.delivered == {partition: [] for partition in PARTITIONS}
    assert "look at registry.url" in seen.trouble
    assert seen.live == 200
    told = lines(service, "registry_unavailable")
    reasons = [f"schema id {line['schema_id']}: {line['reason']}" for line in told]
    assert reasons[0] == seen.trouble
    assert len(reasons) == len(set(reasons))
    assert "partitions that need this schema wait, nothing is lost" in told[0]["next"]
    assert [line["schema_id"] for line in lines(service, "registry_back")] == [stream.first]


def test_a_slow_registry_is_waited_out(stream: Stream, process: RegistryProcess) -> None:
    """While a question is open all else goes on; a question without an answer is asked again."""
    stream.send(stream.first, 5, *PARTITIONS)

    with stream.service({"url": process.url, "timeout": "4"}) as service:
        stream.settled()
        with process.frozen():
            stream.send(stream.second, 5, 0)
            eventually_sync(lambda: partitions_waiting(service) == {0: f"schema id {stream.second}"})
            stream.send(stream.first, 20, 1, 2, 3)
            moving = (1, 2, 3)
            eventually_sync(lambda: all(stream.delivered[number] == stream.sent[number] for number in moving))
            live, during_first_question = service.get("/live")[0], waiting_for(service)
            trouble = await_trouble(service, "ReadTimeout")
        stream.settled()
        service.terminate()

    assert live == 200
    assert during_first_question == {}
    assert trouble.startswith(f"schema id {stream.second}: ReadTimeout: ")
    assert stream.letters() == []
    assert stream.delivered == stream.sent


def test_a_refused_login_is_waited_out_and_not_shown(stream: Stream, process: RegistryProcess) -> None:
    """401, then 503: each is named with what to look at, no letter, the password is nowhere (invariants 9 and 11)."""
    login = stream.path.folder / "registry-login"
    login.write_text(LOGIN)
    header = "Basic " + b64encode(LOGIN.encode()).decode()
    stream.send(stream.first, 25, *PARTITIONS)

    with gateway_to(process) as gateway:
        gateway.lets_in = lambda _: False
        keys = {"url": gateway.url, "basic.auth.user.info": f"${{file:{login}}}"}
        with stream.service(keys) as service:
            refused = await_trouble(service, "401")
            seen = service.get("/status")[1] + service.get("/metrics")[1]
            gateway.instead = {"": (503, {"error_code": 50302, "message": "no leader"})}
            gateway.lets_in = lambda given: given == header
            away = await_trouble(service, "503")
            before = stream.committed, stream.letters()
            gateway.instead = {}
            stream.settled()
            service.terminate()

    assert "look at basic.auth.user.info" in refused
    assert "it answers 503: no leader; look at the registry" in away
    assert before == (dict.fromkeys(PARTITIONS, 0), [])
    reasons = [f"schema id {line['schema_id']}: {line['reason']}" for line in lines(service, "registry_unavailable")]
    assert reasons == [refused, away]
    assert stream.letters() == []
    assert stream.delivered == stream.sent
    for secret in ("registry-pa55word", header.removeprefix("Basic ")):
        assert secret not in service.log + seen


def test_a_wrong_path_is_waited_out(stream: Stream, process: RegistryProcess, topic: TopicFactory) -> None:
    """A 404 that is no registry's writes no letter (invariant 9); who needs no schema is not said to wait."""
    stream.send(stream.first, 25, *PARTITIONS)
    # A path that Apicurio had once: it answers like Confluent's registry does on a path that it does not have.
    wrong = process.url.replace(API, "/apis/registry/v2")

    with stream.service({"url": wrong}, "voyado", topics=[topic()]) as service:
        trouble, waiting = await_trouble(service, "404"), partitions_waiting(service)
        other = service.status()["voyado"]
        code = service.terminate()

    assert "look at the path in registry.url" in trouble
    assert waiting == dict.fromkeys(PARTITIONS, f"schema id {stream.first}")
    assert other["assigned"]
    assert other["waiting_for"] == {}
    assert {each["waiting_for"] for each in other["partitions"]} == {None}
    assert stream.committed == dict.fromkeys(PARTITIONS, 0)
    assert stream.letters() == []
    assert code == 0


def test_what_the_registry_cannot_help_with_is_a_dead_letter(stream: Stream, process: RegistryProcess) -> None:
    """Unknown ids, schemas that are no Avro or broken: a letter per record, one question per schema."""
    reasons = unusable_schemas(stream, process)
    unreadable = [framed(schema_id, b"\x02") for schema_id in reasons]
    stream.send_bytes(unreadable, 5, *PARTITIONS)
    stream.send(stream.second, 25, *PARTITIONS)

    with gateway_to(process) as gateway:
        gateway.delay = 0.3  # so that all partitions want the same schema at the same time
        gateway.instead = {"/subjects/pages/versions/1": (404, {"error_code": 40401, "message": "no subject"})}
        with stream.service({"url": gateway.url}, hold_above=1) as service:  # or it would hold: half fails
            stream.settled()
            stream.send_bytes(unreadable, 5, *PARTITIONS)
            stream.settled()
            service.terminate()
        asked = gateway.asked

    letters = stream.letters()
    for schema_id, reason in reasons.items():
        told = [letter for letter in letters if letter["dlq.schema.id"] == str(schema_id)]
        assert len(told) == 10 * len(PARTITIONS)
        assert all(letter["dlq.error.message"].startswith(reason) for letter in told), told[0]
    assert len(letters) == 10 * len(PARTITIONS) * len(reasons)
    questions = [f"/schemas/ids/{schema_id}" for schema_id in (*reasons, stream.second) if schema_id <= MAX_ID]
    assert asked == dict.fromkeys((*questions, "/subjects/pages/versions/1"), 1)
    assert stream.delivered == stream.sent


def unusable_schemas(stream: Stream, process: RegistryProcess) -> dict[int, str]:
    """Ids that help nobody, each with what is told of it where the gateway hides the subject `pages`."""
    json_schema = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}
    stream.register("pages", record_type("Page", url="string"))
    not_avro = stream.register("json", json_schema, "JSON")
    parted = stream.register("views", record_type("View", page="com.acme.Page"), **{"com.acme.Page": "pages"})
    broken = broken_reference(process)
    return {
        UNKNOWN: f"schema id {UNKNOWN} is unknown to the registry",
        MAX_ID + 1: "a schema id that is no registry's",
        not_avro: f"schema id {not_avro} is JSON, not Avro",
        broken: f"schema id {broken} is unknown to the registry: Version 1 not found.",
        parted: f"schema id {parted} cannot be read: it refers to version 1 of pages, which the registry",
    }


def broken_reference(process: RegistryProcess) -> int:
    """Register a schema that refers to what the registry does not have, which only Apicurio's own API lets pass."""
    reference = {"name": "com.acme.Page", "groupId": "default", "artifactId": "gone", "version": "1"}
    text = json.dumps(record_type("Broken", page="com.acme.Page"))
    content = {"content": text, "contentType": "application/json", "references": [reference]}
    artifact = {"artifactId": "broken", "artifactType": "AVRO", "firstVersion": {"version": "1", "content": content}}
    connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=10)
    address = "/apis/registry/v3/groups/default/artifacts?ifExists=FIND_OR_CREATE_VERSION"
    connection.request("POST", address, json.dumps(artifact), {"Content-Type": "application/json"})
    schema_id: int = json.load(connection.getresponse())["version"]["contentId"]
    connection.close()
    return schema_id
