"""What would become of letters, and how a request looks as a command line."""

import shlex
from pathlib import Path
from typing import Any

import orjson
import pytest

from processor.plan import Plan
from processor.records import Channel, ErrorClass, Failure, Filtered, FilterReason, Payload, Record, Stage
from processor.replay.masking import as_is, masked
from processor.replay.rehearsal import Rehearsal, as_curl
from processor.transform import Fate
from tests.support.configured import EVENT, HEAD, ROCKET, VIEW, mapped, plans
from tests.support.records import record

CHANNEL = Channel("view", "/view", batched=False)
ONE, TWO = (Payload(CHANNEL, body, None, None) for body in (b'{"a":1}', b'{"a":2}'))
UNMAPPED = Failure(Stage.MAP, ErrorClass.UNMAPPED, "itemId: is required")
OLD = Filtered(FilterReason.TOO_OLD, "views")
ODD = "hun'ter/2&%"
"""A key of which a URL, and a shell, write other letters."""
KEYS = ("hunter2", "hunter3")


class Fates:
    """An opener that gives what a record's value names."""

    def __init__(self, **fates: list[tuple[str, int | None, Fate]]) -> None:
        self._fates = fates

    def fates(self, one: Record) -> list[tuple[str, int | None, Fate]]:
        """What would become of it."""
        return self._fates[(one.value or b"").decode()]


def rehearsed(**fates: list[tuple[str, int | None, Fate]]) -> Rehearsal:
    """A rehearsal of one record for each of these lists."""
    rehearsal, opener = Rehearsal(), Fates(**fates)
    chosen: Any = opener
    for offset, name in enumerate(fates):
        rehearsal.add(record(offset, value=name.encode()), chosen)
    return rehearsal


def outcomes(rehearsal: Rehearsal) -> dict[str, int]:
    """Letters by outcome."""
    return {outcome.value: number for outcome, number in rehearsal.outcomes.items()}


def test_each_letter_counts_once() -> None:
    """However many deliveries are made of it; these are counted, too."""
    rehearsal = rehearsed(a=[("views", 0, ONE), ("views", 1, ONE)], b=[("views", 0, ONE)])

    assert (outcomes(rehearsal), rehearsal.requests) == ({"delivered": 2}, 3)


@pytest.mark.parametrize(
    ("fates", "outcome"),
    [
        ([ONE, UNMAPPED, OLD], "failed"),
        ([OLD, ONE], "delivered"),
        ([Filtered(FilterReason.WHEN, "views"), OLD], "too_old"),
        ([Filtered(FilterReason.TOMBSTONE)], "filtered"),
        ([], "filtered"),
    ],
)
def test_the_worst_outcome_counts(fates: list[Fate], outcome: str) -> None:
    """As in the run; of what nothing would be made, a rule has filtered."""
    assert outcomes(rehearsed(a=[("views", index, fate) for index, fate in enumerate(fates)])) == {outcome: 1}


def test_why_letters_would_not_be_sent() -> None:
    """Each reason with its route, and how many."""
    undecodable = Failure(Stage.DECODE, ErrorClass.UNDECODABLE, "the first byte is 255")

    rehearsal = rehearsed(
        a=[("views", 0, UNMAPPED), ("views", 1, UNMAPPED)],
        b=[("", None, undecodable)],
        c=[("views", 0, OLD)],
        d=[("", None, Filtered(FilterReason.TOMBSTONE))],
        e=[("orders", 3, Filtered(FilterReason.NO_ROUTE))],
    )

    assert rehearsal.reasons == {
        "views: itemId: is required": 2,
        "decode: the first byte is 255": 1,
        "views: filtered (too_old)": 1,
        "no route: filtered (tombstone)": 1,
        "orders: filtered (no_route)": 1,
    }


def test_a_sample_of_each_route() -> None:
    """The first payload that it would send."""
    rehearsal = rehearsed(a=[("views", 0, UNMAPPED), ("views", 1, TWO), ("carts", 0, ONE)], b=[("views", 0, ONE)])

    assert rehearsal.samples == {"views": TWO, "carts": ONE}


# A request as a command line.


def sample(folder: Path, route: str, head: str = HEAD) -> tuple[Plan, Payload]:
    """A plan, and what its only route makes of an event."""
    (plan,) = plans(folder, route, head).plans
    found = mapped(plan, EVENT)
    assert isinstance(found, Payload)
    return plan, found


@pytest.mark.parametrize(
    ("route", "url"),
    [
        (VIEW, "https://acme.voyado.com/api/v2/tracking/productviews"),
        (ROCKET, "https://apptracking.retailrocket.net/1.0/categoryView?apiKey=****&partnerId="),
    ],
)
def test_a_request_without_its_key(tmp_path: Path, route: str, url: str) -> None:
    """In the URL or in a header, the key is masked; all else is what a shell can run."""
    plan, payload = sample(tmp_path, route)

    line = as_curl(plan, payload, as_is)

    assert not any(key in line for key in KEYS)
    assert "****" in line
    command, address, given = (words := shlex.split(line))[:3], words[3], words[4:-2]
    assert command == ["curl", "-X", "POST"]
    assert address.startswith(url)
    assert given[0::2] == ["-H"] * (len(given) // 2)
    assert given[-4:] == ["-H", "User-Agent: Shop/1.0", "-H", "Content-Type: application/json"]


def test_a_key_that_a_url_writes_otherwise(tmp_path: Path) -> None:
    """It is masked in every form."""
    plan, payload = sample(tmp_path, ROCKET, HEAD.replace("hunter3", f'"{ODD}"'))

    line = as_curl(plan, payload, as_is)

    assert not any(part in line for part in ("hun", "ter/2", "ter%2F2"))


def test_what_a_record_held(tmp_path: Path) -> None:
    """It is hidden, or shown on demand; what rides in batches stands in an array of one."""
    plan, payload = sample(tmp_path, VIEW)
    assert payload.channel.batched

    shown, hidden = (orjson.loads(shlex.split(as_curl(plan, payload, how))[-1]) for how in (as_is, masked))

    assert shown == [orjson.loads(payload.body)]
    assert hidden == [dict.fromkeys(shown[0], "****")]


def test_what_goes_alone(tmp_path: Path) -> None:
    """It is no array."""
    plan, payload = sample(tmp_path, ROCKET)
    assert not payload.channel.batched

    assert orjson.loads(shlex.split(as_curl(plan, payload, as_is))[-1]) == orjson.loads(payload.body)
