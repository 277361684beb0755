"""Commands on dead letters, on a real Kafka that knows who may do what: what each needs, and what it says without.

A new command is a row of the table in docs/security.md and an entry in `COMMANDS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from tests.replay.scene import Command
from tests.security.guarded_shop import CONFIGS, GuardedShop, replayed
from tests.security.rights import Right, table
from tests.support.command import objects

Verdict = Callable[[GuardedShop, Command], bool]


def rows(shop: GuardedShop, command: Command) -> bool:
    """Each letter has a line."""
    return len(objects(command.out)) == shop.letters


def account(**counts: int) -> Verdict:
    """The account says so; -1 = as many as there are letters, -2 = all but the bad one."""

    def fits(shop: GuardedShop, command: Command) -> bool:
        sizes = {-1: shop.letters, -2: shop.letters - 1}
        found: Mapping[str, int] = command.account["letters"]
        return all(found[name] == sizes.get(number, number) for name, number in counts.items())

    return fits


def stats(shop: GuardedShop, command: Command) -> bool:
    """All are counted, and how long they stay is known."""
    (topic,) = (each for each in objects(command.out) if each["type"] == "topic")
    return (topic["open"], topic["retention_ms"]) == (shop.letters, -1)


def exported(shop: GuardedShop, command: Command) -> bool:
    """All are in the file."""
    states: Mapping[str, int] = command.account["states"]
    return states["open"] == shop.letters


@dataclass(frozen=True, slots=True)
class Case:
    """A command of the table.

    Attributes:
        arguments: of it; FILE is a file of the test's own.
        ended: whether it has done what it is for.
        code: its exit code then.
    """

    arguments: tuple[str, ...]
    ended: Verdict
    code: int = 0

    @property
    def changes_nothing(self) -> bool:
        """Whether it can be tried as often as one likes."""
        return "--dry-run" in self.arguments or self.arguments[1:2] in {("list",), ("show",), ("export",), ("stats",)}


COMMANDS: Mapping[str, Case] = {
    "dlq list": Case(("dlq", "list"), rows),
    "dlq show": Case(("dlq", "show", "0:0"), lambda _, command: command.account["letter"] == "0:0"),
    "dlq export": Case(("dlq", "export", "FILE", "--force"), exported),
    "dlq stats": Case(("dlq", "stats"), stats),
    "dlq discard": Case(("dlq", "discard", "--all", "--reason", "a test shop"), account(discarded=-1)),
    "replay --dry-run": Case(("replay", "--dry-run"), account(selected=-1, failed=1)),
    "replay": Case(("replay",), replayed, code=1),
    "replay --from-file --dry-run": Case(
        ("replay", "--from-file", "FILE", "--dry-run"), account(selected=-1, failed=1)
    ),
    "replay --from-file": Case(("replay", "--from-file", "FILE"), replayed, code=1),
    "replay --source --dry-run": Case(("replay", "--source", "--from", "1h", "--dry-run"), account(selected=-1)),
    "replay --source": Case(("replay", "--source", "--from", "1h"), replayed, code=1),
}


def test_each_command_of_the_table_is_tried() -> None:
    """And nothing else is."""
    assert table().keys() == COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_what_a_command_needs(shop: GuardedShop, name: str) -> None:
    """With the rights of its row it does what it is for, and without any one of them it says which, and does nothing.

    Without DescribeConfigs it goes on, and says what it does not know.
    """
    case, rights = COMMANDS[name], table()[name]
    shop.let(*rights)
    if "FILE" in case.arguments:
        assert shop.run("dlq", "export", "FILE").end() == 0
    before = shop.done
    for right in rights:
        shop.forbid(right)
        if right.operation != CONFIGS:
            refused(shop, case, right)
        elif right.column == "dead-letter topic":
            without_expiry(shop, case)
        elif case.changes_nothing:
            doubted(shop, case, right)
        shop.let(right)
    after = shop.done
    command = shop.run(*case.arguments)

    assert after == before
    assert (command.end(), command.err.count("lacks")) == (case.code, 0), command.err
    assert case.ended(shop, command), command.out


def refused(shop: GuardedShop, case: Case, right: Right) -> None:
    """It ends with the command that mends it, as Kafka says so and not after its silence."""
    if right.column == "transactional id":  # Kafka does not tell of this one before it is used: the run has begun
        command = shop.run(*case.arguments)
        code, out, err = command.end(), command.out, command.err
    else:
        code, out, err = shop.attempt(*case.arguments)

    assert (code, out) == (1, ""), right
    assert shop.missed(right) in err


def doubted(shop: GuardedShop, case: Case, right: Right) -> None:
    """It says what is not known, and with which right it would be."""
    command = shop.run(*case.arguments)

    assert command.end() == 0
    assert f"keeps what is written to it is not known; {shop.missed(right)}" in command.err
    assert case.ended(shop, command)


def without_expiry(shop: GuardedShop, case: Case) -> None:
    """It does what it is for, but does not know when letters expire."""
    command = shop.run(*case.arguments)

    assert command.end() == 0
    assert '"retention_ms": null' in command.out


def test_all_that_is_lacking_is_told_at_once(shop: GuardedShop) -> None:
    """Nobody has to run a command once for each right; one who may do nothing learns of all."""
    code, _, err = shop.attempt("replay")

    assert code == 1
    for column in ("dead-letter topic", "audit topic"):
        (kind, name, _), *_ = [right.entry(shop.scene) for right in table()["replay"] if right.column == column]
        assert f"lacks Read and Write on the topic {name}; let it: kafka-acls.sh" in err, kind
    assert "lacks Read on the groups" in err
