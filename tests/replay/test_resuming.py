"""What a run that was not finished needs to go on."""

import argparse
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from processor.cli.replay_options import TENTH, add_options, terms_of
from processor.errors import FatalError
from processor.replay.history import Run

RUN = Run(
    id="2026-11-22-1",
    kind="source",
    topic="t",
    destination="rocket",
    rate="7/s",
    overlay={"my fix.yaml": "routes: {}\n"},
    selectors={"waived": ["max_event_age"]},
)


def terms(*arguments: str, resumed: Run | None, rate: float | None = 50.0) -> Any:
    """What is made of these arguments."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    settings = SimpleNamespace(kafka={}, destinations={}, registry=None)
    access: Any = SimpleNamespace(
        plan=SimpleNamespace(settings=SimpleNamespace(rate=rate)), ready=SimpleNamespace(settings=settings)
    )
    return terms_of(parser.parse_args([*arguments]), access, resumed)


def test_the_command_that_resumes_has_all_that_the_run_began_with() -> None:
    """It can be copied: destination, overlays and waived rules are in it, quoted where a shell needs that."""
    assert RUN.resuming == (
        "clickstream replay --destination rocket --resume 2026-11-22-1 --config-overlay 'my fix.yaml' "
        "--waive max_event_age"
    )


def test_a_run_is_not_resumed_without_its_overlay(tmp_path: Path) -> None:
    """The rest of it would go out unrepaired; the same text under another name will do."""
    with pytest.raises(FatalError, match=r"other overlays: resume it with `clickstream replay --destination rocket"):
        terms(resumed=RUN)
    again = tmp_path / "again.yaml"
    again.write_text("routes: {}\n")

    assert terms("--config-overlay", str(again), resumed=RUN).overlay == {str(again): "routes: {}\n"}


def test_a_run_goes_on_as_fast_as_it_began() -> None:
    """Unless another rate is said; a new one takes a tenth of the destination's."""
    plain = RUN.model_copy(update={"overlay": {}})
    assert terms(resumed=plain).rate == 7.0
    assert terms("--rate", "none", resumed=plain).rate is None
    assert terms(resumed=plain.model_copy(update={"rate": "none"})).rate is None
    assert terms(resumed=None).rate == 50.0 * TENTH
    assert terms(resumed=None, rate=None).rate is None
