from collections.abc import AsyncIterator

import aiohttp
import pytest

from processor.demo.vendors import Vendors, running_vendors
from tests.demo.vendor_client import OPTIONS


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def vendors() -> AsyncIterator[Vendors]:
    """Both stub vendors, answering at once."""
    async with running_vendors(OPTIONS) as vendors:
        yield vendors
