"""The schema registry's client: its own keys, in the types that it wants."""

from typing import Annotated, Any, Literal

from confluent_kafka.schema_registry import SchemaRegistryClient
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, SecretStr

from processor.errors import Fault
from processor.settings.texts import HttpUrl
from processor.settings.values import Frozen, invalid


def _user_info(secret: SecretStr) -> SecretStr:
    if ":" not in secret.get_secret_value():
        raise invalid("must be the user, a colon and the password", "write user:password")
    return secret


def read_authorities(value: object) -> object:
    """Read `false`, with which the client checks no certificate."""
    return False if value == "false" else value


Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(gt=0)]


class RegistrySettings(Frozen):
    """The keys of the registry's client, `SchemaRegistryClient`; where one is absent, the client's default holds.

    In Python their names have `_` for `.`.

    Attributes:
        url: of any registry that speaks Confluent's API.
        ssl_ca_location: PEM file of the authorities that are trusted; `false` checks no certificate.
        ssl_certificate_location: PEM file of the client's certificate.
        ssl_key_location: PEM file of its key.
        ssl_key_password: of that key.
        basic_auth_user_info: user, colon, password.
        bearer_auth_credentials_source: where bearer tokens come from.
        bearer_auth_token: the token, for `STATIC_TOKEN`.
        bearer_auth_logical_cluster: Confluent Cloud's id of the registry, `lsrc-…`.
        bearer_auth_identity_pool_id: Confluent Cloud's id of the pool, `pool-…`.
        bearer_auth_client_id: for `OAUTHBEARER`, as the three below it.
        bearer_auth_client_secret: of that client.
        bearer_auth_scope: what the token is asked for.
        bearer_auth_issuer_endpoint_url: where tokens are asked for.
        bearer_auth_issuer_endpoint_query: query of Azure's token service, for `OAUTHBEARER_AZURE_IMDS`.
        proxy: through which the registry is reached.
        timeout: seconds for one request.
        cache_capacity: schemas that the client remembers.
        cache_latest_ttl_sec: seconds that it remembers a subject's latest version.
        max_retries: of one request.
        retries_wait_ms: milliseconds before the first retry.
        retries_max_wait_ms: milliseconds before any retry, at most.
    """

    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "."))

    url: HttpUrl = Field(examples=["http://registry:8081"])
    ssl_ca_location: Annotated[str | Literal[False], BeforeValidator(read_authorities)] | None = None
    ssl_certificate_location: str | None = None
    ssl_key_location: str | None = None
    ssl_key_password: SecretStr | None = None
    basic_auth_user_info: Annotated[SecretStr, AfterValidator(_user_info)] | None = None
    bearer_auth_credentials_source: Literal["OAUTHBEARER", "OAUTHBEARER_AZURE_IMDS", "STATIC_TOKEN"] | None = None
    bearer_auth_token: SecretStr | None = None
    bearer_auth_logical_cluster: str | None = None
    bearer_auth_identity_pool_id: str | None = None
    bearer_auth_client_id: str | None = None
    bearer_auth_client_secret: SecretStr | None = None
    bearer_auth_scope: str | None = None
    bearer_auth_issuer_endpoint_url: str | None = None
    bearer_auth_issuer_endpoint_query: str | None = None
    proxy: str | None = Field(default=None, repr=False)
    timeout: Seconds | None = None
    cache_capacity: Count | None = None
    cache_latest_ttl_sec: Seconds | None = None
    max_retries: Count | None = None
    retries_wait_ms: Count | None = None
    retries_max_wait_ms: Count | None = None

    def client_config(self) -> dict[str, Any]:
        """Give what `SchemaRegistryClient` takes, secrets in clear."""
        given = self.model_dump(by_alias=True, exclude_none=True)
        return {
            key: value.get_secret_value() if isinstance(value, SecretStr) else value for key, value in given.items()
        }


def check_registry(registry: RegistrySettings) -> list[Fault]:
    """Say what the client itself refuses: missing files, half of a pair of keys. Connects to nothing."""
    try:
        with SchemaRegistryClient(registry.client_config()):
            return []
    except (OSError, ValueError, TypeError) as error:
        return [Fault(("registry",), f"the registry's client refuses this: {error}")]
