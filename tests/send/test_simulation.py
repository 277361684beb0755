from random import Random

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.send.simulation import World
from tests.send.worlds import drawn


@settings(max_examples=250, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(seed=st.integers(0, 2**32 - 1))
def test_whatever_happens_nothing_is_lost_and_order_is_kept(seed: int) -> None:
    """At every step of a random run: order per lane, limits, rate and counters hold; at its end all is done once."""
    random = Random(seed)  # noqa: S311 - the seed of a run that failed is printed, and repeats it

    World(drawn(random), random).run()
