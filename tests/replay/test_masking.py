from processor.replay.masking import MASK, as_is, masked

VALUE = {"sku": "1", "lines": [{"price": 9.5, "gift": True}, {}], "none": None, "empty": [], "nothing": ""}


def test_form_stays() -> None:
    """Lists and names of fields stay, every text and number is hidden with its length."""
    assert masked(VALUE) == {
        "sku": MASK,
        "lines": [{"price": MASK, "gift": True}, {}],
        "none": None,
        "empty": [],
        "nothing": MASK,
    }
    assert masked(0) == MASK


def test_nothing_is_hidden_where_that_is_asked_for() -> None:
    """It is the same."""
    assert as_is(VALUE) is VALUE
