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
