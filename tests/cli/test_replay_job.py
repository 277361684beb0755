"""`clickstream replay --print-job`: in a pod of the chart, of which only the mounted Jobs are needed here."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from processor.cli.main import main
from processor.cli.replay_job import JOBS, OVERLAYS

JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {generateName: shop-replay-voyado-}
spec:
  backoffLimit: 0
  template:
    metadata:
      labels: {app.kubernetes.io/version: "0.10"}
    spec:
      containers:
        - {name: clickstream, args: [replay, --destination, voyado], volumeMounts: [{name: config, mountPath: /etc/c}]}
      volumes: [{name: config, configMap: {name: shop}}]
"""
BEGIN = ["replay", "--destination", "voyado"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the chart mounts: the Job of the release's one destination."""
    (tmp_path / "voyado.yaml").write_text(JOB)
    monkeypatch.setenv(JOBS, str(tmp_path))
    return tmp_path


@pytest.fixture
def printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Prints a Job and gives it; `ann` asks."""
    assert folder.is_dir()

    def run(*arguments: str, command: tuple[str, ...] = ("replay",), by: tuple[str, ...] = ("--by", "ann")) -> Any:
        assert main([*command, *arguments, *by, "--print-job"]) == 0
        return yaml.safe_load(capsys.readouterr().out)

    return run


def args_of(job: Any) -> list[str]:
    """What its container is called with, as Kubernetes hands it on."""
    given: list[str] = job["spec"]["template"]["spec"]["containers"][0]["args"]
    return [each.replace("$$", "$") for each in given]


@pytest.mark.parametrize(
    "asked",
    [
        (),
        ("--route", "orders", "--route", "carts", "--status", "400", "--since", "2d", "--reason", "sku mapping"),
        ("--source", "--topic", "shop.orders", "--from", "2026-11-22T09:30:00Z", "--waive", "max_event_age"),
        ("--where", "letter.route == 'a' && event.price > `1`", "--grep=--format $(HOME) a$$", "--key", "-1"),
        ("--dry-run", "--rate", "2/s"),
        ("--resume", "2026-11-22-1"),
        ("--from-file", "/exports/letters.avro", "--route", "orders"),
    ],
)
def test_the_job_is_called_as_the_command_was(printed: Any, asked: tuple[str, ...]) -> None:
    """Every argument arrives as it was given, whatever YAML or Kubernetes would make of it; the rest is the chart's."""
    job = printed(*asked)

    assert args_of(job) == [*BEGIN, *asked, "--by", "ann"]
    job["spec"]["template"]["spec"]["containers"][0]["args"] = BEGIN
    assert job == yaml.safe_load(JOB)


@pytest.mark.parametrize("asked", [("--format", "json"), ("--format=json",), ("--form", "json"), ("--dest", "voyado")])
def test_what_is_no_matter_of_the_job_is_left_out(printed: Any, asked: tuple[str, ...]) -> None:
    """The format, the destination, which it has already, and the wish to print it, however they are written."""
    assert args_of(printed("--route", "a", *asked, "--key", "b")) == [
        *BEGIN, "--route", "a", "--key", "b", "--by", "ann",
    ]  # fmt: skip


def test_no_other_option_is_taken_for_those(capsys: pytest.CaptureFixture[str]) -> None:
    """Only of `--config` is the name the beginning of one that is left out, and it stays."""
    with pytest.raises(SystemExit):
        main(["replay", "--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))

    left_out = {"--print-job", "--format", "--destination", "--config-overlay"}
    assert left_out < options
    assert {one for one in options for other in left_out if one != other and other.startswith(one)} == {"--config"}


@pytest.mark.parametrize("name", ["-c", "--config"])
def test_a_file_of_ones_own(printed: Any, name: str) -> None:
    """It is in place of the release's."""
    assert args_of(printed("--route", "a", name, "one.yaml", name, "two.yaml")) == [
        *BEGIN, "--config=one.yaml", "--config=two.yaml", "--route", "a", "--by", "ann",
    ]  # fmt: skip


def test_it_is_the_same_below_dlq(printed: Any) -> None:
    """`dlq replay` prints what `replay` prints."""
    assert printed("--route", "replay", command=("dlq", "replay")) == printed("--route", "replay")


@pytest.mark.usefixtures("folder")
def test_who_asks_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The Job's own user is nobody: where no name is given, it is the one of this process, and that is said."""
    monkeypatch.setenv("LOGNAME", "bob")
    monkeypatch.setattr(sys, "argv", ["clickstream", "replay", "--print-job"])

    assert main() == 0

    said = capsys.readouterr()
    assert args_of(yaml.safe_load(said.out)) == [*BEGIN, "--by", "bob"]
    assert "the audit will say that bob asked for it" in said.err


@pytest.mark.usefixtures("folder")
def test_a_file_does_not_go_along(capsys: pytest.CaptureFixture[str]) -> None:
    """It may be large: the Job needs one of the release's volumes that has it, which is said."""
    assert main(["replay", "--from-file", "/exports/letters.avro", "--by", "ann", "--print-job"]) == 0

    assert "the Job's pod needs /exports/letters.avro: a volume" in capsys.readouterr().err


def test_overlays_go_along(printed: Any, tmp_path: Path) -> None:
    """Their texts are in the Job, and its pod sees them as files, in their order."""
    texts = ["routes: {a: {when: sku}}\n\n# no\n", "mode: live"]
    names = []
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.txt").write_text(text)
        names += ["--config-overlay", str(tmp_path / f"{number}.txt")]

    job = printed(*names, "--route", "a")

    pod = job["spec"]["template"]
    (volume,) = [each for each in pod["spec"]["volumes"] if "downwardAPI" in each]
    (mount,) = [each for each in pod["spec"]["containers"][0]["volumeMounts"] if each["name"] == volume["name"]]
    files = {
        f"{mount['mountPath']}/{item['path']}": pod["metadata"]["annotations"][
            item["fieldRef"]["fieldPath"].removeprefix("metadata.annotations['").removesuffix("']")
        ]
        for item in volume["downwardAPI"]["items"]
    }
    assert files == {f"{OVERLAYS}/0.yaml": texts[0], f"{OVERLAYS}/1.yaml": texts[1]}
    laid = [f"--config-overlay={path}" for path in files]
    assert "=".join(args_of(job)).count("=".join(laid)) == 1


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_an_overlay_that_says_nothing(folder: Path, capsys: pytest.CaptureFixture[str], text: str | None) -> None:
    """Most likely `kubectl exec` without `-i`, or a file of another machine: nothing is printed."""
    file = folder / "overlay.txt"
    if text is not None:
        file.write_text(text)

    assert main(["replay", "--config-overlay", str(file), "--print-job"]) == 2

    said = capsys.readouterr()
    assert not said.out
    assert str(file) in said.err
    assert "kubectl exec -i" in said.err


@pytest.mark.parametrize(
    "text", ["y", "N", "1e3", "017", "0o17", "2d", "no", "null", "1:30", "2026-11-22", "~", "a: b"]
)
def test_texts_stay_texts(printed: Any, capsys: pytest.CaptureFixture[str], text: str) -> None:
    """The YAML of kubectl has more words for numbers and truth than PyYAML: whatever may be one is in quotes."""
    main(["replay", "--key", text, "--print-job"])

    lines = capsys.readouterr().out.splitlines()
    assert {f'        - "{text}"', f"        - '{text}'"} & set(lines)
    assert text in args_of(printed("--key", text))


def test_outside_of_a_pod(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nowhere else are image and secrets known: the fix is the very command, to be run in one."""
    monkeypatch.delenv(JOBS, raising=False)

    assert main(["replay", "--destination", "voyado", "--reason", "a b", "--print-job"]) == 2

    said = capsys.readouterr()
    assert not said.out
    assert (
        "fix: kubectl exec deployment/NAME -- clickstream replay --destination voyado --reason 'a b' --print-job "
        "| kubectl create -f -" in said.err
    )


@pytest.mark.parametrize(
    ("asked", "words"),
    [([], "is needed to say whose letters"), (["--destination", "../voyado"], "the release has none named ../voyado")],
)
def test_one_of_several_destinations(
    folder: Path, capsys: pytest.CaptureFixture[str], asked: list[str], words: str
) -> None:
    """It must be one of the release's."""
    (folder / "rocket.yaml").write_text(JOB)

    assert main(["replay", *asked, "--print-job"]) == 2

    said = capsys.readouterr().err
    assert words in said
    assert "name one of: rocket, voyado" in said
