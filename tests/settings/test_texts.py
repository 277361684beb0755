from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError

from processor.settings.texts import (
    DestinationName,
    EventNames,
    ExpressionText,
    GroupPrefix,
    HttpUrl,
    IdempotencyHeader,
    ProxyUrl,
    RouteName,
    Secret,
    StartFrom,
    Targets,
    TopicName,
    Topics,
    UserAgent,
)


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        (HttpUrl, "https://acme.example/v1/", "https://acme.example/v1"),
        (HttpUrl, "http://[::1]:8081", "http://[::1]:8081"),
        (Topics, ["a.b-c_D", "^shop\\..*"], ("a.b-c_D", "^shop\\..*")),
        (Topics, "shop", ("shop",)),
        (EventNames, "com.acme.Viewed", ("com.acme.Viewed",)),
        (EventNames, ["Viewed", "_a.B"], ("Viewed", "_a.B")),
        (Targets, "voyado-2.product_view", ("voyado-2.product_view",)),
        (Targets, ["a.b", "c.b"], ("a.b", "c.b")),
        (UserAgent, "Acme/1.0", "Acme/1.0"),
        (UserAgent, "Acme/1.0 (shop; +https://a.b)", "Acme/1.0 (shop; +https://a.b)"),
        (StartFrom, "earliest", "earliest"),
        (StartFrom, "latest", "latest"),
        (StartFrom, "2026-11-22T00:00:00Z", datetime(2026, 11, 22, tzinfo=UTC)),
        (StartFrom, "2026-11-22 01:00+01:00", datetime(2026, 11, 22, tzinfo=UTC)),
        (ExpressionText, "a.b", "a.b"),
        (ExpressionText, "`true`", "`true`"),
        (DestinationName, "rocket-2_b", "rocket-2_b"),
        (RouteName, "Views.to_voyado-1", "Views.to_voyado-1"),
        (GroupPrefix, "team.click-stream_1", "team.click-stream_1"),
        (TopicName, "a.dlq", "a.dlq"),
    ],
)
def test_texts_that_are_right(kind: Any, written: object, value: object) -> None:
    """Each of these is accepted and gives this value."""
    assert TypeAdapter(kind).validate_python(written) == value


@pytest.mark.parametrize(
    ("kind", "written", "message"),
    [
        (HttpUrl, "acme.example", "is not an http or https address"),
        (HttpUrl, "ftp://acme.example", "is not an http or https address"),
        (HttpUrl, "https://", "is not an http or https address"),
        (HttpUrl, "https://a:port", "is not an http or https address"),
        (HttpUrl, "https://a b", "is not an http or https address"),
        (HttpUrl, "https://[a", "is not an http or https address"),
        (HttpUrl, "https://a..b", "is not an http or https address"),
        (HttpUrl, f"https://{'a' * 64}.example", "is not an http or https address"),
        (HttpUrl, "https://user:secret@a", "may not have a user"),
        (HttpUrl, "https://a/?apiKey=b", "may not have a user, a query"),
        (Topics, "shop.*", "is not a topic's name"),
        (Topics, "a" * 250, "is not a topic's name"),
        (Topics, "..", "is not a topic's name"),
        (Topics, "^shop(", "is not a regular expression: missing"),
        (Topics, ["a", "b", "a"], "names twice: a"),
        (Topics, [], "at least 1 item"),
        (EventNames, "com.acme-shop.Viewed", "is not the full name of an Avro record"),
        (EventNames, "com..Viewed", "is not the full name of an Avro record"),
        (Targets, "voyado", "is not a destination and its method"),
        (Targets, "voyado.a.b", "is not a destination and its method"),
        (Targets, ["a.b", "a.b"], "names twice: a.b"),
        (Targets, ["a.b", "c.b", "a.c"], "calls two methods of a"),
        (UserAgent, "Acme", "does not name a product and its version"),
        (UserAgent, "Acme/1.0\nX: y", "does not name a product and its version"),
        (StartFrom, "yesterday", "is no place to start from"),
        (StartFrom, None, "is no place to start from"),
        (StartFrom, "2026-11-22T00:00:00", "has no zone"),
        (ExpressionText, " ", "must not be empty"),
        (ExpressionText, "true", "names a field called true"),
        (DestinationName, "Voyado", "is not a destination's name"),
        (RouteName, "a:b", "is not a route's name"),
        (GroupPrefix, "a b", "cannot begin the names"),
        (TopicName, "^a", "must be the name of one topic"),
    ],
)
def test_texts_that_are_wrong(kind: Any, written: object, message: str) -> None:
    """Each of these is refused in these words."""
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(kind).validate_python(written)


@pytest.mark.parametrize("written", ["", "hun ter", "hunter\n", "hunteré"])
def test_secrets_that_cannot_be_sent(written: str) -> None:
    """A broken secret is refused without a word of its value."""
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Secret).validate_python(SecretStr(written))
    assert "copy the key again" in str(caught.value.errors())
    assert "hunter" not in str(caught.value.errors()[0]["msg"])


@pytest.mark.parametrize(
    "url", ["http://proxy", "https://proxy:3128", "http://user:pass%40word@proxy:3128", "http://[::1]:80/"]
)
def test_proxies(url: str) -> None:
    """A proxy may want a user and a password, and is kept as it is written."""
    assert TypeAdapter(ProxyUrl).validate_python(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "proxy:3128",
        "socks5://proxy",
        "http://",
        "http://a:b",
        "http://proxy/path",
        "http://proxy?a=b",
        "http://a b",
        "http://a..b",
    ],
)
def test_what_is_no_proxy(url: str) -> None:
    """The words never have the address, for it may hold a password."""
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(ProxyUrl).validate_python(url)
    (error,) = caught.value.errors(include_input=False)
    assert error["msg"] == "is not a proxy's address"


@pytest.mark.parametrize("header", ["Authorization", "content-type", "HOST", "User-agent", "a b", ""])
def test_headers_that_are_not_free(header: str) -> None:
    """An idempotency header may not replace what a request has already; other names begin as they like."""
    with pytest.raises(ValidationError):
        TypeAdapter(IdempotencyHeader).validate_python(header)
    assert TypeAdapter(IdempotencyHeader).validate_python("Host-Request-Id") == "Host-Request-Id"
