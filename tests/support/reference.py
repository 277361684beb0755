"""Renders `docs/configuration.md` from the models; `python -m tests.support.reference` writes it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processor.destinations import VENDORS
from processor.settings.files import read_files
from processor.settings.schema import REFERENCE, json_schema
from processor.settings.syntax import quoted

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "configuration.md"
FULL = ROOT / "examples" / "full.yaml"

Json = Mapping[str, Any]

HEAD = """\
# Configuration

Rendered from the models in `processor/settings/`. `examples/minimal.yaml` is the shortest file, `examples/full.yaml`
sets every key; the examples below are taken from it. The JSON schema of the file, for editors:
`clickstream schema > clickstream.schema.json`, and `# yaml-language-server: $schema=clickstream.schema.json` on the
first line.

**How a file is read.** The file is `./clickstream.yaml`, or what `--config` names (repeat it), or `CLICKSTREAM_CONFIG`
with `:` between names.

- All values are text until a key wants something else: `NO` stays a country and `0012` an id. Only `null`, `~` and
  nothing are null. A key that is set twice is refused.
- A later file lies over an earlier one: mappings merge, lists are replaced, null removes a key. Over another file too,
  `batch: null` means single calls and `order_key: null` no order.
- `${NAME}` is a variable, `${NAME:-default}` has a default, `${file:PATH}` is a file's content without its last line
  break (a relative path counts from the file that names it), `$${` is a plain `${`. What is put in is always text.
  Inside `{}` and `[]` YAML wants quotes round them.
- `x-…` keys at the top are for anchors, `<<: *anchor` merges one.
- **Expressions** are JMESPath; `clickstream functions` lists the functions. In `map` and `let`, a YAML list or mapping,
  a bare number, `true` and `false` are constants, the same for every event; a constant text is `{const: text}`. Put
  quotes round an expression that begins with `!`, a quote, a backtick, `{`, `[`, `@`, `&` or `*`, or that holds `: `,
  ` #` or, within `{}`, a comma or a bracket.
- A duration is a number with `ms`, `s`, `m`, `h` or `d`; a size is bytes, or a number with `kB`, `MB`, `GB`, `KiB`,
  `MiB` or `GiB`; a rate is a number with `/s`, `/m` or `/h`.
"""


@dataclass(frozen=True)
class Row:
    """One key of a table."""

    key: str
    kind: str
    default: str
    meaning: str
    example: str

    def __str__(self) -> str:
        cells = (f"`{self.key}`", self.kind, self.default, self.meaning, self.example)
        return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


class Reference:
    """The page; what each key means comes from the JSON schema, which comes from the docstrings."""

    def __init__(self) -> None:
        self.schema = json_schema({name: vendor.settings for name, vendor in VENDORS.items()})
        tree, _ = read_files([FULL])
        assert tree is not None
        self.full = tree.python()
        self.vendors = {name: self.schema["$defs"][name] for name in VENDORS}

    def render(self) -> str:
        """The whole page."""
        return "\n".join([HEAD, *self.sections()])

    def sections(self) -> Iterator[str]:
        """A heading, a sentence and a table for each group of keys, outer ones first."""
        yield self.section("The file", "What stands at the top.", self.rows((), self.schema))
        yield from self.groups((), self.schema)
        yield from self.destinations()
        yield from self.mapping_of(("formats", "*"), "FormatSettings", "`formats.TOPIC`")
        yield from self.mapping_of(("routes", "*"), "RouteSettings", "`routes.NAME`")

    def destinations(self) -> Iterator[str]:
        """What all vendors' settings have in common, with their differences, and their groups."""
        keys = list(dict.fromkeys(key for vendor in self.vendors.values() for key in vendor["properties"]))
        rows = [self.vendor_row(key) for key in keys]
        yield self.section("`destinations.NAME`", "One configured account at a vendor.", rows)
        first = next(iter(self.vendors.values()))
        yield from self.groups(("destinations", "*"), first)

    def mapping_of(self, path: tuple[str, ...], name: str, title: str) -> Iterator[str]:
        """The section of a model whose names are the user's."""
        model = self.schema["$defs"][name]
        yield self.section(title, model["description"], self.rows(path, model))

    def groups(self, path: tuple[str, ...], model: Json) -> Iterator[str]:
        """The sections of what lies below a model's keys."""
        for key, written in model["properties"].items():
            if group := self.group(written):
                title = f"`{'.'.join('NAME' if part == '*' else part for part in (*path, key))}`"
                yield self.section(title, group["description"], self.rows((*path, key), group))

    def group(self, written: Json) -> Json | None:
        """The model that a key holds, perhaps in a list, or null."""
        options = [written, *written.get("anyOf", ()), written.get("items", {})]
        names = [option["$ref"].rpartition("/")[2] for option in options if "$ref" in option]
        return self.schema["$defs"][names[0]] if names else None

    def section(self, title: str, sentence: str, rows: list[Row]) -> str:
        """A heading with a table."""
        table = ["| key | type | default | meaning | example |", "| --- | --- | --- | --- | --- |", *map(str, rows)]
        return "\n".join([f"## {title}", "", sentence, "", *table, ""])

    def rows(self, path: tuple[str, ...], model: Json) -> list[Row]:
        """The keys of one model."""
        return [
            Row(key, words(written), self.default(model, key), written["description"], self.example((*path, key)))
            for key, written in model["properties"].items()
        ]

    def vendor_row(self, key: str) -> Row:
        """A key of destinations, with what differs between vendors."""
        having = {name: model for name, model in self.vendors.items() if key in model["properties"]}
        kinds = {name: words(model["properties"][key]) for name, model in having.items()}
        defaults = {name: self.default(model, key) for name, model in having.items()}
        meanings = {name: model["properties"][key]["description"] for name, model in having.items()}
        only = "" if len(having) == len(self.vendors) else f"Only `{next(iter(having))}`. "
        return Row(key, told(kinds), told(defaults), only + told(meanings), self.example(("destinations", "*", key)))

    def default(self, model: Json, key: str) -> str:
        """What holds where the key is absent."""
        if key in model.get("required", ()) or any(key in one["required"] for one in model.get("oneOf", ())):
            return "required"
        written = model["properties"][key]
        return code(flow(written["default"])) if "default" in written else "–"

    def example(self, path: tuple[str, ...]) -> str:
        """The first value of the key in the full example."""
        found = next((value for value in values_at(self.full, path) if value is not None), None)
        grouped = isinstance(found, dict) and path[-1] not in {"map", "let"}
        return "" if found is None or grouped else code(f"{path[-1]}: {flow(found)}")


def values_at(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """Every value at a path, with `*` for any key."""
    if not path:
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from values_at(item, path)
    elif isinstance(value, dict):
        keys = value if path[0] == "*" else [path[0]] if path[0] in value else []
        for key in keys:
            yield from values_at(value[key], path[1:])


def told(by_vendor: Mapping[str, str]) -> str:
    """One text where all vendors have the same, else each with its name."""
    if len(set(by_vendor.values())) == 1:
        return next(iter(by_vendor.values()))
    return "; ".join(f"{name}: {text.removesuffix('.')}" for name, text in by_vendor.items())


def words(written: Json) -> str:
    """A type in words."""
    if "const" in written:
        return f"`{written['const']}`"
    if "enum" in written:
        return ", ".join(f"`{word}`" for word in written["enum"])
    if "title" in written:
        return str(written["title"])
    if "$ref" in written:
        return "group, below"
    if "anyOf" in written and "type" not in written:
        options = [option for option in written["anyOf"] if option.get("pattern") != REFERENCE]
        return ", or ".join(dict.fromkeys(map(words, options)))
    return plain(written)


def plain(written: Json) -> str:
    """A type that has no name of its own."""
    kind = written["type"]
    if kind == "array":
        items = words(written["items"])
        return "list of groups, below" if items.startswith("group") else f"list of {items}"
    if kind == "object":
        items = words(written["additionalProperties"])
        return "groups by name, below" if items.startswith("group") else f"mapping to {items}"
    name = kind if isinstance(kind, str) else kind[0]
    return {"string": "text", "boolean": "`true`, `false`"}.get(name, name) + limits(written)


def limits(written: Json) -> str:
    """The smallest and the largest number."""
    names = {"minimum": "at least", "exclusiveMinimum": "more than", "maximum": "at most"}
    return "".join(f", {text} {written[name]}" for name, text in names.items() if name in written)


def flow(value: Any, *, inside: bool = False) -> str:
    """A value in one line of YAML.

    Args:
        value: what the file has.
        inside: whether it stands in a list or mapping, where more texts need quotes.
    """
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case dict():
            return "{" + ", ".join(f"{key}: {flow(item, inside=True)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(flow(item, inside=True) for item in value) + "]"
        case str() if inside and set(value) & set("[]{},'`#!&*?|>%@\""):
            return quoted(value)
        case _:
            return str(value)


def code(text: str) -> str:
    """A text as code, also where it has a backtick."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


if __name__ == "__main__":
    PAGE.write_text(Reference().render(), encoding="utf-8")
