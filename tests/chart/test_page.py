"""What docs/deploying.md shows is what happens."""

import argparse
import re

import pytest
import yaml

from processor.cli import replay
from tests.chart.rendering import ROOT, Helm, RefusedError, minimal, with_file

PAGE = (ROOT / "docs" / "deploying.md").read_text()
FROM_A_VARIABLE = ("kafka:9092", '"${KAFKA_BOOTSTRAP}"')


def test_the_values_that_it_begins_with_can_be_installed(helm: Helm) -> None:
    """The first values file fits a file with one key in a Secret and the brokers in a variable."""
    values, _ = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)

    rendering = helm.render(with_file(replace=FROM_A_VARIABLE, **yaml.safe_load(values)))

    image = "registry.acme.example/clickstream-processor:0.1.0"
    assert rendering.container("voyado")["image"] == image
    assert f"docker push {image}" in PAGE


def test_the_refusal_that_it_shows_is_what_helm_says(helm: Helm) -> None:
    """Word for word, without what comes before `Error: `."""
    with pytest.raises(RefusedError) as refused:
        helm.render(with_file(replace=FROM_A_VARIABLE, secrets=[]))

    said = re.sub(r" +\n", "\n", f"Error: {refused.value}").rstrip("\n")
    assert f"```\n{said}\n```" in PAGE


def test_the_replay_that_it_shows_can_be_installed(helm: Helm) -> None:
    """Its arguments are those of the command line."""
    _, values = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)

    job = helm.render(minimal(**yaml.safe_load(values))).one("Job")

    parser = argparse.ArgumentParser()
    replay.add_to(parser.add_subparsers())
    options = parser.parse_args(job["spec"]["template"]["spec"]["containers"][0]["args"])
    assert (options.destination, options.route, options.reason) == ("voyado", ["orders"], "sku mapping")
