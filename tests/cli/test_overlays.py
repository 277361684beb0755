"""What the audit keeps of files that are laid over the configuration for one run."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from processor.cli.main import main
from processor.cli.overlays import kept, overlay_paths
from processor.errors import ConfigError
from processor.settings.yaml import compose
from tests.support.configured import HEAD, VIEW, plans

PASSWORD = 'it\'s \\ "odd" ü'  # noqa: S105 - a test's
PEM = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQ==\n-----END KEY-----\n"
SECRETS = """\
kafka:
  sasl.password: "it's \\\\ \\"odd\\" ü"  # hunter2
  ssl.key.pem: |
    -----BEGIN KEY-----
    MIIEvQIBADANBgkq
    hkiG9w0BAQ==
    -----END KEY-----
  other: 'it''s \\ "odd" ü'
destinations:
  voyado: {api_key: hunter2, rate: 9/s, http: {proxy: "http://me:pr%2Fxy@proxy:3128"}}
"""


def audited(folder: Path, text: str) -> str:
    """What the audit has of an overlay with this text; the key is `hunter2`, and there are other secrets."""
    overlay = folder / "overlay.yaml"
    overlay.write_text(text, encoding="utf-8")
    key = SimpleNamespace(get_secret_value=lambda: "hunter2")
    away = SimpleNamespace(http=SimpleNamespace(proxy="http://me:pr%2Fxy@proxy:3128"), api_key=key)
    settings: Any = SimpleNamespace(
        kafka={"bootstrap.servers": "kafka:9092", "sasl.password": PASSWORD, "ssl.key.pem": PEM},
        registry=None,
        destinations={"voyado": away},
    )
    return kept([str(overlay)], settings)[str(overlay)]


def test_an_overlay_without_secrets(tmp_path: Path) -> None:
    """It is kept as somebody wrote it."""
    text = "# INC-4711: ü\nroutes: {views: {when: sku != 'hunter3'}}   # for now\n\n"

    assert audited(tmp_path, text) == text


def test_a_secret_in_a_comment(tmp_path: Path) -> None:
    """It is masked where it stands."""
    assert audited(tmp_path, "routes: {}  # not hunter2\n") == "routes: {}  # not ****\n"


def test_secrets(tmp_path: Path) -> None:
    """They go to the audit topic without them, in values of all kinds; all else of an overlay does."""
    text = audited(tmp_path, SECRETS)

    for part in ("odd", "BEGIN", "MIIEvQ", "hkiG9", "hunter2", "pr%2Fxy"):
        assert part not in text
    tree = yaml.safe_load(text)
    assert tree["kafka"] == {"sasl.password": "****", "ssl.key.pem": "****", "other": "****"}
    assert tree["destinations"]["voyado"] == {
        "api_key": "****",
        "rate": "9/s",
        "http": {"proxy": "http://me:****@proxy:3128"},
    }


@pytest.mark.parametrize(
    "written",
    [
        r'"\x68unter2"',
        r'"\u0068unt\U00000065r2"',
        '"hun\\\n  ter2"',
        '"hunter2"',
        "'hunter2'",
        "hunter2",
        "|-\n  hunter2",
        ">-\n  hunter2",
        "&key hunter2",
        r'"${KEY:-\x68unter2}"',
        r'[a, {b: "\x68unter2"}]',
        r'{"\x68unter2": a}',
        r'"say \x68unter2, twice hunter\x32"',
    ],
)
def test_however_yaml_writes_a_secret(tmp_path: Path, written: str) -> None:
    """What YAML reads of the audited text has it nowhere, in keys and values; the rest is the same."""
    text = audited(tmp_path, f"routes: {{views: {{when: sku}}}}\nx-key: {written}\n")

    assert "unter" not in text
    assert "ter2" not in text
    assert "****" in text
    assert yaml.safe_load(text)["routes"] == {"views": {"when": "sku"}}


@pytest.mark.parametrize(
    "written",
    [
        r'"-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQ==\n-----END KEY-----\n"',
        '"-----BEGIN KEY-----\\n\\\n  MIIEvQIB\\\n  ADANBgkq\\nhkiG9w0\\\n  BAQ==\\n-----END KEY-----\\n"',
        ">\n  -----BEGIN KEY-----\n\n  MIIEvQIBADANBgkq\n\n  hkiG9w0BAQ==\n\n  -----END KEY-----",
        "-----BEGIN KEY----- MIIEvQIBADANBgkq\n  hkiG9w0BAQ== -----END KEY-----",
    ],
)
def test_a_secret_of_several_lines(tmp_path: Path, written: str) -> None:
    """None of its lines is there, also where YAML made one of them, or the file has other ones."""
    text = audited(tmp_path, f"kafka: {{}}\nx-key: {written}\n")

    for part in ("BEGIN", "MIIE", "ADAN", "hkiG", "BAQ=="):
        assert part not in text
    assert yaml.safe_load(text)["kafka"] == {}


def test_a_masked_overlay_is_written_as_it_was(tmp_path: Path) -> None:
    """Apart from its comments: lists in brackets, texts of several lines and quotes stay; a number stays a text."""
    text = audited(tmp_path, "a: {b: [NO, '1', 012]}\nc: |\n  d\n  e\nf: &f hunter2\ng: *f\nlong: " + "word " * 60)

    assert text.startswith("a: {b: [NO, '1', 012]}\nc: |\n  d\n  e\nf: &id001 '****'\ng: *id001\nlong: word")
    assert text.count("\n") == 7
    assert compose(text) is not None


def test_a_registrys_secret(tmp_path: Path) -> None:
    """It is one, too."""
    overlay = tmp_path / "one.yaml"
    overlay.write_text("registry: {basic.auth.user.info: 'ann:reg-secret'}")
    head = HEAD.replace('8081"}', '8081", basic.auth.user.info: "ann:reg-secret"}')

    said = kept([str(overlay)], plans(tmp_path, VIEW, head).settings)

    assert said == {str(overlay): "registry: {basic.auth.user.info: '****'}\n"}


@pytest.mark.parametrize(
    ("secret", "first", "masked"),
    [
        ("old", "kafka: {sasl.password: old}", "kafka: {sasl.password: '****'}"),
        ("ann:old", "registry: {basic.auth.user.info: 'ann:old'}", "registry: {basic.auth.user.info: '****'}"),
        ("old", "destinations: {voyado: {api_key: old}}", "destinations: {voyado: {api_key: '****'}}"),
        (
            "old",
            "destinations: {voyado: {api_key: '${KEY:-old}'}}",
            "destinations: {voyado: {api_key: '${KEY:-****}'}}",
        ),
        (
            "old",
            "destinations: {voyado: {http: {proxy: 'http://me:old@proxy:1'}}}",
            "destinations: {voyado: {http: {proxy: 'http://me:****@proxy:1'}}}",
        ),
        ("old", "x-key: &key old\ndestinations: {voyado: {api_key: *key}}", "x-key: &id001 '****'\n"),
    ],
)
def test_a_secret_that_a_later_file_replaces(tmp_path: Path, secret: str, first: str, masked: str) -> None:
    """The configuration does not have it, so its name tells; it is in no file of the run."""
    names = [str(tmp_path / name) for name in ("one.yaml", "two.yaml")]
    for name, text in zip(names, (first, f"routes: {{}}  # not {secret}"), strict=True):
        Path(name).write_text(text)

    said = kept(names, plans(tmp_path, VIEW, HEAD).settings)

    assert said[names[0]].startswith(masked)
    assert said[names[1]] == "routes: {}  # not ****"


@pytest.mark.parametrize(
    "text",
    [
        "kafka: {sasl.password: '${PASSWORD}'}\nregistry: {bearer.auth.token: '${file:/run/token}'}\n",
        "routes: {views: {let: {token: session.token}}}\ntables: {password: {a: b}}\n",
        "destinations: {voyado: {api_key: , http: {proxy: 'http://proxy:3128'}}}\n",
        "destinations: {voyado: {http: {proxy: 'http://me:${PASSWORD}@proxy:3128'}}}\n",
        "destinations: {voyado: {api_key: null, batch: null, http: {proxy: ~}}}\n",
        "destinations: {voyado: {http: {proxy: [http://a:b@c]}, api_key: [a]}}\n",
        "kafka: []\n",
        "[]\n",
        "",
    ],
)
def test_what_is_no_secret_by_its_name(tmp_path: Path, text: str) -> None:
    """References, and names that are the user's own, are kept as somebody wrote them."""
    overlay = tmp_path / "one.yaml"
    overlay.write_text(text)

    assert kept([str(overlay)], plans(tmp_path, VIEW, HEAD).settings) == {str(overlay): text}


def test_what_can_be_read_again(tmp_path: Path) -> None:
    """Files, and links to them; what is missing is for the configuration to tell."""
    file, link, missing = tmp_path / "a.yaml", tmp_path / "b.yaml", tmp_path / "c.yaml"
    file.write_text("routes: {}")
    link.symlink_to(file)

    assert overlay_paths([str(file), str(link), str(missing)]) == [file, link, missing]


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    """The configuration would have what it gives, and the audit nothing; so does a folder end it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    with pytest.raises(ConfigError) as caught:
        overlay_paths([str(pipe), str(tmp_path)])

    assert [fault.message.split(",")[0] for fault in caught.value.faults] == [
        f"{pipe} is no regular file",
        f"{tmp_path} is no regular file",
    ]


def test_a_replay_with_a_pipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It ends before anything is read."""
    os.mkfifo(tmp_path / "pipe")

    assert main(["replay", "--config-overlay", str(tmp_path / "pipe"), "--dry-run"]) == 2
    assert "is no regular file" in capsys.readouterr().err
