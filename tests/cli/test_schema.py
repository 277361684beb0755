"""`clickstream schema`: what editors complete by."""

import json

import pytest

from processor.cli.main import main
from processor.settings.models import Settings
from processor.settings.wording import fields_of
from tests.support.command import clickstream


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON schema that knows every key of the file."""
    assert main(["schema"]) == 0

    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(fields_of(Settings)) <= set(schema["properties"])


def test_as_a_process() -> None:
    """Nothing else is on stdout, so that it can be written into a file."""
    done = clickstream("schema")

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["additionalProperties"] is False
