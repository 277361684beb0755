"""`clickstream replay --print-job`: the same replay as a Job of Kubernetes, of the release that this pod belongs to."""

import argparse
import os
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from processor.cli.identity import who
from processor.cli.letters import tell
from processor.cli.options import add_config, add_format
from processor.cli.selecting import add_destination
from processor.errors import ConfigError, Fault

JOBS = "CLICKSTREAM_REPLAY_JOBS"
"""Names the folder in which the chart puts a Job for each destination: `voyado.yaml`."""
OVERLAYS = "/etc/clickstream-overlay"
"""Where the Job's pod has the overlays."""
ANNOTATION = "clickstream-processor/overlay-"
"""The pod carries their texts itself, and Kubernetes shows them to it as files: so one object is all there is."""


def print_job(options: argparse.Namespace) -> int:
    """Print the Job; nothing is asked, and nothing is done.

    Raises:
        ConfigError: this is no pod of the chart, or the release has no such destination, or no file to lay over.
    """
    given: list[str] = options.arguments[options.arguments.index("replay") + 1 :]
    job = yaml.safe_load(_manifest(options.destination, given).read_text())
    pod = job["spec"]["template"]
    if options.config_overlay:
        _lay_over(pod, [_text(name) for name in options.config_overlay])
    asked = _kept(given)
    if options.from_file:
        tell(f"the Job's pod needs {options.from_file}: a volume of the release's extraVolumes goes along, a file not")
    if not options.by:
        by, _ = who(options)
        asked += ["--by", by]
        tell(f"the audit will say that {by} asked for it: --by NAME says who")
    # Kubernetes looks variables up in arguments: `$$` is a `$` there, and `$(NAME)` a variable.
    pod["spec"]["containers"][0]["args"] += [each.replace("$", "$$") for each in asked]
    print(yaml.dump(job, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize), end="")
    return 0


def _manifest(destination: str | None, given: Sequence[str]) -> Path:
    """The file with the Job of a destination, or of the release's only one."""
    folder = os.environ.get(JOBS)
    if not folder:
        words = f"{JOBS} is not set: only a pod of the chart knows its release's image, configuration and secrets"
        command = f"kubectl exec deployment/NAME -- clickstream replay {shlex.join(given)} | kubectl create -f -"
        raise ConfigError([Fault(("--print-job",), words, command)])
    known = {path.stem: path for path in sorted(Path(folder).glob("*.yaml"))}
    if destination is None and len(known) == 1:
        return next(iter(known.values()))
    if destination in known:
        return known[destination]
    words = "is needed to say whose letters" if destination is None else f"the release has none named {destination}"
    raise ConfigError([Fault(("--destination",), words, f"name one of: {', '.join(known) or f'none in {folder}'}")])


def _kept(given: Sequence[str]) -> list[str]:
    """The arguments as they were given, without those that the Job has in a way of its own."""
    ours = argparse.ArgumentParser(add_help=False)
    ours.add_argument("--print-job", action="store_true")
    ours.add_argument("--config-overlay", action="append")
    add_config(ours)  # only that `--config` is not taken for the beginning of `--config-overlay`
    add_destination(ours)
    add_format(ours)
    known, kept = ours.parse_known_args(given)
    return [*(f"--config={name}" for name in known.config), *kept]


def _text(name: str) -> str:
    try:
        text, words = Path(name).read_text(), f"{name} is empty"
    except (OSError, UnicodeDecodeError) as error:
        text, words = "", f"{name} cannot be read: {error}"
    if not text.strip():
        fix = "a file of this pod; or `kubectl exec -i … --config-overlay /dev/stdin … < overlay.yaml`"
        raise ConfigError([Fault(("--config-overlay",), words, fix)])
    return text


def _lay_over(pod: dict[str, Any], texts: Sequence[str]) -> None:
    names = [f"{ANNOTATION}{number}" for number in range(len(texts))]
    pod["metadata"].setdefault("annotations", {}).update(zip(names, texts, strict=True))
    items = [
        {"path": f"{number}.yaml", "fieldRef": {"fieldPath": f"metadata.annotations['{name}']"}}
        for number, name in enumerate(names)
    ]
    pod["spec"]["volumes"].append({"name": "replay-overlay", "downwardAPI": {"items": items}})
    container = pod["spec"]["containers"][0]
    container["volumeMounts"].append({"name": "replay-overlay", "mountPath": OVERLAYS, "readOnly": True})
    for item in items:
        container["args"] += ["--config-overlay", f"{OVERLAYS}/{item['path']}"]


class _Dumper(yaml.SafeDumper):
    """Puts quotes round what is a text for PyYAML without them, and none for kubectl's YAML: `y`, `1e3`, `0o17`."""

    AMBIGUOUS = re.compile(r"[yYnN]|[-+.]*[0-9].*", re.DOTALL)

    def represent_scalar(self, tag: str, value: Any, style: str | None = None) -> yaml.ScalarNode:
        if tag == "tag:yaml.org,2002:str":
            style = '"' if self.AMBIGUOUS.fullmatch(value) else "|" if "\n" in value else style
        return super().represent_scalar(tag, value, style)
