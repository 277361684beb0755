"""What the files in `ci/` are rendered to; `python -m tests.chart.snapshots` writes it."""

from pathlib import Path

from tests.chart.rendering import Rendering

FOLDER = Path(__file__).parent


def written(rendering: Rendering) -> str:
    """All texts, in the order of their names."""
    return "".join(f"# {name}\n{text.strip()}\n\n" for name, text in sorted(rendering.texts.items()) if text.strip())
