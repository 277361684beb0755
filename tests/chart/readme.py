"""Renders the chart's README.md from values.yaml; `python -m tests.chart.readme` writes it."""

import json
from collections.abc import Iterator
from typing import Any

from tests.chart.rendering import CHART
from tests.chart.values import Value, documented

PAGE = CHART / "README.md"

HEAD = """\
# clickstream-processor

Sends Avro click events from Kafka topics to Voyado Engage and Retail Rocket: one Deployment for each destination of
your configuration file.

```
helm install clicks helm/clickstream-processor --namespace shop \\
  --set image.repository=registry.example/clickstream-processor \\
  --set-file config=clickstream.yaml \\
  --set-json 'secrets=[{"name": "voyado", "mountPath": "/var/run/secrets/voyado"}]'
```

What is wrong is refused before anything is installed, with the cause and the fix: a key that no value has, a secret
that the file names and nothing mounts, a variable that nothing sets, a destination without a route, a grace period
below `shutdown_timeout`. `helm template` with the same arguments says the same without a cluster (`helm lint` does not:
it lets pass what charts refuse).

How to go from the file to running pods, and what to do at three in the morning: `docs/deploying.md`. Files in `ci/` are
examples: the least that must be given, every value at once, and a ConfigMap of one's own.

Kubernetes 1.27 or newer; Helm 3 or 4.

## Values

Rendered from `values.yaml` and `values.schema.json`.

"""


def rendered() -> str:
    """The page."""
    rows = [
        "| value | type | default | meaning |",
        "| --- | --- | --- | --- |",
        *(_row(value) for value in documented()),
    ]
    return HEAD + "\n".join(rows) + "\n"


def _row(value: Value) -> str:
    cells = (f"`{value.name}`", value.kind, f"`{_default(value.default)}`", value.meaning)
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _default(value: Any) -> str:
    """As one writes it in a values file, on one line."""
    return "".join(_flow(value))


def _flow(value: Any) -> Iterator[str]:
    match value:
        case dict():
            yield "{" + ", ".join(f"{key}: {_default(each)}" for key, each in value.items()) + "}"
        case list():
            yield "[" + ", ".join(_default(each) for each in value) + "]"
        case str() if value:
            yield value
        case _:
            yield json.dumps(value)


if __name__ == "__main__":
    PAGE.write_text(rendered())
