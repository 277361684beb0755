"""templates/deployments.yaml and the pod in it."""

import argparse
from decimal import Decimal
from math import ceil

import pytest

from processor.cli import run
from processor.settings.values import parse_duration
from tests.chart.rendering import Helm, minimal, values_of, with_file


def test_one_for_each_destination_of_the_file(helm: Helm) -> None:
    """Each destination of the file has a Deployment of its own, found by its own labels."""
    found = helm.render(values_of("full")).of("Deployment")

    assert {
        name: (each["metadata"]["labels"]["app.kubernetes.io/component"], each["spec"]["selector"]["matchLabels"])
        for name, each in found.items()
    } == {
        f"acme-clicks-{name.replace('_', '-')}": (
            name,
            {
                "app.kubernetes.io/name": "clicks",
                "app.kubernetes.io/instance": "shop",
                "app.kubernetes.io/component": name,
            },
        )
        for name in ("rocket_no", "voyado")
    }


def test_one_for_each_destination_that_is_named_where_the_file_is_elsewhere(helm: Helm) -> None:
    """With a ConfigMap of the user's own, the values say which destinations there are."""
    found = helm.render(values_of("existing-configmap")).of("Deployment")

    assert {name: each["spec"]["replicas"] for name, each in found.items()} == {
        "shop-clickstream-processor-retail-rocket": 1,
        "shop-clickstream-processor-voyado": 2,
    }


def test_the_arguments_are_those_of_the_command_line(helm: Helm) -> None:
    """The service understands what the chart tells it: its destination, the file, and the port that probes ask."""
    container = helm.render(values_of("full")).container("rocket_no")
    parser = argparse.ArgumentParser()
    run.add_to(parser.add_subparsers())

    options = parser.parse_args(container["args"])

    assert (options.destination, options.config, options.ops_port) == (
        ["rocket_no"],
        ["/etc/clickstream/clickstream.yaml"],
        9000,
    )
    assert container["ports"] == [{"name": "ops", "containerPort": 9000, "protocol": "TCP"}]


@pytest.mark.parametrize("timeout", ["25s", "1.5m", "500ms", "0.25s", "1h", "2d", "90.000000001s"])
def test_the_grace_period_is_ten_seconds_above_the_shutdown_timeout(helm: Helm, timeout: str) -> None:
    """Every duration that the service reads gives that many seconds, rounded up, and ten."""
    rendering = helm.render(with_file(f"shutdown_timeout: {timeout}\n"))

    seconds = ceil(Decimal(str(parse_duration(timeout))))
    assert rendering.pod("voyado")["spec"]["terminationGracePeriodSeconds"] == seconds + 10


def test_the_grace_period_without_a_shutdown_timeout(helm: Helm) -> None:
    """The service's own default is what counts where the file says nothing."""
    assert helm.render(minimal()).pod("voyado")["spec"]["terminationGracePeriodSeconds"] == 35


def test_the_grace_period_that_the_values_name(helm: Helm) -> None:
    """A value goes before the file, also where a variable is in the file's place."""
    values = with_file("shutdown_timeout: ${PATIENCE:-25s}\n", terminationGracePeriodSeconds=50)

    assert helm.render(values).pod("voyado")["spec"]["terminationGracePeriodSeconds"] == 50


def test_probes_ask_the_port_of_the_service(helm: Helm) -> None:
    """`/live` while starting and after, `/ready` for readiness, all by the port's name."""
    container = helm.render(minimal()).container("voyado")

    assert {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")} == {
        "startup": {"path": "/live", "port": "ops"},
        "liveness": {"path": "/live", "port": "ops"},
        "readiness": {"path": "/ready", "port": "ops"},
    }


def test_a_starting_pod_has_two_minutes(helm: Helm) -> None:
    """Large tables are read before the port answers."""
    probe = helm.render(minimal()).container("voyado")["startupProbe"]

    assert probe["periodSeconds"] * probe["failureThreshold"] == 120


def test_secrets_are_folders(helm: Helm) -> None:
    """Every Secret is mounted whole and read-only, never by subPath, or the pod would not see it change."""
    rendering = helm.render(values_of("full"))
    mounts = {mount["name"]: mount for mount in rendering.container("voyado")["volumeMounts"]}
    secrets = {
        mounts[volume["name"]]["mountPath"]: volume["secret"]
        for volume in rendering.pod("voyado")["spec"]["volumes"]
        if "secret" in volume
    }

    assert secrets == {
        "/var/run/secrets/voyado": {"secretName": "voyado"},
        "/var/run/secrets/kafka": {
            "secretName": "kafka.acme",
            "items": [{"key": "ca.crt", "path": "ca.crt"}, {"key": "password", "path": "password"}],
        },
    }
    assert all(mount["readOnly"] for mount in mounts.values())
    assert not any("subPath" in mount for mount in mounts.values())


def test_files_lie_beside_the_configuration_file(helm: Helm) -> None:
    """The ConfigMap's keys become the paths that the file names."""
    rendering = helm.render(values_of("full"))
    volume = next(each for each in rendering.pod("voyado")["spec"]["volumes"] if each["name"] == "config")

    data = rendering.of("ConfigMap")["acme-clicks"]["data"]
    assert {item["path"]: data[item["key"]] for item in volume["configMap"]["items"]} == {
        "clickstream.yaml": values_of("full")["config"],
        "tables/cultures.csv": "SE,sv-SE\nNO,nb-NO\n",
    }
    assert rendering.container("voyado")["volumeMounts"][0]["mountPath"] == "/etc/clickstream"


def test_a_configmap_of_ones_own_is_mounted_whole(helm: Helm) -> None:
    """Whatever lies in it beside the file is beside the file in the pod."""
    volume, _ = helm.render(values_of("existing-configmap")).pod("voyado")["spec"]["volumes"]

    assert volume == {"name": "config", "configMap": {"name": "clickstream-config"}}


@pytest.mark.parametrize(
    "change",
    [
        with_file("commit_interval: 2s\n"),
        with_file("# a comment\n"),
        minimal(files={"tables/more.csv": "a,b"}),
    ],
)
def test_pods_roll_out_when_the_file_changes(helm: Helm, change: dict[str, object]) -> None:
    """Another text, or another file beside it, makes other pods."""
    before, after = helm.render(minimal()).pod("voyado"), helm.render(change).pod("voyado")

    assert before["metadata"]["annotations"]["checksum/config"] != after["metadata"]["annotations"]["checksum/config"]


def test_pods_stay_when_the_file_does(helm: Helm) -> None:
    """What is no matter of the pods changes none of them."""
    before, after = minimal(), minimal(podDisruptionBudget={"enabled": False}, service={"port": 80})

    assert helm.render(before).pod("voyado") == helm.render(after).pod("voyado")


def test_the_pod_meets_the_restricted_standard(helm: Helm) -> None:
    """What pod security `restricted` asks for is the default; and the root file system is read-only."""
    rendering = helm.render(minimal())

    pod = rendering.pod("voyado")["spec"]["securityContext"]
    assert (pod["runAsNonRoot"], pod["runAsUser"], pod["seccompProfile"]) == (True, 65532, {"type": "RuntimeDefault"})
    assert rendering.container("voyado")["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_pod_is_no_client_of_kubernetes(helm: Helm) -> None:
    """No token is mounted, and no Service's address becomes a variable that a file could mean by accident."""
    spec = helm.render(minimal()).pod("voyado")["spec"]

    assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False)


def test_the_user_can_be_left_to_the_cluster(helm: Helm) -> None:
    """OpenShift chooses users itself: null removes them, and all else stays."""
    pod = helm.render(values_of("existing-configmap")).pod("voyado")["spec"]

    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def test_two_replicas_come_before_they_go(helm: Helm) -> None:
    """By default two; a new one has joined before an old one leaves."""
    spec = helm.render(minimal()).one("Deployment")["spec"]

    assert spec["replicas"] == 2
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def test_recreating_is_a_strategy_too(helm: Helm) -> None:
    """Kubernetes refuses it beside what rolling updates say, so that is left out."""
    spec = helm.render(minimal(updateStrategy={"type": "Recreate"})).one("Deployment")["spec"]

    assert spec["strategy"] == {"type": "Recreate"}


def test_no_replicas_are_a_number_too(helm: Helm) -> None:
    """A destination can be stopped by itself."""
    rendering = helm.render(minimal(destinations={"voyado": {"replicaCount": 0}}))

    assert rendering.one("Deployment")["spec"]["replicas"] == 0


def test_what_differs_for_one_destination(helm: Helm) -> None:
    """Its replicas, resources, variables and annotations go before those of all, which the other one keeps."""
    rendering = helm.render(values_of("full"))

    def told(name: str) -> list[object]:
        container, annotations = rendering.container(name), rendering.pod(name)["metadata"]["annotations"]
        replicas = rendering.of("Deployment")[f"acme-clicks-{name.replace('_', '-')}"]["spec"]["replicas"]
        env = {variable["name"]: variable["value"] for variable in container["env"]}
        assert len(env) == len(container["env"])
        return [replicas, container["resources"]["limits"], env, annotations["acme.example/vendor"]]

    all_have = {"KAFKA_BOOTSTRAP": "kafka-0:9093,kafka-1:9093", "CLICKSTREAM_REPLAY_JOBS": "/etc/clickstream-replay"}
    assert told("voyado") == [4, {"memory": "768Mi"}, {**all_have, "TZ": "Europe/Oslo"}, "voyado"]
    assert told("rocket_no") == [3, {"memory": "600Mi"}, {**all_have, "TZ": "Europe/Stockholm"}, "any"]


def test_replicas_spread_by_destination(helm: Helm) -> None:
    """A destination's own pods are what is spread, unless a constraint says which; no destination sees another's."""
    rendering = helm.render(values_of("full"))

    for name in ("voyado", "rocket_no"):
        ours, theirs = rendering.pod(name)["spec"]["topologySpreadConstraints"]
        assert ours["labelSelector"]["matchLabels"]["app.kubernetes.io/component"] == name
        assert theirs["labelSelector"] == {"matchLabels": {"acme.example/team": "data-platform"}}


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({"tag": ""}, "clickstream-processor:0.1.0"),
        ({"repository": "r.example/c", "tag": "7"}, "r.example/c:7"),
        ({"tag": "7", "digest": f"sha256:{'0' * 64}"}, f"clickstream-processor@sha256:{'0' * 64}"),
    ],
)
def test_the_image(helm: Helm, image: dict[str, str], expected: str) -> None:
    """The chart's own version, a tag, or before both a digest."""
    assert helm.render(minimal(image=image)).container("voyado")["image"] == expected


def test_containers_of_ones_own(helm: Helm) -> None:
    """They come beside and before the service, which stays the first one."""
    spec = helm.render(values_of("full")).pod("voyado")["spec"]

    assert [container["name"] for container in spec["containers"]] == ["clickstream", "proxy"]
    assert [container["name"] for container in spec["initContainers"]] == ["wait-for-kafka"]


@pytest.mark.parametrize("name", ["no", "on", "y", "yes"])
def test_a_name_that_helm_takes_for_a_truth_value_can_be_quoted(helm: Helm, name: str) -> None:
    """With quotes it is a name for both."""
    values = with_file(replace=("  voyado:", f'  "{name}":'))
    values["config"] = values["config"].replace("voyado.product_view", f"{name}.product_view")

    assert helm.render(values).container(name)["args"][2] == name
