"""What people ask `clickstream replay` for."""

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from processor.cli.replay_options import MAX_REPLAYS, add_options, range_of, refuse_mixed, terms_of
from processor.cli.selecting import FROM_SOURCE
from processor.errors import ConfigError, FatalError
from processor.plan import Ready
from processor.replay.history import Run
from processor.replay.run import Terms
from processor.replay.source import Range
from tests.support.configured import HEAD, VIEW, plans

NINE = datetime(2026, 11, 22, 9, tzinfo=UTC)
FROM = ("--source", "--from", "2026-11-22T09:00:00Z")
RATED = HEAD.replace("  rocket:\n", "    rate: 50/s\n  rocket:\n")
RUN = Run(id="2026-11-22-1", kind="replay", topic="dlq", destination="voyado")


def options(*arguments: str) -> argparse.Namespace:
    """What the arguments say."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    return parser.parse_args(arguments)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What is said of arguments that are wrong."""
    with pytest.raises(SystemExit):
        options(*arguments)
    return capsys.readouterr().err


def terms(ready: Ready, *arguments: str, resumed: Run | None = None) -> Terms:
    """How a run with these arguments goes."""
    access: Any = SimpleNamespace(ready=ready, plan=ready.plans[0])
    return terms_of(options(*arguments), access, resumed)


def asked(folder: Path, *arguments: str, topics: str = "") -> Range:
    """Which source records these arguments mean."""
    route = VIEW.replace("to:", f"topics: {topics}, to:") if topics else VIEW
    return range_of(options(*arguments), plans(folder, route).plans[0])


def faults(folder: Path, *arguments: str, topics: str = "") -> list[str]:
    """Of arguments that cannot be: which ones."""
    with pytest.raises(ConfigError) as caught:
        asked(folder, *arguments, topics=topics)
    assert all(fault.fix for fault in caught.value.faults)
    return [str(fault.path[0]) for fault in caught.value.faults]


# The arguments.


def test_without_arguments() -> None:
    """All open letters of the only destination that were not replayed three times; nothing is said of the rate."""
    given = options()

    assert (given.discarded, given.dry_run, given.reveal, given.print_job) == (False, False, False, False)
    assert (given.max, given.max_replays, given.resume, given.source) == (None, MAX_REPLAYS, None, None)
    assert (given.config_overlay, given.waive, given.topic, given.reason) == ([], [], [], "")
    assert "rate" not in given


def test_where_from() -> None:
    """A bare `--source` means source records, one with a value letters of these."""
    assert options("--source").source == FROM_SOURCE
    assert options("--source", "clicks:3").source == ("clicks", 3, None)


@pytest.mark.parametrize(("text", "rate"), [("5/s", 5.0), ("120/m", 2.0), ("none", None)])
def test_rates(text: str, rate: float | None) -> None:
    """As in the file; `none` is no limit."""
    assert options("--rate", text).rate == rate


@pytest.mark.parametrize("text", ["0/s", "-1/s", "5", "fast", ""])
def test_what_is_no_rate(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """With 0 a run would never end; no number is a rate without its unit."""
    assert f"argument --rate: {text}" in refused(capsys, f"--rate={text}")


@pytest.mark.parametrize("name", ["--max", "--max-replays"])
@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "", "²"])
def test_what_is_no_number(capsys: pytest.CaptureFixture[str], name: str, text: str) -> None:
    """A number above 0 is wanted."""
    assert f"argument {name}: {text} is not a number above 0" in refused(capsys, f"{name}={text}")


def test_what_cannot_be_waived(capsys: pytest.CaptureFixture[str]) -> None:
    """Only the age of events."""
    assert options("--waive", "max_event_age").waive == ["max_event_age"]
    assert "invalid choice: 'when'" in refused(capsys, "--waive", "when")


# How a run goes.


def test_a_tenth_of_the_rate(tmp_path: Path) -> None:
    """Where nobody says another one."""
    ready = plans(tmp_path, VIEW, RATED)

    assert terms(ready).rate == pytest.approx(5)
    assert terms(ready, "--rate", "80/s").rate == 80
    assert terms(ready, "--rate", "none").rate is None


def test_no_rate_has_no_tenth(tmp_path: Path) -> None:
    """A destination without a limit is replayed to without one, unless somebody says so."""
    head = HEAD.replace("  rocket:\n", "    rate: none\n  rocket:\n")

    assert terms(plans(tmp_path, VIEW, head)).rate is None
    assert terms(plans(tmp_path, VIEW, head), "--rate", "3/s").rate == 3


def test_the_rate_of_a_run_that_goes_on(tmp_path: Path) -> None:
    """What is said now, else what was said at its beginning."""
    ready = plans(tmp_path, VIEW, RATED)
    begun = RUN.model_copy(update={"rate": "2.5/s"})

    assert terms(ready, resumed=begun).rate == 2.5
    assert terms(ready, resumed=RUN.model_copy(update={"rate": "none"})).rate is None
    assert terms(ready, "--rate", "7/s", resumed=begun).rate == 7
    assert terms(ready, resumed=RUN).rate == pytest.approx(5)


def test_who_and_why(tmp_path: Path) -> None:
    """All that the audit is to know."""
    said = terms(plans(tmp_path, VIEW), "--by", "ann", "--reason", " prices ", "--max", "9")

    assert (said.most, said.by, said.reason, dict(said.overlay)) == (9, "ann", "prices", {})
    assert said.host


def test_overlays_of_a_run_that_goes_on(tmp_path: Path) -> None:
    """Without them the rest of it would go out unrepaired: it is refused, with the command that is right."""
    ready = plans(tmp_path, VIEW)
    overlay = tmp_path / "o.yaml"
    overlay.write_text("routes: {views: {when: sku}}")
    laid = ("--config-overlay", str(overlay))
    begun = RUN.model_copy(update={"overlay": dict(terms(ready, *laid).overlay)})

    assert terms(ready, *laid, resumed=begun).overlay == begun.overlay
    for arguments, run in (((), begun), (laid, RUN)):
        with pytest.raises(FatalError, match="run 2026-11-22-1 began with other overlays") as caught:
            terms(ready, *arguments, resumed=run)
        assert "--resume 2026-11-22-1" in str(caught.value)


# Which source records.


def test_a_range(tmp_path: Path) -> None:
    """Every argument in its place."""
    more = "--to 2026-11-22T11:00:00+01:00 --topic a --topic b --route views --key ann --waive max_event_age"

    assert asked(tmp_path, *FROM, *more.split()) == Range(
        ("a", "b"), NINE, NINE + timedelta(hours=1), ("views",), "ann", ("max_event_age",)
    )


def test_topics_of_the_routes(tmp_path: Path) -> None:
    """Where none is named, those that the routes read by name; up to now, of all routes and keys."""
    assert asked(tmp_path, *FROM, topics="[x, '^y.*', z]") == Range(("x", "z"), NINE, None, (), None, ())


def test_topics_that_nobody_can_tell(tmp_path: Path) -> None:
    """Of a regular expression alone it is not known what is meant."""
    assert faults(tmp_path, *FROM, topics="['^y.*']") == ["--topic"]


def test_a_begin_is_needed(tmp_path: Path) -> None:
    """Nobody replays a whole topic by a slip."""
    assert faults(tmp_path, "--source") == ["--from"]


def test_words_about_letters(tmp_path: Path) -> None:
    """They would be passed over in silence; every fault is told at once."""
    words = "--stage map --class invalid --status 400 --since 1d --until 1h --grep x --where key --discarded"

    assert faults(tmp_path, "--source", *words.split()) == [
        "--stage",
        "--class",
        "--status",
        "--since",
        "--until",
        "--grep",
        "--where",
        "--discarded",
        "--from",
    ]


# What does not go together.


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("--from", "2d", "--to", "1d"), ["--from", "--to"]),
        (("--source", "clicks", "--topic", "clicks"), ["--topic"]),
        (("--source", "--from", "2d", "--from-file", "a.avro"), ["--from-file"]),
        (("--resume", "2026-11-22-1", "--from-file", "a.avro"), ["--from-file"]),
    ],
)
def test_what_does_not_go_together(arguments: tuple[str, ...], names: list[str]) -> None:
    """It is refused: passed over in silence, it would replay more than somebody meant."""
    with pytest.raises(ConfigError) as caught:
        refuse_mixed(options(*arguments))

    assert [fault.path[0] for fault in caught.value.faults] == names
    assert all(fault.fix for fault in caught.value.faults)


@pytest.mark.parametrize("arguments", [(), FROM, ("--source", "clicks"), ("--from-file", "a.avro", "--max", "5")])
def test_what_goes_together(arguments: tuple[str, ...]) -> None:
    """Nothing is said of it."""
    refuse_mixed(options(*arguments))


def test_a_range_that_is_empty(tmp_path: Path) -> None:
    """Two times that were mixed up are told from a topic without records."""
    assert faults(tmp_path, "--source", "--from", "2026-11-22T09:30:00Z", "--to", "2026-11-22T09:30:00Z") == ["--from"]
    asked(tmp_path, "--source", "--from", "2026-11-22T09:30:00Z", "--to", "2026-11-22T09:30:01Z")
