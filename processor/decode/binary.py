"""Reads Avro's binary encoding, by functions that are written for each schema, as Python source, and compiled once.

Nothing wrong gets through: whatever a payload says of itself (lengths, counts, indexes) is checked against what is
there, in time and memory that its own size bounds. Fastavro, which parses the schemas, does not read the payloads: it
takes impossible indexes and left-over bytes for good, builds whatever is announced, and deep nesting ends its process.

There is one function per record, array and map; all else stands where it is read, for a call costs as much as a field:

    def f1(b, i, d):                            # b: payload, i: where to read, d: how deep in recursive records
        n = b[i]; i += 1                        # a text has its length before it,
        if n & 129: n, i = length(b, i, n)      # which may take more bytes, or cannot be
        else: n >>= 1
        v0 = b[i:(i := i + n)].decode()
        v1, i = f2(b, i, d)
        return {'sku': v0, 'page': v1}, i
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import count
from struct import Struct, error
from traceback import walk_tb
from typing import Any

from processor.decode import wire
from processor.decode.logical import Conversion
from processor.decode.resolution import resolve
from processor.decode.shapes import (
    Array,
    Enum,
    Fixed,
    Map,
    Names,
    Never,
    Record,
    Scalar,
    Schema,
    SchemaMismatchError,
    Shape,
    Union,
    definitions,
)
from processor.decode.wire import MAX_DEPTH, EmptyItems, MalformedError, Symbols

Reader = Callable[[bytes, int], Any]
"""Reads a payload from a place to its very end, as JSON types; raises MalformedError and nothing else."""

BYTE = "n = b[i]; i += 1"
INDEX = (BYTE, "if n > 127: n, i = index(b, i, n)")
LENGTH = (BYTE, "if n & 129: n, i = length(b, i, n)", "else: n >>= 1")
BLOCK = (
    BYTE,
    "if n & 129: n, i, e = block(b, i, n)",
    "else: n >>= 1; e = 0",
    "if not n: return v, i",
)
TEXT = "b[i:(i := i + n)].decode()"
BYTES = "b[i:(i := i + n)]"
SIZES = {"float": 4, "double": 8}
MAX_SHOWN = 10
"""Fields in a message that says where a payload is wrong."""
BLOCK_END = "if e and i != e: wrong_block()"


def compile_reader(writer: Schema, reader: Schema = None, names: Names | None = None) -> Reader:
    """Write and compile the function that reads what was written with a schema.

    Args:
        writer: what payloads are written with, as `fastavro.parse_schema` returns it.
        reader: what they are to be read as, whole in itself; None for what was written.
        names: definitions of named types that the writer's schema mentions and does not have itself.

    Raises:
        SchemaMismatchError: no payload can be read as the reader wants it, or the schema is too deep for any reader.
    """
    try:
        known = {**(names or {}), **dict(definitions(writer))}
        own = known if reader is None else dict(definitions(reader))
        return _Program().compile(resolve(writer, writer if reader is None else reader, known, own))
    except RecursionError:
        raise SchemaMismatchError("the schema is nested too deep, or has a default that contains itself") from None


class _Program:
    """The source for one schema, line by line, and what its names stand for."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._labels: list[str] = []  # of each line: the field that it reads
        self._functions: dict[int, tuple[str, Record | Array | Map]] = {}  # by identity, in the order of their numbers
        self._numbers = count()
        self._empty = EmptyItems()
        self._file = f"<avro reader {id(self)}>"
        self._names: dict[str, Any] = {name: getattr(wire, name) for name in wire.CALLED} | {
            "Decimal": Decimal,
            "MalformedError": MalformedError,
            "nan": float("nan"),
            "inf": float("inf"),
            "float_at": Struct("<f").unpack_from,
            "double_at": Struct("<d").unpack_from,
            "empty_items": self._empty,
            "told": self._told,
        }

    def compile(self, root: Shape) -> Reader:
        """Write all functions, the way in first."""
        self._entry(root)
        at = 0
        while at < len(self._functions):  # writing one may ask for more
            name, shape = list(self._functions.values())[at]
            self._function(name, shape)
            at += 1
        # Nothing of a schema gets into the source but through repr(), as a literal.
        exec(compile("\n".join(self._lines), self._file, "exec"), self._names)  # noqa: S102
        entry: Reader = self._names["read"]
        return entry

    # Functions.

    def _entry(self, root: Shape) -> None:
        self._write(0, ["def read(b, i):"])
        self._write(1, ["empty_items.start()", "d = 0", "try:"])
        self._write(2, self._value(root, "v"))
        self._write(1, ["except Exception as e: raise told(e) from None"])
        self._write(1, ["if i != len(b): left_over(b, i)", "return v"])

    def _function(self, name: str, shape: Record | Array | Map) -> None:
        self._write(0, [f"def {name}(b, i, d):"])
        match shape:
            case Record():
                self._record(shape)
            case Array(items):
                nothing = takes_nothing(items)
                check = "empty_items.take(n)" if nothing else "if n > len(b) - i: too_many()"
                self._blocks("v = []", check, (*self._value(items, "x"), "v.append(x)"))
            case Map(values):
                check = "if n > len(b) - i: too_many()"
                self._blocks("v = {}", check, (*LENGTH, f"k = {TEXT}", *self._value(values, "v[k]")))

    def _record(self, record: Record) -> None:
        if contains_itself(record):
            self._write(1, ["d += 1", f"if d > {MAX_DEPTH}: too_deep()"])
        values = {name: repr(default.value) for name, default in record.result.items() if default is not None}
        for at, (name, shape, target) in enumerate(record.fields):
            self._write(1, self._value(shape, f"v{at}"), label=name)
            if target is not None:
                values[target] = f"v{at}"
        self._write(1, [f"return {{{', '.join(f'{name!r}: {values[name]}' for name in record.result)}}}, i"])

    def _blocks(self, start: str, check: str, item: Iterable[str]) -> None:
        self._write(1, [start, "while True:"])
        self._write(2, [*BLOCK, check, "for _ in range(n):"])
        self._write(3, item, label="[]")
        self._write(2, [BLOCK_END])

    def _write(self, indent: int, lines: Iterable[str], label: str = "") -> None:
        for line in lines:
            self._lines.append("    " * indent + line)
            self._labels.append(label)

    # Values.

    def _value(self, shape: Shape, target: str) -> Iterator[str]:
        """The lines that read one value into a variable."""
        match shape:
            case Scalar():
                yield from self._scalar(shape, target)
            case Fixed(size, conversions):
                yield f"if i + {size} > len(b): ends()"
                yield f"{target} = {self._converted(f'b[i:(i := i + {size})]', conversions)}"
            case Enum(written, read_as):
                yield from INDEX
                yield f"{target} = {self._constant(Symbols(written, read_as))}[n]"
            case Union(branches):
                yield from self._branches(branches, target)
            case Never(reason):
                yield f"raise MalformedError({reason!r})"
            case Record() | Array() | Map():
                yield f"{target}, i = {self._called(shape)}(b, i, d)"

    def _scalar(self, scalar: Scalar, target: str) -> Iterator[str]:
        """A primitive: what is before it, and the value."""
        match scalar.kind:
            case "null":
                value = "None"
            case "boolean":
                yield from (BYTE, "if n > 1: not_boolean()")
                value = "n == 1"
            case "int" | "long" as kind:
                yield from (BYTE, f"if n > 127: n, i = {kind}_(b, i, n)", "else: n = (n >> 1) ^ -(n & 1)")
                value = "n"
            case "float" | "double" as kind:
                yield f"i += {SIZES[kind]}"
                value = f"{kind}_at(b, i - {SIZES[kind]})[0]"
            case kind:
                yield from LENGTH
                value = TEXT if kind == "string" else BYTES
        yield f"{target} = {self._converted(value, scalar.conversions)}"

    def _branches(self, branches: Sequence[Shape], target: str) -> Iterator[str]:
        yield from INDEX
        for at, branch in enumerate(branches):
            yield f"{'elif' if at else 'if'} n == {at << 1}:"
            yield from ("    " + line for line in self._value(branch, target))
        no_branch = f"no_branch({len(branches)})"
        yield f"else: {no_branch}" if branches else no_branch

    def _converted(self, value: str, conversions: Sequence[Conversion]) -> str:
        for conversion in conversions:
            value = f"{self._constant(conversion)}({value})"
        return value

    def _constant(self, value: object) -> str:
        name = f"c{next(self._numbers)}"
        self._names[name] = value
        return name

    def _called(self, shape: Record | Array | Map) -> str:
        name, _ = self._functions.setdefault(id(shape), (f"f{len(self._functions)}", shape))
        return name

    # What went wrong.

    def _told(self, exception: Exception) -> MalformedError:
        """Say what is wrong, and at which field: each line of the source knows what it reads."""
        frames = walk_tb(exception.__traceback__)
        labels = [self._labels[line - 1] for frame, line in frames if frame.f_code.co_filename == self._file]
        fields = [label for label in labels if label]
        if len(fields) > MAX_SHOWN:
            fields[MAX_SHOWN // 2 : -MAX_SHOWN // 2] = ["…"]
        path = ".".join(fields).replace(".[]", "[]")
        reason = _reason(exception)
        return MalformedError(f"{path}: {reason}" if path else reason)


def _reason(exception: Exception) -> str:
    match exception:
        case IndexError() | error():
            return wire.TOO_SHORT
        case UnicodeDecodeError():
            return "text that is not UTF-8"
        case OverflowError():
            return "a time outside of the years 1 to 9999"
        case MalformedError() | ValueError():
            return str(exception)
        case _:
            return f"{type(exception).__name__}: {exception}"


def takes_nothing(shape: Shape, known: dict[Record, bool] | None = None) -> bool:
    """Whether a value may take no byte, so that no payload is too short for any number of them.

    Args:
        shape: of the value.
        known: records that were judged already, or are being judged: those count as taking nothing.
    """
    known = {} if known is None else known
    match shape:
        case Scalar("null") | Fixed(0):
            return True
        case Record() if shape not in known:
            known[shape] = True
            known[shape] = all(takes_nothing(each, known) for _, each, _ in shape.fields)
            return known[shape]
        case Record():
            return known[shape]
        case _:
            return False


def contains_itself(record: Record) -> bool:
    """Whether a record may hold another of its own type, at any depth."""
    found: set[Record] = set()
    open_ = list(_records_in(record))
    while open_:
        each = open_.pop()
        if each not in found:
            found.add(each)
            open_ += _records_in(each)
    return record in found


def _records_in(record: Record) -> Iterator[Record]:
    """The records that are a record's fields, or in arrays, maps and unions of these."""
    shapes = [shape for _, shape, _ in record.fields]
    while shapes:
        match shapes.pop():
            case Record() as found:
                yield found
            case Array(below) | Map(below):
                shapes.append(below)
            case Union(branches):
                shapes += branches
            case _:
                pass  # no record can be in it
