"""`clickstream check`: findings in words and as JSON, exit codes, and no traceback whatever a file holds."""

from collections.abc import Callable
from pathlib import Path

import pytest

from processor.cli.main import main
from tests.support.command import clickstream, objects
from tests.support.configured import FIRST, HEAD, ROCKET, VIEW

GOOD = HEAD + VIEW + ROCKET
LONE = HEAD + VIEW
"""Valid, but no route leads to the second destination: a warning."""
WRONG = GOOD.replace("category_view", "categoryview").replace("sku", "'a b'").replace("start_from", "start_form")
CHECK = ["check", "--offline"]

Output = tuple[int, str, str]
Check = Callable[..., Output]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Check this file as `clickstream.yaml` of the current folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CLICKSTREAM_CONFIG", raising=False)

    def run(text: str | bytes, *arguments: str) -> Output:
        Path("clickstream.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
        code = main([*CHECK, *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_nothing_is_wrong(check: Check) -> None:
    """One line says what was looked at; as JSON there is nothing to say."""
    assert check(GOOD) == (0, "clickstream.yaml: 2 routes, 2 destinations; offline ok\n", "")
    assert check(GOOD, "--strict") == check(GOOD)
    assert check(GOOD, "--format", "json") == (0, "", "")


def test_errors(check: Check) -> None:
    """Every one with its place and fix, then how many; the exit code is for scripts."""
    code, out, err = check(WRONG)

    assert code == 2
    assert out == "clickstream.yaml: 3 errors, 0 warnings\n"
    assert [line.split("   ")[0] for line in err.splitlines() if line.startswith("ERROR")] == [
        "ERROR clickstream.yaml:4 start_form",
        f"ERROR clickstream.yaml:{FIRST} routes.views.map.itemId",
        f"ERROR clickstream.yaml:{FIRST + 1} routes.rocket.to",
    ]
    assert "hunter" not in err


def test_findings_as_json(check: Check) -> None:
    """One object in each line, with all that the words have, and nothing beside."""
    code, out, err = check(LONE.replace("product_view", "product_veiw"), "--format", "json")

    assert (code, err) == (2, "")
    assert objects(out) == [
        {
            "level": "warning",
            "file": "clickstream.yaml",
            "line": 11,
            "path": "destinations.rocket",
            "message": "no route leads here, so nothing is delivered",
            "fix": "add a route, or remove it",
        },
        {
            "level": "error",
            "file": "clickstream.yaml",
            "line": FIRST,
            "path": "routes.views.to",
            "message": "`product_veiw` is no method of voyado",
            "fix": "did you mean `product_view`?",
        },
    ]


def test_warnings_fail_only_where_they_shall(check: Check) -> None:
    """With `--strict` they are errors."""
    code, out, err = check(LONE)
    assert (code, out) == (0, "clickstream.yaml: 1 route, 2 destinations; 0 errors, 1 warning\n")
    assert err.startswith("WARNING clickstream.yaml:11 destinations.rocket   ")

    assert check(LONE, "--strict") == (2, out, err)
    strict, _, _ = check(LONE, "--strict", "--format", "json")
    assert strict == 2


def test_several_files(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later ones lie over earlier ones, and a finding names the file that set the value."""
    Path("stage.yaml").write_text("routes: {rocket: {when: 'a =='}}\n")

    code, out, err = check(GOOD, "-c", "clickstream.yaml", "--config", "stage.yaml")
    assert (code, out) == (2, "clickstream.yaml, stage.yaml: 1 error, 0 warnings\n")
    assert err.startswith("ERROR stage.yaml:1 routes.rocket.when   is not an expression: ")

    monkeypatch.setenv("CLICKSTREAM_CONFIG", "clickstream.yaml:stage.yaml")
    assert check(GOOD) == (code, out, err)
    assert check(GOOD, "-c", "clickstream.yaml")[0] == 0


def test_secrets_may_be_missing_here(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    """They are mounted where the service runs: offline it is a warning, in `run` an error; a variable is always one."""
    absent = GOOD.replace("hunter2", "${file:secrets/api-key}")
    code, out, err = check(absent)
    assert (code, out) == (0, "clickstream.yaml: 2 routes, 2 destinations; 0 errors, 1 warning\n")
    assert err.startswith("WARNING clickstream.yaml:9 destinations.voyado.api_key   ")
    assert "secrets/api-key" in err
    assert check(absent, "--strict")[0] == 2

    assert main(["run"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("ERROR clickstream.yaml:9 destinations.voyado.api_key   ")
    assert said.endswith("\n\n1 error; nothing was started\n")

    code, _, err = check(GOOD.replace("hunter2", "${VOYADO_KEY_THAT_NOBODY_SET}"))
    assert code == 2
    assert err.startswith("ERROR clickstream.yaml:9 destinations.voyado.api_key   ")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n# nothing\n",
        "[]",
        "- a\n",
        "text",
        b"\xff\xfe",
        b"\x00",
        "a: [\n",
        "a: &a [*a]\n",
        "{" * 5_000,
        "kafka: {}\n---\nkafka: {}\n",
        "destinations: []\nroutes: 5\ntables: a\nschemas: {a: b}\nformats: [a]\nkafka: a\nregistry: a\n",
        "destinations: {a: null, b: [], c: {type: []}}\nroutes: {a: null, b: [], c: {to: {}, map: 5, let: []}}\n",
        GOOD.replace("sku", "'" + "(" * 2_000 + "'"),
        GOOD.replace("sku", "'" + "a." * 20_000 + "a'"),
        GOOD.replace("sku", "'join('"),
        GOOD.replace("map: {itemId", "map: python:os.no.such, x: {itemId"),
        GOOD + "tables: {t: {file: .}}\n",
        GOOD + "schemas: [none.avsc]\n",
        GOOD + 'tables: {t: {file: "a\\0b"}}\n',
        GOOD + 'schemas: ["a\\0b"]\n',
        GOOD.replace("hunter2", '"${file:a\\0b}"'),
        GOOD.replace("type: voyado", 'type: voyado\n    http: {ca_file: "a\\0b"}'),
        GOOD.replace("type: voyado", "type: voyado\n    http: {ca_file: clickstream.yaml}"),
    ],
)
def test_whatever_a_file_holds_is_a_finding(check: Check, text: str | bytes) -> None:
    """No file makes the program fail: each ends with 2, and says something with a place."""
    code, out, _ = check(text, "--format", "json")

    assert code == 2
    assert {finding["file"] for finding in objects(out)} == {"clickstream.yaml"}
    assert all(finding.keys() == {"level", "file", "line", "path", "message", "fix"} for finding in objects(out))


def test_a_file_that_cannot_be_read(check: Check) -> None:
    """One that is not there, and a folder in its place."""
    for name, said in (("none.yaml", "the file does not exist"), (".", "the file cannot be read: Is a directory")):
        code, out, _ = check(GOOD, "-c", name, "--format", "json")
        [finding] = objects(out)
        assert (code, finding["file"], finding["message"]) == (2, name, said)


def test_as_a_process(tmp_path: Path) -> None:
    """Findings go to stderr, what was found in all to stdout."""
    (tmp_path / "clickstream.yaml").write_text(WRONG)

    done = clickstream(*CHECK, cwd=tmp_path)

    assert done.returncode == 2
    assert done.stdout == "clickstream.yaml: 3 errors, 0 warnings\n"
    assert done.stderr.count("ERROR ") == 3
    assert "Traceback" not in done.stderr


def test_only_offline_yet(capsys: pytest.CaptureFixture[str]) -> None:
    """Without `--offline` nobody shall think that Kafka was looked at."""
    with pytest.raises(SystemExit) as ended:
        main(["check"])

    assert ended.value.code == 2
    assert "--offline" in capsys.readouterr().err
