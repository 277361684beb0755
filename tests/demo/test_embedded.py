from typing import cast

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from processor.demo.embedded import FRAME, EmbeddedKafka, Shelf
from tests.support.waiting import eventually_sync


def test_a_shelf_keeps_what_is_not_committed() -> None:
    """Bytes are counted per partition, until every group is past them."""
    shelf = Shelf()
    for offset in range(10):
        shelf.enter(0, offset, 100)
    shelf.enter(1, 0, 50)

    assert shelf.fullest == 10 * (100 + FRAME)
    shelf.committed(0, 4)
    assert shelf.fullest == 6 * (100 + FRAME)
    shelf.committed(0, 3)
    assert shelf.fullest == 6 * (100 + FRAME)
    shelf.committed(0, 10)
    assert shelf.fullest == 50 + FRAME
    assert shelf.ends == {0: 10, 1: 1}


def test_a_shelf_without_records_is_empty() -> None:
    """Nothing is kept before there is anything, also where offsets are committed already."""
    shelf = Shelf()

    shelf.committed(2, 7)

    assert shelf.fullest == 0


def test_the_embedded_kafka_says_what_it_took() -> None:
    """Its delivery reports fill the shelf with what a consumer then reads."""
    kafka, shelf = EmbeddedKafka(["t"]), Shelf()
    for number in range(40):
        kafka.producer.produce("t", b"value", str(number).encode(), on_delivery=shelf.put)
    assert kafka.producer.flush(10) == 0

    assert sum(shelf.ends.values()) == 40
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "g"})
    consumer.assign([TopicPartition("t", partition, 0) for partition in shelf.ends])
    found: list[Message] = []

    def all_read() -> bool:
        found.extend(consumer.consume(40, 0.1))
        return len(found) == 40

    eventually_sync(all_read)
    consumer.close()


def test_a_record_that_was_not_taken_is_remembered() -> None:
    """The demo would not balance for a reason that is not the service's."""
    shelf = Shelf()
    error = KafkaError(KafkaError._MSG_TIMED_OUT)

    shelf.put(error, cast("Message", None))  # it has nothing to say then

    assert shelf.failed is error
    assert shelf.ends == {}
