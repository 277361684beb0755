"""Who may import whom in `processor/`."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

PACKAGE = "processor"
STAGES = frozenset({"consume", "decode", "route", "map", "send", "settle"})
SUPPORT = "support"
WIRING = frozenset({"compiler", "plan", "running", "report", "samples", "service", "transform", "feed", "app"})
EVERYTHING = STAGES | WIRING | {SUPPORT, "destinations", "ops", "pipeline", "cases", "replay", "demo"}

# Part → the parts it may import, beside itself. A part that is not named here may import nothing, so a new
# folder fails until someone has decided where it belongs.
ARROWS: Mapping[str, frozenset[str]] = {
    SUPPORT: frozenset(),
    **dict.fromkeys(STAGES, frozenset({SUPPORT})),
    "destinations": frozenset({SUPPORT}),
    "ops": frozenset({SUPPORT}),
    "transform": frozenset({"decode", "route", "map", SUPPORT}),
    "pipeline": STAGES | {SUPPORT, "transform"},
    "compiler": frozenset({"destinations", "route", "map", SUPPORT}),
    "plan": frozenset({"compiler", "destinations", "route", "map", SUPPORT}),
    "cases": frozenset({"plan", "route", SUPPORT}),
    "running": STAGES | {SUPPORT, "ops", "pipeline", "plan"},
    "report": STAGES | {SUPPORT, "ops", "running"},
    "samples": frozenset({SUPPORT, "running", "report"}),
    "service": frozenset({SUPPORT, "ops", "running", "report", "samples"}),
    "feed": frozenset({"decode", "route", "plan", "transform", SUPPORT}),
    "app": EVERYTHING - {"replay", "demo"},
    "replay": EVERYTHING - {"demo"},
    "demo": EVERYTHING,
    "cli": EVERYTHING,
    "__main__": frozenset({"cli"}),
}
SUPPORT_FOLDERS = frozenset({"settings", "expressions"})
Imports = Mapping[str, frozenset[str]]
"""Module → the modules it imports, both as dotted names."""


def part(module: str, folders: frozenset[str]) -> str:
    """The part that a module belongs to: its folder, or its name, or support for the other files at the root.

    Args:
        module: dotted name; the last components may be names inside a module.
        folders: the packages below `processor`.
    """
    name = module.split(".")[1] if "." in module else ""
    if name in SUPPORT_FOLDERS:
        return SUPPORT
    return name if name in folders or name in ARROWS else SUPPORT


def violations(imports: Imports, folders: frozenset[str]) -> list[str]:
    """Every arrow between two parts that the table does not allow."""
    return [
        f"{module} ({source}) imports {imported} ({target})"
        for module, all_imported in sorted(imports.items())
        for imported in sorted(all_imported)
        if (source := part(module, folders)) != (target := part(imported, folders))
        and target not in ARROWS.get(source, frozenset())
    ]


def imported_names(source: str, package: str) -> frozenset[str]:
    """What a module imports from our package, type-checking imports included, as dotted names.

    Args:
        source: the module's text.
        package: the package that the module is in, for relative imports.
    """
    names = {name for node in ast.walk(ast.parse(source)) for name in _names(node, package)}
    return frozenset(name for name in names if name.split(".")[0] == PACKAGE)


def _names(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        parents = package.split(".")
        above = parents[: len(parents) - node.level + 1] if node.level else []
        base = ".".join([*above, *filter(None, [node.module])])
        yield from (f"{base}.{alias.name}" for alias in node.names)


def read_imports(root: Path) -> Imports:
    """All modules below a package folder and what they import from the package."""
    return {
        name: imported_names(path.read_text(), name if path.stem == "__init__" else name.rpartition(".")[0])
        for path in root.rglob("*.py")
        for name in [_module(path.relative_to(root.parent))]
    }


def _module(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def test_the_package_keeps_the_arrows() -> None:
    """No module of the package imports what its part may not."""
    root = Path(__file__).parent.parent / PACKAGE
    folders = frozenset(path.parent.name for path in root.glob("*/__init__.py"))
    imports = read_imports(root)

    found = violations(imports, folders)

    assert imports
    assert found == []


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("processor.map.compile", "processor.decode.avro.Decoder"),
        ("processor.records", "processor.settle.ledger"),
        ("processor.settings.models", "processor.destinations.voyado"),
        ("processor.expressions", "processor.map"),
        ("processor.destinations.voyado", "processor.send"),
        ("processor.ops.server", "processor.pipeline"),
        ("processor.pipeline", "processor.destinations.voyado"),
        ("processor.pipeline", "processor.app"),
        ("processor.app", "processor.demo.shop"),
        ("processor.app", "processor.cli"),
        ("processor.demo.run", "processor.cli"),
        ("processor.send.http", "processor.newcomer"),
        ("processor.newcomer.thing", "processor.records"),
        ("processor", "processor.app"),
    ],
)
def test_a_forbidden_arrow_is_found(module: str, imported: str) -> None:
    """A module that imports what its part may not is named together with what it imports."""
    found = violations({module: frozenset({imported})}, frozenset({"newcomer"}))

    assert len(found) == 1
    assert module in found[0]
    assert imported in found[0]


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("processor.map.compile", "processor.map.convert"),
        ("processor.map.compile", "processor.expressions.compile"),
        ("processor.settings.load", "processor.errors.Fault"),
        ("processor.pipeline", "processor.send"),
        ("processor.app", "processor.ops.server"),
        ("processor.demo.run", "processor.app"),
        ("processor.cli.main", "processor.demo"),
        ("processor.__main__", "processor.cli.main"),
        ("processor.cli", "processor.__version__"),
    ],
)
def test_an_allowed_arrow_is_left_alone(module: str, imported: str) -> None:
    """Imports within a part, of support, and of what a part is built from are no violations."""
    assert violations({module: frozenset({imported})}, frozenset()) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("import processor.send.http", "processor.send.http"),
        ("from processor import send", "processor.send"),
        ("from processor.send.http import Client as C", "processor.send.http.Client"),
        ("from ..send import http", "processor.send.http"),
        ("from . import compile", "processor.map.compile"),
        ("if TYPE_CHECKING:\n    from processor.send import http", "processor.send.http"),
        ("def late():\n    from processor.send import http", "processor.send.http"),
    ],
)
def test_every_form_of_import_is_seen(line: str, expected: str) -> None:
    """However a module imports another one, the checker sees it."""
    assert imported_names(line, "processor.map") == {expected}


def test_imports_from_elsewhere_are_no_arrows() -> None:
    """Other people's packages are nobody's part, also where the name begins like ours."""
    assert imported_names("import json\nfrom processors import x", "processor.map") == frozenset()
