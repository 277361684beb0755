import tempfile
from pathlib import Path

import aiohttp
import pytest
import yaml

from processor.demo import troubles as module
from processor.demo.options import VENDORS
from processor.demo.poison import REFUSED_ID
from processor.demo.troubles import OVERLAY, Troubles, private_folder
from processor.demo.vendors import Vendors
from tests.demo.vendor_client import QUERY, VIEW, rocket, rocket_view, voyado

Session = aiohttp.ClientSession


@pytest.fixture
def troubles(vendors: Vendors, tmp_path: Path) -> Troubles:
    """Nothing is wrong yet."""
    return Troubles(vendors, tmp_path)


async def statuses(session: Session, vendors: Vendors) -> tuple[int, int]:
    """What Voyado and Retail Rocket say to a good call with the first keys."""
    asked = await voyado(session, vendors, "productview", VIEW), await rocket(session, vendors, "view", rocket_view())
    return asked[0][0], asked[1][0]


async def test_an_outage_is_that_of_the_vendors_that_were_named(
    troubles: Troubles, vendors: Vendors, session: Session
) -> None:
    """The other one goes on, and all do when it is over."""
    troubles.begin_outage(["rocket"])
    assert await statuses(session, vendors) == (200, 503)
    assert troubles.out == {"rocket"}

    troubles.end_outage()
    assert await statuses(session, vendors) == (200, 200)


async def test_a_revoked_key_is_refused_until_its_file_has_the_new_one(
    troubles: Troubles, vendors: Vendors, session: Session, tmp_path: Path
) -> None:
    """The vendor takes another key at once; the service finds it where it found the first one, later."""
    before = {name: (tmp_path / f"{name}-api-key").read_text() for name in VENDORS}
    troubles.revoke(VENDORS)

    assert await statuses(session, vendors) == (401, 401)
    assert {name: (tmp_path / f"{name}-api-key").read_text() for name in VENDORS} == before

    troubles.rotate()
    keys = {name: (tmp_path / f"{name}-api-key").read_text() for name in VENDORS}
    assert all(keys[name] != before[name] for name in VENDORS)
    assert (await voyado(session, vendors, "productview", VIEW, apikey=keys["voyado"]))[0] == 200
    query = {**QUERY, "apiKey": keys["rocket"]}
    async with session.post(f"{vendors.rocket_url}/view", params=query, json=rocket_view()) as answer:
        assert answer.status == 200


async def test_each_revocation_brings_another_key(troubles: Troubles, tmp_path: Path) -> None:
    """Or the second one would be none."""
    keys = set()
    for _ in range(3):
        troubles.revoke(["rocket"])
        troubles.rotate()
        keys.add((tmp_path / "rocket-api-key").read_text())

    assert len(keys) == 3


async def test_poison_is_refused_whatever_else_is_wrong(troubles: Troubles, vendors: Vendors, session: Session) -> None:
    """Before and behind an outage alike, or the account of letters would not be exact."""
    troubles.begin_outage(VENDORS)
    troubles.end_outage()

    assert (await rocket(session, vendors, "view", rocket_view(product=REFUSED_ID)))[0] == 400


async def test_the_overlay_reads_the_keys_beside_it(troubles: Troubles) -> None:
    """It is a second configuration file as a user could have it."""
    assert troubles.overlay.read_text() == OVERLAY
    destinations = yaml.safe_load(OVERLAY)["destinations"]
    for name in VENDORS:
        reference = destinations[name]["api_key"]
        assert (troubles.overlay.parent / reference.removeprefix("${file:").removesuffix("}")).is_file()


def test_the_keys_are_private_and_gone_afterwards() -> None:
    """Nobody else reads the folder, and it does not stay."""
    with private_folder() as folder:
        assert Path(folder).stat().st_mode & 0o077 == 0

    assert not Path(folder).exists()


def test_where_nothing_can_be_written_memory_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A container may have a read-only root and no /tmp."""
    real = tempfile.TemporaryDirectory

    def read_only(prefix: str, dir: str | None = None) -> object:  # noqa: A002 - the library's name
        if dir is None:
            raise FileNotFoundError("No usable temporary directory found")
        return real(prefix=prefix, dir=dir)

    monkeypatch.setattr(tempfile, "TemporaryDirectory", read_only)
    monkeypatch.setattr(module, "MEMORY", str(tmp_path))

    with private_folder() as folder:
        assert Path(folder).parent == tmp_path
