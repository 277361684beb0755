"""Routes whose mapping is a user's Python function."""

from pathlib import Path

import pytest

from tests.support.configured import EVENT, FIRST, HEAD, ROCKET, VIEW, faults, made, plans


def hooked(name: str) -> str:
    """The route to Voyado with a Python function."""
    return VIEW.partition("map:")[0] + f"map: python:{name}}}\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A user's module, by a name that no other test has."""
    name = f"hooks_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(
        "def view(event, item, record):\n"
        "    if event['sku'] == 'none':\n"
        "        return None\n"
        "    return {'itemId': event['sku'], 'contactId': event['contact'], 'url': record.key.decode()}\n"
        "number = 5\n"
    )
    (tmp_path / f"{name}_broken.py").write_text("1 / 0\n")
    (tmp_path / f"{name}_leaving.py").write_text("import sys\nsys.exit(3)\n")
    (tmp_path / f"{name}_wrong.py").write_text("def view(:\n")
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_a_function_in_the_place_of_a_mapping(tmp_path: Path, package: str) -> None:
    """It gets event, item and record; the destination's fields are not added to what it gives."""
    ready = plans(
        tmp_path, hooked(f"{package}.view"), HEAD.replace("  rocket:\n", "    map: {category: sku}\n  rocket:\n")
    )

    assert made(ready, EVENT) == [{"itemId": "1", "contactId": "c" * 22, "url": "k-1"}]
    assert made(ready, {**EVENT, "sku": "none"}) == ["python"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("{}_absent.view", "{}_absent.view cannot be imported: ModuleNotFoundError: No module named '{}_absent'"),
        ("{}.veiw", "{}.veiw cannot be imported: AttributeError: module '{}' has no attribute 'veiw'"),
        ("{}_broken.view", "{}_broken.view cannot be imported: ZeroDivisionError: division by zero"),
        ("{}_leaving.view", "{}_leaving.view cannot be imported: SystemExit: 3"),
        ("{}_wrong.view", "{}_wrong.view cannot be imported: SyntaxError: "),
        ("{}.number", "{}.number is not a function"),
    ],
)
def test_a_function_that_is_not_there(tmp_path: Path, package: str, name: str, message: str) -> None:
    """Whatever its module does when it is imported, it is a fault of the file."""
    [fault] = faults(tmp_path, hooked(name.replace("{}", package)) + ROCKET)

    assert (fault.line, fault.where) == (FIRST, "routes.views.map")
    assert fault.message.startswith(message.replace("{}", package))
    assert fault.fix
