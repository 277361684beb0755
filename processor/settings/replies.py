"""What a destination's replies mean, and when what was refused is sent again."""

from typing import Literal

from pydantic import Field

from processor.settings.texts import ReplyText
from processor.settings.values import Duration, Frozen, Given, Stalemate


class RetrySettings(Frozen):
    """When a refused delivery is tried again, and when it is given up.

    Attributes:
        delays: the waits before the second, third, … attempt; the last one repeats. A vendor that refuses everything
            is asked at the same pace.
        max_attempts: how often a delivery may fail as transient, alone and while others are accepted, before it goes
            to the dead letters.
        stalemate: a delivery that is refused for so long, with nothing accepted to compare it with, goes to the dead
            letters, at most one in that time; `never` waits until something is accepted.
    """

    delays: tuple[Duration, ...] = Field(default=(10.0, 30.0, 60.0, 300.0), min_length=1, examples=["[10s, 30s, 60s]"])
    max_attempts: int = Field(default=8, ge=1, examples=["8"])
    stalemate: Stalemate = 300.0


class ReplyRule(Frozen):
    """What a reply means to this destination; the first rule that fits holds.

    Without a rule: 2xx is accepted; 429, and 503 with Retry-After, is throttled; 401 is credential; 403 is forbidden;
    404, 405, 407, 415 and redirects are misconfigured; 408, 425, 5xx and no answer are transient; any other 4xx is
    invalid.

    Attributes:
        status: of the replies that it is about.
        body: a text that must occur in the first 64 KiB of the reply's body, as it is received; capitals matter.
            Without it: whatever the body says.
        reply_class: `accepted` is done; `throttled` came too fast; `invalid` is this payload's fault; `forbidden` and
            `misconfigured` may be the account's; `transient` is the vendor's trouble; `credential` is the key's, and
            holds everything until it is changed.
    """

    status: int = Field(ge=200, le=599, examples=["409"])
    body: Given[ReplyText] = Field(default=None, examples=["already exists"])
    reply_class: Literal[
        "accepted", "throttled", "invalid", "forbidden", "misconfigured", "transient", "credential"
    ] = Field(validation_alias="class", examples=["accepted"])
