import pytest
from aiohttp import web

from processor.send.http import BODY_KEPT, BODY_READ
from processor.send.replies import Answered, Reply
from tests.send.http_bench import KEY, REQUEST, sender, vendor

TEXTS = {200: frozenset({"error", "fehler"}), 409: frozenset({"exists", KEY}), 410: frozenset[str]()}


async def answer(status: int, text: str) -> Reply:
    """What comes of such a reply, where the file has rules."""
    async with vendor(lambda _: web.Response(status=status, text=text)) as url, sender(url, texts=TEXTS) as http:
        return await http.send(REQUEST)


async def test_what_a_body_mentions() -> None:
    """Those of the texts that rules want for this status, and no others; capitals matter."""
    assert await answer(409, "it exists") == Answered(409, "it exists", mentions=frozenset({"exists"}))
    assert await answer(409, "it Exists") == Answered(409, "it Exists")
    assert await answer(400, "it exists") == Answered(400, "it exists")


async def test_the_whole_body_counts_as_far_as_it_is_read() -> None:
    """People get the beginning, rules are about more than that."""
    filled = "x" * (BODY_READ - len("exists"))

    assert await answer(409, filled + "exists") == Answered(409, "x" * BODY_KEPT, mentions=frozenset({"exists"}))
    assert await answer(409, filled + "-exists") == Answered(409, "x" * BODY_KEPT)


async def test_the_body_counts_as_it_was_received() -> None:
    """Whether a rule fits does not depend on what is masked; the key is masked all the same."""
    assert await answer(409, f"no {KEY}") == Answered(409, "no ****", mentions=frozenset({KEY}))


async def test_an_acceptance_that_a_rule_is_about_is_read() -> None:
    """Some vendors say 200 and put the error into the body; then people want to read it."""
    assert await answer(200, '{"error": 5}') == Answered(200, '{"error": 5}', mentions=frozenset({"error"}))
    assert await answer(201, '{"error": 5}') == Answered(201, "")


@pytest.mark.parametrize("body", ["gone", ""])
async def test_a_rule_without_a_text(body: str) -> None:
    """Nothing is looked for."""
    assert await answer(410, body) == Answered(410, body)
