"""What `clickstream replay` is asked for: which letters or source records, how fast, by whom."""

import argparse
from pathlib import Path

from pydantic_core import PydanticCustomError

from processor.cli.identity import add_who, who
from processor.cli.options import positive
from processor.cli.overlays import kept
from processor.cli.selecting import FROM_SOURCE, add_destination, add_selectors, refuse_empty, time
from processor.errors import ConfigError, FatalError, Fault
from processor.plan import Plan
from processor.replay.access import Access
from processor.replay.history import Run
from processor.replay.run import Terms
from processor.replay.source import Range
from processor.settings.values import parse_rate

TENTH = 0.1
"""Of the destination's rate: beside the service both together reach 1.1 times of it."""
MAX_REPLAYS = 3
WAIVABLE = ("max_event_age",)
"""Rules of a route that a person may waive for one run."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add all but the configuration and the format."""
    parser.add_argument(
        "--config-overlay",
        action="append",
        default=[],
        metavar="FILE",
        help="laid over the configuration for this run, for example a default for a missing field; repeat it for more",
    )
    add_destination(parser)
    add_selectors(parser, bare_source=True)
    _add_source(parser)
    parser.add_argument(
        "--from-file",
        type=Path,
        metavar="FILE",
        help="letters of an export, also where Kafka has deleted them: those that are not closed are put back first",
    )
    parser.add_argument("--discarded", action="store_true", help="replay discarded letters, too")
    parser.add_argument("--dry-run", action="store_true", help="tell what would become of the letters; send nothing")
    parser.add_argument("--reveal", action="store_true", help="show the samples of --dry-run with their values")
    parser.add_argument(
        "--rate", type=_rate, default=argparse.SUPPRESS, metavar="N/s", help="default: a tenth of the destination's"
    )
    parser.add_argument("--max", type=positive, metavar="N", help="so many letters, the oldest")
    parser.add_argument(
        "--max-replays",
        type=positive,
        default=MAX_REPLAYS,
        metavar="N",
        help=f"leave letters alone that were replayed so often (default: {MAX_REPLAYS})",
    )
    parser.add_argument("--resume", metavar="RUN", help="go on with this run, as it was asked for; or help it")
    add_who(parser, why=False)
    parser.add_argument(
        "--print-job",
        action="store_true",
        help="in a pod of the chart: print the Kubernetes Job that does this with the release's image, configuration "
        "and secrets, for `kubectl create -f -`; overlays go along",
    )


def _add_source(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "from the source",
        "With a bare --source no letters are replayed but source records, and all that the chosen routes make of "
        "them: what was accepted although it was wrong, or what was before the service.",
    )
    group.add_argument("--topic", action="append", default=[], metavar="T", help="default: those that the routes read")
    group.add_argument("--from", dest="since_record", type=time, metavar="TIME", help="records from then on")
    group.add_argument("--to", dest="until_record", type=time, metavar="TIME", help="records before (default: now)")
    group.add_argument(
        "--waive",
        action="append",
        default=[],
        choices=WAIVABLE,
        help="a rule of the routes that does not hold this time",
    )


def refuse_mixed(options: argparse.Namespace) -> None:
    """Refuse what would be passed over in silence, so that more were replayed than somebody meant.

    Raises:
        ConfigError: an argument does not go with the others.
    """
    faults = []
    if options.source != FROM_SOURCE:
        given = {"--topic": options.topic, "--from": options.since_record, "--to": options.until_record}
        fix = "add a bare --source; letters are chosen by --source TOPIC, --since and --until"
        faults += [Fault((name,), "is about source records", fix) for name, value in given.items() if value]
    elif options.from_file:
        faults.append(
            Fault(("--from-file",), "is about letters, a bare --source about records", "leave one of them out")
        )
    if options.from_file and options.resume:
        faults.append(
            Fault(("--from-file",), "was for the run's beginning: what it put back is in Kafka", "leave it out")
        )
    if faults:
        raise ConfigError(faults)


def range_of(options: argparse.Namespace, plan: Plan) -> Range:
    """Which source records are meant.

    Raises:
        ConfigError: it is not said, or said in words that are about letters.
    """
    letters_only = ("stage", "error_class", "status", "since", "until", "grep", "where", "discarded")
    given = [name for name in letters_only if getattr(options, name)]
    faults = [Fault((f"--{name.replace('error_', '')}",), "is about letters", "leave it out") for name in given]
    if options.since_record is None:
        faults.append(
            Fault(("--from",), "is needed to say where it begins", "--from 2026-11-22T09:30:00Z, or --from 2d")
        )
    refuse_empty(options.since_record, options.until_record, ("--from", "--to"))
    topics = options.topic or [topic for topic in plan.topics if not topic.startswith("^")]
    if not topics:
        faults.append(Fault(("--topic",), "is needed: the routes read topics by a regular expression", "name them"))
    if faults:
        raise ConfigError(faults)
    return Range(
        tuple(topics),
        options.since_record,
        options.until_record,
        tuple(options.route),
        options.key,
        tuple(options.waive),
    )


def terms_of(options: argparse.Namespace, access: Access, resumed: Run | None) -> Terms:
    """How the run goes; secrets in overlays are masked, for they go to the audit topic.

    Raises:
        FatalError: a run is resumed without the files that it began with: the rest of it would go out unrepaired.
    """
    by, host = who(options)
    overlay = kept(options.config_overlay, access.ready.settings)
    if resumed and [*resumed.overlay.values()] != [*overlay.values()]:
        raise FatalError(f"run {resumed.id} began with other overlays: resume it with `{resumed.resuming}`")
    return Terms(options.max, _rate_of(options, access.plan, resumed), options.reason, by, host, overlay)


def _rate_of(options: argparse.Namespace, plan: Plan, resumed: Run | None) -> float | None:
    """What is said now, else what was said when the run began, else a tenth."""
    if "rate" in options:
        rate: float | None = options.rate
        return rate
    if resumed and resumed.rate:
        return parse_rate(resumed.rate)
    return plan.settings.rate and plan.settings.rate * TENTH


def _rate(text: str) -> float | None:
    try:
        rate = parse_rate(text)
    except PydanticCustomError as error:
        raise argparse.ArgumentTypeError(f"{text} {error.message()}, such as 50/s; or none") from None
    if rate is not None and rate <= 0:
        raise argparse.ArgumentTypeError(f"{text} is no rate above 0")
    return rate
