"""Helm, in a process of its own: a request a line on stdin, its answer a line on stdout.

Helm is a library in Go here. Its runtime brings threads and signal handlers, which no other test should meet.
"""

import json
import sys
from typing import Any

import helm_python
from helm_python import Chart, HelmError


def main(folder: str) -> None:
    """Answer until stdin ends."""
    with Chart.load(folder) as chart:
        for line in sys.stdin:
            print(json.dumps(_answer(folder, chart, json.loads(line))), flush=True)  # noqa: T201 - the answer


def _answer(folder: str, chart: Chart, request: dict[str, Any]) -> dict[str, Any]:
    values = request["values"]
    if request["do"] == "lint":
        return {"lint": helm_python.lint(folder, values, strict=True)["errors"]}
    try:
        chart.validate_schema(values)  # as `helm install` does; rendering alone does not
        return {"files": chart.render(values, name=request["name"], namespace=request["namespace"])}
    except HelmError as error:
        return {"refused": str(error)}


if __name__ == "__main__":
    main(sys.argv[1])
