"""templates/_validate*.tpl and values.schema.json: what is wrong is refused before anything is installed."""

import re

import pytest

from tests.chart.rendering import CHART, Helm, Json, RefusedError, minimal, with_file
from tests.chart.wrong import KEY, WRONG


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_refused_with_cause_and_fix(helm: Helm, name: str) -> None:
    """The value, what is wrong with it, and what to do, in words, and nothing about what only follows from it."""
    wrong = WRONG[name]

    with pytest.raises(RefusedError) as refused:
        helm.render(wrong.values)

    _, _, faults = str(refused.value).partition("These values cannot be installed:\n\n")
    where, _, message = faults.partition("   ")
    cause, _, fix = message.partition("\n      fix: ")
    assert where == wrong.where
    assert wrong.cause in cause
    assert wrong.fix in fix
    assert faults.count("fix: ") == 1


def test_all_faults_are_told_at_once(helm: Helm) -> None:
    """Nobody installs five times to learn of five mistakes."""
    with pytest.raises(RefusedError) as refused:
        helm.render(
            with_file(
                "ops: {port: 0}\nshutdown_timeout: soon\n",
                secrets=[],
                destinations={"rocket": {}},
                podDisruptionBudget={"maxUnavailable": 0},
            )
        )

    assert str(refused.value).count("fix: ") == 5


@pytest.mark.parametrize(
    "values",
    [
        with_file("# ${file:/not/mounted} ${NOT_SET}\n"),
        with_file("x-note: $${NOT_A_VARIABLE} ${HOSTNAME} ${WITH:-default}\n"),
        with_file(replace=(KEY, '"${VOYADO_KEY}"'), envFrom=[{"secretRef": {"name": "keys"}}]),
        with_file(replace=("to: voyado.product_view", "to: ${ACCOUNT:-voyado}.product_view")),
        with_file(replace=("to: voyado.product_view", "to: [voyado.product_view]")),
        with_file("tables: {of: {file: 'tables/${MARKET:-se}.csv'}, markets: {SE: sv-SE, NO: nb-NO}}\n"),
        with_file("schemas: [avro, avro/more.avsc]\n", files={"avro/more.avsc": "{}"}),
        with_file("schemas: .\n", files={"more.avsc": "{}"}),
        with_file("ops: {port: '9000'}\n"),
        minimal(extraVolumes=[{"name": "a", "emptyDir": {}}], extraVolumeMounts=[{"name": "a", "mountPath": "/a/b"}]),
        minimal(podDisruptionBudget={"enabled": False, "maxUnavailable": 0}),
        minimal(podDisruptionBudget={"maxUnavailable": "1%"}),
        minimal(terminationGracePeriodSeconds=28),
        {**minimal(), "global": {"of": "a parent chart"}},
    ],
)
def test_what_only_looks_wrong_is_not_refused(helm: Helm, values: Json) -> None:
    """Comments, escapes, defaults, and what the chart cannot know are let through."""
    assert helm.render(values).of("Deployment")


@pytest.mark.parametrize(
    ("values", "place", "cause"),
    [
        ({"replicasCount": 1}, "''", "additional properties 'replicasCount' not allowed"),
        ({"destinations": {"voyado": {"replicas": 1}}}, "'/destinations/voyado'", "additional properties 'replicas'"),
        (
            {"podDisruptionBudget": {"minAvailable": 1}},
            "'/podDisruptionBudget'",
            "additional properties 'minAvailable'",
        ),
        (
            {"metrics": {"podMonitor": {"intervall": "1m"}}},
            "'/metrics/podMonitor'",
            "additional properties 'intervall'",
        ),
        (
            {"livenessProbe": {"httpGet": {"port": 1}}},
            "'/livenessProbe'",
            "additional properties 'httpGet' not allowed",
        ),
        ({"secrets": [{"name": "a"}]}, "'/secrets/0'", "missing property 'mountPath'"),
        ({"secrets": [{"name": "a", "mountPath": "a"}]}, "'/secrets/0/mountPath'", "does not match pattern"),
        ({"env": [{"name": "A", "value": 1}]}, "'/env/0/value'", "got number, want string"),
        ({"replicaCount": "2"}, "'/replicaCount'", "got string, want integer"),
        ({"replicaCount": -1}, "'/replicaCount'", "minimum: got -1, want 0"),
        ({"image": {"digest": "sha256:12"}}, "'/image/digest'", "does not match pattern"),
        ({"image": {"pullPolicy": "always"}}, "'/image/pullPolicy'", "value must be one of"),
        ({"replay": {"args": "--route a"}}, "'/replay/args'", "got string, want array"),
        ({"replay": {"args": [5]}}, "'/replay/args/0'", "got number, want string"),
        ({"terminationGracePeriodSeconds": "35s"}, "'/terminationGracePeriodSeconds'", "want null or integer"),
    ],
)
def test_the_schema_refuses_what_is_misspelt(helm: Helm, values: Json, place: str, cause: str) -> None:
    """A key that nothing reads, or a value of another type, is named with its place."""
    with pytest.raises(RefusedError) as refused:
        helm.render(minimal(**values))

    line = next(line for line in str(refused.value).splitlines() if line.startswith(f"- at {place}: "))
    assert cause in line


def test_variables_of_all_places_count(helm: Helm) -> None:
    """A destination's own variables serve that destination; the file is refused only where one lacks them."""
    values = with_file(
        replace=(KEY, '"${VOYADO_KEY}"'), destinations={"voyado": {"env": [{"name": "VOYADO_KEY", "value": "k"}]}}
    )

    assert helm.render(values).container("voyado")["env"][0] == {"name": "VOYADO_KEY", "value": "k"}


def test_lint_says_nothing_of_a_chart_without_a_file(helm: Helm) -> None:
    """`helm lint` runs without values, too."""
    assert helm.lint({}) == []


@pytest.mark.parametrize("name", [name for name, wrong in WRONG.items() if wrong.values])
def test_templates_survive_what_validation_refuses(helm: Helm, name: str) -> None:
    """`helm lint` goes on where `fail` stands: it may find names that are none, but no template may break."""
    errors = helm.lint(WRONG[name].values)

    assert not [error for error in errors if "object name does not conform" not in error]


def test_every_check_is_run() -> None:
    """No check is written and then forgotten."""
    templates = "".join(path.read_text() for path in (CHART / "templates").glob("_validate*.tpl"))
    (run,) = re.findall(r"range list (.*) -", templates)

    written = re.findall(r'define "clickstream\.check\.(\w+)"', templates)
    assert sorted(run.replace('"', "").split()) == sorted(written)
