from processor.settle.commits import CommitPace


def test_the_first_commit_is_due_at_once() -> None:
    """A fresh consumer may commit without waiting for the interval."""
    assert CommitPace(1.0).due(0.0)


def test_a_commit_is_due_every_interval() -> None:
    """After an answered commit the next one waits for the rest of the interval, and not longer."""
    pace = CommitPace(1.0)
    pace.sent(10.0)
    pace.answered()

    assert not pace.due(10.9)
    assert pace.due(11.0)


def test_one_commit_at_a_time() -> None:
    """However late the answer is, no second commit goes out before it (invariant 3)."""
    pace = CommitPace(1.0)
    pace.sent(0.0)

    assert not pace.due(3600.0)
    pace.answered()
    assert pace.due(3600.0)


def test_a_commit_of_partitions_that_leave_postpones_no_other() -> None:
    """Those that stay are committed when they would have been: rebalances in a row do not put it off."""
    pace = CommitPace(1.0)
    pace.sent(10.0)
    pace.answered()
    pace.sent(10.9, whole=False)
    pace.answered()

    assert pace.due(11.0)


def test_no_commit_goes_out_before_the_last_answer() -> None:
    """Where partitions leave, one goes behind another: the first answer is not the second's (invariant 3)."""
    pace = CommitPace(1.0)
    pace.sent(0.0)
    pace.sent(0.5, whole=False)
    pace.answered()
    between = pace.due(100.0)
    pace.answered()

    assert (between, pace.due(100.0)) == (False, True)
