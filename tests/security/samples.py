"""The samples of docs/security.md: what the documentation says is what the tests run."""

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
SECRETS = "/var/run/secrets"
SAMPLE = re.compile(r"^### (?P<name>.+?)$.*?^```yaml\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"\$\{file:(.+?)\}")
VARIABLE = re.compile(r"\$\{(\w+)\}")


def samples() -> dict[str, str]:
    """All of them, by their headline."""
    return {found["name"]: found["text"] for found in SAMPLE.finditer(PAGE.read_text())}


def sample(name: str, secrets: Path, values: Mapping[str, str]) -> dict[str, str]:
    """The keys of one sample.

    Args:
        name: its headline.
        secrets: the folder that stands for /var/run/secrets.
        values: of its variables.
    """
    text = samples()[name].replace(SECRETS, str(secrets))
    text = FILE.sub(lambda found: Path(found[1]).read_text(), text)
    (keys,) = yaml.safe_load(VARIABLE.sub(lambda found: values[found[1]], text)).values()
    return {key: str(value) for key, value in keys.items()}
