"""Texts with a form: names, topics, addresses, expressions, as types that the models use."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, SecretStr

from processor.settings.values import invalid

HEADER_WORD = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
"""A word of an HTTP header (RFC 9110, 5.6.2)."""

_TAKEN = "authorization connection content-length content-type host proxy-authorization transfer-encoding user-agent"
RESERVED = [re.sub("[a-z]", lambda found: f"[{found[0].upper()}{found[0]}]", header) for header in _TAKEN.split()]
"""Headers that are not free, as patterns that match any case; JSON schema has no flag for it."""

MAX_TOPIC_NAME = 249
"""Characters; Kafka's own limit (`org.apache.kafka.common.internals.Topic`)."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Checks that a text matches as a whole.

    Attributes:
        pattern: a regular expression in the grammar that Python and JSON schema share.
        message: what is wrong otherwise, as a predicate.
    """

    pattern: str
    message: str
    fix: str

    def __call__(self, text: str) -> str:
        """Give the text back.

        Raises:
            PydanticCustomError: it does not match.
        """
        if re.fullmatch(self.pattern, text) is None:
            raise invalid(self.message, self.fix)
        return text


def matching(pattern: str, message: str, fix: str) -> AfterValidator:
    """Make a validator for a text that a pattern must match as a whole."""
    return AfterValidator(Pattern(pattern, message, fix))


def check_topic(name: str) -> str:
    """Check a topic's name, or the regular expression of topics where it starts with `^`.

    Raises:
        PydanticCustomError: no topic can be called so, or it is no regular expression.
    """
    if name.startswith("^"):
        try:
            re.compile(name)
        except re.error as error:
            raise invalid(f"is not a regular expression: {error}", "mend it, or drop the ^ for a plain name") from None
    elif re.fullmatch(r"[A-Za-z0-9._-]+", name) is None or len(name) > MAX_TOPIC_NAME or name in {".", ".."}:
        fix = f"up to {MAX_TOPIC_NAME} letters, digits, `.`, `_`, `-`; a regular expression starts with ^"
        raise invalid("is not a topic's name", fix)
    return name


def check_url(url: str) -> str:
    """Check an http or https address without user, query or fragment; a last slash is dropped.

    Raises:
        PydanticCustomError: it is none.
    """
    try:
        parts = urlsplit(url)
        (parts.hostname or "").encode("idna")
        valid = parts.scheme in {"http", "https"} and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid or not url.isprintable() or " " in url:
        raise invalid("is not an http or https address", "for example https://example.com")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise invalid("may not have a user, a query or a fragment", "remove it: an address is shown in logs")
    return url.rstrip("/")


def check_proxy(url: str) -> str:
    """Check a proxy's address: scheme, host, and where they are wanted user, password and port.

    Raises:
        PydanticCustomError: it is none; the words do not have it, for it may hold a password.
    """
    try:
        parts = urlsplit(url)
        (parts.hostname or "").encode("idna")
        valid = parts.scheme in {"http", "https"} and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid or not url.isprintable() or " " in url or parts.path.strip("/") or parts.query or parts.fragment:
        raise invalid("is not a proxy's address", "http://proxy:3128, or http://user:password@proxy:3128")
    return url


def check_unique(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Check that a list names nothing twice.

    Raises:
        PydanticCustomError: it does.
    """
    if twice := sorted({text for text in texts if texts.count(text) > 1}):
        raise invalid(f"names twice: {', '.join(twice)}", "remove one of the two")
    return texts


def check_targets(targets: tuple[str, ...]) -> tuple[str, ...]:
    """Check that a route calls one method of each destination: a delivery's id holds the route, not the method.

    Raises:
        PydanticCustomError: it calls two of one destination.
    """
    destinations = [target.partition(".")[0] for target in targets]
    if twice := sorted({name for name in destinations if destinations.count(name) > 1}):
        raise invalid(f"calls two methods of {', '.join(twice)}", "write a route for each of them")
    return targets


def check_expression(text: str) -> str:
    """Check what would be an expression by mistake only; the expression itself is compiled later.

    Raises:
        PydanticCustomError: it is empty, or a bare `true` or `false`, which would name a field called so.
    """
    if not text.strip():
        raise invalid("must not be empty", "write an expression, or remove the key")
    if text.lower() in {"true", "false"}:
        fix = f"between backticks it is the constant: '`{text.lower()}`'; without any condition, remove the key"
        raise invalid(f"names a field called {text}", fix)
    return text


def check_secret(secret: SecretStr) -> SecretStr:
    """Check that a secret can be sent in a header or an address; says nothing of its value.

    Raises:
        PydanticCustomError: it cannot.
    """
    value = secret.get_secret_value()
    if not value or re.search(r"[^!-~]", value):
        raise invalid("is empty, or has a blank, a line break or a letter beyond ASCII in it", "copy the key again")
    return secret


def parse_start(value: object) -> Literal["earliest", "latest"] | datetime:
    """Read where a new group begins: `earliest`, `latest`, or a time with its zone.

    Raises:
        PydanticCustomError: it is none of them.
    """
    if value == "earliest":
        return "earliest"
    if value == "latest":
        return "latest"
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise invalid("is no place to start from", "earliest, latest, or a time: 2026-11-22T00:00:00Z") from None
    if time.tzinfo is None:
        raise invalid("has no zone", "write it with a Z for UTC, or with an offset like +01:00: 2026-11-22T00:00:00Z")
    return time


def one_or_many(value: object) -> object:
    """Take a text for a list of it alone.

    Raises:
        PydanticCustomError: it is a mapping.
    """
    if isinstance(value, Mapping):
        raise invalid("must be a text or a list of texts", "one text, or several in brackets: [a, b]")
    return (value,) if isinstance(value, str) else value


Secret = Annotated[SecretStr, AfterValidator(check_secret)]
ProxyUrl = Annotated[str, AfterValidator(check_proxy)]
HttpUrl = Annotated[str, AfterValidator(check_url)]
StartFrom = Annotated[Literal["earliest", "latest"] | datetime, PlainValidator(parse_start)]
ExpressionText = Annotated[str, AfterValidator(check_expression)]
TopicName = Annotated[
    str,
    AfterValidator(check_topic),
    matching(r"[^^].*", "must be the name of one topic", "a regular expression cannot be written to"),
]
TopicOfFormat = Annotated[
    str,
    AfterValidator(check_topic),
    matching(r"[^^].*", "must be the name of one topic", "a format is not for a regular expression: name each topic"),
]
SchemaPaths = Annotated[
    tuple[Annotated[str, matching(r"[\s\S]+", "must not be empty", "name a file or a folder")], ...],
    BeforeValidator(one_or_many),
    AfterValidator(check_unique),
]
Topics = Annotated[
    tuple[Annotated[str, AfterValidator(check_topic)], ...],
    BeforeValidator(one_or_many),
    AfterValidator(check_unique),
    Field(min_length=1),
]
EventName = Annotated[
    str,
    matching(
        r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*",
        "is not the full name of an Avro record",
        "namespace and name: com.acme.shop.ProductViewed",
    ),
]
EventNames = Annotated[
    tuple[EventName, ...], BeforeValidator(one_or_many), AfterValidator(check_unique), Field(min_length=1)
]
Target = Annotated[
    str,
    matching(
        r"[a-z][a-z0-9_-]*\.[a-z][a-z0-9_]*",
        "is not a destination and its method",
        "destination.method: voyado.product_view",
    ),
]
Targets = Annotated[
    tuple[Target, ...],
    BeforeValidator(one_or_many),
    AfterValidator(check_unique),
    AfterValidator(check_targets),
    Field(min_length=1),
]
DestinationName = Annotated[
    str,
    matching(
        r"[a-z][a-z0-9_-]*",
        "is not a destination's name",
        "a small letter, then small letters, digits, _ or -",
    ),
]
RouteName = Annotated[
    str, matching(r"[A-Za-z0-9][A-Za-z0-9_.-]*", "is not a route's name", "letters, digits, `.`, `_` and `-`")
]
GroupPrefix = Annotated[
    str,
    matching(
        r"[A-Za-z0-9._-]{1,150}",
        "cannot begin the names of groups and dead-letter topics",
        "letters, digits, `.`, `_` and `-`",
    ),
]
UserAgent = Annotated[
    str,
    matching(
        rf"{HEADER_WORD}/{HEADER_WORD}( [!-~]+)*",
        "does not name a product and its version",
        "AcmeClickstream/1.0",
    ),
]
Name = Annotated[str, matching(r"[A-Za-z_][A-Za-z0-9_]*", "is not a name", "a letter or _, then letters, digits and _")]
LetName = Annotated[Name, matching(r"(?!item$).+", "is the name of what `for_each` gives", "choose another name")]
HeaderName = Annotated[str, matching(HEADER_WORD, "is not the name of an HTTP header", "for example Idempotency-Key")]
IdempotencyHeader = Annotated[
    HeaderName,
    matching(
        rf"(?!({'|'.join(RESERVED)})$).+",
        "is a header that requests have already",
        "for example Idempotency-Key",
    ),
]
ReplyText = Annotated[
    str, matching(r"[\s\S]+", "must not be empty", "a piece of the reply, or remove the key for any body")
]
FilePath = Annotated[str, matching(r"[\s\S]+", "must not be empty", "name a file")]
