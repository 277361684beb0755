"""The other templates: ConfigMap, Service, PodDisruptionBudget, NetworkPolicy, PodMonitor, ServiceAccount, notes."""

import pytest

from tests.chart.rendering import Helm, minimal, values_of, with_file

SELECTOR = {"app.kubernetes.io/name": "clickstream-processor", "app.kubernetes.io/instance": "shop"}


def test_configmap_holds_the_file_as_it_is(helm: Helm) -> None:
    """Not a byte of the text changes on its way: no variable is looked up, no template is run, no end is trimmed."""
    text = minimal()["config"] + "# ${file:x} {{ .Values.config }} \t \u00e5\u2028\n\n\n"

    found = helm.render(minimal(config=text)).of("ConfigMap")["shop-clickstream-processor"]
    assert found["data"] == {"clickstream.yaml": text}


def test_configmap_of_ones_own_stays_the_only_one(helm: Helm) -> None:
    """Where the user names one, the chart makes none for the file."""
    assert set(helm.render(values_of("existing-configmap")).of("ConfigMap")) == {"shop-clickstream-processor-replay"}


def test_service_for_each_destination(helm: Helm) -> None:
    """It leads to the destination's pods, ready or not, inside the cluster only."""
    spec = helm.render(minimal(service={"port": 80})).one("Service")["spec"]

    assert (spec["type"], spec["publishNotReadyAddresses"]) == ("ClusterIP", True)
    assert spec["selector"] == {**SELECTOR, "app.kubernetes.io/component": "voyado"}
    assert [(port["port"], port["targetPort"]) for port in spec["ports"]] == [(80, "ops")]
    assert len(helm.render(values_of("full")).of("Service")) == 2


def test_budget_for_each_destination(helm: Helm) -> None:
    """One pod of each may go at a time, and one that is not ready always: an outage of Kafka must not block nodes."""
    spec = helm.render(minimal()).one("PodDisruptionBudget")["spec"]

    assert (spec["maxUnavailable"], spec["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")
    assert spec["selector"]["matchLabels"] == {**SELECTOR, "app.kubernetes.io/component": "voyado"}
    assert len(helm.render(values_of("full")).of("PodDisruptionBudget")) == 2


def test_policy_lets_only_the_port_be_reached(helm: Helm) -> None:
    """By default from anywhere, and pods may connect to anything: vendors have names, and policies know none."""
    spec = helm.render(minimal()).one("NetworkPolicy")["spec"]

    assert spec == {
        "podSelector": {"matchLabels": SELECTOR},
        "policyTypes": ["Ingress"],
        "ingress": [{"ports": [{"protocol": "TCP", "port": "ops"}]}],
    }


def test_policy_with_addresses(helm: Helm) -> None:
    """Where it is said who may come and where pods may go, it is only that, and DNS."""
    spec = helm.render(values_of("full")).one("NetworkPolicy")["spec"]

    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert spec["ingress"][0]["from"] == values_of("full")["networkPolicy"]["ingressFrom"]
    dns, *others = spec["egress"]
    assert dns == {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}
    assert others == values_of("full")["networkPolicy"]["egress"]


def test_monitor_of_all_pods(helm: Helm) -> None:
    """Prometheus' operator finds it by its labels, and by it the pods of all destinations."""
    found = helm.render(values_of("full")).one("PodMonitor")

    assert found["metadata"]["labels"]["release"] == "kube-prometheus-stack"
    assert found["spec"]["selector"]["matchLabels"] == {**SELECTOR, "app.kubernetes.io/name": "clicks"}
    assert found["spec"]["podMetricsEndpoints"] == [
        {
            "port": "ops",
            "path": "/metrics",
            "interval": "30s",
            "relabelings": [{"sourceLabels": ["__meta_kubernetes_pod_node_name"], "targetLabel": "node"}],
        }
    ]
    assert not helm.render(minimal()).of("PodMonitor")


def test_account_without_a_token(helm: Helm) -> None:
    """The pods' account has none mounted, and carries what a cloud reads its role from."""
    rendering = helm.render(minimal(serviceAccount={"annotations": {"role": "clicks"}}))
    account = rendering.one("ServiceAccount")

    assert (account["automountServiceAccountToken"], account["metadata"]["annotations"]) == (False, {"role": "clicks"})
    assert rendering.pod("voyado")["spec"]["serviceAccountName"] == account["metadata"]["name"]


def test_account_of_ones_own(helm: Helm) -> None:
    """None is made, and the named one, else `default`, is used."""
    named, unnamed = helm.render(values_of("full")), helm.render(minimal(serviceAccount={"create": False}))

    assert not named.of("ServiceAccount")
    assert not unnamed.of("ServiceAccount")
    assert named.pod("voyado")["spec"]["serviceAccountName"] == "clicks"
    assert unnamed.pod("voyado")["spec"]["serviceAccountName"] == "default"


@pytest.mark.parametrize("ci_file", ["minimal", "full", "existing-configmap"])
def test_everything_has_its_labels_and_namespace(helm: Helm, ci_file: str) -> None:
    """One selector finds all that belongs to the release, and all lies in the release's namespace."""
    values = values_of(ci_file) | {"commonLabels": {"acme.example/team": "data"}}
    objects = helm.render(values).objects

    expected = {"app.kubernetes.io/instance": "shop", "app.kubernetes.io/managed-by": "Helm"}
    expected["acme.example/team"] = "data"
    assert all(expected.items() <= each["metadata"]["labels"].items() for each in objects)
    assert {each["metadata"]["namespace"] for each in objects} == {"clicks"}


def test_labels_of_ones_own_change_no_selector(helm: Helm) -> None:
    """What selects pods is ours, whatever labels are added: a selector cannot be changed afterwards."""
    ours = "app.kubernetes.io/component"
    rendering = helm.render(minimal(commonLabels={ours: "x"}, podLabels={ours: "y", "app.kubernetes.io/name": "z"}))

    labels = rendering.pod("voyado")["metadata"]["labels"]
    assert rendering.one("Deployment")["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert labels[ours] == "voyado"


def test_names_do_not_repeat_the_chart(helm: Helm) -> None:
    """A release that is called like the chart, or a value, makes names short."""
    assert set(helm.render(minimal(), name="clickstream-processor").of("Deployment")) == {
        "clickstream-processor-voyado"
    }
    assert set(helm.render(minimal(fullnameOverride="clicks")).of("Deployment")) == {"clicks-voyado"}
    assert set(helm.render(minimal(nameOverride="clicks")).of("Deployment")) == {"shop-clicks-voyado"}


def test_notes_name_what_was_made_and_where_to_look(helm: Helm) -> None:
    """Each Deployment, the pods, the log, and the way to `/status`."""
    notes = helm.render(minimal(destinations={"voyado": {"replicaCount": 3}})).notes

    assert "shop-clickstream-processor-voyado   replicas: 3" in notes
    selector = "app.kubernetes.io/instance=shop,app.kubernetes.io/name=clickstream-processor"
    assert f"kubectl -n clicks get pods -l {selector}" in notes
    assert f"kubectl -n clicks logs -l {selector}" in notes
    assert "port-forward service/shop-clickstream-processor-voyado 8080:8080" in notes
    assert "WARNING" not in notes


def test_notes_without_services_lead_to_the_deployment(helm: Helm) -> None:
    """The way to `/status` is one that is there."""
    notes = helm.render(minimal(service={"enabled": False})).notes

    assert "port-forward deployment/shop-clickstream-processor-voyado 8080:8080" in notes


def test_notes_tell_how_a_configmap_of_ones_own_rolls_out(helm: Helm) -> None:
    """The chart cannot see it change, nor read its shutdown_timeout."""
    notes = helm.render(values_of("existing-configmap")).notes

    assert "kubectl -n clicks rollout restart deployment -l" in notes
    assert "shutdown_timeout must be 60s or less" in notes


def test_notes_warn_of_a_key_in_the_file(helm: Helm) -> None:
    """A ConfigMap is no place for a secret; the key itself is not repeated."""
    key = '"${file:/var/run/secrets/voyado/api-key}"'
    notes = helm.render(with_file(replace=(key, "s3cr3t"))).notes

    assert "WARNING destinations.voyado.api_key stands in the file" in notes
    assert "${file:/var/run/secrets/voyado/api-key}" in notes
    assert "s3cr3t" not in notes
