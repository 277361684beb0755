"""What every command on dead letters opens, and closes again."""

from argparse import Namespace
from pathlib import Path
from typing import Any, cast

from processor.cli.letters import open_letters
from tests.cli.test_main import MINIMAL

FILE = MINIMAL + 'registry: {url: "http://localhost:9"}\n'


def test_the_registry_s_client_is_closed(tmp_path: Path) -> None:
    """When the command is over, however it ends."""
    file = tmp_path / "clickstream.yaml"
    file.write_text(FILE)

    with open_letters(Namespace(config=[str(file)], destination=None)) as letters:
        session = cast("Any", letters.opener.schemas)._registry._rest_client.session
        assert not session.is_closed

    assert session.is_closed
