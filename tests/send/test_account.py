from pathlib import Path
from urllib.parse import quote

import pytest
from yarl import URL

from processor.send.account import mask_of
from processor.settings.secrets import SecretSource
from tests.send.http_bench import KEY, account
from tests.support.logs import Lines

NEW = "n3w+key/=="
BASE = "https://vendor.example"


def url_with(key: str) -> URL:
    """Where a request goes with this key."""
    return URL(BASE + "/view").with_query({"apiKey": key})


def put(file: Path, content: str | None) -> None:
    """Change what a file says, or remove it."""
    if content is None:
        file.unlink()
    else:
        file.write_text(content)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file with the account's key, as one mounts it."""
    path = tmp_path / "api-key"
    path.write_text(KEY + "\n")
    return path


async def test_a_key_that_changed_is_used_from_then_on(file: Path) -> None:
    """URL and headers carry the new key as soon as it was read, and neither key is shown in replies or logs."""
    lines = Lines()
    of = account(BASE, source=SecretSource((file,)), lines=lines)
    assert (of.url("/view"), of.headers["apikey"]) == (url_with(KEY), KEY)

    put(file, NEW + "\n")
    await of.renew()

    assert (of.url("/view"), of.headers["apikey"]) == (url_with(NEW), NEW)
    assert of.mask(f"neither {KEY} nor {NEW} nor {quote(NEW, safe='')}") == "neither **** nor **** nor ****"
    assert lines.events == ["secret_renewed"]
    assert lines("secret_renewed") == [
        {"event": "secret_renewed", "log_level": "info", "setting": "api_key", "files": [str(file)]}
    ]


async def test_a_change_is_said_once(file: Path) -> None:
    """Where the file says what it said before, there is nothing to tell."""
    lines = Lines()
    of = account(BASE, source=SecretSource((file,)), lines=lines)

    await of.renew()
    assert lines.events == []

    put(file, NEW)
    await of.renew()
    await of.renew()
    assert lines.events == ["secret_renewed"]


async def test_the_last_two_keys_are_masked(file: Path) -> None:
    """Replies to what was sent with the key before still come; what is older answers nothing any more."""
    of = account(BASE, source=SecretSource((file,)))
    for key in ("second-key", "third-key"):
        put(file, key)
        await of.renew()

    assert of.mask("second-key third-key") == "**** ****"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "the file {} does not exist"),
        ("", "what {} holds is empty, or has a blank"),
        ("\n", "what {} holds is empty, or has a blank"),
        ("two words", "what {} holds is empty, or has a blank"),
        ("one\ntwo", "what {} holds is empty, or has a blank"),
    ],
)
async def test_a_file_that_has_no_key_now(file: Path, content: str | None, reason: str) -> None:
    """The old key stays, and the log says why and what to do; the next look finds what was mended."""
    lines = Lines()
    of = account(BASE, source=SecretSource((file,)), lines=lines)
    put(file, content)

    await of.renew()

    assert (of.url("/view"), of.headers["apikey"]) == (url_with(KEY), KEY)
    (line,) = lines("secret_not_renewed")
    assert line["reason"].startswith(reason.format(file))
    assert line["fix"]
    assert line["log_level"] == "warning"

    put(file, NEW)
    await of.renew()
    assert of.headers["apikey"] == NEW


async def test_a_key_that_no_file_holds_stays() -> None:
    """A variable of the environment cannot change, and nothing is said of it."""
    lines = Lines()
    of = account(BASE, lines=lines)

    await of.renew()

    assert of.headers["apikey"] == KEY
    assert lines.events == []


def test_every_secret_is_masked_in_every_form() -> None:
    """A vendor or a proxy may repeat what it was sent, also as a URL writes it."""
    key, password = "s3cr3t/+key==", "pass:word/1"
    mask = mask_of(key, password)

    words = mask(f"no {key} and no {quote(key, safe='')} for anna:{quote(password, safe='')}@proxy, {password}")

    assert words == "no **** and no **** for anna:****@proxy, ****"


def test_a_secret_within_another() -> None:
    """Of the longer one nothing stays, whatever the order in which they are given."""
    for secrets in (("key", "key-of-ann", "ann"), ("ann", "key-of-ann", "key")):
        assert mask_of(*secrets)("key-of-ann, key, ann") == "****, ****, ****"


def test_without_a_secret_nothing_is_masked() -> None:
    """A proxy without a password must not make every text unreadable."""
    assert mask_of("", "")("all is well") == "all is well"
