from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator, AliasChoices, Field, ValidationError

from processor.errors import Fault
from processor.settings.texts import EventNames, Secret, matching
from processor.settings.values import Duration, Frozen
from processor.settings.wording import did_you_mean, is_secret, nearest, translate
from processor.settings.yaml import Bare, Node


def refuse(text: str) -> str:
    """Refuse a text as a vendor's own check might."""
    if text == "bad":
        raise ValueError("is bad for a reason")
    return text


class Inner(Frozen):
    size: int = Field(default=1, ge=1, le=9)
    kind: Literal["one", "two"] = "one"


class Outer(Frozen):
    name: str = Field(examples=["shop"])
    key: Secret | None = None
    wait: Duration = 1.0
    inner: Inner | None = None
    many: dict[str, Inner] = Field(default={})
    events: EventNames | None = Field(default=None, validation_alias=AliasChoices("event", "events"))
    named: dict[Annotated[str, matching("[a-z]+", "is not small", "write b")], str] = Field(default={})
    items: tuple[int, ...] = Field(default=(), max_length=2)
    share: float = 1.0
    own: Annotated[str, AfterValidator(refuse)] = ""


def node(value: object) -> Node:
    """Make the tree that a file with this value would give."""
    match value:
        case dict():
            return Node({str(key): node(item) for key, item in value.items()}, "a.yaml", 1)
        case list():
            return Node(tuple(node(item) for item in value), "a.yaml", 1)
        case None:
            return Node(None, "a.yaml", 1)
        case _:
            return Node(str(value), "a.yaml", 1, isinstance(value, Bare))


def faults_of(value: dict[str, object]) -> list[Fault]:
    """Validate a value and translate what is wrong with it."""
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(value)
    written = node({"outer": value})
    return [translate(error, Outer, ("outer",), written) for error in caught.value.errors()]


@pytest.mark.parametrize(
    ("value", "where", "message", "fix"),
    [
        ({}, "outer.name", "is required", "for example `name: shop`"),
        ({"name": None}, "outer.name", "has no value", "give it one, or remove the key"),
        ({"name": ["a"]}, "outer.name", "must be text", "for example `name: shop`"),
        ({"name": "a", "own": ["a"]}, "outer.own", "must be text", "quotes"),
        ({"name": "a", "nam": "b"}, "outer.nam", "is not a known key", "did you mean `name`?"),
        (
            {"name": "a", "zzz": "b"},
            "outer.zzz",
            "is not a known key",
            "one of: event, events, inner, items, key, many",
        ),
        (
            {"name": "a", "event": "a", "events": "b"},
            "outer.events",
            "another name of a key that is set too",
            "keep one",
        ),
        ({"name": "a", "event": "a-b"}, "outer.event", "`a-b` is not the full name", "com.acme"),
        ({"name": "a", "event": ["a", "b-c"]}, "outer.event.1", "`b-c` is not the full name", "com.acme"),
        ({"name": "a", "wait": "5"}, "outer.wait", "`5` is not a duration", "10s"),
        ({"name": "a", "wait": "0s"}, "outer.wait", "`0s` must be more than 0", ""),
        ({"name": "a", "inner": "x"}, "outer.inner", "`x` must be a mapping", "key: value"),
        ({"name": "a", "inner": {"size": "0"}}, "outer.inner.size", "`0` must be at least 1", ""),
        ({"name": "a", "inner": {"size": "10"}}, "outer.inner.size", "`10` must be at most 9", ""),
        ({"name": "a", "inner": {"size": "x"}}, "outer.inner.size", "`x` is not a whole number", ""),
        ({"name": "a", "inner": {"kind": "x"}}, "outer.inner.kind", "`x` is not allowed", "one of: one, two"),
        ({"name": "a", "inner": {"kind": "tow"}}, "outer.inner.kind", "`tow` is not allowed", "did you mean `two`?"),
        ({"name": "a", "inner": {"siz": "1"}}, "outer.inner.siz", "is not a known key", "did you mean `size`?"),
        ({"name": "a", "many": {"b": {"sz": "1"}}}, "outer.many.b.sz", "is not a known key", "`size`"),
        ({"name": "a", "size": "1"}, "outer.size", "is not a known key", "it belongs below `inner`"),
        ({"name": "a", "named": {"B": "c"}}, "outer.named.B", "`B` is not small", "write b"),
        ({"name": "a", "many": ["b"]}, "outer.many", "must be a mapping", ""),
        ({"name": "a", "items": "5"}, "outer.items", "`5` must be a list", ""),
        ({"name": "a", "items": ["1", "2", "3"]}, "outer.items", "Tuple should have at most 2 items", ""),
        ({"name": "a", "share": "x"}, "outer.share", "`x` is not a number", ""),
        ({"name": "a", "own": "bad"}, "outer.own", "`bad` is bad for a reason", ""),
    ],
)
def test_errors_in_words(value: dict[str, object], where: str, message: str, fix: str) -> None:
    """Each of pydantic's errors becomes what, where and how to mend it."""
    faults = faults_of(value)
    assert [fault.where for fault in faults] == [where]
    assert message in faults[0].message
    assert fix in faults[0].fix


def test_secrets_are_not_shown() -> None:
    """A value under a secret's name is never in a message."""

    class WithKey(Frozen):
        api_key: Secret

    with pytest.raises(ValidationError) as caught:
        WithKey.model_validate({"api_key": "hunter 2"})
    fault = translate(caught.value.errors()[0], WithKey, (), node({"api_key": "hunter 2"}))
    assert "hunter" not in str(fault)
    assert fault.message.startswith("is empty, or has a blank")


def test_what_is_shown_is_what_was_written() -> None:
    """Where a variable stood, the message shows the variable."""
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"name": "a", "wait": "hunter2"})
    fault = translate(caught.value.errors()[0], Outer, (), node({"wait": "${WAIT}"}))
    assert fault.message == "`${WAIT}` is not a duration"


@pytest.mark.parametrize(
    "name",
    [
        "api_key",
        "sasl.password",
        "ssl.key.password",
        "ssl.key.pem",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.assertion.private.key.passphrase",
        "basic.auth.user.info",
        "bearer.auth.token",
        "sasl.jaas.config",
        "sasl.oauthbearer.config",
        "proxy",
    ],
)
def test_secrets_have_names(name: str) -> None:
    """Each key that holds a secret is known by its name."""
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", ["partner_id", "key_header", "ssl.key.location", "sasl.oauthbearer.token.endpoint.url"]
)
def test_other_keys_are_no_secrets(name: str) -> None:
    """What helps to find a fault may be shown."""
    assert not is_secret(name)


def test_suggestions() -> None:
    """The nearest name is suggested; where none is near, all are listed in order."""
    assert nearest("start_form", ["start_from", "topics"]) == "start_from"
    assert nearest("xyz", ["start_from", "topics"]) is None
    assert did_you_mean("topic", ["start_from", "topics"]) == "did you mean `topics`?"
    assert did_you_mean("xyz", ["topics", "start_from"]) == "one of: start_from, topics"
