from pathlib import Path
from typing import get_args

import pytest
from aiohttp import web

from processor.app import http_of, reply_table
from processor.clock import SystemClock
from processor.plan import Plan, load_plans
from processor.records import Channel, Request
from processor.send.replies import Answered, ReplyClass
from processor.settings.replies import ReplyRule
from tests.send.http_bench import vendor
from tests.send.parts import deliveries
from tests.support.logs import Lines

VIEW = Channel("view", "/view", batched=False)
REQUEST = Request(VIEW, deliveries(VIEW, None), b"{}")

FILE = """\
kafka: {{bootstrap.servers: localhost}}
registry: {{url: "http://localhost"}}
topics: shop
start_from: latest
destinations:
  shop:
    {}
    api_key: ${{file:key}}
    user_agent: AcmeClickstream/1.0
    replies: [{{status: 200, body: error, class: transient}}, {{status: 403, class: credential}}]
routes:
  views: {{event: a.View, to: shop.{}, map: {{{}}}}}
"""
VOYADO = ("type: voyado\n    base_url: {}", "product_view", "itemId: sku, contactId: contact")
ROCKET = (
    "type: retail_rocket\n    partner_id: p1\n    base_url: {}",
    "view",
    "sessionExternalId: s, productId: p, timestamp: t",
)


def plan_of(folder: Path, vendor: tuple[str, str, str], url: str) -> Plan:
    """The pipeline of a file whose account is at this URL, and whose key is in a file beside it."""
    keys, method, fields = vendor
    path = folder / "clickstream.yaml"
    path.write_text(FILE.format(keys.format(url), method, fields))
    (plan,) = load_plans([path], {}).plans
    return plan


def put(folder: Path, key: str) -> None:
    """Write the account's key."""
    (folder / "key").write_text(key)


@pytest.mark.parametrize("of", [VOYADO, ROCKET], ids=["voyado", "retail_rocket"])
async def test_a_key_in_a_file_is_renewed_without_a_restart(tmp_path: Path, of: tuple[str, str, str]) -> None:
    """From the file's `api_key` to the vendor, wherever that vendor wants the key; the log says that it changed."""
    seen: list[str | None] = []

    def handle(request: web.BaseRequest) -> web.Response:
        seen.append(request.headers.get("apikey") or request.query.get("apiKey"))
        return web.Response(status=403, text=f"error: {seen[-1]}")

    put(tmp_path, "first-key")
    lines = Lines()
    async with vendor(handle) as url:
        plan = plan_of(tmp_path, of, url)
        replies = reply_table(plan.settings)
        http = http_of(plan, replies, SystemClock(), lines.log, lambda: True)
        first = await http.send(REQUEST)
        put(tmp_path, "second-key")
        await http.renew()
        second = await http.send(REQUEST)
        await http.close()

    assert seen == ["first-key", "second-key"]
    assert first == second == Answered(403, "error: ****")
    assert replies.classify(first) is ReplyClass.CREDENTIAL
    assert lines.events == ["secret_renewed"]


async def test_the_file_s_rules_look_into_bodies(tmp_path: Path) -> None:
    """From the file's `replies` to the class of what a vendor says."""
    said = ["all is well", "an error"]
    put(tmp_path, "key")
    async with vendor(lambda _: web.Response(text=said.pop(0))) as url:
        plan = plan_of(tmp_path, ROCKET, url)
        replies = reply_table(plan.settings)
        http = http_of(plan, replies, SystemClock(), Lines().log, lambda: True)
        classes = [replies.classify(await http.send(REQUEST)) for _ in range(2)]
        await http.close()

    assert classes == [ReplyClass.ACCEPTED, ReplyClass.TRANSIENT]


def test_the_file_has_a_name_for_every_class() -> None:
    """All classes but the one that no vendor can answer with."""
    names = get_args(ReplyRule.model_fields["reply_class"].annotation)

    assert {ReplyClass(name) for name in names} == set(ReplyClass) - {ReplyClass.SHADOWED}
