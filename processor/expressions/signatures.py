"""What a function of the language takes and gives, and how a call checks it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import NoneType
from typing import Any

from processor.expressions.values import WrongValueError
from processor.kinds import kind

Implementation = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """What an argument may be.

    Attributes:
        name: in words, with its article.
        classes: the classes of its values; empty = any value at all.
        items: of an array, the classes of its items; each kind on its own: all texts, or all numbers.
        expression: `&…`, called with a value.
    """

    name: str
    classes: frozenset[type] = frozenset()
    items: tuple[frozenset[type], ...] = ()
    expression: bool = False

    def takes(self, value: Any) -> bool:
        """Whether a value is of this kind."""
        if self.classes and value.__class__ not in self.classes:
            return False
        return not self.items or value.__class__ is not list or self.takes_items(value)

    def takes_items(self, items: Collection[Any]) -> bool:
        """Whether an array's items are all of one kind that it may have."""
        return any(classes.issuperset(map(type, items)) for classes in self.items)


_NUMBER = frozenset({int, float, Decimal})
_TEXT = frozenset({str})
_ARRAY = frozenset({list})
ANY = Kind("any value")
TEXT = Kind("a text", _TEXT)
NUMBER = Kind("a number", _NUMBER)
INTEGER = Kind("a whole number", frozenset({int}))
DIGITS = Kind("a number or a text of digits", _NUMBER | _TEXT)
ARRAY = Kind("an array", _ARRAY)
RECORD = Kind("a record", frozenset({dict}))
TEXTS = Kind("an array of texts", _ARRAY, (_TEXT,))
NUMBER_ARRAY = Kind("an array of numbers", _ARRAY, (_NUMBER,))
ORDERED = Kind("an array of numbers or of texts", _ARRAY, (_NUMBER, _TEXT))
TEXT_OR_ARRAY = Kind("a text or an array", _TEXT | _ARRAY)
MEASURED = Kind("a text, an array or a record", frozenset({str, list, dict}))
EXPRESSION = Kind("an expression with & before it", expression=True)


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the language.

    Attributes:
        name: as it is written.
        parameters: names and kinds, in order.
        result: what it gives, in words.
        meaning: one sentence.
        call: gets the arguments, all of the right kind; it raises WrongValueError or ValueError with words that have
            no value in them.
        optional: how many of the last parameters may be left out.
        repeated: whether the last parameter may come any number of times, at least once.
        takes_null: None is handed to `call`; else null in one argument is the result at once.
        example: an expression and what it gives, as JSON; over the event of `reference`.
        strict: JMESPath's own functions refuse null where they want a kind (its specification).
        context: `call` gets the event before its arguments.
    """

    name: str
    parameters: Sequence[tuple[str, Kind]]
    result: str
    meaning: str
    call: Implementation
    optional: int = 0
    repeated: bool = False
    takes_null: bool = False
    example: tuple[str, str] = ("", "")
    strict: bool = False
    context: bool = False

    @property
    def signature(self) -> str:
        """`round(x, digits?)`, `concat(x, …)`."""
        first_optional = len(self.parameters) - self.optional
        names = [name + ("?" if at >= first_optional else "") for at, (name, _) in enumerate(self.parameters)]
        return f"{self.name}({', '.join([*names, '…'] if self.repeated else names)})"

    def takes(self, arguments: int) -> bool:
        """Whether it can be called with so many."""
        least = len(self.parameters) - self.optional
        return least <= arguments and (self.repeated or arguments <= len(self.parameters))

    def kind_of(self, at: int) -> Kind:
        """What the argument at this position must be."""
        return self.parameters[min(at, len(self.parameters) - 1)][1]


class _Anything:
    """Holds every class, or all but null's."""

    def __init__(self, *, null: bool) -> None:
        self._null = null

    def __contains__(self, value_class: type) -> bool:
        return self._null or value_class is not NoneType


def checked(function: Function, texts: Sequence[str]) -> Implementation:
    """A function for one place in an expression, which checks its arguments; one that takes the event gets it first.

    Args:
        function: the one that is called.
        texts: the arguments as they are written there, for messages.
    """
    kinds = [function.kind_of(at) for at in range(len(texts))]
    shown = list(texts)
    if function.context:
        kinds, shown = [ANY, *kinds], ["", *shown]
    null = _Anything(null=function.takes_null)
    classes = [each.classes or null for each in kinds]
    call = function.call

    def slow(*arguments: Any) -> Any:
        if not function.takes_null and not function.strict and None in arguments:
            return None
        for each, value, text in zip(kinds, arguments, shown, strict=True):
            passed = value is None and function.takes_null and not function.strict
            if not passed and not each.takes(value):
                raise WrongValueError(f"{function.name}() wants {each.name}, and {text} is {kind(value)}")
        return call(*arguments)

    # Most calls have one or two arguments of the right kind: these are judged in place.
    match classes:
        case [first] if not kinds[0].items:
            return lambda one: call(one) if one.__class__ in first else slow(one)
        case [first, second] if not kinds[0].items and not kinds[1].items:
            return lambda one, two: (
                call(one, two) if one.__class__ in first and two.__class__ in second else slow(one, two)
            )
        case [_, _] if call is str.join:
            return _joined(slow)
        case _:
            return slow


def _joined(slow: Implementation) -> Implementation:
    """`join`, which nearly every mapping has: Python's own judges the items by itself.

    Args:
        slow: finds the words for what is wrong.
    """

    def join(glue: Any, texts: Any) -> Any:
        if glue.__class__ is str and texts.__class__ is list:
            try:
                return glue.join(texts)
            except TypeError:
                pass  # an item is no text
        return slow(glue, texts)

    return join
