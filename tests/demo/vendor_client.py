"""Calls to the stub vendors as a well-behaved client makes them."""

from typing import Any

import aiohttp

from processor.demo.vendors import VendorOptions, Vendors

OPTIONS = VendorOptions(latency=0.0)

GUID = "2e40a1de-0a0c-4be5-9f7e-1c1a0f2de22f"

VIEW: dict[str, Any] = {"itemId": "10233", "contactId": GUID, "time": "2026-11-22T09:31:07.120Z"}
CART: dict[str, Any] = {"cartReference": "c-1", "contactId": GUID, "items": [{"sku": "10233", "quantity": 1}]}

HEADERS = {"apikey": OPTIONS.voyado_key, "User-Agent": "AcmeClickstream/1.0"}
QUERY = {"apiKey": OPTIONS.rocket_key, "partnerId": OPTIONS.partner_id}


def rocket_view(session: str = "s1", product: int = 10233) -> dict[str, Any]:
    """A payload of Retail Rocket's `view`."""
    return {"sessionExternalId": session, "timestamp": "2026-11-22T09:31:07Z", "productId": product}


async def voyado(
    session: aiohttp.ClientSession, vendors: Vendors, path: str, payload: Any, **headers: str
) -> tuple[int, Any]:
    """POST to Voyado's tracking; returns status and body."""
    url = f"{vendors.voyado_url}/api/v2/tracking/{path}"
    async with session.post(url, json=payload, headers=HEADERS | headers) as answer:
        return answer.status, await answer.json()


async def rocket(
    session: aiohttp.ClientSession, vendors: Vendors, method: str, payload: Any, **query: str
) -> tuple[int, Any]:
    """POST to Retail Rocket; returns status and body."""
    url = f"{vendors.rocket_url}/{method}"
    async with session.post(url, json=payload, params=QUERY | query) as answer:
        return answer.status, await answer.json()
