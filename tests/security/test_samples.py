from pathlib import Path

import yaml

from processor.plan import load_plans
from tests.security.samples import SECRETS, samples
from tests.support.service import CANONICAL

USED = {
    "Certificate (mTLS)",
    "Password",
    "Identity provider (OAUTHBEARER, OIDC)",
    "Amazon MSK with IAM",
    "Basic authentication",
    "Fixed token",
    "Tokens of an identity provider",
    "Client certificate",
}
"""What the tests of this folder run."""
VALUES = {
    "KAFKA_BOOTSTRAP": "b-1.shop.x1y2z3.c2.kafka.eu-north-1.amazonaws.com:9098",
    "SCHEMA_REGISTRY_URL": "https://registry",
    "TOKEN_URL": "https://identity/token",
}


def test_every_sample_is_run() -> None:
    """A sample that no test runs would be a promise that nobody checks."""
    assert samples().keys() == USED


def test_msk_needs_no_other_key(tmp_path: Path) -> None:
    """With a broker's own name the sample for Amazon MSK is complete as it stands."""
    canonical = yaml.safe_load(CANONICAL.read_text())
    file = tmp_path / "clickstream.yaml"
    file.write_text(yaml.safe_dump(canonical | yaml.safe_load(samples()["Amazon MSK with IAM"])))

    ready = load_plans([file], VALUES)

    assert SECRETS not in file.read_text()
    assert not [warning for warning in ready.warnings if warning.path[0] == "kafka"]
