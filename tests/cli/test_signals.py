"""What a signal does before anything runs; `test_run.py` has the rest, with the whole service."""

import signal
import subprocess
import sys

import pytest

from tests.support.service import ROOT

WAITS = """\
import sys, time
from processor.cli.signals import Signals

with Signals(*map(int, sys.argv[1:])):
    print("waits", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["1"], 1)])
def test_before_anything_runs(arguments: list[str], code: int) -> None:
    """It ends at once, says so, and a script can tell whether work was left."""
    command = [sys.executable, "-c", WAITS, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)

    assert (process.returncode, said) == (code, "clickstream: ended by SIGINT before anything was started\n")
