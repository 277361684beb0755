from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from processor.demo.accounting import COLUMNS, DestinationAccount, FinalAccount
from processor.demo.clicks import Shop
from processor.demo.expected import expected_deliveries
from processor.demo.judging import Judge
from processor.demo.poison import Poisoner, wanted_letters

CLICKS = 400


class Day:
    """A demo in which all went well, until a test says something else.

    Attributes:
        accepted: by destination, what its vendor has.
        letters: what is in the dead-letter topics.
        books: the service's.
    """

    def __init__(self, poison: float = 0.0) -> None:
        self.judge = Judge(("voyado", "rocket"))
        self.accepted: dict[str, list[Any]] = {"voyado": [], "rocket": []}
        self.letters = []
        poisoner = Poisoner(1, poison)
        for number, click in enumerate(Shop(2, 1_795_339_867_000).clicks(CLICKS)):
            value = str(number).encode()
            if tainted := poisoner.taint(click):
                self.judge.spoiled(tainted, value)
                self.letters += wanted_letters(tainted, value)
            else:
                self.judge.clicked(click)
                for each in expected_deliveries(click):
                    self.accepted[each.destination].append(each.delivery)
        self.books = {name: self._books(name) for name in self.accepted}

    def _books(self, name: str) -> DestinationAccount:
        delivered, dead = len(self.accepted[name]), sum(letter.destination == name for letter in self.letters)
        return DestinationAccount(CLICKS, 17, delivered + dead, delivered, dead, 0)

    def change(self, name: str, **changes: int) -> None:
        """The service counts something else."""
        self.books[name] = replace(self.books[name], **changes)

    def end(self, restarts: int = 0) -> FinalAccount:
        """All comes, and the account is made."""
        for name, accepted in self.accepted.items():
            self.judge.vendors[name].enter(accepted)
        for letter in self.letters:
            self.judge.letters.come(letter)
        return FinalAccount(self.books, self.judge, restarts)


def test_a_good_day_balances() -> None:
    """Everything read, delivered once, in order: the last line says so, with the agreed keys and no others."""
    account = Day().end()

    assert account.balanced
    line = account.as_json()
    assert list(line) == ["type", "balanced", "destinations"]
    assert (line["type"], line["balanced"]) == ("account", True)
    assert {name: tuple(books) for name, books in line["destinations"].items()} == dict.fromkeys(
        ("voyado", "rocket"), COLUMNS
    )
    visitors = len(account.judge.visitors)
    assert account.text().endswith(
        f"checked: 400 clicks in, 400 accounted for, order kept for {visitors} visitors, 0 lost, 0 twice"
    )


def test_poison_is_accounted_for_by_its_letters() -> None:
    """Exactly the letters of the poisoned clicks, no more and no less."""
    day = Day(poison=0.1)
    account = day.end()

    assert account.balanced
    poisoned = account.checked()["poisoned"]
    assert poisoned
    assert f"{len(day.letters)} dead letters, exactly those of {poisoned} poisoned clicks" in account.text()


def lose_one(day: Day) -> None:
    """A delivery never came."""
    day.accepted["rocket"].pop(7)
    day.change("rocket", delivered=day.books["rocket"].delivered - 1, deliveries=day.books["rocket"].deliveries - 1)


def swap_two(day: Day) -> None:
    """A visitor's last delivery came before his first one."""
    accepted = day.accepted["rocket"]
    times = {(each.lane, each.time) for each in accepted}
    [(busiest, _)] = Counter(lane for lane, _ in times).most_common(1)
    first, *_, second = (at for at, each in enumerate(accepted) if each.lane == busiest)
    accepted[first], accepted[second] = accepted[second], accepted[first]


def make_one_up(day: Day) -> None:
    """A delivery came for which there is no click."""
    day.accepted["voyado"].append(day.accepted["voyado"][0]._replace(item="another"))
    day.change("voyado", delivered=day.books["voyado"].delivered + 1, deliveries=day.books["voyado"].deliveries + 1)


def repeat_one(day: Day) -> None:
    """A delivery came once more."""
    day.accepted["voyado"].append(day.accepted["voyado"][0])
    day.change("voyado", delivered=day.books["voyado"].delivered + 1, deliveries=day.books["voyado"].deliveries + 1)


def lose_a_letter(day: Day) -> None:
    """A letter was never written."""
    lost = day.letters.pop()
    books = day.books[lost.destination]
    day.change(lost.destination, dead_lettered=books.dead_lettered - 1, deliveries=books.deliveries - 1)


def bury_a_healthy_one(day: Day) -> None:
    """A letter was written for a sound click."""
    day.letters.append(day.letters[0]._replace(value=b"healthy"))
    books = day.books[day.letters[0].destination]
    day.change(day.letters[0].destination, dead_lettered=books.dead_lettered + 1, deliveries=books.deliveries + 1)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lose_one, "1 clicks are not or not all at the vendors"),
        (swap_two, "came out of order"),
        (make_one_up, "voyado: 1 came that nobody asked for"),
        (repeat_one, "1 came twice without a restart"),
        (lose_a_letter, "1 clicks are not or not all"),
        (bury_a_healthy_one, "1 dead letters are not of poison"),
        (lambda day: day.letters.pop(), "dead letters found, "),
        (lambda day: day.change("rocket", read=CLICKS - 1), "rocket: 399 of 400 clicks read"),
        (lambda day: day.change("rocket", read=CLICKS + 1), "rocket: 401 of 400 clicks read"),
        (lambda day: day.change("rocket", open=1), "rocket: 1 deliveries still open"),
        (lambda day: day.change("rocket", deliveries=1), "rocket: not every delivery is somewhere"),
        (lambda day: day.change("voyado", delivered=1), "the service counts 1"),
    ],
)
def test_a_bad_day_is_told(spoil: Any, words: str) -> None:
    """Whatever is wrong is named, and the account does not balance."""
    day = Day(poison=0.1)
    spoil(day)
    account = day.end()

    assert not account.balanced
    assert account.as_json()["balanced"] is False
    assert any(words in fault for fault in account.faults), account.faults
    assert "THE ACCOUNT DOES NOT BALANCE" in account.text()
    assert words in account.text()


def test_after_a_restart_a_repeat_is_allowed_and_said() -> None:
    """At least once is the promise."""
    day = Day()
    repeat_one(day)
    account = day.end(restarts=1)

    assert account.balanced
    assert "1 twice (allowed after a restart: at least once)" in account.text()
    assert account.checked()["twice"] == 1
