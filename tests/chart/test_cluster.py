"""The chart on an API server: everything that installing, changing, going back and removing it needs.

By hand, against a cluster in which namespaces may be made:

    CHART_KUBECONFIG=~/.kube/config pytest tests/chart/test_cluster.py

The examples need no image: it has to do that pod security `restricted` lets the pods in. Where nodes only pretend to
run pods (kwok), they become ready, and every step waits for that.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chart.cluster import VARIABLE, Cluster, cluster_of, file_of, left_of, own_namespace
from tests.chart.rendering import CHART, CI_FILES, Json, minimal, values_of
from tests.conftest import add_part
from tests.support.options import UnavailableError
from tests.support.waiting import eventually

RELEASE = "clicks"
KINDS = (
    *("deployments", "configmaps", "services", "poddisruptionbudgets", "networkpolicies", "serviceaccounts"),
    *("jobs", "pods"),
)
MONITORS = "podmonitors.monitoring.coreos.com"


@pytest.fixture(scope="module")
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """The cluster that is named; the summary says which one, or why none."""
    try:
        found = cluster_of(os.environ.get(VARIABLE))
    except UnavailableError as error:
        add_part(request.config, "Kubernetes", str(error))
        pytest.skip(str(error))
    add_part(request.config, "Kubernetes", f"{found.version}, pods only pretend to run: {found.pretends}")
    return found


@pytest.fixture
def namespace(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A namespace of the test's own that enforces pod security `restricted`."""
    name = f"chart-{os.getpid()}-{abs(hash(request.node.name)) % 10**6}"
    with own_namespace(cluster, name) as own:
        yield own


def pods_of(namespace: Cluster) -> dict[str, str]:
    """The pods that Deployments have now, and what they were made for: the hash of their template."""
    return {
        name: pod["metadata"]["labels"]["pod-template-hash"]
        for name, pod in namespace.objects("pods").items()
        if "deletionTimestamp" not in pod["metadata"] and "pod-template-hash" in pod["metadata"]["labels"]
    }


async def all_there(namespace: Cluster) -> set[str]:
    """Wait until each Deployment has all its pods, of its newest template; gives the templates' hashes."""

    def complete() -> set[str] | None:
        deployments = namespace.objects("deployments").values()
        done = deployments and all(_complete(each, alone=namespace.pretends) for each in deployments)
        return set(pods_of(namespace).values()) if done else None

    return await eventually(complete, within=60)


def _complete(deployment: Json, *, alone: bool) -> bool:
    """Whether all pods of the newest template are there; `alone`: and no others."""
    status, wanted = deployment["status"], deployment["spec"]["replicas"]
    seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
    return seen and status.get("updatedReplicas", 0) == wanted and not (alone and status.get("replicas", 0) != wanted)


def has_monitors(namespace: Cluster) -> bool:
    """Whether the Prometheus operator's CRDs are there."""
    return MONITORS in namespace.run("kubectl", "get", "customresourcedefinitions", "--output", "name")


def another_file(values: Json) -> Json:
    """The same with a change that pods must see; where the file is not the chart's, an annotation stands for it."""
    if "config" in values:
        return {**values, "config": values["config"] + "commit_interval: 2s\n"}
    return {**values, "podAnnotations": {"config": "2"}}


@pytest.mark.parametrize("name", CI_FILES)
async def test_installed_upgraded_rolled_back_removed(namespace: Cluster, tmp_path: Path, name: str) -> None:
    """Pods are let in; a changed file makes others; the way back makes the first ones again; nothing stays behind."""
    values = values_of(name)
    if not has_monitors(namespace):
        values["metrics"] = {}

    namespace.helm("install", RELEASE, values=file_of(tmp_path, values))
    first = await all_there(namespace)

    namespace.helm("upgrade", RELEASE, values=file_of(tmp_path, another_file(values)))
    second = await all_there(namespace)

    namespace.run("helm", "rollback", RELEASE, "1", *(("--wait",) if namespace.pretends else ()))
    third = await all_there(namespace)

    namespace.run("helm", "uninstall", RELEASE, "--wait")
    await eventually(lambda: not left_of(namespace, RELEASE, KINDS), within=60)
    if namespace.pretends:  # elsewhere old pods stay until new ones are ready
        assert not first & second
        assert third == first


async def test_an_upgrade_of_nothing_moves_no_pod(namespace: Cluster, tmp_path: Path) -> None:
    """The same values again leave every pod alone."""
    file = file_of(tmp_path, minimal())
    namespace.helm("install", RELEASE, values=file)
    await all_there(namespace)
    before = pods_of(namespace)

    namespace.helm("upgrade", RELEASE, values=file)

    assert pods_of(namespace) == before


async def test_what_cannot_start_takes_nothing_away(namespace: Cluster, tmp_path: Path) -> None:
    """Pods that pod security refuses are not let in, which shows that it looks; and those from before go on."""
    namespace.helm("install", RELEASE, values=file_of(tmp_path, minimal()))
    before = await all_there(namespace)
    file = file_of(tmp_path, minimal(securityContext={"allowPrivilegeEscalation": True}))

    namespace.run("helm", "upgrade", RELEASE, str(CHART), "--values", str(file))

    def refusals() -> list[str]:
        conditions = [each["status"].get("conditions", []) for each in namespace.objects("replicasets").values()]
        return [each["message"] for found in conditions for each in found if each["type"] == "ReplicaFailure"]

    (message,) = await eventually(refusals, within=60)
    assert 'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false' in message
    assert set(pods_of(namespace).values()) == before


async def test_a_monitor_is_what_the_operator_knows(namespace: Cluster, tmp_path: Path) -> None:
    """With the operator's CRDs the PodMonitor is made as it is written; without, Helm says that they are missing."""
    file = file_of(tmp_path, minimal(metrics=values_of("full")["metrics"]))

    if has_monitors(namespace):
        namespace.helm("install", RELEASE, values=file)
        (monitor,) = namespace.objects(MONITORS).values()
        assert monitor["spec"]["podMetricsEndpoints"][0]["interval"] == "30s"
    else:
        with pytest.raises(subprocess.CalledProcessError) as failed:
            namespace.helm("install", RELEASE, values=file)
        assert 'no matches for kind "PodMonitor"' in failed.value.stderr
        assert "ensure CRDs are installed first" in failed.value.stderr


def test_the_api_server_finds_no_unknown_field(namespace: Cluster, tmp_path: Path) -> None:
    """A strict dry run on the server takes every object as it is."""
    values = {**values_of("full"), "metrics": {}}
    file = str(file_of(tmp_path, values))
    text = namespace.run("helm", "template", RELEASE, str(CHART), "--values", file, "--kube-version", namespace.version)

    namespace.run("kubectl", "apply", "--dry-run=server", "--validate=strict", "--filename", "-", given=text)
