"""The JSON schema of the configuration file, for editors and for what deploys it.

It is made from the models, and says what the loader takes before substitution: texts where an editor's YAML sees
numbers and booleans, and `${…}` in place of any value.
"""

import inspect
import json
import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final

from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema as core

from processor.settings import mapped, registry, tables, texts, values
from processor.settings.kafka_rules import RULES
from processor.settings.kafka_table import ALIASES, ANY_CLIENT, CONSUMER_ONLY, PRODUCER_ONLY
from processor.settings.models import Settings, Vendors
from processor.settings.values import Frozen
from processor.settings.written import as_written

NONE: Final = re.compile(r"(?<!`)\bNone\b")
"""What Python calls what the file calls null."""

Json = dict[str, Any]

REFERENCE: Final = r"\$\{"
"""Where a text holds this, its value is known after substitution only."""

SCALAR: Final = ["string", "number", "boolean"]
"""What an editor sees where the loader sees text."""

NUMBER: Final = r"\d{1,12}(\.\d{1,9})?"
NOTHING: Final = r"^0+(\.0+)?(?![\d.])"
"""How a text begins that is a number with a unit, and none of it."""


def pattern(*alternatives: str) -> str:
    """Make a pattern that a whole text must match, unless it holds a reference."""
    return "|".join([*(f"^(?:{one})$" for one in alternatives), REFERENCE])


EXPRESSION: Final = {"type": "string", "pattern": pattern(r"(?!(true|false)$)\s*\S[\s\S]*")}
MAPPED: Final = {
    "title": "expression or constant",
    "type": [*SCALAR, "array", "object"],
    "pattern": pattern(r"(?!(true|false)$)(?![+-]?\.?\d)\s*\S[\s\S]*"),
    "if": {"type": "object", "required": ["const"], "maxProperties": 1},
    "then": {"properties": {"const": {"type": SCALAR}}},
}
TEXTS: Final = {"type": "object", "additionalProperties": {"type": SCALAR}}
TIME: Final = r"\d{4}.*\d[T ]\d.*(Z|[+-]\d{2}(:?\d{2}){0,2})"

READ: Final[Mapping[Callable[..., Any], Json]] = {
    values.parse_duration: {"title": "duration", "type": "string", "pattern": pattern(f"{NUMBER}(ms|s|m|h|d)")},
    values.parse_size: {
        "title": "size",
        "type": ["string", "integer"],
        "exclusiveMinimum": 0,
        "pattern": pattern(f"{NUMBER}([kMG]?B|[KMG]iB)?"),
    },
    values.parse_rate: {
        "title": "rate",
        "type": "string",
        "pattern": pattern(f"{NUMBER}/[smh]", "none"),
        "not": {"pattern": NOTHING},
    },
    values.parse_stalemate: {
        "title": "duration, or never",
        "type": "string",
        "pattern": pattern(f"{NUMBER}(ms|s|m|h|d)", "never"),
        "not": {"pattern": NOTHING},
    },
    values.parse_flag: {"type": ["boolean", "string"], "pattern": pattern("true|false")},
    mapped.parse_mapped: MAPPED,
    mapped.parse_order_key: {"title": "expression", "anyOf": [EXPRESSION, {"type": "null"}]},
    mapped.parse_map: {
        "title": "mapping, or python:…",
        "anyOf": [
            {"type": "object", "additionalProperties": MAPPED},
            {"type": "string", "pattern": pattern(mapped.HOOK.pattern.replace("?P<path>", "?:"))},
        ],
    },
    tables.parse_table: {"title": "table", **TEXTS},
    texts.parse_start: {
        "title": "earliest, latest or time",
        "type": "string",
        "pattern": pattern("earliest|latest", TIME),
    },
    texts.check_expression: {"title": "expression", **EXPRESSION},
    texts.check_topic: {"title": "topic", "type": SCALAR, "pattern": pattern(r"[A-Za-z0-9._-]{1,249}", r"\^.*")},
    texts.check_url: {"title": "address", "type": "string", "pattern": pattern(r"[hH][tT][tT][pP][sS]?://[^\s?#@]+")},
    texts.check_proxy: {
        "title": "address",
        "type": "string",
        "pattern": pattern(r"[hH][tT][tT][pP][sS]?://[^\s?#/]+/*"),
    },
    registry.read_authorities: {"type": ["string", "boolean"]},
}
"""What is written in the file where a function reads it."""


def json_schema(vendors: Vendors) -> Json:
    """Make the schema, in the dialect 2020-12.

    Args:
        vendors: the settings' class of each `type` of destination.
    """
    models: list[tuple[str, type[Frozen]]] = [("Settings", Settings), *vendors.items()]
    references, made = models_json_schema([(model, "validation") for _, model in models], schema_generator=_Generator)
    names = {references[model, "validation"]["$ref"]: f"#/$defs/{name}" for name, model in models}
    own = {old.rpartition("/")[2]: new.rpartition("/")[2] for old, new in names.items()}
    definitions = {own.get(name, name): _mended(made["$defs"][name], names) for name in made["$defs"]}
    root = definitions.pop("Settings")
    definitions["DestinationSettings"] = _any_of(vendors)
    for vendor in vendors:
        definitions[vendor]["properties"]["type"] = {"const": vendor, "description": "Which vendor it is."}
    root["patternProperties"] = {"^x-": {"description": "Whatever you like; for YAML's anchors."}}
    root["properties"]["kafka"] |= _kafka()
    used = {name: definitions[name] for name in definitions if f'"#/$defs/{name}"' in json.dumps([root, definitions])}
    return {"$schema": GenerateJsonSchema.schema_dialect, "title": "Clickstream processor", **root, "$defs": used}


def _mended(value: Any, names: Mapping[str, str]) -> Any:
    """Rename the vendors' definitions, and say in JSON schema's words what pydantic's constraints leave in its own.

    Args:
        value: a schema or a part of one.
        names: references to definitions, which pydantic tells apart by their modules, and the file by `type`.
    """
    if isinstance(value, list):
        return [_mended(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    mended = {key: _mended(item, names) for key, item in value.items() if key not in {"gt", "ge"}}
    if "$ref" in value:
        mended["$ref"] = names.get(value["$ref"], value["$ref"])
    if value.get("gt") == 0:
        mended["not"] = {"type": "string", "pattern": NOTHING}
    if "uniqueItems" in value and "minLength" in value:
        mended["minItems"] = mended.pop("minLength")
    if "writeOnly" in value:
        mended["type"] = SCALAR
    return mended


def _any_of(vendors: Vendors) -> Json:
    """Tell the vendors apart by `type`, so that an editor speaks of the one that is meant."""
    return {
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"enum": sorted(vendors)}},
        "allOf": [
            {
                "if": {"required": ["type"], "properties": {"type": {"const": name}}},
                "then": {"$ref": f"#/$defs/{name}"},
            }
            for name in sorted(vendors)
        ],
    }


def _kafka() -> Json:
    """Name the client's properties, and forbid what would break the promise."""
    known = sorted(ANY_CLIENT | CONSUMER_ONLY | PRODUCER_ONLY)
    refused = {name: {"not": {}, "description": rule.reason} for name, rule in RULES.items() if not rule.allowed}
    brokers = [name for name, used in ALIASES.items() if used == "bootstrap.servers"]
    return {
        "properties": {name: refused.get(name, {"type": SCALAR}) for name in known},
        "anyOf": [{"required": [name]} for name in ["bootstrap.servers", *brokers]],
    }


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, with our words, and with what the loader takes for each type."""

    def field_title_should_be_set(self, _schema: Any) -> bool:
        """Leave out titles that only repeat a key."""
        return False

    def model_schema(self, schema: core.ModelSchema) -> JsonSchemaValue:
        """Describe a model and its keys by the model's docstring."""
        model: type[Frozen] = schema["cls"]
        made = super().model_schema(schema)
        made.pop("title")
        made["description"] = summary(model)
        meanings = meanings_of(model)
        for name, info in model.model_fields.items():
            written = made["properties"][_key(name, info)]
            written |= {"description": meanings.get(name, ""), **_default(info, written)}
        for info in model.model_fields.values():
            if isinstance(info.validation_alias, AliasChoices):
                _spread(made, [str(choice) for choice in info.validation_alias.choices])
        return made

    def default_schema(self, schema: core.WithDefaultSchema) -> JsonSchemaValue:
        """Leave defaults to `model_schema`, which writes them as the file would."""
        return self.generate_inner(schema["schema"])

    def dict_schema(self, schema: core.DictSchema) -> JsonSchemaValue:
        """Check keys by their pattern; nothing is substituted in them."""
        keys = self.generate_inner(schema["keys_schema"])
        rules = [keys, *keys.get("allOf", ())]
        patterns = [rule["pattern"].removesuffix("|" + REFERENCE) for rule in rules if "pattern" in rule]
        made: Json = {"type": "object", "additionalProperties": self.generate_inner(schema["values_schema"])}
        made |= {"minProperties": schema["min_length"]} if schema.get("min_length") else {}
        return made | ({"propertyNames": {"allOf": [{"pattern": one} for one in patterns]}} if patterns else {})

    def str_schema(self, schema: core.StringSchema) -> JsonSchemaValue:
        """Take what YAML reads as a number or a boolean: the loader reads text."""
        return super().str_schema(schema) | {"type": SCALAR}

    def int_schema(self, schema: core.IntSchema) -> JsonSchemaValue:
        """Take a reference in place of digits."""
        return super().int_schema(schema) | {"type": ["integer", "string"], "pattern": pattern(r"[+-]?\d+")}

    def float_schema(self, schema: core.FloatSchema) -> JsonSchemaValue:
        """Take a reference in place of a number."""
        return super().float_schema(schema) | {"type": ["number", "string"], "pattern": pattern(r"[+-]?\d+(\.\d+)?")}

    def literal_schema(self, schema: core.LiteralSchema) -> JsonSchemaValue:
        """Take a reference in place of one of a few words."""
        return {"anyOf": [{"enum": schema["expected"]}, {"type": "string", "pattern": REFERENCE}]}

    def function_before_schema(self, schema: core.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        """Say what the function reads."""
        function: Any = schema["function"]["function"]
        if function is texts.one_or_many:
            many = self.generate_inner(schema["schema"])
            return {"anyOf": [many["items"], many]}
        if function is values.refuse_null and schema["schema"]["type"] == "nullable":
            return self.generate_inner(schema["schema"]["schema"])
        return dict(READ[function]) if function in READ else super().function_before_schema(schema)

    def function_plain_schema(self, schema: core.PlainValidatorFunctionSchema) -> JsonSchemaValue:
        """Say what the function reads."""
        return dict(READ[schema["function"]["function"]])

    def function_after_schema(self, schema: core.AfterValidatorFunctionSchema) -> JsonSchemaValue:
        """Say what the function lets through."""
        function: Any = schema["function"]["function"]
        if function in READ:
            return dict(READ[function])
        made = self.generate_inner(schema["schema"])
        if function is texts.check_unique:
            return made | {"uniqueItems": True}
        if isinstance(function, texts.Pattern):
            own = pattern(function.pattern)
            return {**made, "allOf": [{"pattern": own}]} if "pattern" in made else {**made, "pattern": own}
        return made


def _key(name: str, info: FieldInfo) -> str:
    alias = info.validation_alias
    return str(alias.choices[0] if isinstance(alias, AliasChoices) else alias or name)


def _default(info: FieldInfo, written: Json) -> Json:
    """Write the default, where there is one that could stand in the file."""
    value = info.get_default(call_default_factory=True)
    blank = value is None and {"type": "null"} not in written.get("anyOf", ())
    if info.is_required() or blank or isinstance(value, Enum) or "$ref" in written:
        return {}
    return {"default": as_written(value, info)}


def _spread(made: Json, names: list[str]) -> None:
    """Let a required key be written under each of its names, but one only."""
    properties = made["properties"].items()
    made["properties"] = {each: value for key, value in properties for each in (names if key == names[0] else [key])}
    made["required"].remove(names[0])
    made["oneOf"] = [{"required": [name]} for name in names]


def summary(model: type[Frozen]) -> str:
    """Give the docstring of a model up to its list of attributes, as one line."""
    return " ".join(inspect.getdoc(model).partition("Attributes:")[0].split())  # type: ignore[union-attr]


def meanings_of(model: type[Frozen]) -> dict[str, str]:
    """Read what each attribute means, from the docstrings of a model and of those that it extends."""
    found: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        lines = inspect.cleandoc(kind.__dict__.get("__doc__") or "").partition("Attributes:\n")[2]
        for entry in re.split(r"\n(?=    \w+: )", "\n" + lines.partition("\n\n")[0])[1:]:
            name, _, meaning = entry.partition(": ")
            text = NONE.sub("null", " ".join(meaning.split()))
            found[name.strip()] = text[:1].upper() + text[1:]
    return found
