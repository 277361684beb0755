"""Helm, started once."""

from collections.abc import Iterator

import pytest

from tests.chart.rendering import Helm, running_helm


@pytest.fixture(scope="session")
def helm() -> Iterator[Helm]:
    """Renders the chart."""
    with running_helm() as helm:
        yield helm
