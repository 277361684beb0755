"""What a vendor's file says: its settings, its methods, and how a request is addressed and authenticated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from yarl import URL

from processor.fields import Field
from processor.records import Channel
from processor.settings.models import DestinationSettings


@dataclass(frozen=True, slots=True)
class BatchForm:
    """How many deliveries of a method travel in one call.

    Attributes:
        path: where the array is sent; methods with one path share its gate and its requests.
        label: what metrics call the path; None = the method's own name.
        envelope: the key that wraps each element, `{"view": {…}}`; None = bare elements.
    """

    path: str
    label: str | None = None
    envelope: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """One call of a vendor.

    Attributes:
        path: below the base URL, for single calls.
        fields: what its payload is made of, under the vendor's own names and in its order.
        order_key: the payload's field whose equal values keep their order; None = no order.
        time: the payload's field that says when it happened.
        batch: None where the vendor has no batch for it.
        once: it reaches a shopper: where nobody knows whether a call had an effect, it is not made again.
        never_old: the payload's list whose emptiness makes it never too old to be sent; None = there is none.
        summary: what it tells the vendor, in one sentence.
    """

    name: str
    path: str
    fields: Mapping[str, Field]
    order_key: str | None
    time: str
    batch: BatchForm | None
    once: bool = False
    never_old: str | None = None
    summary: str = ""

    @property
    def required(self) -> frozenset[str]:
        """Fields without which a payload is refused."""
        return frozenset(name for name, field in self.fields.items() if field.required)


@dataclass(frozen=True, slots=True)
class Address:
    """Where requests of one account go, and what every one of them carries.

    Attributes:
        url: from a channel's path to the whole URL; it may hold the key, so it is never logged.
    """

    url: Callable[[str], URL]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Vendor:
    """One file of the catalogue; `name` is a destination's `type` in the file."""

    name: str
    settings: type[DestinationSettings]
    methods: Mapping[str, Method]
    address: Callable[[Any], Address]


@dataclass(frozen=True, slots=True)
class Wiring:
    """How one method of one account travels: the channel, and the bytes round its payload in a shared batch."""

    method: Method
    channel: Channel
    prefix: bytes = b""
    suffix: bytes = b""


class Wirings:
    """The ways of one account's methods; methods with one path get one channel, and so one gate and one queue.

    Args:
        batched: whether the account is configured to send batches.
    """

    def __init__(self, *, batched: bool) -> None:
        self._batched = batched
        self._channels: dict[str, Channel] = {}

    def wire(self, method: Method) -> Wiring:
        """Decide the way of a method's payloads."""
        form = method.batch
        if not self._batched or form is None:
            return Wiring(method, self._channel(Channel(method.name, method.path, batched=False, once=method.once)))
        channel = self._channel(Channel(form.label or method.name, form.path, batched=True))
        if form.envelope is None:
            return Wiring(method, channel)
        return Wiring(method, channel, prefix=b'{"%s":' % form.envelope.encode(), suffix=b"}")

    def _channel(self, channel: Channel) -> Channel:
        return self._channels.setdefault(channel.path, channel)
