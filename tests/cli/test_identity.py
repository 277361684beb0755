"""Who does something, and why."""

import argparse
import os
import pwd
import socket

import pytest

from processor.cli.identity import add_who, who


def parsed(*arguments: str, why: bool = True) -> argparse.Namespace:
    """What the arguments say."""
    parser = argparse.ArgumentParser()
    add_who(parser, why=why)
    return parser.parse_args(arguments)


def test_who_says_who_it_is() -> None:
    """The name that is given, on this host."""
    assert who(parsed("--by", "ann", "--reason", "x")) == ("ann", socket.gethostname())


def test_who_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user of the process; in a container that has no name the number."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    assert who(parsed("--reason", "x"))[0] == pwd.getpwuid(os.getuid()).pw_name

    monkeypatch.setattr(os, "getuid", lambda: 65532_000)
    assert who(parsed("--reason", "x"))[0] == "65532000"


def test_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """It is asked for where it matters, and must say something."""
    assert parsed("--reason", " prices \n").reason == "prices"
    assert parsed(why=False).reason == ""
    for arguments in ([], ["--reason", " "]):
        with pytest.raises(SystemExit):
            parsed(*arguments)
        assert "--reason" in capsys.readouterr().err
