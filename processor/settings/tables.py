"""Tables for `lookup`, in the configuration or in a file beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, PlainValidator, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from processor.settings.texts import FilePath
from processor.settings.values import Frozen, invalid


class TableFile(Frozen):
    """A table in a file of its own, read again when it changes.

    Attributes:
        file: CSV with a key and its value in each row, or a JSON object of texts; looked up beside the file that
            names it. A table with the one key `file` is always meant so.
    """

    file: FilePath


def _check_value(value: object) -> str:
    if isinstance(value, str):
        return str(value)
    raise invalid("must be one text" if value is not None else "has no value", "write one text for each key")


_INLINE = TypeAdapter(dict[str, Annotated[str, BeforeValidator(_check_value)]])
_FILE = TypeAdapter(TableFile)


def parse_table(value: object) -> dict[str, str] | TableFile:
    """Read a table: keys and their values, both text, or `{file: PATH}`.

    Raises:
        PydanticCustomError: it is neither.
        ValidationError: a value is no text.
    """
    match value:
        case TableFile():
            return value
        case {"file": _, **rest} if not rest:
            return _FILE.validate_python(value)
        case Mapping():
            return _INLINE.validate_python(value)
        case _:
            raise invalid("is not a table", "`key: value` lines, or {file: PATH}")


def sound_tables(section: Mapping[str, object]) -> dict[str, Mapping[str, str] | Path]:
    """Give the rows of each table, or its file; none where it is wrong, so that its name at least is known.

    Args:
        section: what the file has, right or not; paths are resolved.
    """
    return {name: _sound(value) for name, value in section.items()}


def _sound(value: object) -> Mapping[str, str] | Path:
    try:
        table = parse_table(value)
    except (ValidationError, PydanticCustomError):
        return {}
    return Path(table.file) if isinstance(table, TableFile) else table


Table = Annotated[dict[str, str] | TableFile, PlainValidator(parse_table)]
