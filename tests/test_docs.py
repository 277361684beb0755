"""What is committed as documentation must be what the code says."""

import re
from pathlib import Path

from processor.metrics import DECLARATIONS, PREFIX
from processor.plan import load_plans

ROOT = Path(__file__).parents[1]


def rendered_metrics() -> str:
    """The page of all metrics."""
    rows = [
        f"| `{PREFIX}{d.name}` | {d.kind.value} | {' '.join(f'`{label}`' for label in d.labels)} | {d.meaning} |"
        for d in DECLARATIONS
    ]
    head = ["# Metrics", "", "Rendered from `processor/metrics.py`.", ""]
    table = ["| metric | type | labels | meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *table, *rows, ""])


def test_the_page_of_metrics_is_what_the_code_declares() -> None:
    """docs/metrics.md is rendered from the declarations; write `rendered_metrics()` into it when they change."""
    assert (ROOT / "docs" / "metrics.md").read_text() == rendered_metrics()


def test_the_yaml_of_the_readme_can_be_run(tmp_path: Path) -> None:
    """What the first screen shows parses, and every expression in it compiles."""
    (example,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    file = tmp_path / "clickstream.yaml"
    file.write_text(example)

    ready = load_plans([file], {"KAFKA_BOOTSTRAP": "localhost:9092", "VOYADO_KEY": "k"})

    assert [plan.name for plan in ready.plans] == ["voyado"]
    assert not [warning for warning in ready.warnings if "voyado" in warning.where]
