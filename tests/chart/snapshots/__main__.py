"""Writes the snapshots."""

from tests.chart.rendering import CI_FILES, running_helm, values_of
from tests.chart.snapshots import FOLDER, written

with running_helm() as helm:
    for name in CI_FILES:
        (FOLDER / f"{name}.yaml").write_text(written(helm.render(values_of(name))))
