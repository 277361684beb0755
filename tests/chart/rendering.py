"""The chart as Helm renders it, and the values to render it with."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "clickstream-processor"
CI_FILES = {path.name.removesuffix("-values.yaml"): path for path in sorted((CHART / "ci").glob("*-values.yaml"))}

Json = dict[str, Any]
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where PyYAML was built with it


class RefusedError(Exception):
    """Helm would not install these values; the message is what it says to whoever tries."""


@dataclass(frozen=True)
class Rendering:
    """What Helm made.

    Attributes:
        texts: by template, as it was written: `deployments.yaml`.
    """

    texts: Mapping[str, str]

    @property
    def notes(self) -> str:
        """What `helm install` prints."""
        return self.texts["NOTES.txt"]

    @cached_property
    def objects(self) -> list[Json]:
        """All that the API server gets."""
        texts = [text for name, text in sorted(self.texts.items()) if name != "NOTES.txt"]
        return [found for text in texts for found in yaml.load_all(text, Loader) if found]

    def of(self, kind: str) -> dict[str, Json]:
        """The objects of a kind by their names."""
        return {found["metadata"]["name"]: found for found in self.objects if found["kind"] == kind}

    def one(self, kind: str) -> Json:
        """The only object of a kind."""
        (found,) = self.of(kind).values()
        return found

    def pod(self, destination: str) -> Json:
        """The pod that a destination's Deployment makes: its `metadata` and `spec`."""
        (found,) = (
            each["spec"]["template"]
            for each in self.of("Deployment").values()
            if each["metadata"]["labels"]["app.kubernetes.io/component"] == destination
        )
        return dict(found)

    def container(self, destination: str) -> Json:
        """The service's container in that pod."""
        return dict(self.pod(destination)["spec"]["containers"][0])


class Helm:
    """Renders the chart."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def render(self, values: Json, *, name: str = "shop") -> Rendering:
        """Render as `helm install NAME -n clicks` would.

        Raises:
            RefusedError: the values do not fit the schema, or a template fails.
        """
        answer = self._ask(do="render", values=values, name=name, namespace="clicks")
        if "refused" in answer:
            raise RefusedError(answer["refused"])
        return Rendering({path.rpartition("/templates/")[2]: text for path, text in answer["files"].items()})

    def lint(self, values: Json) -> list[str]:
        """What `helm lint --strict` finds."""
        return list(self._ask(do="lint", values=values)["lint"])

    def _ask(self, **request: object) -> Json:
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(request), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, f"Helm's process ended with {self._process.wait()}"
        return dict(json.loads(line))


@contextmanager
def running_helm() -> Iterator[Helm]:
    """Start Helm; it ends with the block."""
    command = [sys.executable, "-m", "tests.chart.worker", str(CHART)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, cwd=ROOT) as process:
        yield Helm(process)
        assert process.stdin
        process.stdin.close()


def values_of(name: str) -> Json:
    """The values of a file in the chart's `ci/`."""
    return dict(yaml.load(CI_FILES[name].read_text(), Loader))  # noqa: S506 - it is safe


def minimal(**changes: Any) -> Json:
    """What must be given, and `changes`."""
    return {**values_of("minimal"), **changes}


def with_file(addition: str = "", *, replace: tuple[str, str] = ("", ""), **changes: Any) -> Json:
    """The minimal values with another configuration file.

    Args:
        addition: text at the end of it.
        replace: text, and what is in its place.
        changes: other values.
    """
    return minimal(config=minimal()["config"].replace(*replace) + addition, **changes)
