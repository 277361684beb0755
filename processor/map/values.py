"""What becomes of an event, field by field: the expressions and the vendor's conversions as Python source.

For `map: {itemId: product.sku, contactId: contactId}` it is

    o = {}; x = []
    p1 = s.get('product')
    if p1.__class__ is not dict: p1 = EMPTY
    try: v = p1.get('sku')
    except Exception as e: failed(x, 0, e)
    else:
        if v.__class__ is str and v.isascii() and len(v) >= 1: o['itemId'] = v
        elif v is None: missing(x, 0)
        else:
            try: o['itemId'] = c2(v)
            except ValueError as e: refused(x, 0, e)
    ...
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from processor.expressions.language import Scope, words
from processor.expressions.source import Functions, Node, Source
from processor.fields import Field, located
from processor.records import Event


@dataclass(frozen=True, slots=True)
class Values:
    """Source that makes a payload, to be put into the function of a route: a call less for every event.

    Attributes:
        lines: from `s`, what expressions see, and `ev`, the event, to `o`, the payload (None = filtered by a hook), and
            `x`, what is wrong with it, a text each.
        names: what the source's names stand for.
    """

    lines: Sequence[str]
    names: Mapping[str, Any]


Hook = Callable[[Mapping[str, Any], Any, Any], Any]
"""A user's `f(event, item, record) -> dict | None`."""

MISSING = "required, but the mapping gives null"


@dataclass(frozen=True, slots=True)
class Mapped:
    """One field of a mapping.

    Attributes:
        text: the expression as it is written.
        node: it, parsed.
    """

    name: str
    field: Field
    text: str
    node: Node


def compile_values(mapped: list[Mapped], constants: Mapping[str, Any], functions: Functions) -> Values:
    """Write what makes the payload of one route.

    Args:
        mapped: what comes from expressions; constants have been converted already.
        constants: what is the same for every event, as it is sent.
        functions: those of the language.
    """
    source = Source(functions)
    source.names |= {
        "failed": lambda wrong, at, error: wrong.append(f"{mapped[at].name}: {words(mapped[at].text, error)}"),
        "refused": lambda wrong, at, error: wrong.append(located(mapped[at].name, error)),
        "missing": lambda wrong, at: wrong.append(f"{mapped[at].name}: {MISSING}"),
    }
    body = [f"o = {{{', '.join(f'{name!r}: {source.constant(value)}' for name, value in constants.items())}}}; x = []"]
    for at, each in enumerate(mapped):
        body += _field(source, at, each)
    return Values(body, source.names)


def _field(source: Source, at: int, mapped: Mapped) -> Iterator[str]:
    value = source.expression(mapped.node)
    yield from source.take_lines()
    yield f"try: v = {value}"
    yield f"except Exception as e: failed(x, {at}, e)"
    yield "else:"
    convert = source.constant(mapped.field.converter)
    assign = mapped.field.assignment(
        f"o[{mapped.name!r}]", convert, missing=f"missing(x, {at})", refused=f"refused(x, {at}, e)"
    )
    yield from (f"    {line}" for line in assign)


def hook_values(hook: Hook, path: str, fields: Mapping[str, Field]) -> Values:
    """A user's function in place of a mapping; what it gives is converted and checked like any payload.

    Args:
        hook: the user's function.
        path: its name, for messages.
        fields: the method's.
    """

    def values(scope: Scope, event: Event) -> tuple[dict[str, Any] | None, list[str]]:
        try:
            made = hook(event.value, scope.get("item"), event.record)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a user's function raises is a mapping error
            # Its words may hold a value, which may be personal data.
            return {}, [f"{path} failed: {type(error).__name__}"]
        if made is None:
            return None, []
        if not isinstance(made, dict):
            return {}, [f"{path} must give a dict or None, and gave {type(made).__name__}"]
        return _checked(made, fields)

    return Values(["o, x = values(s, ev)"], {"values": values})


def _checked(made: Mapping[Any, Any], fields: Mapping[str, Field]) -> tuple[dict[str, Any], list[str]]:
    payload: dict[str, Any] = {}
    wrong = [f"{name}: the vendor knows no such field" for name in made if name not in fields]
    for name, field in fields.items():
        value = made.get(name)
        if value is None:
            if field.required:
                wrong.append(f"{name}: {MISSING}")
            continue
        try:
            payload[name] = field.convert(value)
        except ValueError as error:
            wrong.append(located(name, error))
    return payload, wrong
