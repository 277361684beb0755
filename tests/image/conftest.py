"""The image that tests run: built when a test first asks for it, once, and named in the summary."""

import pytest

from tests.conftest import PARTS, add_part
from tests.image.engine import Image, build_image
from tests.support.options import UnavailableError

PART = "Image"


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Begin a run in which no test has asked for the image yet, after the tests' own summary has begun."""
    config.stash[PARTS].setdefault(PART, set())


@pytest.fixture(scope="session")
def image(request: pytest.FixtureRequest) -> Image:
    """The project's image, built on this machine's Docker engine; without one its tests do not run, and say why."""
    try:
        image = build_image()
    except UnavailableError as error:
        add_part(request.config, PART, f"not built, so its tests did not run; {error}")
        pytest.skip(f"no image: {error}")
    add_part(request.config, PART, image.describe)
    return image
