"""Random Avro schemas for fuzzing: every kind and logical type, well and ill placed, nested, recursive, oddly named."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.decode.strict_schema import LOGICAL, PRIMITIVES, full_name

ODD_NAMES = (
    *("class", "None", "self", "payload", "position", "read", "v0", "_", "__class__", "dict", "b", "i", "d", "n", ""),
    *("é", "dash-ed", "with space", "quo'te", 'quo"te', "back\\slash", "new\nline", "{brace}", "%s", "'''", "#"),
)
"""Field names that break a reader made of generated source; some are no Avro names, but registries have them."""
NAMESPACES = ("", "a", "a.b", "com.acme.shop")
LOGICAL_NAMES = sorted(
    {"decimal", "uuid", "duration", "big-decimal", "money", "", *frozenset().union(*LOGICAL.values())}
)
NO_LOGICAL_NAMES: tuple[Any, ...] = (5, None, True, ["date"], {"date": 1})
ATTRIBUTES: tuple[dict[str, Any], ...] = (
    *({}, {}, {"precision": 1}, {"scale": 2}, {"precision": 0}, {"precision": 4, "scale": 2}),
    *({"precision": 1, "scale": 2}, {"precision": -1}, {"precision": "4"}, {"precision": 4, "scale": -1}),
)
"""Of decimals; most make none."""
MAX_DEPTH = 5


@dataclass(slots=True)
class Named:
    """A type that was defined, and may be named from then on.

    Attributes:
        branch: what a union may not have twice.
        open: a record whose fields are still being made: naming it makes it recursive.
    """

    name: str
    open: bool = True


@dataclass(slots=True)
class SchemaMaker:
    """Makes one schema; `prefix` keeps its names apart from those of another one."""

    rng: Random
    prefix: str = "T"
    depth: int = 0
    namespaces: list[str] = field(default_factory=lambda: [""])
    named: list[Named] = field(default_factory=list)

    def schema(self) -> Any:
        """Any type, most often a record as topics have them."""
        choice = self.rng.random()
        if choice < 0.75:
            return self.record()
        return self.union() if choice < 0.85 else self.type()

    def type(self) -> Any:
        """Any type but, inside of a union, another union."""
        self.depth += 1
        try:
            return self._kind()()
        finally:
            self.depth -= 1

    def _kind(self) -> Callable[[], Any]:
        if self.depth > MAX_DEPTH or self.rng.random() < 0.55:
            return self.primitive
        kinds = [self.record, self.enum, self.fixed, self.array, self.map, self.union, self.reference]
        return self.rng.choices(kinds, [3, 2, 3, 3, 2, 4, 2])[0]

    def primitive(self) -> Any:
        """A primitive type, often with a logical type."""
        rng = self.rng
        kind = rng.choice(sorted(PRIMITIVES))
        choice = rng.random()
        if choice < 0.5:
            return kind
        schema: dict[str, Any] = {"type": kind}
        if choice < 0.8 and (kind in LOGICAL or kind == "bytes"):
            schema["logicalType"] = rng.choice(sorted(LOGICAL.get(kind, {"decimal"})))
            return schema | (self._decimal(rng.randint(1, 40)) if kind == "bytes" else {})
        return schema | self._misplaced()

    def _decimal(self, precision: int) -> dict[str, Any]:
        scale = self.rng.randint(0, precision)
        return {"precision": precision} | ({"scale": scale} if self.rng.random() < 0.8 else {})

    def _misplaced(self) -> dict[str, Any]:
        """Attributes of a logical type that most likely must be ignored."""
        if self.rng.random() < 0.3:
            return {"logicalType": self.rng.choice(NO_LOGICAL_NAMES)}
        return {"logicalType": self.rng.choice(LOGICAL_NAMES), **self.rng.choice(ATTRIBUTES)}

    def array(self) -> Any:
        """An array; of anything, also of what takes no bytes."""
        return {"type": "array", "items": self.type()} | self._rarely(0.05, self._misplaced)

    def map(self) -> Any:
        """A map."""
        return {"type": "map", "values": self.type()} | self._rarely(0.05, self._misplaced)

    def union(self) -> Any:
        """A union without what a union may not have: another one, or two branches of one kind or name."""
        if self.rng.random() < 0.02 and self.depth < 3:
            return [self.fixed() for _ in range(70)]  # indexes of two bytes
        branches: dict[str, Any] = {}
        for _ in range(self.rng.choice([0, 1] if self.rng.random() < 0.05 else [2, 2, 2, 3, 4])):
            known = len(self.named)
            branch = "null" if self.rng.random() < 0.4 else self.type()
            if isinstance(branch, list) or self._key(branch) in branches:
                del self.named[known:]
            else:
                branches[self._key(branch)] = branch
        return list(branches.values())

    def _key(self, branch: Any) -> str:
        """What no other branch of a union may have."""
        if isinstance(branch, str):
            return branch if branch in PRIMITIVES else full_name(branch, self.namespaces[-1])
        if "name" in branch:
            return full_name(branch["name"], branch.get("namespace", self.namespaces[-1]))
        return str(branch["type"])

    def enum(self) -> Any:
        """An enum, sometimes with an index of two bytes."""
        count = self.rng.choice([0, 1, 2, 3, 5, 70] if self.rng.random() < 0.2 else [2, 3])
        symbols = [f"S{number}" for number in range(count)]
        return self._name({"type": "enum", "symbols": symbols} | self._rarely(0.1, self._misplaced))

    def fixed(self) -> Any:
        """A fixed, of sizes that a logical type needs and others."""
        size = self.rng.choice([0, 1, 2, 8, 12, 12, 16, 16, 17, 40, 70])
        schema: dict[str, Any] = {"type": "fixed", "size": size}
        choice = self.rng.random()
        if choice < 0.6 and size in {12, 16}:
            schema["logicalType"] = {12: "duration", 16: "uuid"}[size]
        elif choice < 0.7 and size:
            digits = max(1, int(size * 2.4 - 0.4)) + self.rng.choice([0, 0, 0, 2])
            schema |= {"logicalType": "decimal", **self._decimal(self.rng.randint(1, digits))}
        elif choice < 0.9:
            schema["logicalType"] = self.rng.choice([name for name in LOGICAL_NAMES if name != "decimal"])
        return self._name(schema)

    def record(self) -> Any:
        """A record; its fields may name it."""
        schema = self._name({"type": "record" if self.rng.random() < 0.97 else "error", "fields": []})
        own = self.named[-1]
        self.namespaces.append(own.name.rpartition(".")[0])
        self.depth += 1
        count = self.rng.choice([0, 1, 70] if self.rng.random() < 0.1 and self.depth < 3 else [1, 2, 3, 4, 6])
        names = [self.field_name(number) for number in range(count)]
        schema["fields"] = [self.field(name) for name in dict.fromkeys(names)]
        self.depth -= 1
        self.namespaces.pop()
        own.open = False
        return schema | self._rarely(0.05, self._misplaced)

    def field(self, name: str) -> dict[str, Any]:
        """A field; sometimes with a logical type where none may stand."""
        return {"name": name, "type": self.type()} | self._rarely(0.1, self._misplaced)

    def field_name(self, number: int) -> str:
        """Plain names, and those that hurt."""
        return self.rng.choice(ODD_NAMES) if self.rng.random() < 0.1 else f"f{number}"

    def reference(self) -> Any:
        """A type by its name, where there is one that can be named from here."""
        known = [named for named in self.named if self._short(named.name)]
        if not known:
            return self.primitive()
        named = self.rng.choice(known)
        schema = self.rng.choice(self._short(named.name))
        if not named.open or self.rng.random() < 0.03:
            return schema
        wrappers: list[Any] = [["null", schema], [schema, "null"], {"type": "array", "items": schema}]
        return self.rng.choice([*wrappers, {"type": "map", "values": schema}])

    def _short(self, name: str) -> list[str]:
        """How a type can be named here; a short name is one of the enclosing namespace."""
        namespace, _, short = name.rpartition(".")
        return ([name] if namespace else []) + ([short] if namespace == self.namespaces[-1] else [])

    def _name(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Give it a name: short, with a namespace, or full."""
        rng = self.rng
        name = f"{self.prefix}{len(self.named)}"
        choice = rng.random()
        if choice < 0.2:
            name = ".".join(filter(None, [rng.choice(NAMESPACES), name]))
        schema = {"name": name, **schema}
        if 0.2 <= choice < 0.5:
            schema["namespace"] = rng.choice(NAMESPACES)
        full = full_name(name, schema.get("namespace", self.namespaces[-1]))
        self.named.append(Named(full, open=schema["type"] in {"record", "error"}))
        return schema

    def _rarely(self, chance: float, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        return make() if self.rng.random() < chance else {}
