from contextlib import closing

from processor.demo.embedded import EmbeddedKafka
from processor.demo.letter_box import LetterBox
from processor.demo.poison import WantedLetter
from tests.support.waiting import eventually_sync

TOPICS = ["a.dlq", "b.dlq"]


def put(kafka: EmbeddedKafka, topic: str, value: bytes, **headers: str) -> None:
    """Write a letter as the service does."""
    named = [(f"dlq.{name.replace('_', '.')}", text.encode()) for name, text in headers.items()]
    kafka.producer.produce(topic, value, b"key", headers=[("arrived", b"\xff"), *named])
    kafka.producer.flush(10)


def test_all_letters_are_read_from_the_beginning_on() -> None:
    """Those of before it was opened and those that come later, of all topics, each once."""
    kafka = EmbeddedKafka(TOPICS)
    put(kafka, "a.dlq", b"1", destination="a", route="views", error_class="invalid")
    with closing(LetterBox(kafka.bootstrap, TOPICS)) as box:
        found: list[WantedLetter] = []

        def has(count: int) -> bool:
            found.extend(box.read())
            return len(found) == count

        eventually_sync(lambda: has(1))
        put(kafka, "b.dlq", b"2", destination="b", route="views", error_class="unmapped")
        put(kafka, "b.dlq", b"3", destination="b", error_class="undecodable")
        eventually_sync(lambda: has(3))

    assert set(found) == {
        WantedLetter("a", "views", "invalid", b"1"),
        WantedLetter("b", "views", "unmapped", b"2"),
        WantedLetter("b", "", "undecodable", b"3"),
    }
