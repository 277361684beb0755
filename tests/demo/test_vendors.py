import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import orjson
import pytest

from processor.demo.vendor_stub import Faults
from processor.demo.vendors import VendorOptions, Vendors, parse_options, running_vendors
from tests.demo.vendor_client import CART, GUID, VIEW, rocket, rocket_view, voyado

Session = aiohttp.ClientSession


async def test_both_vendors_are_in_one_summary(vendors: Vendors, session: Session) -> None:
    """Whichever stub is asked, the account has both."""
    await voyado(session, vendors, "productview", VIEW)
    await voyado(session, vendors, "carts", {})
    await rocket(session, vendors, "view", rocket_view())

    for url in (vendors.voyado_url, vendors.rocket_url.removesuffix("/1.0")):
        async with session.get(f"{url}/_account") as answer:
            summary = await answer.json()
        assert summary["voyado"]["requests"] == 2
        assert summary["voyado"]["deliveries"] == {"product_view": 1}
        assert summary["voyado"]["refused"] == [{"status": 400, "reason": "cartReference is missing", "requests": 1}]
        assert summary["rocket"]["deliveries"] == {"view": 1}


async def test_accepted_deliveries_can_be_read_as_lines(vendors: Vendors, session: Session) -> None:
    """A test that runs the stubs elsewhere gets what it needs to judge loss, duplicates and order."""
    await voyado(session, vendors, "productviews", [VIEW] * 1500)
    await voyado(session, vendors, "carts", CART)
    await rocket(session, vendors, "view", rocket_view())

    async with session.get(f"{vendors.voyado_url}/_accepted") as answer:
        lines = [orjson.loads(line) for line in (await answer.read()).splitlines()]

    assert lines == [
        *([["voyado", "product_view", GUID, "10233", 1_795_339_867_120]] * 1500),
        ["voyado", "cart", "c-1", "10233*1", None],
        ["rocket", "view", "s1", "10233", 1_795_339_867_000],
    ]


async def test_faults_are_set_for_the_vendors_named(vendors: Vendors, session: Session) -> None:
    """Setting faults replaces all of a vendor's, and leaves the other alone."""
    vendors.rocket.faults = Faults(status=500)
    url = f"{vendors.voyado_url}/_faults"

    async with session.post(url, json={"voyado": {"status": 503, "refuse": ["7"]}}) as answer:
        assert answer.status == 200
    assert vendors.voyado.faults == Faults(status=503, refuse=frozenset({"7"}))
    assert vendors.rocket.faults == Faults(status=500)

    async with session.post(url, json={"voyado": {}, "rocket": {"reset": "at_once"}}) as answer:
        assert answer.status == 200
    assert vendors.voyado.faults == Faults()
    assert vendors.rocket.faults == Faults(reset="at_once")


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ('{"voyado": {"satus": 503}}', "satus"),
        ('{"voyago": {"status": 503}}', "voyago"),
        ("503", "object"),
        ("", "JSON"),
    ],
)
async def test_a_wrong_fault_changes_nothing(vendors: Vendors, session: Session, body: str, names: str) -> None:
    """A mistake in a test's request is told and not swallowed."""
    async with session.post(f"{vendors.voyado_url}/_faults", data=body) as answer:
        assert answer.status == 400
        assert names in await answer.text()

    assert vendors.voyado.faults == vendors.rocket.faults == Faults()


async def test_control_paths_are_not_calls(vendors: Vendors, session: Session) -> None:
    """Asking for the account does not change it, faults do not hit it, and other such paths are named as wrong."""
    vendors.voyado.faults = Faults(status=503)

    async with session.get(f"{vendors.voyado_url}/_account") as answer:
        assert (await answer.json())["voyado"]["requests"] == 0
    async with session.get(f"{vendors.voyado_url}/_faults") as answer:
        assert answer.status == 404
        assert "POST /_faults" in await answer.text()


async def test_a_taken_port_is_an_error(vendors: Vendors) -> None:
    """Nobody measures somebody else's stub by mistake."""
    port = int(vendors.voyado_url.rpartition(":")[2])

    with pytest.raises(OSError, match="address already in use"):
        async with running_vendors(VendorOptions(voyado_port=port)):
            pass


def test_the_command_line_has_the_usual_ports() -> None:
    """Without arguments the stubs are where the example configuration looks for them."""
    assert parse_options([]) == VendorOptions(voyado_port=9001, rocket_port=9002)
    assert parse_options(
        ["--voyado-port", "0", "--rocket-port", "0", "--latency", "0.2", "--limit", "200", "--count-only"]
    ) == VendorOptions(latency=0.2, limit=200.0, count_only=True)


@asynccontextmanager
async def vendor_process() -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The stubs as a process of their own, and the line that it prints."""
    command = [sys.executable, "-m", "processor.demo.vendors", "--voyado-port", "0", "--rocket-port", "0"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield process, (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_the_stubs_run_as_a_process(session: Session) -> None:
    """One line says where they listen once they do; SIGTERM ends them."""
    async with vendor_process() as (process, line):
        found = re.fullmatch(r"voyado (http://127\.0\.0\.1:\d+) rocket (http://127\.0\.0\.1:\d+/1\.0)\n", line)
        assert found
        url = found[1]
        async with session.get(f"{url}/_account") as answer:
            assert (await answer.json())["rocket"]["requests"] == 0

        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0
