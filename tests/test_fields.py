import pytest

from processor.fields import located


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("the text is empty", "items: the text is empty"),
        ("[2].sku: required, but null", "items[2].sku: required, but null"),
        (".sku: required, but null", "items.sku: required, but null"),
    ],
)
def test_where_a_value_is_wrong(words: str, expected: str) -> None:
    """A field's name, and the way on from there where the value is nested."""
    assert located("items", ValueError(words)) == expected
