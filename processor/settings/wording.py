"""Says what is wrong with a value in words for the person who wrote it."""

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from difflib import get_close_matches
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from processor.errors import Fault, FaultPath
from processor.settings.yaml import Node

SECRET = re.compile(r"password|passphrase|secret|token$|user\.info|api_?key|\.pem$|oauthbearer\.config|jaas|^proxy$")

PREDICATES = {
    "string_type": ("must be text", "put quotes around it where it is an expression"),
    "dict_type": ("must be a mapping", "write `key: value` below it"),
    "model_type": ("must be a mapping", "write `key: value` below it"),
    "tuple_type": ("must be a list", "write it in brackets: [a, b]"),
    "int_parsing": ("is not a whole number", "write digits only"),
    "int_type": ("is not a whole number", "write digits only"),
    "float_parsing": ("is not a number", "write digits only"),
    "float_type": ("is not a number", "write digits only"),
    "too_short": ("must not be empty", ""),
}
"""What is wrong and how to mend it, by pydantic's name of the error."""


def is_secret(name: str) -> bool:
    """Tell by a key's name whether its value must never be shown."""
    return SECRET.search(name) is not None


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Find the known name that was probably meant; None where none is near."""
    return next(iter(get_close_matches(name, sorted(known), n=1)), None)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Suggest the nearest known name; the list of all where none is near."""
    names = sorted(known)
    near = nearest(name, names)
    return f"did you mean `{near}`?" if near else f"one of: {', '.join(names)}"


def joined(faults: Collection[Fault], written: Collection[FaultPath]) -> list[Fault]:
    """Make one fault of a misspelt key and of the required one that is missing for that reason.

    Args:
        faults: all of them.
        written: the paths of all values that the files have.
    """
    missing = {fault.path for fault in faults if fault.path not in written}
    mended = {fault.path: (*fault.path[:-1], fault.meant) for fault in faults if fault.meant}
    return [
        replace(fault, fix=f"{fault.fix} It is required") if mended.get(fault.path) in missing else fault
        for fault in faults
        if fault.path not in missing.intersection(mended.values())
    ]


def translate(error: ErrorDetails, model: type[BaseModel], path: FaultPath, written: Node) -> Fault:
    """Turn one of pydantic's errors into a fault.

    Args:
        error: the error, from validating `model`.
        model: the model that was validated.
        path: where the model's value lies in the files.
        written: the files as they were written, before variables were replaced, so that no secret is shown.
    """
    inner = tuple(part for part in error["loc"] if part != "[key]")
    where = (*path, *inner)
    field = _field_at(model, inner)
    if error["type"] == "missing":
        return Fault(where, "is required", _example(where, field) or f"add `{where[-1]}: …`")
    if error["type"] == "extra_forbidden":
        return _unknown_key(where, _model_at(model, inner[:-1]))
    where = _as_written(where, written)
    node = written.at(where)
    if node is not None and node.value is None and error["input"] is None and error["type"] != "invalid":
        return Fault(where, "has no value", "give it one, or remove the key")
    shown = f"`{where[-1]}`" if "[key]" in error["loc"] else _shown(node, where)
    message, fix = _predicate(error)
    example = _example(where, field)
    return Fault(where, f"{shown} {message}".strip(), example or fix if error["type"] in PREDICATES else fix or example)


def _unknown_key(where: FaultPath, owner: type[BaseModel] | None) -> Fault:
    name, known = str(where[-1]), fields_of(owner) if owner else {}
    if name in known:
        fix = "keep one of the two; over another file, null removes a key"
        return Fault(where, "is another name of a key that is set too", fix)
    group = next((key for key, field in known.items() if name in _keys_below(field)), None)
    if group:
        return Fault(where, "is not a known key", f"it belongs below `{group}`")
    near = nearest(name, known)
    meant = next((key for key, field in known.items() if near and field is known[near]), "")  # the first of its names
    return Fault(where, "is not a known key", did_you_mean(name, known), meant=meant)


def _keys_below(field: FieldInfo) -> Iterable[str]:
    kind = _plain(field.annotation)
    return fields_of(kind) if isinstance(kind, type) and issubclass(kind, BaseModel) else ()


def _as_written(where: FaultPath, written: Node) -> FaultPath:
    """Leave out the position in a list that was written as one text."""
    return where[:-1] if where and isinstance(where[-1], int) and written.at(where) is None else where


def _shown(node: Node | None, where: FaultPath) -> str:
    """Show a text as it stands in the file; nothing where it is a secret or no text."""
    if node is None or not isinstance(node.value, str) or is_secret(str(where[-1])):
        return ""
    return f"`{node.value}`"


def _predicate(error: ErrorDetails) -> tuple[str, str]:
    """Say what is wrong, to follow the value, and what to write instead, where that is known."""
    context = error.get("ctx", {})
    match error["type"]:
        case "invalid":
            return str(context["message"]), str(context["fix"])
        case "literal_error" | "enum":
            return "is not allowed", _one_of(str(error["input"]), str(context["expected"]))
        case "value_error":
            return str(context["error"]), ""
        case kind:
            return PREDICATES.get(kind) or (_bound(context) or error["msg"], "")


def _one_of(name: str, expected: str) -> str:
    """Suggest the nearest of pydantic's `'a', 'b' or 'c'`; all of them, in their order, where none is near."""
    names = expected.replace("'", "").replace(" or ", ", ")
    near = nearest(name, names.split(", "))
    return f"did you mean `{near}`?" if near else f"one of: {names}"


def _bound(context: dict[str, Any]) -> str:
    words = {
        "gt": "must be more than",
        "ge": "must be at least",
        "lt": "must be less than",
        "le": "must be at most",
    }
    return next((f"{text} {context[name]:.15g}" for name, text in words.items() if name in context), "")


def _example(where: FaultPath, field: FieldInfo | None) -> str:
    examples = field.examples if field else None
    return f"for example `{where[-1]}: {examples[0]}`" if examples else ""


def _field_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> FieldInfo | None:
    """Find the field that an error is about; None where it is a key or item of a field."""
    owner = _model_at(model, loc[:-1])
    return fields_of(owner).get(str(loc[-1])) if owner and loc else None


def _model_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> type[BaseModel] | None:
    """Follow an error's place through the models; None where it ends in none."""
    kind: Any = model
    for part in loc:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = fields_of(kind).get(str(part))
            kind = _plain(field.annotation) if field else None
        else:
            kind = _plain(next((each for each in reversed(get_args(kind)) if each is not ...), None))
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _plain(kind: Any) -> Any:
    """Take `| None` off a type."""
    if get_origin(kind) in (Union, UnionType):
        return next(arg for arg in get_args(kind) if arg is not type(None))
    return kind


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """List a model's fields by the names that the file may use."""
    named: dict[str, FieldInfo] = {}
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        names = alias.choices if isinstance(alias, AliasChoices) else [alias or name]
        named |= {str(choice): field for choice in names}
    return named
