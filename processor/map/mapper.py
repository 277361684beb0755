"""One route's mapping to one method, compiled once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import orjson
from pydantic import TypeAdapter, ValidationError

from processor.expressions.language import Compiled, ExpressionError, Scope
from processor.kinds import kind
from processor.records import Channel, ErrorClass, Failure, Payload, Stage


class Target(Protocol):
    """Where the payloads of a mapping go; `destinations.vendor.Wiring` has the documentation."""

    @property
    def channel(self) -> Channel: ...  # noqa: D102
    @property
    def prefix(self) -> bytes: ...  # noqa: D102
    @property
    def suffix(self) -> bytes: ...  # noqa: D102


class Mapper:
    """Maps what one route let through.

    Args:
        fields: the payload's fields and their expressions.
        constants: the payload's fields that are the same for every event.
        model: what the payload must be: a `TypedDict`.
        order_key: the route's own expression; None = none.
        order_field: the payload's field whose value keeps the order; None = none, or `order_key` is given.
        time_field: the payload's field that says when it happened.
    """

    def __init__(
        self,
        *,
        target: Target,
        fields: Mapping[str, Compiled],
        constants: Mapping[str, Any],
        model: Any,
        order_key: Compiled | None,
        order_field: str | None,
        time_field: str,
    ) -> None:
        self._channel = target.channel
        self._prefix = target.prefix
        self._suffix = target.suffix
        self._fields = tuple(fields.items())
        self._constants = dict(constants)
        self._validate = TypeAdapter[dict[str, Any]](model).validator.validate_python
        self._order_key = order_key
        self._order_field = order_field
        self._time_field = time_field

    def map(self, scope: Scope) -> Payload | Failure:
        """Map one event, or one of its items; what cannot be mapped is a `Failure` that names the field."""
        values = dict(self._constants)
        try:
            for field, expression in self._fields:
                value = expression(scope)
                if value is not None:
                    values[field] = value
        except ExpressionError as error:
            return _failure(f"{field}: {error}")
        try:
            payload = self._validate(values)
        except ValidationError as error:
            return _failure("; ".join(explain(error)))
        try:
            lane = self._lane(scope, payload)
        except ExpressionError as error:
            return Failure(Stage.ROUTE, ErrorClass.UNMAPPED, f"order_key: {error}")
        time = payload.get(self._time_field)
        event_time = None if time is None else datetime.fromisoformat(time).timestamp()
        return Payload(self._channel, self._prefix + orjson.dumps(payload) + self._suffix, lane, event_time)

    def _lane(self, scope: Scope, payload: Mapping[str, Any]) -> str | None:
        if self._order_field is not None:
            key = payload[self._order_field]
        elif self._order_key is not None:
            key = self._order_key(scope)
        else:
            return None
        return None if key is None else str(key)


def explain(error: ValidationError) -> Sequence[str]:
    """What is wrong with each field, in words and without its value."""
    return [_explain(dict(fault)) for fault in error.errors(include_url=False)]


WORDS = {
    "missing": "required, but the mapping gives null",
    "string_too_short": "the text is empty",
    "string_pattern_mismatch": "the text has not the form that the vendor wants",
    "extra_forbidden": "the vendor knows no such field",
}
"""Pydantic's types of error, in our words."""
TYPES = {"string_type": "a text", "bool_type": "true or false", "list_type": "an array", "dict_type": "a record"}


def _explain(fault: dict[str, Any]) -> str:
    field = ".".join(str(part) for part in fault["loc"])
    match fault["type"]:
        case "value_error":
            words = str(fault["ctx"]["error"])
        case "string_too_long":
            limit = fault["ctx"]["max_length"]
            words = f"the text has {len(fault['input'])} characters, at most {limit} are allowed"
        case error_type if error_type in TYPES:
            words = f"{kind(fault['input'])} is not {TYPES[error_type]}"
        case error_type:
            words = WORDS.get(error_type) or fault["msg"][:1].lower() + fault["msg"][1:]
    return f"{field}: {words}"


def _failure(message: str) -> Failure:
    return Failure(Stage.MAP, ErrorClass.UNMAPPED, message)
