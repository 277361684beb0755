"""The examples in the chart's `ci/`: each can be installed, and its configuration file can be run."""

import tomllib
from pathlib import Path

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from processor.plan import load_plans
from tests.chart.rendering import CHART, CI_FILES, ROOT, Helm, minimal, values_of
from tests.chart.snapshots import FOLDER, written

OLDEST, NEWEST = "1.27", "1.37"
"""What Chart.yaml promises, and what there are schemas for."""
NOT_KUBERNETES_OWN = {"PodMonitor"}
"""Kinds whose schemas come with an operator; `test_cluster.py` meets those."""


@pytest.mark.parametrize("name", CI_FILES)
def test_lint_finds_nothing(helm: Helm, name: str) -> None:
    """`helm lint --strict` is content."""
    assert helm.lint(values_of(name)) == []


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("name", CI_FILES)
def test_kubernetes_knows_every_field(helm: Helm, name: str, version: str) -> None:
    """Each object fits Kubernetes' own schema, in which no unknown field is let through."""
    objects = helm.render(values_of(name)).objects

    assert objects
    for found in objects:
        if found["kind"] not in NOT_KUBERNETES_OWN:
            kubernetes_validate.validate(found, version, strict=True)


def test_a_misspelt_field_would_be_found(helm: Helm) -> None:
    """The schemas are strict: they would convict the chart."""
    found = helm.render(minimal()).one("Deployment")
    found["spec"]["template"]["spec"]["terminationGraceSeconds"] = 35

    with pytest.raises(kubernetes_validate.ValidationError, match="terminationGraceSeconds"):
        kubernetes_validate.validate(found, NEWEST, strict=True)


@pytest.mark.parametrize("name", [name for name in CI_FILES if "config" in values_of(name)])
def test_the_file_can_be_run(helm: Helm, name: str, tmp_path: Path) -> None:
    """What the ConfigMap holds is a configuration of the service, with a pipeline for each Deployment."""
    values = values_of(name)
    for path, text in {"clickstream.yaml": values["config"], **values.get("files", {})}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    env = {"KAFKA_BOOTSTRAP": "kafka:9092", "ROCKET_API_KEY": "k"}

    ready = load_plans([tmp_path / "clickstream.yaml"], env, offline=True)

    deployed = helm.render(values).of("Deployment").values()
    names = {each["metadata"]["labels"]["app.kubernetes.io/component"] for each in deployed}
    assert {plan.name for plan in ready.plans} == names


@pytest.mark.parametrize("name", ["minimal", "canonical"])
def test_the_examples_of_files_can_be_installed(helm: Helm, name: str) -> None:
    """Helm's YAML reads the same destinations in a real file, with its expressions, as the service does."""
    file = ROOT / "examples" / f"{name}.yaml"

    ready = load_plans([file], {})

    deployed = helm.render({"config": file.read_text()}).of("Deployment").values()
    assert [each["metadata"]["labels"]["app.kubernetes.io/component"] for each in deployed] == sorted(
        plan.name for plan in ready.plans
    )


@pytest.mark.parametrize("name", CI_FILES)
def test_what_is_rendered_is_what_was_reviewed(helm: Helm, name: str) -> None:
    """`python -m tests.chart.snapshots` writes them anew; a reviewer then sees what the API server will get."""
    assert (FOLDER / f"{name}.yaml").read_text() == written(helm.render(values_of(name)))


def test_the_image_is_the_one_of_the_dockerfile(helm: Helm) -> None:
    """Its user is the chart's, and its program takes the arguments that the chart gives."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    user = helm.render(minimal()).pod("voyado")["spec"]["securityContext"]

    assert f"USER {user['runAsUser']}:{user['runAsGroup']}" in lines
    assert 'ENTRYPOINT ["clickstream"]' in lines


def test_versions_are_the_packages() -> None:
    """The chart, the image that it takes, and the package are one version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert (chart["version"], chart["appVersion"]) == (project["version"], project["version"])
    assert chart["name"] == project["name"]
    assert chart["kubeVersion"] == f">={OLDEST}.0-0"
