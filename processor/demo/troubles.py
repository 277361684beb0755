"""What the demo does to the service: vendors that are down, keys that are revoked.

The keys are in files, as mounted Secrets are. A revoked one is replaced at the vendor first and in its file later, so
the service heals without a restart: it reads the file again before each probe.
"""

import tempfile
from collections.abc import Collection
from pathlib import Path

from processor.demo.options import VENDORS
from processor.demo.poison import REFUSES
from processor.demo.vendor_stub import Faults, rocket, voyado
from processor.demo.vendors import VendorOptions, Vendors

UNAVAILABLE = 503
MEMORY = "/dev/shm"  # noqa: S108 - made private by TemporaryDirectory
"""Where a container with a read-only root can write."""
OVERLAY = """\
kafka: {session.timeout.ms: 6000}
destinations:
  voyado: {api_key: "${file:voyado-api-key}", retry: {delays: [1s, 2s, 3s], stalemate: never}}
  rocket: {api_key: "${file:rocket-api-key}", retry: {delays: [1s, 2s, 3s], stalemate: never}}
ops: {host: "${DEMO_HOST}", port: "${DEMO_PORT}"}
"""
"""Laid over the demo's file: delays that one can watch, and nobody is given up because an outage is long. The embedded
Kafka makes a group that somebody has left wait for most of a session."""
DELAYS = "retries after 1, 2, 3 s (in your file 10, 30, 60, 300 s)"
"""The same for people."""


def private_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for the keys.

    Raises:
        OSError: nothing can be written anywhere.
    """
    try:
        return tempfile.TemporaryDirectory(prefix="clickstream-demo-")
    except OSError:
        return tempfile.TemporaryDirectory(prefix="clickstream-demo-", dir=MEMORY)


class Troubles:
    """What is wrong now.

    Args:
        vendors: the stubs, with the keys of `VendorOptions`.
        folder: for the keys' files, and the overlay that names them.

    Attributes:
        out: vendors that answer 503.
        revoked: vendors that have another key than its file.
        overlay: a second configuration file.
    """

    def __init__(self, vendors: Vendors, folder: Path) -> None:
        self.out: frozenset[str] = frozenset()
        self.revoked: frozenset[str] = frozenset()
        self._stubs = {"voyado": vendors.voyado, "rocket": vendors.rocket}
        first = VendorOptions()
        self._keys = {"voyado": first.voyado_key, "rocket": first.rocket_key}
        self._partner = first.partner_id
        self._folder = folder
        self._revocations = 0
        self.overlay = folder / "demo.yaml"
        self.overlay.write_text(OVERLAY)
        for name in VENDORS:
            self._write(name)
        self._set_faults()

    def begin_outage(self, names: Collection[str]) -> None:
        """These answer 503 to everything."""
        self.out = frozenset(names)
        self._set_faults()

    def end_outage(self) -> None:
        """All answer again."""
        self.out = frozenset()
        self._set_faults()

    def revoke(self, names: Collection[str]) -> None:
        """These take another key from now on, and answer 401 to the one that the service has."""
        self._revocations += 1
        self.revoked = frozenset(names)
        for name in names:
            key = f"demo-{name}-key-{self._revocations + 1}"
            self._keys[name] = key
            self._stubs[name].vendor = voyado(key) if name == "voyado" else rocket(key, self._partner)

    def rotate(self) -> None:
        """The new keys are written to their files."""
        for name in self.revoked:
            self._write(name)
        self.revoked = frozenset()

    def _set_faults(self) -> None:
        for name, stub in self._stubs.items():
            stub.faults = Faults(status=UNAVAILABLE if name in self.out else None, refuse=REFUSES)

    def _write(self, name: str) -> None:
        """Replace a key's file as a whole, as a mounted Secret is replaced."""
        file = self._folder / f"{name}-api-key"
        new = file.with_suffix(".new")
        new.write_text(self._keys[name])
        new.replace(file)
