"""Reads the .avsc files that `schemas` names, and gives each record in them complete, with all that it uses."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fastavro
from fastavro.schema import SchemaParseException

from processor.errors import Fault, Level
from processor.settings.avro_catalogue import Catalogue
from processor.settings.avro_types import PRIMITIVES, Document, NotAvro, Undefined, collect, is_named


@dataclass(frozen=True, eq=False)
class LocalSchema:
    """A record type at the top of a file.

    Attributes:
        name: full name.
        aliases: full names.
        file: where it is defined.
        parsed: as `fastavro.parse_schema` gives it; each named type that it uses is defined at its first mention.
    """

    name: str
    aliases: tuple[str, ...]
    file: str
    parsed: Any = field(repr=False)


@dataclass(frozen=True)
class LocalSchemas:
    """The record types at the top of all files, in the order of the files.

    Attributes:
        all: several of one name where they differ: versions, for single-object encoding.
        digest: changes with any file's content; empty where there are no files.
    """

    all: tuple[LocalSchema, ...] = ()
    digest: str = ""

    def named(self, name: str) -> tuple[LocalSchema, ...]:
        """Give the versions of a record by its full name."""
        return tuple(schema for schema in self.all if schema.name == name)

    def reader_of(self, writer: str) -> LocalSchema | None:
        """Find the reader's schema of an event: the one with the writer's name, else with that alias.

        Returns:
            None where there is none, or several that differ: nobody has said which one is wanted.
        """
        found = self.named(writer) or tuple(schema for schema in self.all if writer in schema.aliases)
        return found[0] if len(found) == 1 else None


def read_schemas(paths: Sequence[Path]) -> tuple[LocalSchemas, list[Fault]]:
    """Read .avsc files, and folders of them with all that is below; never raises for what they hold.

    Args:
        paths: what `schemas` names, in its order.

    Returns:
        The records in which nothing is wrong, and what is wrong with the others, by file and line.
    """
    documents, faults = _read(paths)
    more, found = _complete(documents, whole=not faults)
    digest = hashlib.sha256("".join(document.text for document in documents).encode()).hexdigest() if documents else ""
    schemas = LocalSchemas(tuple(one.schema for one in found), digest)
    return schemas, [*faults, *more, *_versions(found), *_shared_aliases(found)]


def _read(paths: Sequence[Path]) -> tuple[list[Document], list[Fault]]:
    """Read every file once, however many entries lead to it."""
    documents: list[Document] = []
    faults: list[Fault] = []
    known: set[Path] = set()
    for entry, path in enumerate(paths):
        for file in _files(entry, path, faults):
            if file not in known:
                known.add(file)
                document = _document(entry, file)
                documents += [document] if isinstance(document, Document) else []
                faults += [document] if isinstance(document, Fault) else []
    return documents, faults


def _files(entry: int, path: Path, faults: list[Fault]) -> list[Path]:
    """List the files of an entry; hidden folders are left out: Kubernetes keeps a mounted folder's copies there."""
    if not path.is_dir():
        return [path]
    files, known = [], len(faults)
    for folder, folders, names in os.walk(path, onerror=lambda error: faults.append(_unreadable(entry, path, error))):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files += [Path(folder, name) for name in sorted(names) if name.endswith(".avsc")]
    if not files and len(faults) == known:
        faults.append(Fault(("schemas", entry), f"the folder {path} has no .avsc files", "add some, or mend the path"))
    return files


def _document(entry: int, file: Path) -> Document | Fault:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return Fault(("schemas", entry), f"the file {file} does not exist", "create or mount it, or mend the path")
    except (OSError, ValueError) as error:
        return _unreadable(entry, file, error)
    try:
        return _parse(entry, str(file), content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Fault(("schemas", entry), "the file is not UTF-8 text", "save it as UTF-8", file=str(file), line=line)


def _unreadable(entry: int, path: Path, error: Exception) -> Fault:
    reason = getattr(error, "strerror", None) or error
    return Fault(("schemas", entry), f"{path} cannot be read: {reason}", "mend its permissions or the path")


def _parse(entry: int, file: str, text: str) -> Document | Fault:
    try:
        schema = json.loads(text)
        json.dumps(schema, ensure_ascii=False).encode()  # refuses half characters, which no payload can hold
        document = Document(file, text, entry, schema if isinstance(schema, list) else [schema])
        collect(document)
    except json.JSONDecodeError as error:
        fix = "JSON has quotes around every text, no comma after the last item, and no comments"
        return Fault(("schemas", entry), f"is not JSON: {error.msg}", fix, file=file, line=error.lineno)
    except RecursionError:
        return _too_deep(entry, file)
    except ValueError as error:
        return Fault(("schemas", entry), f"cannot be read: {error}", "no schema needs that", file=file, line=1)
    except NotAvro as error:
        return _fault(error.document, error.word, str(error), error.fix)
    if not any(is_named(schema) or _is_name(schema) for schema in document.top):
        fix = "a file holds a record, or a list of them; an enum or a fixed that others use is fine too"
        return Fault(("schemas", entry), "has no record at its top", fix, file=file, line=1)
    return document


def _is_name(schema: Any) -> bool:
    """Tell whether it is another type's name: a file may list the events of a topic by their names."""
    return isinstance(schema, str) and schema not in PRIMITIVES


def _too_deep(entry: int, file: str) -> Fault:
    return Fault(("schemas", entry), "is nested too deep", "write it flatter", file=file, line=1)


@dataclass(frozen=True, slots=True)
class _Found:
    """A record, how it was written out, and where."""

    schema: LocalSchema
    written: Any
    document: Document


def _complete(documents: Sequence[Document], *, whole: bool) -> tuple[list[Fault], list[_Found]]:
    """Write out every type at the top of every file; of records that are the same, keep the first.

    Args:
        documents: all that could be read.
        whole: that is all there are; otherwise a type that is not found may be in a file that has its fault already.
    """
    catalogue = Catalogue(documents)
    faults: dict[Fault, None] = {}  # the file at fault is found again by each type that uses it
    found: list[_Found] = []
    tops = [(document, schema) for document in documents for schema in document.top]
    for document, schema in tops:
        try:
            written = catalogue.write(schema, document)
            if is_named(schema):
                one = _Found(_local(written, document), written, document)
                if written["type"] == "record" and not any(written == other.written for other in found):
                    found.append(one)
        except NotAvro as error:
            if whole or not isinstance(error, Undefined):
                faults[_fault(error.document, error.word, str(error), error.fix)] = None
        except RecursionError:
            faults[_too_deep(document.entry, document.file)] = None
        except (SchemaParseException, ArithmeticError, ValueError) as error:
            faults[_fault(document, schema["name"], f"is not an Avro schema: {error}", "")] = None
    return list(faults), found


def _local(written: Any, document: Document) -> LocalSchema:
    parsed = fastavro.parse_schema(written)
    return LocalSchema(written["name"], tuple(written.get("aliases", ())), document.file, parsed)


def _versions(found: Sequence[_Found]) -> Iterator[Fault]:
    """Warn of records that several files define differently."""
    for name in dict.fromkeys(one.schema.name for one in found):
        versions = [one for one in found if one.schema.name == name]
        if len(versions) > 1:
            files = ", ".join(one.schema.file for one in versions)
            message = (
                f"`{name}` is defined differently by {files}: as versions for single-object encoding they are all"
                " known, but none is used as the reader's schema"
            )
            fix = "if it should be the reader's schema, keep only one"
            yield _fault(versions[-1].document, name, message, fix, Level.WARNING)


def _shared_aliases(found: Sequence[_Found]) -> Iterator[Fault]:
    """Warn of aliases that several records claim, and no record has as its name."""
    names = {one.schema.name for one in found}
    for alias in dict.fromkeys(alias for one in found for alias in one.schema.aliases if alias not in names):
        owners = {one.schema.name: one for one in found if alias in one.schema.aliases}
        if len(owners) > 1:
            message = f"`{alias}` is an alias of {' and '.join(owners)}: none of them is used as its reader's schema"
            yield _fault(
                [*owners.values()][-1].document, alias, message, "keep the alias in one of them", Level.WARNING
            )


def _fault(document: Document, word: str, message: str, fix: str, level: Level = Level.ERROR) -> Fault:
    return Fault(("schemas", document.entry), message, fix, level, document.file, document.line(word))
