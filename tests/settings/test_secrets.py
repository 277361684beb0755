import os
from pathlib import Path

import pytest

from processor.settings.secrets import SecretSource
from processor.settings.substitute import Missing
from tests.settings.example import changed, load_text


def source(folder: Path, written: str, env: dict[str, str] | None = None) -> SecretSource | None:
    """Where the key of the example comes from, when it is written so."""
    loaded = load_text(folder, changed("hunter2", written), env=env)
    assert loaded.settings is not None
    return loaded.keys.get("acme")


def test_a_secret_from_a_file_is_read_again(tmp_path: Path) -> None:
    """It is what the file says now, read the same way as at the start; its last line break is dropped."""
    key = tmp_path / "key"
    key.write_text("first\n")
    found = source(tmp_path, "${file:key}")
    assert found is not None
    assert found.files == [str(key)]
    assert found.read() == "first"

    key.write_text("second\n")
    assert found.read() == "second"


def test_files_within_a_text(tmp_path: Path) -> None:
    """What stands around stays, with the variables as they were at the start."""
    (tmp_path / "a").write_text("1\n")
    (tmp_path / "b").write_text("2")
    env = {"TENANT": "acme"}
    found = source(tmp_path, "'${TENANT}-${file:a}.${file:b}-$${x}-${ZONE:-eu}'", env)
    assert found is not None
    assert found.read() == "acme-1.2-${x}-eu"

    env["TENANT"] = "other"
    (tmp_path / "b").write_text("3")
    assert found.read() == "acme-1.3-${x}-eu"


@pytest.mark.parametrize("written", ["plain", "${KEY}", "${NONE:-file:key}", "$${file:key}"])
def test_what_no_file_holds(tmp_path: Path, written: str) -> None:
    """Text and variables cannot change while the service runs."""
    (tmp_path / "key").write_text("first")
    assert source(tmp_path, written, {"KEY": "k"}) is None


def test_a_pipe_is_read_once_only(tmp_path: Path) -> None:
    """`--config` and keys may come from a shell's pipes, which would block whoever reads them again."""
    read, write = os.pipe()
    os.write(write, b"key")
    os.close(write)
    try:
        assert source(tmp_path, f"${{file:/dev/fd/{read}}}") is None
    finally:
        os.close(read)


def test_the_folder_is_that_of_the_file_which_names_it(tmp_path: Path) -> None:
    """As at the start, and whichever file sets it last."""
    (tmp_path / "key").write_text("first")
    loaded = load_text(tmp_path, changed("hunter2", "x"), "destinations: {acme: {api_key: '${file:key}'}}")
    assert loaded.keys["acme"].read() == "first"


def test_why_there_is_no_secret_now(tmp_path: Path) -> None:
    """What is wrong with the file, in words with a fix; never what it holds."""
    key = tmp_path / "key"
    key.write_text("first")
    found = source(tmp_path, "${file:key}")
    assert found is not None

    key.write_text("two words")
    blank = found.read()
    assert isinstance(blank, Missing)
    assert blank.message.startswith(f"what {key} holds is empty, or has a blank")
    assert blank.fix == "write the whole key to the file"
    assert "two" not in repr(blank)

    key.unlink()
    assert found.read() == Missing(
        f"the file {key} does not exist", "create or mount it, or mend the path", absent=True
    )


def test_no_secret_is_printed(tmp_path: Path) -> None:
    """Text around a file may be half of the key."""
    (tmp_path / "key").write_text("first")
    found = source(tmp_path, "hunter-${file:key}")
    assert "hunter" not in repr(found)
    assert "hunter" not in repr(load_text(tmp_path, changed("hunter2", "hunter-${file:key}")).keys)
