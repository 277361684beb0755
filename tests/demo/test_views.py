import json
import re
from types import SimpleNamespace
from typing import Any, cast

import pytest

from processor.demo.accounting import FinalAccount
from processor.demo.facts import Fact
from processor.demo.views import JsonLines, Lines, View
from tests.demo.test_accounting import Day
from tests.demo.test_conditions import HELD, condition
from tests.demo.test_screen import demo


def written(view: View, capsys: pytest.CaptureFixture[str], account: FinalAccount) -> list[str]:
    """The lines of a whole demo."""
    view.begin(demo())
    view.fact(Fact("held", "rocket HOLDS: outage", {"destination": "rocket"}))
    view.show(demo(waits=True), [condition(name="voyado"), condition(held=HELD)])
    view.end(account)
    return capsys.readouterr().out.splitlines()


def test_plain_lines_have_the_time_and_nothing_to_control(capsys: pytest.CaptureFixture[str]) -> None:
    """What a log keeps of it can be read."""
    lines = written(Lines(), capsys, Day().end())

    assert all(line.isprintable() for line in lines)
    timed = [line for line in lines if re.match(r"\d\d:\d\d:\d\d ", line)]
    assert timed[0].endswith("rocket HOLDS: outage")
    assert timed[1].endswith(
        "voyado 1 204/s delivered   0 dlq   lag 12 | "
        "rocket HELD 00:14 outage, next probe 3 s, 0 dlq, backlog 12   shop waits"
    )
    assert lines[-1].startswith("checked: 400 clicks in, 400 accounted for")


def test_every_json_line_has_a_type_and_the_last_is_the_account(capsys: pytest.CaptureFixture[str]) -> None:
    """A script reads the last one alone, as it always could; all others have their time."""
    account = Day().end()

    lines = [json.loads(line) for line in written(JsonLines(), capsys, account)]

    assert [line["type"] for line in lines] == ["started", "held", "progress", "checked", "account"]
    assert all(line["time"].endswith("Z") for line in lines[:-1])
    assert lines[1]["destination"] == "rocket"
    assert lines[2]["destinations"]["rocket"]["held"] == "outage"
    assert lines[2]["shop_waits"] is True
    assert lines[3]["accounted_for"] == 400
    assert lines[-1] == account.as_json()


def test_the_end_needs_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """The table is the same wherever it is shown."""
    account: Any = SimpleNamespace(text=lambda: "the account")
    Lines().end(cast("FinalAccount", account))

    assert capsys.readouterr().out == "the account\n"
