"""What is wrong with the vendor, several things at a time."""

from dataclasses import dataclass, field
from random import Random

from tests.reliability.vendor import Answer, Call, Fault, always

POISON = 100
"""Every so manieth event is one that the vendor never takes, where there is poison at all."""
HANGS = Answer(0)
RESET = Answer(500, cut=True)
LOST = Answer(200, cut=True)
"""Taken, and the answer is lost."""


@dataclass
class Weather:
    """Layers of trouble: the first one that has an answer gives it.

    Attributes:
        layers: by name; they come and go while the vendor serves.
    """

    layers: dict[str, Fault] = field(default_factory=dict)

    def __call__(self, call: Call) -> Answer | None:
        """Answer in place of the vendor, or None."""
        answers = (layer(call) for layer in list(self.layers.values()))
        return next((answer for answer in answers if answer is not None), None)


def is_poison(number: int) -> bool:
    """Whether an event is one of those."""
    return number % POISON == POISON // 2


def poison(call: Call) -> Answer | None:
    """Refuse requests with poison in them, whole, as invalid."""
    return Answer(400) if any(is_poison(sent.number) for sent in call.deliveries) else None


def dice(random: Random, share: float, *answers: Answer) -> Fault:
    """Give one of these answers to so many of all requests."""
    return lambda _: random.choice(answers) if random.random() < share else None


def storms(random: Random) -> dict[str, Fault]:
    """Everything that may be wrong, by name."""
    return {
        "503": always(503),
        "401": always(401),
        "429": dice(random, 0.7, Answer(429, "1"), Answer(429, "2"), Answer(429)),
        "500s": dice(random, 0.2, Answer(500)),
        "hangs": dice(random, 0.1, HANGS),
        "resets": dice(random, 0.2, RESET, LOST),
    }
