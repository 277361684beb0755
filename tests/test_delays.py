from processor.delays import delay_after


def test_the_last_delay_repeats() -> None:
    """There is one for each failure, as long as there are some."""
    assert [delay_after(failures, (1.0, 5.0, 30.0)) for failures in (1, 2, 3, 4, 99)] == [1.0, 5.0, 30.0, 30.0, 30.0]
