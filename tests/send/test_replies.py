from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.records import ErrorClass, Failure, Stage
from processor.send.replies import (
    MAX_RETRY_AFTER,
    Answered,
    NotSent,
    Reply,
    ReplyClass,
    ReplyTable,
    Rule,
    Shadowed,
    Unknown,
    classify,
    describe,
    failure_of,
    may_have_happened,
    parse_retry_after,
)

NOW = datetime(2026, 11, 22, 10, 31, 7, tzinfo=UTC)

CLASSES = {
    ReplyClass.ACCEPTED: (200, 201, 202, 204, 207, 299),
    ReplyClass.THROTTLED: (429,),
    ReplyClass.CREDENTIAL: (401,),
    ReplyClass.FORBIDDEN: (403,),
    ReplyClass.MISCONFIGURED: (300, 301, 302, 303, 304, 307, 308, 404, 405, 407, 415),
    ReplyClass.INVALID: (400, 402, 406, 409, 410, 411, 412, 413, 414, 416, 417, 418, 421, 422, 431, 451, 499),
    ReplyClass.TRANSIENT: (100, 101, 408, 425, 500, 501, 502, 503, 504, 520, 599, 600, 999),
}


def now() -> datetime:
    """The time of these tests."""
    return NOW


@pytest.mark.parametrize(
    ("status", "expected"), [(status, expected) for expected, statuses in CLASSES.items() for status in statuses]
)
def test_every_status_has_its_class(status: int, expected: ReplyClass) -> None:
    """The table of the vendors' documented meanings, status by status."""
    assert classify(Answered(status, "")) is expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Answered(503, "", retry_after=10.0), ReplyClass.THROTTLED),
        (Answered(503, "", retry_after=0.0), ReplyClass.THROTTLED),
        (Answered(500, "", retry_after=10.0), ReplyClass.TRANSIENT),
        (Answered(200, "", retry_after=10.0), ReplyClass.ACCEPTED),
        (Answered(400, "", retry_after=10.0), ReplyClass.INVALID),
        (NotSent("refused"), ReplyClass.TRANSIENT),
        (Unknown("no answer in time"), ReplyClass.TRANSIENT),
        (Shadowed(), ReplyClass.SHADOWED),
    ],
)
def test_other_facts_have_their_class(reply: Reply, expected: ReplyClass) -> None:
    """A 503 that names a time means too fast; what is no answer at all is the way's trouble."""
    assert classify(reply) is expected


def test_a_reply_in_words() -> None:
    """People read the status, or the reason why there is none; never the body, which may hold personal data."""
    assert describe(Answered(400, "anna@example.com is no id")) == "status 400"
    assert describe(NotSent("ClientConnectorError: Connection refused")) == "ClientConnectorError: Connection refused"
    assert describe(Unknown("no answer in time")) == "no answer in time"
    assert describe(Shadowed()) == "not sent: mode shadow"


def test_without_rules_the_common_table_holds() -> None:
    """Whatever comes back."""
    table = ReplyTable([])
    answers: list[Reply] = [Answered(status, "") for status in range(100, 1000)]
    replies = [*answers, NotSent("a"), Unknown("b"), Shadowed()]

    assert [table.classify(reply) for reply in replies] == [classify(reply) for reply in replies]
    assert table.texts == {}


def test_a_rule_goes_before_the_common_table() -> None:
    """For its own status and no other."""
    table = ReplyTable([Rule(409, None, ReplyClass.ACCEPTED), Rule(403, None, ReplyClass.CREDENTIAL)])

    assert table.classify(Answered(409, "exists")) is ReplyClass.ACCEPTED
    assert table.classify(Answered(403, "")) is ReplyClass.CREDENTIAL
    assert table.classify(Answered(410, "exists")) is ReplyClass.INVALID
    assert table.classify(NotSent("409")) is ReplyClass.TRANSIENT


def test_a_rule_goes_before_retry_after() -> None:
    """Who writes a rule for 503 means all of them."""
    table = ReplyTable([Rule(503, None, ReplyClass.TRANSIENT)])

    assert table.classify(Answered(503, "", retry_after=5.0)) is ReplyClass.TRANSIENT


def test_the_first_rule_that_fits_holds() -> None:
    """Rules with a text come before the one for the rest of their status."""
    table = ReplyTable(
        [
            Rule(400, "exists", ReplyClass.ACCEPTED),
            Rule(500, "exists", ReplyClass.INVALID),
            Rule(400, "busy", ReplyClass.THROTTLED),
            Rule(400, None, ReplyClass.TRANSIENT),
        ]
    )
    both, busy, none = frozenset({"busy", "exists"}), frozenset({"busy"}), frozenset[str]()

    found = [table.classify(Answered(400, "", mentions=mentions)) for mentions in (both, busy, none)]

    assert found == [ReplyClass.ACCEPTED, ReplyClass.THROTTLED, ReplyClass.TRANSIENT]
    assert table.classify(Answered(500, "busy", mentions=none)) is ReplyClass.TRANSIENT


def test_what_to_look_for_in_bodies() -> None:
    """The texts of each status; a status whose rules have none is there too, so that its words are kept for people."""
    table = ReplyTable(
        [
            Rule(400, "exists", ReplyClass.ACCEPTED),
            Rule(400, "busy", ReplyClass.THROTTLED),
            Rule(200, None, ReplyClass.INVALID),
        ]
    )

    assert table.texts == {400: {"exists", "busy"}, 200: frozenset()}


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Unknown("no answer in time"), True),
        (NotSent("refused"), False),
        *((Answered(status, ""), True) for status in (500, 502, 503, 504, 599)),
        *((Answered(status, ""), False) for status in (301, 307, 400, 401, 403, 404, 408, 409, 422, 425, 429)),
        (Answered(503, "", retry_after=1.0), False),
    ],
)
def test_what_may_have_happened(reply: Reply, *, expected: bool) -> None:
    """After a time-out, a reset or a 5xx a shopper may have been reached; after all else nothing was done."""
    assert may_have_happened(reply, classify(reply)) is expected


@pytest.mark.parametrize(
    ("status", "says", "expected"),
    [
        (500, ReplyClass.INVALID, False),
        (500, ReplyClass.THROTTLED, False),
        (409, ReplyClass.TRANSIENT, False),
        (200, ReplyClass.TRANSIENT, True),
        (200, ReplyClass.INVALID, False),
    ],
)
def test_a_rule_says_what_may_have_happened(status: int, says: ReplyClass, *, expected: bool) -> None:
    """A refusal is one whatever its status; the vendor's trouble leaves open what was done, unless it is a 4xx."""
    assert may_have_happened(Answered(status, ""), says) is expected


INVALID, REFUSED, EXHAUSTED, UNKNOWN = (
    ErrorClass.INVALID,
    ErrorClass.REFUSED,
    ErrorClass.EXHAUSTED,
    ErrorClass.UNKNOWN_OUTCOME,
)


@pytest.mark.parametrize(
    ("failure", "error_class", "message"),
    [
        (failure_of(Answered(422, "no"), INVALID), INVALID, "the vendor refused it: status 422"),
        (
            failure_of(Answered(403, "no"), REFUSED),
            REFUSED,
            "the vendor refused it, and accepted others meanwhile: status 403",
        ),
        (
            failure_of(Answered(400, "no"), REFUSED, compared=False),
            REFUSED,
            "the vendor refused it for all of retry.stalemate, and accepted nothing to compare it with: status 400",
        ),
        (
            failure_of(Answered(500, "no"), EXHAUSTED),
            EXHAUSTED,
            "the vendor failed at it, and accepted others meanwhile: status 500",
        ),
        (
            failure_of(Answered(502, "no"), UNKNOWN),
            UNKNOWN,
            "the vendor may have done it, so it is not sent again: status 502",
        ),
        (
            failure_of(Answered(200, "no"), INVALID),
            INVALID,
            "the vendor refused it: status 200, which the file's `replies` call a refusal",
        ),
    ],
)
def test_the_failure_of_what_is_given_up(failure: Failure, error_class: ErrorClass, message: str) -> None:
    """The dead letter tells why, the status, and what the vendor said."""
    assert (failure.stage, failure.error_class, failure.message) == (Stage.SEND, error_class, message)
    assert failure.status == int(message.partition("status ")[2][:3])
    assert failure.response == "no"


def test_the_failure_without_an_answer() -> None:
    """There is no status then, only the reason."""
    failure = failure_of(Unknown("no answer in time"), EXHAUSTED)

    assert failure.message == "the vendor failed at it, and accepted others meanwhile: no answer in time"
    assert (failure.status, failure.response) == (None, None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("1", 1.0),
        ("120", 120.0),
        ("007", 7.0),
        ("3600", 3600.0),
        ("3601", MAX_RETRY_AFTER),
        ("9" * 5000, MAX_RETRY_AFTER),
        ("Sun, 22 Nov 2026 10:31:37 GMT", 30.0),
        ("Sun, 22 Nov 2026 11:31:37 +0100", 30.0),
        ("Sun, 22 Nov 2026 10:31:07 GMT", 0.0),
        ("Sun, 22 Nov 2026 10:31:06 GMT", 0.0),
        ("Mon, 01 Jan 1990 00:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2026 10:31:07 GMT", MAX_RETRY_AFTER),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_RETRY_AFTER),
        ("", None),
        (" ", None),
        ("-1", None),
        ("-0", None),
        ("+1", None),
        ("1.5", None),
        ("1e3", None),
        ("0x10", None),
        ("1_000", None),
        ("10, 20", None),
        ("inf", None),
        ("nan", None),
        ("²", None),
        ("٣", None),
        ("10 s", None),
        ("soon", None),
        ("Sun, 22 Nov 2026", None),
        ("Sun, 22 Nov 2026 10:31:37", None),
        ("Sun, 22 Nov 2026 10:31:37 -0000", None),
        ("Sun, 22 Nov 2026 25:31:37 GMT", None),
        ("Sun, 22 Nov 99999999999999999999 10:31:37 GMT", None),
        ("Sun, 99999999999999999999 Nov 2026 10:31:37 GMT", None),
        ("Sun, 22 Nov 2026 10:31:37 +99999999999", None),
        ("Sun, 22 Nov 2026 10:31:37 CET", None),
        ("Sun, 22 Nov 2026 10:31:37 +2500", None),
        ("2026-11-22T10:31:37Z", None),
        ("1800000000000", MAX_RETRY_AFTER),
    ],
)
def test_both_forms_of_retry_after(text: str | None, seconds: float | None) -> None:
    """Seconds and dates are understood up to an hour; a date that is over asks for nothing, nonsense is not heard."""
    assert parse_retry_after(text, now) == seconds


@settings(deadline=None)
@given(st.integers(-100_000, 100_000))
def test_a_date_is_as_good_as_seconds(seconds: int) -> None:
    """Whichever form the vendor takes, the wait is the same."""
    text = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)

    assert parse_retry_after(text, now) == min(max(seconds, 0), MAX_RETRY_AFTER)


WORDS = st.sampled_from(["Sun,", "22", "Nov", "2026", "10:31:37", "GMT", "+0000", "9" * 25, ":", "-", ",", "am", "("])


@settings(deadline=None)
@given(st.one_of(st.text(), st.lists(WORDS, max_size=8).map(" ".join)))
def test_no_header_can_do_harm(text: str) -> None:
    """Whatever a vendor writes there, the answer is a bearable wait or none."""
    seconds = parse_retry_after(text, now)

    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER
