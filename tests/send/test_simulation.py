from tests.send.simulate import CHUNK, Session, run_seeds
from tests.support.seeds import chunks_of, run_many

SEEDS = 2000


def test_whatever_happens_the_rules_of_sending_hold() -> None:
    """In every world order, limits and delays hold, nobody is blamed without grounds, and nothing stands still."""
    total = Session()

    for session in run_many(run_seeds, chunks_of(0, SEEDS, None, CHUNK)):
        total.add(session)

    print(total)  # noqa: T201 - `pytest -s` shows what was tried
    assert total.seeds == SEEDS
    assert not total.failures, "\n".join(total.failures)
