"""From the settings to what each pipeline does: routes and mappings compiled once, every fault at once."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from processor.clock import Clock, SystemClock
from processor.compiler import Compiler, unknown
from processor.destinations import VENDORS
from processor.destinations.vendor import Method, Vendor
from processor.errors import ConfigError, Fault, FaultPath, Level
from processor.expressions.language import ExpressionError, Language
from processor.map.mapper import Mapper
from processor.route.router import Route
from processor.settings.avro_files import LocalSchemas
from processor.settings.load import Loaded, load
from processor.settings.models import DestinationSettings, RouteSettings, Settings
from processor.settings.secrets import SecretSource
from processor.settings.wording import joined
from processor.tables import Tables, read_tables

SYSTEM_CLOCK = SystemClock()

FUNCTIONS_FIX = "`clickstream functions` lists the functions"
GRAMMAR_FIX = f"jmespath.org shows the grammar; {FUNCTIONS_FIX}"
OF_FUNCTION = re.compile(r"unknown function|\w+\(\)")
"""How the words begin that are about one function."""
TEXT_FIX = f"a text that is the same for all events is written {{const: …}}; {FUNCTIONS_FIX}"


@dataclass(frozen=True, slots=True)
class Plan:
    """One pipeline, as the file wants it.

    Attributes:
        name: the destination's.
        group: consumer group.
        topics: all that its routes read.
        mappers: by route name.
        key: where the account's key comes from, so that it can be read again; None where no file is part of it.
        dead_letter_topic: never created by the service.
    """

    name: str
    vendor: Vendor
    settings: DestinationSettings
    group: str
    topics: tuple[str, ...]
    routes: tuple[Route, ...]
    mappers: Mapping[str, Mapper]
    key: SecretSource | None
    dead_letter_topic: str


@dataclass(frozen=True, slots=True)
class Ready:
    """A configuration that can be run.

    Attributes:
        plans: one per destination that a route leads to.
        version: short, the same for the same configuration.
        schemas: those of the file's `schemas`.
        tables: for `lookup`; those from files are to be read again when they change.
        warnings: what a person should look at.
    """

    settings: Settings
    plans: Sequence[Plan]
    version: str
    schemas: LocalSchemas
    tables: Tables
    warnings: Sequence[Fault]


def load_plans(
    paths: Sequence[Path],
    env: Mapping[str, str],
    clock: Clock = SYSTEM_CLOCK,
    *,
    offline: bool = False,
    singly: bool = False,
    ageless: bool = False,
) -> Ready:
    """Read the configuration and compile it.

    Args:
        paths: the files, later ones over earlier ones.
        env: the environment's variables.
        clock: for `age` and `max_event_age`.
        offline: files with secrets may be missing here: they are mounted where the service runs.
        singly: every delivery is a call of its own, whatever the destinations' `batch` says.
        ageless: nothing is too old, whatever the routes' `max_event_age` says.

    Raises:
        ConfigError: it cannot be run; every fault is in it, warnings too.
    """
    loaded = load(paths, env, {name: vendor.settings for name, vendor in VENDORS.items()}, offline=offline)
    tables, missing = read_tables(loaded.tables)
    language = Language(tables.finders, clock.wall)
    plans, more = make_plans(loaded, VENDORS, language, clock, singly=singly, ageless=ageless)
    faults = _together(loaded, [*missing, *_expression_faults(loaded.expressions, language), *more])
    if loaded.settings is None or any(fault.level is Level.ERROR for fault in faults):
        raise ConfigError(faults)
    return Ready(loaded.settings, plans, loaded.version, loaded.schemas, tables, faults)


def _together(loaded: Loaded, more: Sequence[Fault]) -> list[Fault]:
    """All faults in the order of the files.

    A route to several accounts is compiled once for each, and its faults are told once; where the settings have
    convicted a value already, what compiling it says only follows from that, and a warning of it is idle.
    """
    told = {fault.path for fault in loaded.faults if fault.level is Level.ERROR}
    new = dict.fromkeys(loaded.locate(fault) for fault in more if fault.path not in told)
    convicted = {fault.path for fault in new}
    known = [fault for fault in loaded.faults if fault.path not in convicted]
    return sorted(joined([*known, *new], loaded.positions), key=lambda fault: (fault.file, fault.line))


def make_plans(
    loaded: Loaded,
    vendors: Mapping[str, Vendor],
    language: Language,
    clock: Clock,
    *,
    singly: bool,
    ageless: bool,
) -> tuple[list[Plan], list[Fault]]:
    """Compile every route of every destination that is right by itself.

    Returns:
        The plans of destinations that a route leads to, good only where nothing is wrong; and what is wrong, but for
        expressions that do not parse.
    """
    faults: list[Fault] = []
    plans = []
    routes_of = {name: _ageless(route) if ageless else route for name, route in loaded.routes.items()}
    for name, destination in loaded.destinations.items():
        vendor = vendors[destination.type]
        if singly:
            destination = destination.model_copy(update={"batch": None})  # noqa: PLW2901 - the one that is meant
        faults += _unknown_fields(name, destination, vendor)
        topics = loaded.settings.topics if loaded.settings else ()
        compiler = Compiler(name, destination, topics, language, clock, faults)
        compiled = [
            compiler.route(route_name, route, method)
            for route_name, route in routes_of.items()
            for method in _methods(route_name, route, name, vendor, faults)
        ]
        if loaded.settings and compiled:
            routes = tuple(route for route, _ in compiled)
            plans.append(
                Plan(
                    name,
                    vendor,
                    destination,
                    loaded.settings.group_id(name),
                    tuple(dict.fromkeys(topic for route in routes for topic in route.topics)),
                    routes,
                    {route.name: mapper for route, mapper in compiled},
                    loaded.keys.get(name),
                    loaded.settings.dead_letter_topic(name),
                )
            )
    return plans, faults


def _ageless(route: RouteSettings) -> RouteSettings:
    return route.model_copy(update={"max_event_age": None})


def _expression_faults(expressions: Mapping[FaultPath, str], language: Language) -> Iterator[Fault]:
    """What is no expression, also where no route uses it, or where it is not known what the route calls."""
    for path, text in expressions.items():
        try:
            language.parse(text)
        except ExpressionError as error:
            yield Fault(path, str(error), _fix(path, error))


def _fix(path: FaultPath, error: ExpressionError) -> str:
    if OF_FUNCTION.match(str(error)):
        return FUNCTIONS_FIX
    return TEXT_FIX if path[-2] in {"let", "map"} else GRAMMAR_FIX


def _unknown_fields(name: str, destination: DestinationSettings, vendor: Vendor) -> list[Fault]:
    """Fields of a destination's `map` that no method has: no route would ever send them."""
    known = {field for method in vendor.methods.values() for field in method.fields}
    return [
        unknown(("destinations", name, "map", field), field, f"field of any method of {vendor.name}", known)
        for field in destination.map
        if field not in known
    ]


def _methods(route_name: str, route: RouteSettings, name: str, vendor: Vendor, faults: list[Fault]) -> Sequence[Method]:
    """The method that a route calls at this destination, if it does; settings have seen to it that it is one."""
    targets = enumerate(to.partition(".") for to in route.to)
    called = [(at, method) for at, (destination, _, method) in targets if destination == name]
    faults += [
        unknown(("routes", route_name, "to", at), method, f"method of {name}", vendor.methods)
        for at, method in called
        if method not in vendor.methods
    ]
    return [vendor.methods[method] for _, method in called if method in vendor.methods]
