from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.records import ErrorClass, Stage
from processor.send.replies import (
    MAX_RETRY_AFTER,
    Answered,
    NotSent,
    Reply,
    ReplyClass,
    Shadowed,
    Unknown,
    Verdict,
    classify,
    describe,
    failure_of,
    judge,
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


@pytest.mark.parametrize("deliveries", [1, 2, 500])
def test_what_may_pass_is_waited_out(deliveries: int) -> None:
    """401, 403, 404, 408, 429 and all the others bury nothing, alone or in a batch."""
    others = {*range(100, 200), *range(300, 600)} - {400, 409, 410, 413, 422}

    assert {judge(Answered(status, ""), deliveries) for status in others} == {Verdict.WAIT}


@pytest.mark.parametrize("status", [400, 409, 410, 413, 422])
def test_a_refused_payload_is_buried_when_it_was_alone(status: int) -> None:
    """A batch is taken apart first, because only one of it may be at fault."""
    assert judge(Answered(status, ""), 1) is Verdict.BURY
    assert judge(Answered(status, ""), 2) is Verdict.SINGLE
    assert judge(Answered(status, ""), 500) is Verdict.SINGLE


@pytest.mark.parametrize("reply", [NotSent("refused"), Unknown("no answer in time")])
def test_no_answer_is_waited_out(reply: Reply) -> None:
    """The network's trouble is never the payload's."""
    assert judge(reply, 1) is judge(reply, 2) is Verdict.WAIT


@pytest.mark.parametrize("deliveries", [1, 2, 500])
def test_every_2xx_is_accepted(deliveries: int) -> None:
    """The vendors promise 200 only in their documents, and another one may come."""
    assert {judge(Answered(status, ""), deliveries) for status in range(200, 300)} == {Verdict.ACCEPTED}


def test_a_reply_in_words() -> None:
    """People read the status, or the reason why there is none; never the body, which may hold personal data."""
    assert describe(Answered(400, "anna@example.com is no id")) == "status 400"
    assert describe(NotSent("ClientConnectorError: Connection refused")) == "ClientConnectorError: Connection refused"
    assert describe(Unknown("no answer in time")) == "no answer in time"
    assert describe(Shadowed()) == "not sent: mode shadow"


def test_the_failure_of_a_refused_delivery() -> None:
    """The dead letter tells the status and what the vendor said."""
    failure = failure_of(Answered(422, "productId is unknown"))

    assert (failure.stage, failure.error_class) == (Stage.SEND, ErrorClass.INVALID)
    assert failure.message == "the vendor refused it: status 422"
    assert (failure.status, failure.response) == (422, "productId is unknown")


@pytest.mark.parametrize("deliveries", [1, 2, 500])
def test_what_is_not_sent_is_done_with(deliveries: int) -> None:
    """A shadowed request takes the way of an accepted one."""
    assert judge(Shadowed(), deliveries) is Verdict.ACCEPTED


@pytest.mark.parametrize(
    "reply", [Unknown("no answer in time"), *(Answered(status, "oops") for status in (500, 502, 503, 504, 599))]
)
def test_what_may_have_happened_once_is_buried(reply: Reply) -> None:
    """After a time-out, a reset or a 5xx a shopper may have been reached: not a second time."""
    assert judge(reply, 1, once=True) is Verdict.BURY


def test_what_did_not_happen_is_handled_as_for_any_method() -> None:
    """Connect, DNS and TLS failures, 3xx, 4xx and throttled answers say that nothing was done."""
    nothing_done: list[Reply] = [
        NotSent("refused"),
        Answered(429, ""),
        Answered(503, "", retry_after=1.0),
        *(Answered(status, "") for status in range(300, 500)),
    ]

    for reply in nothing_done:
        assert judge(reply, 1, once=True) is judge(reply, 1)


def test_the_failure_of_an_unknown_outcome() -> None:
    """People must know that it may have happened before they replay it; without an answer there is no status."""
    failure = failure_of(Unknown("no answer in time"))

    assert (failure.stage, failure.error_class) == (Stage.SEND, ErrorClass.UNKNOWN_OUTCOME)
    assert failure.message == "the vendor may have done it, so it is not sent again: no answer in time"
    assert (failure.status, failure.response) == (None, None)


def test_the_failure_of_a_server_error() -> None:
    """The status and the vendor's words help to find out whether it happened."""
    failure = failure_of(Answered(502, "bad gateway"))

    assert failure.error_class is ErrorClass.UNKNOWN_OUTCOME
    assert failure.message == "the vendor may have done it, so it is not sent again: status 502"
    assert (failure.status, failure.response) == (502, "bad gateway")


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
        ("1.5", None),
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
