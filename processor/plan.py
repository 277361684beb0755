"""From the settings to what each pipeline does: routes and mappings compiled once, every fault at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from processor.destinations import VENDORS
from processor.destinations.vendor import Method, Vendor, Wirings
from processor.errors import ConfigError, Fault, FaultPath, Level
from processor.expressions.language import Compiled, ExpressionError, compile_expression
from processor.map.mapper import Mapper
from processor.route.router import Route
from processor.settings.avro_files import LocalSchemas
from processor.settings.load import Loaded, load
from processor.settings.models import DEFAULT, Constant, DestinationSettings, Expression, RouteSettings, Settings


@dataclass(frozen=True, slots=True)
class Plan:
    """One pipeline, as the file wants it.

    Attributes:
        name: the destination's.
        group: consumer group.
        topics: all that its routes read.
        mappers: by route name.
        dead_letter_topic: never created by the service.
    """

    name: str
    vendor: Vendor
    settings: DestinationSettings
    group: str
    topics: tuple[str, ...]
    routes: tuple[Route, ...]
    mappers: Mapping[str, Mapper]
    dead_letter_topic: str


@dataclass(frozen=True, slots=True)
class Ready:
    """A configuration that can be run.

    Attributes:
        plans: one per destination that a route leads to.
        version: short, the same for the same configuration.
        schemas: those of the file's `schemas`.
        warnings: what a person should look at.
    """

    settings: Settings
    plans: Sequence[Plan]
    version: str
    schemas: LocalSchemas
    warnings: Sequence[Fault]


def load_plans(paths: Sequence[Path], env: Mapping[str, str]) -> Ready:
    """Read the configuration and compile it.

    Raises:
        ConfigError: it cannot be run; every fault is in it.
    """
    loaded = load(paths, env, {name: vendor.settings for name, vendor in VENDORS.items()})
    plans, more = make_plans(loaded, VENDORS)
    # A route to several accounts is compiled once for each, and its faults are told once.
    faults = [*loaded.faults, *dict.fromkeys(loaded.locate(fault) for fault in more)]
    fatal = [fault for fault in faults if fault.level is Level.ERROR]
    if fatal or loaded.settings is None:
        raise ConfigError(fatal)
    return Ready(loaded.settings, plans, loaded.version, loaded.schemas, faults)


def make_plans(loaded: Loaded, vendors: Mapping[str, Vendor]) -> tuple[list[Plan], list[Fault]]:
    """Compile every route of every destination that is right by itself.

    Returns:
        The plans of destinations that a route leads to, good only where nothing is wrong; and what is wrong.
    """
    faults: list[Fault] = []
    plans = []
    for name, destination in loaded.destinations.items():
        vendor = vendors[destination.type]
        compiler = _Compiler(destination, loaded.settings.topics if loaded.settings else (), faults)
        compiled = [
            compiler.route(route_name, route, method)
            for route_name, route in loaded.routes.items()
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
                    loaded.settings.dead_letter_topic(name),
                )
            )
    return plans, faults


def _methods(route_name: str, route: RouteSettings, name: str, vendor: Vendor, faults: list[Fault]) -> Sequence[Method]:
    """The method that a route calls at this destination, if it does; settings have seen to it that it is one."""
    called = [method for to in route.to for destination, _, method in [to.partition(".")] if destination == name]
    unknown = [method for method in called if method not in vendor.methods]
    faults += [
        _unknown(("routes", route_name, "to"), f"method of {name}", method, vendor.methods) for method in unknown
    ]
    return [vendor.methods[method] for method in called if method in vendor.methods]


def _unknown(path: FaultPath, what: str, name: str, known: Iterable[str]) -> Fault:
    near = get_close_matches(name, list(known), 1)
    fix = f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(known))}"
    return Fault(path, f"unknown {what}: {name}", fix)


class _Compiler:
    """Compiles the routes of one destination, and collects what is wrong with them.

    Args:
        topics: those of routes that name none.
    """

    def __init__(self, destination: DestinationSettings, topics: tuple[str, ...], faults: list[Fault]) -> None:
        self._wirings = Wirings(batched=destination.batch is not None)
        self._topics = topics
        self._faults = faults

    def route(self, name: str, route: RouteSettings, method: Method) -> tuple[Route, Mapper]:
        """Compile one route to one method; what does not compile is left out and a fault."""
        path: FaultPath = ("routes", name)
        compiled = Route(
            name,
            frozenset(route.events),
            route.topics or self._topics,
            self._expression((*path, "when"), route.when),
            self._expression((*path, "for_each"), route.for_each),
        )
        return compiled, self._mapper(path, route, method)

    def _mapper(self, path: FaultPath, route: RouteSettings, method: Method) -> Mapper:
        self._check_fields((*path, "map"), route, method)
        expressions = {field: value.text for field, value in route.map.items() if isinstance(value, Expression)}
        fields = {field: self._expression((*path, "map", field), text) for field, text in expressions.items()}
        own_key = route.order_key if isinstance(route.order_key, str) else None
        return Mapper(
            target=self._wirings.wire(method),
            fields={field: expression for field, expression in fields.items() if expression is not None},
            constants={field: value.value for field, value in route.map.items() if isinstance(value, Constant)},
            model=method.model,
            order_key=self._expression((*path, "order_key"), own_key),
            order_field=method.order_key if route.order_key is DEFAULT else None,
            time_field=method.time,
        )

    def _check_fields(self, path: FaultPath, route: RouteSettings, method: Method) -> None:
        self._faults += [
            _unknown((*path, field), f"field of {method.name}", field, method.fields)
            for field in route.map
            if field not in method.fields
        ]
        self._faults += [
            Fault(path, f"{method.name} requires {field}, and nothing is mapped to it", f"add `{field}: …` to the map")
            for field in sorted(method.required - route.map.keys())
        ]

    def _expression(self, path: FaultPath, text: str | None) -> Compiled | None:
        if text is None:
            return None
        try:
            return compile_expression(text)
        except ExpressionError as error:
            self._faults.append(Fault(path, f"is not a JMESPath expression: {error}", "jmespath.org shows the grammar"))
            return None
