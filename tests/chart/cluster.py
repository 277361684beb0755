"""A cluster that the tests may use, by `helm` and `kubectl` as a team uses them."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.chart.rendering import CHART, Json
from tests.support.options import UnavailableError

VARIABLE = "CHART_KUBECONFIG"
"""Names the kubeconfig. Not `KUBECONFIG`: nobody's tests shall install anything by accident."""
PATIENCE = "120s"
"""For pods to become ready."""
PRETENDS = "kwok"
"""What is in the kubelet's version where nodes only pretend to run pods."""

NEEDED: list[Json] = [
    {"kind": "Secret", "metadata": {"name": "voyado"}, "stringData": {"api-key": "k"}},
    {"kind": "Secret", "metadata": {"name": "kafka.acme"}, "stringData": {"password": "p", "ca.crt": "c"}},
    {"kind": "Secret", "metadata": {"name": "rocket-key"}, "stringData": {"ROCKET_API_KEY": "k"}},
    {"kind": "Secret", "metadata": {"name": "clickstream-keys"}, "stringData": {"KEY": "k"}},
    {"kind": "ConfigMap", "metadata": {"name": "clickstream-hooks"}, "data": {"a": "b"}},
    {"kind": "ConfigMap", "metadata": {"name": "clickstream-config"}, "data": {"clickstream.yaml": "{}"}},
    {"kind": "ServiceAccount", "metadata": {"name": "clicks"}},
]
"""What the files in `ci/` name and a user has already."""


@dataclass(frozen=True)
class Cluster:
    """A cluster, and one namespace of it.

    Attributes:
        kubeconfig: how it is reached.
        pretends: whether pods become ready without an image; elsewhere it has to do that they are let in.
        version: the API server's.
    """

    kubeconfig: Path
    namespace: str
    pretends: bool
    version: str

    def run(self, *command: str, given: str = "") -> str:
        """Run `helm` or `kubectl` in the namespace and give what it prints.

        Raises:
            subprocess.CalledProcessError: it failed; what it said is a note of the error.
        """
        env = {**os.environ, "KUBECONFIG": str(self.kubeconfig)}
        line = [*command[:1], "--namespace", self.namespace, *command[1:]]
        done = subprocess.run(line, input=given, capture_output=True, text=True, check=False, timeout=300, env=env)
        if done.returncode:
            error = subprocess.CalledProcessError(done.returncode, line, done.stdout, done.stderr)
            error.add_note(done.stderr)
            raise error
        return done.stdout

    def objects(self, kind: str) -> dict[str, Json]:
        """All of a kind in the namespace, by name."""
        found = json.loads(self.run("kubectl", "get", kind, "--output", "json"))["items"]
        return {each["metadata"]["name"]: each for each in found}

    def helm(self, *arguments: str, values: Path) -> None:
        """Run `helm` with these values, and wait for the pods where they can become ready."""
        wait = ("--wait", "--timeout", PATIENCE) if self.pretends else ()
        self.run("helm", *arguments, str(CHART), "--values", str(values), *wait)


def cluster_of(kubeconfig: str | None) -> Cluster:
    """The cluster that the tests may use.

    Raises:
        UnavailableError: none is named, it does not answer, or a program is missing.
    """
    if not kubeconfig:
        raise UnavailableError(f"no cluster: {VARIABLE} names the kubeconfig of one in which namespaces may be made")
    missing = [name for name in ("helm", "kubectl") if not shutil.which(name)]
    if missing:
        raise UnavailableError(f"not on the path: {', '.join(missing)}")
    cluster = Cluster(Path(kubeconfig), "default", pretends=False, version="")
    try:
        nodes = cluster.objects("nodes").values()
        version = json.loads(cluster.run("kubectl", "version", "--output", "json"))["serverVersion"]["gitVersion"]
    except subprocess.CalledProcessError as error:
        raise UnavailableError(f"the cluster of {kubeconfig} does not answer: {error.stderr.strip()}") from error
    kubelets = [node["status"]["nodeInfo"]["kubeletVersion"] for node in nodes]
    pretends = bool(kubelets) and all(PRETENDS in each for each in kubelets)
    return Cluster(cluster.kubeconfig, "default", pretends, version)


@contextmanager
def own_namespace(cluster: Cluster, name: str) -> Iterator[Cluster]:
    """A namespace that enforces pod security `restricted`, with what the user of the chart has already."""
    security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": security}}
    cluster.run("kubectl", "create", "--filename", "-", given=json.dumps(namespace))
    own = Cluster(cluster.kubeconfig, name, cluster.pretends, cluster.version)
    try:
        for needed in NEEDED:
            own.run("kubectl", "apply", "--filename", "-", given=json.dumps({"apiVersion": "v1", **needed}))
        yield own
    finally:
        cluster.run("kubectl", "delete", "namespace", name, "--wait=false")


def left_of(cluster: Cluster, release: str, kinds: Sequence[str]) -> list[str]:
    """What is still there of a release."""
    selector = f"app.kubernetes.io/instance={release}"
    printed = cluster.run("kubectl", "get", ",".join(kinds), "--selector", selector, "--output", "json")
    return [f"{each['kind']}/{each['metadata']['name']}" for each in json.loads(printed)["items"]]


def file_of(folder: Path, values: Json) -> Path:
    """The values as a file."""
    path = folder / "values.yaml"
    path.write_text(yaml.safe_dump(values))
    return path
