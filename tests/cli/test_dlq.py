"""`clickstream dlq`: list, show and stats on letters in a real topic."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import structlog
from confluent_kafka import Producer

from processor.cli import dlq_stats
from processor.cli.main import main
from processor.records import Assignment, ErrorClass, Failure, Stage
from processor.replay import reading
from processor.replay.audit import audit_topic
from processor.replay.reading import Reader
from processor.replay.spans import Spans
from processor.settle.letters import Origin
from tests.cli.dead_letters import CONFIG, CONTACT, INVALID, SECOND, Scene, scene, viewed
from tests.replay.audits import audited, desk
from tests.replay.letters import buried, changed
from tests.support.broker import Broker
from tests.support.command import objects
from tests.support.records import record
from tests.support.server import free_port
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

MASK = "****"


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """The command sets up the process's logging; the next test wants it as it was."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def letters(broker: Broker, topic: TopicFactory, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Scene:
    """A dead-letter topic with its audit topic."""
    return scene(broker, audited(broker, topic), tmp_path, capsys)


@pytest.fixture
def unaudited(broker: Broker, topic: TopicFactory, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Scene:
    """A dead-letter topic without one."""
    return scene(broker, topic(), tmp_path, capsys)


def mark(letters: Scene, outcome: str, *spans: tuple[int, int], partition: int = 0) -> str:
    """Close letters, as a run does; gives the run's id."""
    with desk(letters.broker, letters.topic) as open_desk:
        run = open_desk.run(id="2026-11-22-1")
        done: list[bool] = []
        open_desk.writer.mark(run, (letters.topic, partition), {outcome: Spans(*spans)}, lambda: done.append(True))
        eventually_sync(lambda: done)
    return run.id


def listed(letters: Scene, *arguments: str) -> list[dict[str, Any]]:
    """What `list` prints for scripts."""
    code, out, err = letters.run("list", "--format", "json", *arguments)
    assert (code, err) == (0, "")
    return objects(out)


def test_list_for_people(letters: Scene) -> None:
    """A line for each letter, newest last, in columns under a heading."""
    letters.bury()
    letters.bury(INVALID, partition=2)
    letters.bury(Failure(Stage.DECODE, ErrorClass.UNDECODABLE, "a\nlong " + "word " * 40), route="")

    code, out, err = letters.run("list")

    assert (code, err) == (0, "")
    head, *lines = out.splitlines()
    assert head.split() == ["letter", "written", "route", "stage", "class", "status", "replays", "state", "message"]
    cells = [line.split(maxsplit=8) for line in lines]
    assert [[*row[:1], *row[2:8]] for row in cells] == [
        ["0:0", "views", "map", "unmapped", "–", "0", "open"],
        ["2:0", "views", "send", "invalid", "400", "0", "open"],
        ["0:1", "–", "decode", "undecodable", "–", "0", "open"],
    ]
    assert cells[1][8] == "the vendor refused it: 400"
    assert cells[2][8].startswith("a long word word ")
    assert cells[2][8].endswith("…")


def test_list_for_scripts(letters: Scene) -> None:
    """An object for each letter: all that it says, and its state; neither what the record held nor the reply."""
    letters.bury(INVALID, partition=3)

    [row] = listed(letters)

    assert row.pop("written").endswith("Z")
    assert row == {
        "letter": "3:0",
        "id": "shop.clicks:5:0:views:0",
        "topic": "shop.clicks",
        "partition": 5,
        "offset": 0,
        "time": "2023-11-14T22:13:20.000Z",
        "destination": "voyado",
        "route": "views",
        "index": 0,
        "stage": "send",
        "class": "invalid",
        "status": 400,
        "message": "the vendor refused it: 400",
        "attempts": 0,
        "first_attempt": None,
        "last_attempt": None,
        "schema_id": None,
        "config_version": "77be01aa",
        "service_version": "0.1.0",
        "replays": 0,
        "omitted": {},
        "state": "open",
    }


def test_a_long_list_is_cut(letters: Scene) -> None:
    """The newest are shown, and how many more there are."""
    for number in range(5):
        letters.bury(partition=number % 2)

    code, out, err = letters.run("list", "--limit", "2", "--format", "json")

    assert code == 0
    assert [row["letter"] for row in objects(out)] == ["1:1", "0:2"]
    assert err == "clickstream: older letters, not shown: 3; `--limit` shows more\n"


def test_an_empty_list(letters: Scene) -> None:
    """That there is no such letter is said; a script gets nothing."""
    letters.bury()

    assert letters.run("list", "--status", "422") == (0, "", f"clickstream: no such letter in {letters.topic}\n")


def test_a_route_that_the_file_does_not_have(letters: Scene) -> None:
    """It may be one of before, or a slip: the file's are named."""
    letters.bury()

    code, out, err = letters.run("list", "--route", "veiws", "--route", "")

    assert (code, out) == (0, "")
    assert err == (
        "clickstream: the file has no route veiws to voyado; it has: views\n"
        f"clickstream: no such letter in {letters.topic}\n"
    )


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--class", "unmapped"], ["0:0", "0:2"]),
        (["--class", "unmapped", "--class", "invalid"], ["0:0", "1:0", "0:2"]),
        (["--stage", "send", "--status", "400"], ["1:0"]),
        (["--route", "views", "--grep", "sku 1\\d+"], ["1:0"]),
        (["--route", ""], ["0:1"]),
        (["--key", "visitor-7", "--source", "shop.clicks:5:3"], ["0:2"]),
        (["--source", "shop.clicks:4"], []),
        (["--since", "1h"], ["0:0", "0:1", "1:0", "0:2"]),
        (["--until", "1h"], []),
        (["--until", "2023-11-14T22:13:20Z"], []),
        (["--where", "letter.status == `400`"], ["1:0"]),
        (["--where", "event.price > `10`"], ["0:2"]),
        (["--where", "event == `null`"], ["0:1"]),
    ],
)
def test_selectors(letters: Scene, arguments: list[str], found: list[str]) -> None:
    """Each is read and narrows; the event is decoded where it is named, also by today's schemas only."""
    letters.bury()
    letters.bury(Failure(Stage.DECODE, ErrorClass.UNDECODABLE, "no Avro"), route="", value=b"\x07")
    letters.bury(INVALID, partition=1)
    letters.bury(value=viewed(price=12.5))

    code, out, _ = letters.run("list", "--format", "json", *arguments)

    assert code == 0
    assert [row["letter"] for row in objects(out)] == found


def test_what_is_passed_over(letters: Scene) -> None:
    """Messages that are no letters, letters of another destination, and those on which a condition fails, are told."""
    letters.bury()
    letters.put(record(headers=[("a", b"x")]))
    letters.put(changed(buried(), source_offset=b"many"))
    letters.put(record(value=None))
    letters.bury(origin=Origin("rocket", "1", "1"))

    code, out, err = letters.run("list", "--format", "json", "--where", "letter.message > letter.offset")

    assert (code, out) == (0, "")
    first, second, third, fourth = err.splitlines()
    assert first.startswith("clickstream: not letters, and passed over: 1 has ")
    assert "1 has a dlq.source.offset that is no number" in first
    assert first.endswith("; the first one is at 0:1")
    assert second == "clickstream: letters of rocket in the same topic, and passed over: 1"
    assert third.startswith("clickstream: left out because --where fails on them: 1 letter; letter.message > ")
    assert fourth == f"clickstream: no such letter in {letters.topic}"


def test_states(letters: Scene) -> None:
    """Each letter's state is what the audit topic says of it, and one of them can be asked for."""
    for _ in range(4):
        letters.bury()
    mark(letters, "discarded", (1, 2))
    mark(letters, "failed", (2, 3))

    assert [row["state"] for row in listed(letters)] == ["open", "discarded", "replayed", "open"]
    assert [row["letter"] for row in listed(letters, "--state", "open")] == ["0:0", "0:3"]
    assert [row["letter"] for row in listed(letters, "--state", "discarded", "--limit", "1")] == ["0:1"]


def test_no_audit_topic(unaudited: Scene) -> None:
    """All letters count as open, and the command that creates it is told."""
    unaudited.bury()

    code, out, err = unaudited.run("stats")

    assert code == 0
    assert "open 1  replayed 0  discarded 0" in out
    assert err.startswith(f"clickstream: all letters count as open: the audit topic {audit_topic(unaudited.topic)} ")
    assert "kafka-topics.sh" in err
    assert "cleanup.policy=compact" in err


def test_an_audit_topic_that_forgets(
    broker: Broker, topic: TopicFactory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is read as far as it remembers, and the command that mends it is told."""
    if broker.kind == "embedded":
        pytest.skip("the mock cluster makes plain topics only")
    letters = scene(broker, topic(1), tmp_path, capsys)
    topic(1, {"cleanup.policy": "delete", "retention.ms": "86400000"}, audit_topic(letters.topic))
    letters.bury()
    mark(letters, "delivered", (0, 1))

    code, out, err = letters.run("stats")

    assert code == 0
    assert "open 0  replayed 1  discarded 0" in out
    assert err.startswith(f"clickstream: the audit topic {audit_topic(letters.topic)} forgets what was replayed")


def test_nonsense_in_the_audit_topic(letters: Scene) -> None:
    """It is passed over and told."""
    letters.bury()
    producer = Producer({"bootstrap.servers": letters.broker.bootstrap})
    producer.produce(audit_topic(letters.topic), b"nonsense", b"k")
    assert producer.flush(20) == 0

    code, _, err = letters.run("list")

    assert code == 0
    assert err.startswith(f"clickstream: not understood in {audit_topic(letters.topic)}, and passed over: 1 message: ")


def test_stats_for_people(letters: Scene) -> None:
    """Causes of most open letters first, their states counted, with the first and the last."""
    for _ in range(3):
        letters.bury()
    for _ in range(2):
        letters.bury(INVALID, partition=1)
    mark(letters, "delivered", (0, 2))
    mark(letters, "discarded", (2, 3))

    code, out, err = letters.run("stats")

    assert (code, err) == (0, "")
    head, names, *causes = out.splitlines()
    assert head.startswith(f"topic {letters.topic}  open 2  replayed 2  discarded 1   oldest ")
    assert head.endswith(", never expires")
    assert tuple(names.split()) == dlq_stats.HEAD
    assert [[*cause.split()[:7], cause.split(maxsplit=11)[-1]] for cause in causes] == [
        ["2", "0", "0", "views", "send", "invalid", "400", "the vendor refused it: 400"],
        ["0", "2", "1", "views", "map", "unmapped", "–", "itemId: is required"],
    ]


def test_stats_for_scripts(letters: Scene) -> None:
    """First the topic, then a line for each cause."""
    letters.bury()
    letters.put(record(headers=[("a", b"x")]))
    letters.put(record(value=None))
    letters.bury(origin=Origin("rocket", "1", "1"))

    code, out, _ = letters.run("stats", "--format", "json", "--route", "views")

    assert code == 0
    topic, cause = objects(out)
    oldest = topic.pop("oldest")
    assert topic == {
        "type": "topic",
        "topic": letters.topic,
        "open": 1,
        "replayed": 0,
        "discarded": 0,
        "expires": None,
        "retention_ms": -1,
        "not_letters": 1,
        "tombstones": 1,
        "other_destinations": {"rocket": 1},
    }
    assert cause == {
        "type": "cause",
        "route": "views",
        "stage": "map",
        "class": "unmapped",
        "status": None,
        "message": "itemId: is required",
        "open": 1,
        "replayed": 0,
        "discarded": 0,
        "first": oldest,
        "last": oldest,
    }


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"retention.ms": "1209600000"}, ", expires in 13 d 23 h"),
        ({"cleanup.policy": "compact", "retention.ms": "1000"}, ", never expires"),
    ],
)
def test_when_retention_takes_the_oldest(
    broker: Broker,
    topic: TopicFactory,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    config: dict[str, str],
    words: str,
) -> None:
    """It follows from the topic's own configuration."""
    letters = scene(broker, topic(config=config), tmp_path, capsys)
    letters.bury()

    code, out, _ = letters.run("stats")

    assert code == 0
    assert out.splitlines()[0].endswith(words)


def test_many_causes(letters: Scene) -> None:
    """Fifty are shown, the others summed."""
    for number in range(53):
        letters.bury(Failure(Stage.MAP, ErrorClass.UNMAPPED, f"no {number:03}"))
    letters.bury(Failure(Stage.MAP, ErrorClass.UNMAPPED, "no 000"))
    mark(letters, "discarded", (52, 53))

    _, out, _ = letters.run("stats")
    lines = out.splitlines()
    assert lines[2].split()[0] == "2"
    assert len(lines) == 2 + 50 + 1
    assert lines[-1] == "3 other causes: 2 open, 0 replayed, 1 discarded"

    _, out, _ = letters.run("stats", "--format", "json")
    others = objects(out)[-1]
    assert [others[name] for name in ("type", "causes", "open", "discarded")] == ["others", 3, 2, 1]


def test_show_for_people(letters: Scene) -> None:
    """Origin, reason, reply, headers, event and request, with every value of the record hidden."""
    letters.bury(INVALID, partition=1)
    run = mark(letters, "failed", (0, 1), partition=1)

    code, out, err = letters.run("show", "1:0")

    assert (code, err) == (0, "")
    lines = [line.split(maxsplit=1) for line in out.splitlines() if line]
    said = {line[0]: line[1] for line in lines if len(line) == 2}
    assert said["letter"].startswith(f"1:0 of {letters.topic}, written 20")
    assert said["state"] == f"replayed; run {run}: failed"
    assert said["delivery"] == "shop.clicks:5:0:views:0 (voyado)"
    assert said["record"] == "shop.clicks[5]@0, 2023-11-14T22:13:20.000Z"
    assert (said["key"], said["reply"], said["headers"]) == (MASK, MASK, f"tenant: {MASK}")
    assert said["failed"] == "send, invalid, HTTP 400: the vendor refused it: 400"
    assert said["event"] == "a.View"
    assert said["request"] == "now  views: POST /api/v2/tracking/productview"
    assert [said[name] for name in ('"sku":', '"contact":', '"price":', '"itemId":')] == [
        f'"{MASK}",',
        f'"{MASK}",',
        f'"{MASK}"',
        f'"{MASK}",',
    ]
    for hidden in ("10233", CONTACT, "visitor-7", "acme"):
        assert hidden not in out


def test_show_for_scripts(letters: Scene) -> None:
    """The same in one line, and with `--reveal` what is hidden otherwise."""
    letters.bury(INVALID)

    [hidden] = objects(letters.run("show", "0:0", "--format", "json")[1])
    [shown] = objects(letters.run("show", "0@0", "--format", "json", "--reveal")[1])

    assert (hidden["state"], hidden["runs"], hidden["undecoded"]) == ("open", [], None)
    assert (hidden["response"], hidden["key"], hidden["headers"]) == (MASK, MASK, {"tenant": MASK})
    assert hidden["event"] == {"name": "a.View", "value": {"sku": MASK, "contact": MASK, "price": MASK}}
    [now] = hidden["now"]
    request = {"method": "POST", "path": "/api/v2/tracking/productview"}
    assert (now["route"], now["index"]) == ("views", 0)
    assert now["request"] == request | {"body": dict.fromkeys(now["request"]["body"], MASK)}
    assert (shown["response"], shown["key"]) == ('{"error": "sku 10233 is unknown"}', "visitor-7")
    assert shown["headers"] == {"tenant": "acme"}
    assert shown["event"]["value"] == {"sku": "10233", "contact": CONTACT, "price": 9.5}
    assert shown["now"][0]["request"]["body"]["itemId"] == "10233"
    assert hidden["config_now"] not in {"", hidden["config_version"]}


@pytest.mark.parametrize(
    ("parts", "event", "now"),
    [
        ({"value": viewed(None)}, "a.View", "views: none: itemId"),
        ({"value": viewed("hidden")}, "a.View", "views: none, it is filtered (when)"),
        ({"route": "gone"}, "a.View", "gone: none, it is filtered (no_route)"),
        ({"value": b"\x07"}, "not decoded: ", "all routes: none: "),
        ({"route": "", "index": None}, "a.View", "views: POST /api/v2/tracking/productview"),
    ],
    ids=["unmapped", "filtered", "no such route", "undecodable", "failed before any route"],
)
def test_why_there_is_no_request_now(letters: Scene, parts: dict[str, Any], event: str, now: str) -> None:
    """Today's file decides, and in words."""
    letters.bury(**parts)

    code, out, err = letters.run("show", "0:0")

    assert (code, err) == (0, "")
    assert f"\nevent        {event}" in out
    assert f"\nrequest now  {now}" in out


def test_a_letter_without_its_value(letters: Scene) -> None:
    """What the topic did not take is named with its bytes, and the way to the record."""
    message = changed(buried(), value_omitted=b"2000000", destination=b"voyado")
    message.value = None
    letters.put(message)

    code, out, _ = letters.run("show", "0:0")

    words = (
        "the dead-letter topic did not take its value of 2000000 bytes; `replay --source` reads the record where it was"
    )
    assert code == 0
    assert f"\nevent        not decoded: {words}\n" in out
    assert f"\nrequest now  orders, item 2: none: {words}\n" in out


def test_a_letter_of_another_destination(letters: Scene) -> None:
    """It is shown; what becomes of it is its own destination's matter."""
    letters.bury(origin=Origin("rocket", "1", "1"))

    code, out, _ = letters.run("show", "0:0")

    assert code == 0
    assert "request now  views: none: it is a letter of rocket: name that one" in out


def test_all_letters_of_a_delivery(letters: Scene) -> None:
    """One that failed again has several; the oldest is shown first."""
    source = record(41, at=Assignment("shop.clicks", 5, 1))
    letters.bury(source=source, partition=3)
    letters.bury()
    letters.bury(INVALID, source=source, partition=0)

    code, out, err = letters.run("show", "shop.clicks:5:41:views:0", "--format", "json")

    assert code == 0
    assert [letter["letter"] for letter in objects(out)] == ["3:0", "0:1"]
    assert err == "clickstream: the delivery has 2 letters, oldest first\n"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("0:7", "has nothing at 0:7; that partition has 0 to 1"),
        ("2:0", "has nothing at 2:0; that partition is empty"),
        ("99:0", "has no partition 99; it has: 0, 1, 2, 3"),
        ("0:1", "is no letter: it has no headers of a dead letter"),
        ("shop.clicks:5:9:views:0", "has no letter of the delivery shop.clicks:5:9:views:0"),
    ],
)
def test_a_letter_that_is_not_there(letters: Scene, name: str, words: str) -> None:
    """The words say what is there instead; the command fails."""
    letters.bury()
    letters.put(record(headers=[("a", b"x")]))

    code, out, err = letters.run("show", name)

    assert (code, out) == (1, "")
    assert err.startswith("clickstream: ")
    assert words in err


def test_no_dead_letter_topic(broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command that creates it is told."""
    if broker.kind == "embedded":
        pytest.skip("the mock cluster makes every topic that it is asked for")
    letters = scene(broker, f"test.{uuid4().hex}", tmp_path, capsys)

    code, out, err = letters.run("list")

    assert (code, out) == (1, "")
    assert f"the dead-letter topic {letters.topic} does not exist" in err
    assert f"--create --topic {letters.topic}" in err


def test_no_kafka(
    broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address and the fix, after the patience; no traceback."""
    monkeypatch.setattr(reading, "PATIENCE", 1.0)
    config = CONFIG.replace("{bootstrap}", f"127.0.0.1:{free_port()}")
    letters = scene(broker, "dlq", tmp_path, capsys, config)

    code, out, err = letters.run("stats")

    assert (code, out) == (1, "")
    assert err.startswith("clickstream: Kafka at 127.0.0.1:")
    assert "see that the brokers are up and reachable" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--destination   is needed to say whose letters"),
        (("--destination", "rockt"), "--destination   no pipeline named rockt"),
        (("--destination", "voyado", "--where", "nope(key)"), "--where   unknown function nope()"),
        (("--destination", "voyado", "--where", "status == `400`"), "no `status` here; did you mean letter.status?"),
        (
            ("--destination", "voyado", "--since", "2026-11-22T11:00:00Z", "--until", "2026-11-22T10:00:00Z"),
            "--since   is 2026-11-22T11:00:00+0000, which is not before --until 2026-11-22T10:00:00+0000",
        ),
    ],
)
def test_what_the_file_does_not_have(
    broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    """It is refused before anything connects, with what there is."""
    letters = scene(
        broker, "dlq", tmp_path, capsys, CONFIG.replace("routes:\n", SECOND.replace("{", "{{").replace("}", "}}"))
    )

    code, out, err = letters.run("list", *arguments)

    assert (code, out) == (2, "")
    assert words in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["list", "--limit", "0"], "0 is not a number above 0"),
        (["list", "--since", "yesterday"], "yesterday is not a time with its zone"),
        (["list", "--since", "2026-11-22T09:00:00"], "is not a time with its zone"),
        (["list", "--status", "4xx"], "4xx is not an HTTP status"),
        (["list", "--source", "a:b"], "a:b is not TOPIC, TOPIC:PARTITION or TOPIC:PARTITION:OFFSET"),
        (["list", "--grep", "("], "( is no regular expression"),
        (["stats", "--class", "wrong"], "invalid choice: 'wrong'"),
        (["show", "17"], "17 is neither PARTITION:OFFSET nor a delivery's id"),
        (["list", "--json"], "--json; `clickstream dlq list --help` shows what it takes"),
        (["show"], "required: LETTER"),
        ([], "required: COMMAND"),
    ],
)
def test_wrong_arguments(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    """Each is named with what is wanted."""
    with pytest.raises(SystemExit) as ended:
        main(["dlq", *arguments])

    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_a_command_that_is_interrupted(letters: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends as shells expect it, without a traceback."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Reader, "watermarks", interrupted)

    assert letters.run("stats") == (130, "", "clickstream: interrupted\n")
