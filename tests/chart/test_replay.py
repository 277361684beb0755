"""Replays as Jobs: those that `clickstream replay --print-job` prints in a pod, and the one of the values."""

import argparse
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from processor.cli import replay
from processor.cli.main import main
from processor.cli.replay_job import JOBS
from processor.settings.load import ENV_PATHS
from tests.chart.rendering import CI_FILES, Helm, Json, Rendering, minimal, values_of, with_file
from tests.chart.test_ci_files import NEWEST, OLDEST

SERVICE_ONLY = {"ports", "startupProbe", "livenessProbe", "readinessProbe"}
REPLAY = {"enabled": True, "args": ["--route", "views-to-voyado", "--grep", "$(HOME) $x"]}


def texts(rendering: Rendering) -> dict[str, str]:
    """The Jobs that are printed, by destination, as they lie in the pods."""
    (found,) = (each for name, each in rendering.of("ConfigMap").items() if name.endswith("-replay"))
    return {name.removesuffix(".yaml"): text for name, text in found["data"].items()}


def jobs(rendering: Rendering) -> dict[str, Json]:
    """The same, read."""
    return {name: yaml.safe_load(text) for name, text in texts(rendering).items()}


def selects(selector: Json, labels: Json) -> bool:
    """Whether a selector means what has these labels."""
    wanted = all(labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", []))
    return wanted and bool(selector["matchLabels"].items() <= labels.items())


@pytest.mark.parametrize("name", CI_FILES)
def test_every_pod_has_the_jobs_of_all_destinations(helm: Helm, name: str) -> None:
    """In the folder that the variable names: whichever pod is asked, it can print them."""
    rendering = helm.render(values_of(name))
    names = {each["metadata"]["labels"]["app.kubernetes.io/component"] for each in rendering.of("Deployment").values()}

    assert set(texts(rendering)) == names
    for one in names:
        container, volumes = rendering.container(one), rendering.pod(one)["spec"]["volumes"]
        (folder,) = (each["value"] for each in container["env"] if each["name"] == JOBS)
        (mount,) = (each for each in container["volumeMounts"] if each["mountPath"] == folder)
        (volume,) = (each for each in volumes if each["name"] == mount["name"])
        assert volume["configMap"]["name"] in rendering.of("ConfigMap")


@pytest.mark.parametrize("name", CI_FILES)
def test_the_pod_is_the_services_but_for_what_serves(helm: Helm, name: str) -> None:
    """Image, Secrets, variables, limits, user and nodes are the same; what ends has no probes, port or replicas."""
    rendering = helm.render(values_of(name))

    for one, job in jobs(rendering).items():
        ours, theirs = job["spec"]["template"]["spec"], rendering.pod(one)["spec"]
        (container,), (service, *_) = ours.pop("containers"), theirs.pop("containers")
        assert ours.pop("restartPolicy") == "Never"
        assert ours == {
            key: [each for each in value if each["name"] != "replay-jobs"] if key == "volumes" else value
            for key, value in theirs.items()
            if key != "topologySpreadConstraints"
        }
        assert set(service) - set(container) == SERVICE_ONLY
        for kind, own in (("env", JOBS), ("volumeMounts", "replay-jobs")):
            serves = [each for each in service.pop(kind) if each["name"] != own]
            assert [each for each in container.pop(kind) if each["name"] != ENV_PATHS] == serves
        assert container.pop("args") == ["replay", "--destination", one]
        assert container.items() <= service.items()


@pytest.mark.parametrize("name", CI_FILES)
def test_nothing_takes_the_pod_for_the_services(helm: Helm, name: str) -> None:
    """No Deployment, Service, budget or monitor means it; the network policy does, for it connects to the same."""
    rendering = helm.render(values_of(name))
    found = [
        each for kind in ("Deployment", "PodDisruptionBudget", "PodMonitor") for each in rendering.of(kind).values()
    ]
    selectors = [each["spec"]["selector"] for each in found]
    selectors += [{"matchLabels": each["spec"]["selector"]} for each in rendering.of("Service").values()]
    policies = [each["spec"]["podSelector"] for each in rendering.of("NetworkPolicy").values()]

    for one, job in jobs(rendering).items():
        service, ours = rendering.pod(one)["metadata"]["labels"], job["spec"]["template"]["metadata"]["labels"]
        assert any(selects(each, service) for each in selectors)
        assert not any(selects(each, ours) for each in selectors)
        assert all(selects(each, service) and selects(each, ours) for each in policies)


def test_a_job_is_tried_once(helm: Helm) -> None:
    """What failed is gone on with on purpose; and its log is there for a week."""
    spec = jobs(helm.render(minimal()))["voyado"]["spec"]

    assert (spec["backoffLimit"], spec["ttlSecondsAfterFinished"]) == (0, 7 * 24 * 3600)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("name", CI_FILES)
def test_what_is_printed_is_what_kubernetes_knows(
    helm: Helm,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    version: str,
) -> None:
    """In a pod the command prints, for each destination, a Job with no unknown field, in the release's namespace."""
    monkeypatch.setenv(JOBS, str(tmp_path))
    (tmp_path / "overlay").write_text("mode: live\n")
    found = texts(helm.render(values_of(name)))
    for one, text in found.items():
        (tmp_path / f"{one}.yaml").write_text(text)

    for one in found:
        asked = ["--route", "a", "--by", "ann", "--config-overlay", str(tmp_path / "overlay"), "--print-job"]
        assert main(["replay", "--destination", one, *asked]) == 0
        job = yaml.safe_load(capsys.readouterr().out)

        kubernetes_validate.validate(job, version, strict=True)
        assert job["metadata"]["namespace"] == "clicks"
        assert f"-replay-{one.replace('_', '-')}-" in job["metadata"]["generateName"]
        _parsed(job)


def _parsed(job: Json) -> Any:
    """What the command line makes of a Job's arguments."""
    parser = argparse.ArgumentParser()
    replay.add_to(parser.add_subparsers())
    return parser.parse_args(job["spec"]["template"]["spec"]["containers"][0]["args"])


def test_the_job_of_the_values(helm: Helm) -> None:
    """It is the one that is printed, with a name, and stays: what keeps Git and cluster alike would make it anew."""
    rendering = helm.render(minimal(replay=REPLAY))
    printed, job = jobs(rendering)["voyado"], rendering.one("Job")

    options = _parsed(job)
    assert (options.destination, options.route, options.grep) == ("voyado", ["views-to-voyado"], "$$(HOME) $$x")
    assert f"logs --follow job/{job['metadata']['name']}" in rendering.notes
    assert "ttlSecondsAfterFinished" not in job["spec"]
    for each in (printed, job):
        each["spec"]["template"]["spec"]["containers"][0].pop("args")
        each["spec"].pop("ttlSecondsAfterFinished", None)
    assert job["spec"] == printed["spec"]
    assert job["metadata"]["labels"] == printed["metadata"]["labels"]


def test_there_is_none_unless_it_is_asked_for(helm: Helm) -> None:
    """By default nothing is replayed."""
    rendering = helm.render(minimal(replay={**REPLAY, "enabled": False}))

    assert not rendering.of("Job")
    assert "logs --follow" not in rendering.notes


def test_a_changed_file_leaves_the_job_alone(helm: Helm) -> None:
    """Kubernetes refuses to change a Job's pod, and with it the whole upgrade."""
    before, after = (helm.render(with_file(text, replay=REPLAY)) for text in ("", "commit_interval: 2s\n"))

    assert before.one("Deployment") != after.one("Deployment")
    assert before.one("Job") == after.one("Job")


@pytest.mark.parametrize(
    ("change", "another"),
    [
        ({"image": {"tag": "2"}}, False),
        ({"replay": {**REPLAY, "args": ["--route", "a"]}}, True),
        ({"replay": {**REPLAY, "destination": "voyado"}}, False),
    ],
)
def test_the_same_replay_never_runs_twice(helm: Helm, change: Json, another: bool) -> None:  # noqa: FBT001 - a case
    """Only what it is asked for makes another Job; whatever else changes does not."""
    before, after = helm.render(minimal(replay=REPLAY)), helm.render(minimal(replay=REPLAY) | change)

    assert (before.one("Job")["metadata"]["name"] != after.one("Job")["metadata"]["name"]) is another


@pytest.mark.parametrize(("full", "name"), [("a", "v" * 61), ("c" * 61, "v"), ("c" * 40, "v_" * 10 + "v")])
def test_long_names_fit(helm: Helm, full: str, name: str) -> None:
    """A Job's name goes into labels, of 63 characters; the destination's label stays none of a destination."""
    values = minimal(replay=REPLAY, fullnameOverride=full)
    values["config"] = values["config"].replace("  voyado:", f"  {name}:").replace("to: voyado.", f"to: {name}.")

    job = helm.render(values).one("Job")

    label = job["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"]
    assert max(len(job["metadata"]["name"]), len(label)) <= 63
    assert label.startswith(f"{name}.")
    kubernetes_validate.validate(job, NEWEST, strict=True)


def test_notes_say_how_it_is_done(helm: Helm) -> None:
    """The command that prints a Job, for this release."""
    notes = helm.render(minimal()).notes

    assert (
        "kubectl -n clicks exec deployment/shop-clickstream-processor-voyado -- "
        'clickstream replay --destination voyado --by "$USER" --print-job | kubectl create -f -' in notes
    )
