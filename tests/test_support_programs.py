import shutil
from pathlib import Path

import pytest

from tests.support.options import UnavailableError
from tests.support.programs import run_java, run_javascript


@pytest.fixture
def nothing_on_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with neither Java nor Node."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("nothing_on_the_path")
def test_a_machine_without_the_language_is_told(tmp_path: Path) -> None:
    """A test can then say why it does not run."""
    with pytest.raises(UnavailableError, match="no compiler"):
        run_java(tmp_path, "Main", [])
    with pytest.raises(UnavailableError, match="no node"):
        run_javascript(tmp_path, "main.mjs", [])


@pytest.mark.skipif(not shutil.which("npm"), reason="no npm on the path")
def test_a_program_that_fails_is_not_taken_for_one_that_cannot_run(tmp_path: Path) -> None:
    """It is a fault, with what it said; else a broken generator would only skip its test."""
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "main.mjs").write_text("throw new Error(`no ${process.argv[2]}`)")

    with pytest.raises(RuntimeError, match="no luck"):
        run_javascript(tmp_path, "main.mjs", ["luck"])
