"""Schemas from files: for single-object encoding by their fingerprint, for raw Avro by their name."""

from collections.abc import Mapping

from fastavro.schema import fingerprint, to_parsing_canonical_form

from processor.decode.event_types import Schema, make_schema
from processor.decode.frames import Fingerprint
from processor.settings.avro_files import LocalSchema, LocalSchemas


class LocalTypes:
    """What `schemas` and `formats` of the file say, compiled.

    Args:
        formats: type names by topic, each defined once in `schemas`.
    """

    def __init__(self, schemas: LocalSchemas, formats: Mapping[str, str]) -> None:
        self._by_fingerprint = {_fingerprint(each): make_schema(None, each.parsed, {}, schemas) for each in schemas.all}
        self._by_topic = {
            topic: make_schema(None, each.parsed, {}, schemas)
            for topic, name in formats.items()
            for each in schemas.named(name)
        }

    @property
    def topics(self) -> frozenset[str]:
        """Those whose values have no frame."""
        return frozenset(self._by_topic)

    def of_topic(self, topic: str) -> Schema | None:
        """The type of a topic whose values have no frame; None for all other topics."""
        return self._by_topic.get(topic)

    def of_fingerprint(self, mark: Fingerprint) -> Schema | None:
        """The writer's schema that a single-object encoding names."""
        return self._by_fingerprint.get(mark)


def _fingerprint(schema: LocalSchema) -> Fingerprint:
    """CRC-64-AVRO of the parsing canonical form, as it stands in a frame: the least significant byte first."""
    return bytes.fromhex(fingerprint(to_parsing_canonical_form(schema.parsed), "CRC-64-AVRO"))
