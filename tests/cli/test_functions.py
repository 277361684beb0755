"""`clickstream functions`: every function that an expression may call."""

import pytest

from processor.cli.main import main
from processor.expressions.language import Language
from tests.support.command import objects

FUNCTIONS = Language({}, lambda: 0.0).functions


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command prints."""
    assert main(["functions", *arguments]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out


def test_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each, by name: how it is called, what it does, and an example with its result."""
    lines = printed(capsys).splitlines()

    assert [line.partition("(")[0] for line in lines] == sorted(FUNCTIONS)
    for line in lines:
        function = FUNCTIONS[line.partition("(")[0]]
        assert line.startswith(f"{function.signature} ")
        assert function.meaning in line
        example, gives = function.example
        assert line.endswith(f"   {example} → {gives}" if example else function.meaning)


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The same as one object in each line."""
    found = objects(printed(capsys, "--format", "json"))

    assert [each["name"] for each in found] == sorted(FUNCTIONS)
    for each in found:
        function = FUNCTIONS[each["name"]]
        assert each == {
            "name": function.name,
            "signature": function.signature,
            "result": function.result,
            "meaning": function.meaning,
            "example": function.example[0],
            "gives": function.example[1],
        }


def test_an_argument_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """It is refused, not passed over."""
    with pytest.raises(SystemExit) as ended:
        main(["functions", "lower"])

    assert ended.value.code == 2
    assert "lower" in capsys.readouterr().err
