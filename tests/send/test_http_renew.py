import asyncio
import os
import threading
from pathlib import Path

from aiohttp import web

from processor.send.replies import Answered
from processor.settings.secrets import SecretSource
from tests.send.http_bench import KEY, REQUEST, account, sender, vendor
from tests.support.waiting import eventually

NEW = "n3w-key"


async def test_a_refused_key_heals_when_its_file_changes(tmp_path: Path) -> None:
    """401 until the secret is rotated and read again; connections stay, and the vendor's words show no key."""
    file = tmp_path / "api-key"
    file.write_text(KEY)

    def handle(request: web.BaseRequest) -> web.Response:
        keys = request.query.get("apiKey"), request.headers.get("apikey")
        return web.Response() if keys == (NEW, NEW) else web.Response(status=401, text=f"who is {keys[0]}, not {NEW}?")

    async with vendor(handle) as url, sender(url, of=account(url, source=SecretSource((file,)))) as http:
        await http.renew()
        assert await http.send(REQUEST) == Answered(401, f"who is ****, not {NEW}?")
        file.write_text(NEW)
        assert await http.send(REQUEST) == Answered(401, f"who is ****, not {NEW}?")
        await http.renew()
        assert await http.send(REQUEST) == Answered(200, "")


async def test_a_file_system_that_hangs_stops_nobody_else(tmp_path: Path) -> None:
    """A file that is not read yet keeps the event loop no moment: requests go out with the old key."""
    pipe = tmp_path / "api-key"
    os.mkfifo(pipe)

    async with (
        vendor(lambda _: web.Response()) as url,
        sender(url, of=account(url, source=SecretSource((pipe,)))) as http,
    ):
        renewing = asyncio.create_task(http.renew())
        assert await http.send(REQUEST) == Answered(200, "")
        assert not renewing.done()
        threading.Thread(target=pipe.write_text, args=(NEW,)).start()
        assert await eventually(renewing.done)
