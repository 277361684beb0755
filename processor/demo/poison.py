"""Clicks that nobody takes: some cannot be mapped, others are refused by the vendor whenever they come."""

from random import Random
from typing import NamedTuple

from processor.demo.clicks import MIX, Click
from processor.demo.expected import expected_deliveries
from processor.demo.schemas import NAMESPACE

VIEW = f"{NAMESPACE}.ProductViewed"
REFUSED_ID, REFUSED_SKU = 66_666, "66666-NOBODY"
REFUSED = {"id": REFUSED_ID, "sku": REFUSED_SKU}
"""A product that both stub vendors refuse."""
UNMAPPED = {"id": 0, "sku": ""}
"""One that cannot be mapped: Retail Rocket's ids begin with 1, Voyado's must not be empty."""
REFUSES = frozenset({str(REFUSED_ID), REFUSED_SKU})
"""What the stubs' fault `refuse` must have."""


class Poison(NamedTuple):
    """A click that nobody takes, and why not.

    Attributes:
        error_class: what its dead letters say.
    """

    click: Click
    error_class: str


class WantedLetter(NamedTuple):
    """What must be in a dead-letter topic: one per delivery that a click asked for and nobody takes.

    Attributes:
        value: the record's, as it was produced.
    """

    destination: str
    route: str
    error_class: str
    value: bytes


class Poisoner:
    """Makes poison of some product views, so that it is the wanted share of all clicks.

    Attributes:
        share: of all clicks, 0 to 0.5; set it at any time.
    """

    def __init__(self, seed: int, share: float) -> None:
        self.share = share
        self._rng = Random(seed)

    def taint(self, click: Click) -> Poison | None:
        """Make poison of a click; None = it stays as it is."""
        if click.record_name != VIEW or self._rng.random() >= self.share * 100 / MIX["ProductViewed"]:
            return None
        product, error_class = self._rng.choice(((REFUSED, "invalid"), (UNMAPPED, "unmapped")))
        tainted = {**click.value, "product": click.value["product"] | product}
        return Poison(click._replace(value=tainted), error_class)


def wanted_letters(poison: Poison, value: bytes) -> list[WantedLetter]:
    """Tell which letters a poisoned click must become: one for each delivery that it would have been."""
    return [
        WantedLetter(each.destination, each.route, poison.error_class, value)
        for each in expected_deliveries(poison.click)
    ]
