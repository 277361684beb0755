from pathlib import Path

import pytest

from processor.errors import Level
from tests.settings.example import changed, load_text

ERROR, WARNING = Level.ERROR, Level.WARNING


@pytest.mark.parametrize(
    ("old", "new", "where", "level", "message"),
    [
        ("to: acme.view", "to: acm.view", "routes.views.to.0", ERROR, "there is no destination `acm`"),
        ("to: acme.view", "to: [acme.view, b.c]", "routes.views.to.1", ERROR, "there is no destination `b`"),
        ("topics: [shop.clickstream]\n", "", "routes.views", ERROR, "reads no topic"),
        ("https://acme.example", "http://acme.example", "destinations.acme.base_url", WARNING, "in clear"),
        (
            "topics: [shop.clickstream]",
            "topics: [clickstream.acme.dlq]",
            "routes.views.topics",
            ERROR,
            "reads `clickstream.acme.dlq`, to which its own dead letters go",
        ),
        ("topics: [shop.clickstream]", "topics: ['^.*stream']", "routes.views.topics", ERROR, "its own dead letters"),
        (
            "routes:",
            "  idle: {type: plain, base_url: 'https://a', api_key: k}\nroutes:",
            "destinations.idle",
            WARNING,
            "no route leads here",
        ),
    ],
)
def test_keys_that_contradict(tmp_path: Path, old: str, new: str, where: str, level: Level, message: str) -> None:
    """What several keys say together is checked: targets, topics, loops, and what is only worth a warning."""
    loaded = load_text(tmp_path, changed(old, new))
    assert [(fault.where, fault.level) for fault in loaded.faults] == [(where, level)]
    assert message in loaded.faults[0].message
    assert loaded.faults[0].fix
    assert loaded.faults[0].line > 0
    assert (loaded.settings is None) is (level is ERROR)


@pytest.mark.parametrize("host", ["localhost:9001", "127.0.0.1", "[::1]:80"])
def test_plain_http_to_this_machine(tmp_path: Path, host: str) -> None:
    """A stub on the same machine is no reason for a warning."""
    assert load_text(tmp_path, changed("https://acme.example", f"http://{host}")).faults == ()


def test_anothers_dead_letters_may_be_read(tmp_path: Path) -> None:
    """A route may read the dead letters of a destination that it does not feed."""
    text = changed("topics: [shop.clickstream]", "topics: [clickstream.other.dlq]")
    assert load_text(tmp_path, text).faults == ()
