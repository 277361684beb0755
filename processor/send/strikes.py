"""Refused between acceptances: whose fault is a refusal, the record's or the method's? Pure.

A refusal is kept until another answer of the same path decides. Only an answer to a request for other deliveries that
was sent later can tell: an acceptance shows that the path works, so the refusal was a strike on its delivery; another
refusal shows that the path refuses everybody.
"""

from dataclasses import dataclass

from processor.records import Delivery, Request
from processor.send.replies import Reply, ReplyClass


@dataclass(frozen=True, slots=True)
class Refusal:
    """One that waits for its comparison.

    Attributes:
        request: what was refused; its number says when it was sent.
        blames: whom an acceptance of others would blame; None where more than one was refused together, or where the
            delivery is done with.
    """

    request: Request
    blames: Delivery | None
    reply_class: ReplyClass
    reply: Reply


class Comparison:
    """Refusals of one path since its last acceptance."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: list[Refusal] = []

    def __len__(self) -> int:
        return len(self._open)

    def refused(self, refusal: Refusal) -> bool:
        """Compare a refusal with those before it; True = the path refuses others, too, and all is forgotten."""
        if any(self._other(before.request, refusal.request) for before in self._open):
            self._open.clear()
            return True
        if refusal.blames is not None:
            self.forget(refusal.blames)
        self._open.append(refusal)
        return False

    def accepted(self, request: Request) -> list[Refusal]:
        """The path works: refusals of others that were sent before this are strikes on those they may blame."""
        if not self._open:
            return []
        decided = [refusal for refusal in self._open if refusal.request.number < request.number]
        self._open = [refusal for refusal in self._open if refusal.request.number >= request.number]
        return [each for each in decided if each.blames is not None and self._other(each.request, request)]

    def forget(self, delivery: Delivery) -> None:
        """It is done with, or has a newer refusal: it may not be blamed for the old one."""
        self._open = [refusal for refusal in self._open if refusal.blames is not delivery]

    def clear(self) -> None:
        """Forget all: the gate closed."""
        self._open.clear()

    @staticmethod
    def _other(before: Request, request: Request) -> bool:
        """Whether this one was sent later, for other deliveries."""
        return request.number > before.number and set(request.deliveries).isdisjoint(before.deliveries)
