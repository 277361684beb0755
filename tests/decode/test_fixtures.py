"""What Avro for Java and avsc wrote is read as they read it themselves; `tests/fixtures/avro` has it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import fastavro
import pytest

from processor.decode.binary import Reader, compile_reader
from processor.decode.event_types import parse
from processor.decode.frames import mark_of, schema_of
from processor.decode.local import LocalTypes
from processor.settings.avro_files import LocalSchema, LocalSchemas
from tests.decode.client_values import exact, revived
from tests.fixtures.avro.regenerate import FOLDER, GENERATORS
from tests.support.options import UnavailableError
from tests.support.records import record

SCHEMA_ID = 0x01020304
"""In all frames of Confluent's."""
SIZES = {"none": 0, "confluent": 5, "single_object": 10}
"""Bytes before the Avro binary, by frame."""
FEATURES = """
sized_blocks_of_ints sized_blocks_of_records sized_blocks_of_arrays sized_blocks_of_nulls sized_blocks_of_a_map
sized_blocks_of_a_map_of_arrays sized_blocks_of_trees several_blocks_of_ints several_blocks_of_records
several_blocks_of_arrays several_blocks_of_nulls several_blocks_of_a_map several_blocks_of_a_map_of_arrays
several_blocks_of_trees sized_blocks_and_plain_ones_mixed
nested_records recursive_list recursive_tree recursive_map mutually_recursive array_of_ints array_of_strings
array_of_arrays array_of_arrays_of_arrays array_of_nulls array_of_empty_records array_of_records array_of_unions
array_of_maps array_of_bytes_doubles_and_booleans map_of_ints map_with_a_key_twice map_of_arrays map_of_maps
map_of_records map_of_nulls map_of_unions enum enum_of_one enum_of_many enums_used_again fixed fixed_of_one
fixed_of_none fixed_used_again
single_object single_object_of_namespaces single_object_of_a_recursive_record single_object_with_readers_schema
confluent
decimal_bytes decimal_bytes_without_scale decimal_bytes_all_scale decimal_bytes_of_many_digits
decimal_bytes_longer_than_needed decimal_fixed decimal_fixed_of_many_digits uuid_string uuid_fixed date time_millis
time_micros timestamp_millis timestamp_micros timestamp_nanos local_timestamp_millis local_timestamp_micros
local_timestamp_nanos duration logical_types_in_unions_arrays_and_maps every_logical_type_in_one_union
named_logical_types_used_again logical_type_on_the_field logical_types_that_do_not_fit decimals_that_do_not_fit
unknown_logical_types
short_names_of_the_same_namespace nested_types_of_other_namespaces same_short_name_in_two_namespaces
full_name_in_the_name no_namespace_within_one fields_named_as_types types_in_braces documented
null boolean int long numbers_longer_than_needed float double bytes string record_of_primitives empty_record
many_fields field_names_that_are_words_of_a_language
default_null default_boolean default_int default_float default_double default_long default_whole_number_of_a_double
default_string default_bytes default_fixed default_enum default_array default_empty_array default_map
default_empty_map default_record default_record_with_defaults_of_its_own default_null_of_a_union
default_first_branch_of_a_union default_later_branch_of_a_union default_array_of_records default_record_of_a_union
default_date default_timestamp_millis default_timestamp_micros default_local_timestamp_millis default_time_millis
default_decimal default_negative_decimal default_decimal_fixed default_uuid default_uuid_fixed default_duration
readers_logical_types writers_logical_types_without_readers promotion_to_readers_logical_type
logical_types_promoted_and_in_unions
promotion_int_to_long promotion_int_to_float promotion_int_to_double promotion_long_to_float promotion_long_to_double
promotion_float_to_double promotion_string_to_bytes promotion_bytes_to_string promotion_in_arrays_maps_and_unions
promotion_to_the_first_branch_that_fits promotion_not_where_the_type_itself_is_a_branch
every_kind_of_field_removed all_fields_removed removed_arrays_and_maps_in_sized_blocks first_field_removed
fields_in_another_order added_removed_and_in_another_order field_by_alias record_by_alias_of_the_same_namespace
record_by_full_alias record_moved_to_another_namespace nested_types_by_alias nested_records_evolved
recursive_record_evolved recursive_record_removed arrays_of_records_evolved_in_sized_blocks
enum_default enum_default_in_a_record enum_of_more_symbols_in_another_order enum_that_lost_symbols_that_are_not_sent
plain_to_union union_to_plain union_in_another_order union_of_fewer_branches union_branches_promoted
top_level_union_of_evolved_records top_level_union_to_one_record record_to_top_level_union
union_of_records_of_the_same_fields
null_first null_last union_of_one union_of_many union_of_records union_of_enums_and_fixed unions_within_unions
top_level_union_of_events top_level_union_with_null recursive_union
"""


@dataclass(frozen=True, eq=False)
class Feature:
    """What one client made of a feature.

    Attributes:
        writer: the schema that payloads are written with.
        reader: the schema that they are read as; None for the same.
        frame: what stands before the Avro binary.
        cases: name, payload, and what the client decoded from it.
    """

    client: str
    name: str
    writer: Any
    reader: Any
    frame: str
    cases: tuple[tuple[str, bytes, Any], ...]


def read_features(client: str) -> Iterator[Feature]:
    """What is in a client's file."""
    for each in revived((FOLDER / f"{client}.json").read_text(encoding="utf-8")):
        made = tuple((case["name"], bytes.fromhex(case["payload"]), case["value"]) for case in each["cases"])
        yield Feature(client, each["feature"], each["schema"], each.get("reader"), each["frame"], made)


ALL = [feature for client in GENERATORS for feature in read_features(client)]


@cache
def compiled(feature: Feature) -> Reader:
    """The reader of its payloads; as in the service, the writer's schema may be an odd one."""
    reader = None if feature.reader is None else fastavro.parse_schema(feature.reader)
    return compile_reader(parse(feature.writer, {}), reader)


@pytest.mark.parametrize(
    ("feature", "payload", "value"),
    [
        pytest.param(feature, payload, value, id=f"{feature.client}-{feature.name}-{name}")
        for feature in ALL
        for name, payload, value in feature.cases
    ],
)
def test_a_payload_is_read_as_its_client_reads_it(feature: Feature, payload: bytes, value: Any) -> None:
    """To the last digit, and to the last byte."""
    assert exact(compiled(feature)(payload, SIZES[feature.frame])) == exact(value)


@pytest.mark.parametrize("client", GENERATORS)
def test_no_feature_is_missing(client: str) -> None:
    """A client has all features but those for which a reason is given why it cannot have them."""
    described = [feature for file in (FOLDER / "features").glob("*.json") for feature in json.loads(file.read_text())]
    skipped = {each["feature"] for each in described if client in each.get("skip", {})}

    made = [feature.name for feature in ALL if feature.client == client]

    assert {each["feature"] for each in described} == set(FEATURES.split())
    assert sorted(made) == sorted(set(FEATURES.split()) - skipped)
    assert all(feature.cases for feature in ALL)


def test_the_fingerprint_of_java_is_ours() -> None:
    """A single-object encoding names the schema by eight bytes, in Avro's byte order."""
    framed = [feature for feature in ALL if feature.frame == "single_object"]
    local = [LocalSchema("", (), "", fastavro.parse_schema(feature.writer)) for feature in framed]
    types = LocalTypes(LocalSchemas(tuple(local)), {})

    marks = {schema_of(mark_of(record(), payload)[0]) for feature in framed for _, payload, _ in feature.cases}

    assert len(marks) == len({json.dumps(feature.writer) for feature in framed})
    assert all(isinstance(mark, bytes) and types.of_fingerprint(mark) for mark in marks)


def test_the_frame_of_javascript_has_the_registrys_id() -> None:
    """Four bytes, the most significant first."""
    payloads = [payload for feature in ALL if feature.frame == "confluent" for _, payload, _ in feature.cases]

    assert payloads
    assert {schema_of(mark_of(record(), payload)[0]) for payload in payloads} == {SCHEMA_ID}


@pytest.mark.parametrize("client", GENERATORS)
def test_the_fixtures_are_what_their_generators_make(client: str, tmp_path: Path) -> None:
    """Byte by byte, on any day; `python -m tests.fixtures.avro.regenerate` makes them again."""
    made = tmp_path / "made.json"
    try:
        GENERATORS[client](made)
    except UnavailableError as error:
        pytest.skip(f"the fixtures cannot be made here: {error}")

    assert made.read_bytes() == (FOLDER / f"{client}.json").read_bytes()
