"""How `kafka:` logs in: what is missing or contradicts itself, and Amazon MSK's IAM, which librdkafka does not know.

`sasl.mechanism: AWS_MSK_IAM` is OAUTHBEARER to librdkafka, with tokens that `kafka_tokens` signs.
"""

import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from processor.errors import Fault, Level

MSK_IAM = "AWS_MSK_IAM"
MECHANISMS = f"PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or {MSK_IAM}"
SIGNER = "aws_msk_iam_sasl_signer"
MSK_HOST = re.compile(r"\.kafka(?:-serverless)?\.([a-z0-9-]+)\.amazonaws\.com\b")
"""`b-1.shop.x1y2z3.c2.kafka.eu-north-1.amazonaws.com`, `boot-x1y2z3.c2.kafka-serverless.eu-north-1.amazonaws.com`."""
REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")

OTHER_LOGINS = re.compile(
    r"sasl\.(username|password|jaas\.config|client\.callback\.handler\.class)$"
    r"|(sasl|enable\.sasl)\.oauthbearer\.|sasl\.kerberos\."
)
"""What another way to log in needs, and what a Java client needs for this one."""
FILES = (
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.crl.location",
    "ssl.key.location",
    "ssl.keystore.location",
    "https.ca.location",
    "sasl.oauthbearer.assertion.file",
    "sasl.oauthbearer.assertion.jwt.template.file",
    "sasl.oauthbearer.assertion.private.key.file",
)
PEM_FILES = {
    "ssl.ca.location": "a PEM file with the certificate of the authority that signed the brokers'",
    "ssl.certificate.location": "a PEM file with this service's certificate",
    "ssl.key.location": "the PEM key of ssl.certificate.location, and its ssl.key.password where it is encrypted",
}
"""What the client wants to find in a file, which it says in OpenSSL's words only."""
PAIRS = (("ssl.certificate.location", "ssl.key.location"), ("ssl.key.location", "ssl.certificate.location"))
"""What the client leaves unused without its other half."""
NO_FILE = frozenset({"", "probe"})
"""Where the client looks for the authorities itself."""
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Red Hat
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # macOS
)
"""Where systems keep the authorities that they trust. For a token's URL the client as it is packed for Python knows
Red Hat's place only, and fails elsewhere, also with `probe`."""


def mechanism_key(kafka: Mapping[str, str]) -> str:
    """The name under which the mechanism is set, or would be."""
    return "sasl.mechanisms" if "sasl.mechanisms" in kafka else "sasl.mechanism"


def is_msk_iam(kafka: Mapping[str, str]) -> bool:
    """Tell whether the login is Amazon MSK's IAM."""
    return kafka.get(mechanism_key(kafka), "").upper() == MSK_IAM


def msk_region(kafka: Mapping[str, str], env: Mapping[str, str]) -> str | None:
    """The AWS region for which tokens are signed: the brokers' names have it, else the environment."""
    servers = kafka.get("bootstrap.servers") or kafka.get("metadata.broker.list", "")
    found = MSK_HOST.search(servers)
    return found[1] if found else next((env[name] for name in REGIONS if env.get(name)), None)


def login_config(kafka: Mapping[str, str]) -> dict[str, str]:
    """The properties as librdkafka knows them."""
    config = dict(kafka)
    if is_msk_iam(kafka):
        config[mechanism_key(kafka)] = "OAUTHBEARER"
    bundle = next((path for path in BUNDLES if Path(path).exists()), None)
    if is_oidc(kafka) and bundle and "https.ca.pem" not in kafka and kafka.get("https.ca.location", "") in NO_FILE:
        config["https.ca.location"] = bundle
    return config


def is_oidc(kafka: Mapping[str, str]) -> bool:
    """Tell whether the client itself fetches tokens from an identity provider."""
    return kafka.get("sasl.oauthbearer.method", "").lower() == "oidc"


def login_faults(kafka: Mapping[str, str], env: Mapping[str, str]) -> Iterator[Fault]:
    """Convict logins that cannot work, and files that are not there.

    Args:
        kafka: the file's `kafka:`.
        env: the environment's variables, where AWS's own tools look for the region.
    """
    yield from _files(kafka)
    yield from _idle(kafka)
    if is_msk_iam(kafka):
        yield from _msk(kafka, env)
        return
    mechanism = kafka.get(mechanism_key(kafka))
    if _protocol(kafka).startswith("sasl") and not mechanism:
        message = f"is required where security.protocol is {kafka['security.protocol']}"
        yield Fault(("kafka", "sasl.mechanism"), message, MECHANISMS)
    if mechanism == "OAUTHBEARER":
        yield from _oauthbearer(kafka)


def _protocol(kafka: Mapping[str, str]) -> str:
    return kafka.get("security.protocol", "plaintext").lower()


def _files(kafka: Mapping[str, str]) -> Iterator[Fault]:
    for name in FILES:
        value = kafka.get(name, "")
        if value not in NO_FILE and not Path(value).exists():
            yield Fault(("kafka", name), f"there is no file `{value}`", "mount it, or correct the path")
    for name, other in PAIRS:
        if name in kafka and not {other, other.replace(".location", ".pem")} & kafka.keys():
            yield Fault(("kafka", other), f"is required where {name} is set", PEM_FILES[other])


def _idle(kafka: Mapping[str, str]) -> Iterator[Fault]:
    """Warn of what the client leaves unused in silence, so that a password or records may travel in clear."""
    protocol = _protocol(kafka)
    key = mechanism_key(kafka)
    if key in kafka and protocol in {"plaintext", "ssl"} and not is_msk_iam(kafka):
        message = f"does nothing: nobody logs in where security.protocol is {protocol}"
        yield Fault(("kafka", key), message, "set security.protocol: SASL_SSL, or remove it", Level.WARNING)
    for name in kafka:
        if name.startswith("ssl.") and protocol in {"plaintext", "sasl_plaintext"}:
            message = f"does nothing: there is no TLS where security.protocol is {protocol}"
            fix = f"set security.protocol: {'SASL_SSL' if key in kafka else 'SSL'}, or remove it"
            yield Fault(("kafka", name), message, fix, Level.WARNING)


def _msk(kafka: Mapping[str, str], env: Mapping[str, str]) -> Iterator[Fault]:
    if _protocol(kafka) != "sasl_ssl":
        message = f"must be SASL_SSL where {mechanism_key(kafka)} is {MSK_IAM}"
        yield Fault(("kafka", "security.protocol"), message, "security.protocol: SASL_SSL")
    for name in kafka:
        if OTHER_LOGINS.match(name):
            message = (
                f"is of no use where {mechanism_key(kafka)} is {MSK_IAM}: the AWS credentials of this process count"
            )
            yield Fault(("kafka", name), message, "remove it")
    if msk_region(kafka, env) is None:
        fix = f"use the brokers' own names (b-1.….kafka.REGION.amazonaws.com), or set {REGIONS[0]} in the environment"
        yield Fault(("kafka", "bootstrap.servers"), f"names no AWS region, which {MSK_IAM} needs", fix)
    if find_spec(SIGNER) is None:
        message = f"{MSK_IAM} needs the package aws-msk-iam-sasl-signer-python, which is not installed"
        yield Fault(("kafka", mechanism_key(kafka)), message, "pip install 'clickstream-processor[msk]'")


def _oauthbearer(kafka: Mapping[str, str]) -> Iterator[Fault]:
    if kafka.get("sasl.oauthbearer.metadata.authentication.type", "").lower() == "aws_iam":
        path = ("kafka", "sasl.oauthbearer.metadata.authentication.type")
        yield Fault(path, "`aws_iam` is not supported here", f"for Amazon MSK: sasl.mechanism: {MSK_IAM}, without this")
    unsecured = kafka.get("enable.sasl.oauthbearer.unsecure.jwt", "false").lower() in {"true", "t", "1"}
    if not is_oidc(kafka) and not unsecured:
        message = "OAUTHBEARER has nowhere to get its tokens from"
        fix = (
            "set sasl.oauthbearer.method: oidc, sasl.oauthbearer.token.endpoint.url, sasl.oauthbearer.client.id and "
            f"sasl.oauthbearer.client.secret; for Amazon MSK: {mechanism_key(kafka)}: {MSK_IAM}"
        )
        yield Fault(("kafka", mechanism_key(kafka)), message, fix)
