from pathlib import Path

from processor.expressions import reference

PAGE = Path(__file__).parents[2] / "docs" / "functions.md"


def test_the_page_of_functions_is_what_the_code_declares() -> None:
    """docs/functions.md is rendered from the declarations; write `functions_markdown()` into it when they change."""
    assert PAGE.read_text() == reference.functions_markdown()


def test_every_function_has_a_row_with_all_its_cells() -> None:
    """A sign in an expression breaks no table."""
    rows = [line for line in reference.functions_markdown().splitlines() if line.startswith("| `")]

    assert len(rows) == len(list(reference.functions()))
    assert all(row.replace("\\|", "").count("|") == 5 for row in rows)
    assert all(function.meaning.endswith(".") and all(function.example) for function in reference.functions())
