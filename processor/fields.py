"""What a field of a vendor's payload takes, and in which words people read of it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Converter = Callable[[Any], Any]
"""From a value of JSON types (text, int, float, `Decimal`, bool, list, dict; never None) to what is sent.

What cannot be converted without loss raises ValueError with the reason, and never with the value, which may be
personal data: the delivery goes to the dead-letter topic, whose headers are read by many.
"""


@dataclass(frozen=True, slots=True)
class Quick:
    """A converter, and when it would only give back what it got: a compiled mapping asks that in place of a call.

    Attributes:
        unchanged: Python source about `v`, the value: `v.__class__ is str and v.isascii()`.
    """

    convert: Converter
    unchanged: str

    def __call__(self, value: Any) -> Any:
        """Convert as any converter does."""
        return self.convert(value)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a payload.

    Attributes:
        convert: from the mapped value to what is sent.
        type: what is sent, in words: `integer, 1 to 9007199254740991`.
        required: without it the payload is refused.
        rule: what the vendor wants of it, and what a wrong value leads to.
        source: which page of the vendor says so.
        fields: those of the record, or of each record of the list, that is sent.
    """

    convert: Converter
    type: str
    required: bool = False
    rule: str = ""
    source: str = ""
    fields: Mapping[str, "Field"] = field(default_factory=dict)

    def assignment(self, target: str, convert: str, *, missing: str, refused: str) -> Iterator[str]:
        """Python source that assigns what is sent of `v` to a target.

        Args:
            target: what it is assigned to: `o['sku']`.
            convert: the name of `converter`.
            missing: what is done where it is null, and required.
            refused: what is done where it cannot be converted, for the reason `e`.
        """
        word = "if"
        if isinstance(self.convert, Quick):
            yield f"if {self.convert.unchanged}: {target} = v"
            word = "elif"
        yield f"{word} v is None: {missing if self.required else 'pass'}"
        yield "else:"
        yield f"    try: {target} = {convert}(v)"
        yield f"    except ValueError as e: {refused}"

    @property
    def converter(self) -> Converter:
        """What an `assignment` calls."""
        return self.convert.convert if isinstance(self.convert, Quick) else self.convert


def located(place: str, error: ValueError) -> str:
    """Say where a value is wrong: `itemId: the text is empty`, `items[2].sku: required, but null`.

    Args:
        place: a field's name, or a position like `[2]`.
        error: what its converter raised.
    """
    words = str(error)
    return f"{place}{words}" if words.startswith(("[", ".")) else f"{place}: {words}"
