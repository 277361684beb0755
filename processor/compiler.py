"""From one route's settings to what it does: conditions, names, mapping, each compiled; what is wrong is collected.

Expressions that are none are left out here; `plan` tells of them, also of those that no route uses.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib import import_module
from typing import Any

from processor.clock import Clock
from processor.destinations.vendor import Method, Wirings
from processor.errors import Fault, FaultPath
from processor.expressions.language import Compiled, ExpressionError, Language
from processor.expressions.source import Node
from processor.fields import located
from processor.map.mapper import Mapper, Timing
from processor.map.values import Hook, Mapped, Values, compile_values, hook_values
from processor.route.router import Route
from processor.settings.models import DEFAULT, Constant, DestinationSettings, Expression, PythonHook, RouteSettings
from processor.settings.wording import did_you_mean, nearest

FieldSource = tuple[Expression | Constant, FaultPath]
"""What a field is made from, and where the file says so."""


def unknown(path: FaultPath, name: str, what: str, known: Iterable[str]) -> Fault:
    """The fault of a name that does not exist."""
    names = [*known]
    return Fault(path, f"`{name}` is no {what}", did_you_mean(name, names), meant=nearest(name, names) or "")


class Compiler:
    """Compiles the routes of one destination, and collects what is wrong with them.

    Args:
        name: the destination's.
        topics: those of routes that name none.
        faults: what is wrong is added to it.
    """

    def __init__(
        self,
        name: str,
        destination: DestinationSettings,
        topics: tuple[str, ...],
        language: Language,
        clock: Clock,
        faults: list[Fault],
    ) -> None:
        self._path: FaultPath = ("destinations", name)
        self._destination = destination
        self._wirings = Wirings(batched=destination.batch is not None)
        self._topics = topics
        self._language = language
        self._clock = clock
        self._faults = faults

    def route(self, name: str, settings: RouteSettings, method: Method) -> tuple[Route, Mapper]:
        """Compile one route to one method; what does not compile is left out and a fault."""
        path: FaultPath = ("routes", name)
        own_key = settings.order_key if isinstance(settings.order_key, str) else None
        route = Route(
            name,
            frozenset(settings.events),
            settings.topics or self._topics,
            self._expression(settings.when),
            self._expression(settings.for_each),
            self._let(settings),
            None if settings.unconditional else self._general,
        )
        mapper = Mapper(
            route=name,
            target=self._wirings.wire(method),
            values=self._values(path, settings, method),
            order_key=self._expression(own_key),
            order_field=method.order_key if settings.order_key is DEFAULT else None,
            timing=Timing(method.time, settings.max_event_age, method.never_old),
            clock=self._clock,
        )
        return route, mapper

    # Conditions and names.

    @cached_property
    def _general(self) -> Compiled | None:
        """The destination's condition, compiled once for all routes that are subject to it."""
        return self._expression(self._destination.when)

    def _let(self, settings: RouteSettings) -> tuple[tuple[str, Compiled], ...]:
        named = []
        for name, value in settings.let.items():
            if isinstance(value, Constant):
                named.append((name, _always(value.value)))
            elif compiled := self._expression(value.text):
                named.append((name, compiled))
        return tuple(named)

    # The mapping.

    def _values(self, path: FaultPath, settings: RouteSettings, method: Method) -> Values:
        if isinstance(settings.map, PythonHook):
            hook = self._hook((*path, "map"), settings.map.path)
            return hook_values(hook, settings.map.path, method.fields)
        sources = self._sources(path, settings.map, method)
        self._check_fields((*path, "map"), settings.map, sources, method)
        mapped: list[Mapped] = []
        constants: dict[str, Any] = {}
        for name, (source, at) in sources.items():
            if isinstance(source, Constant):
                self._constant(at, source.value, name, method, constants)
            elif node := self._node(source.text):
                mapped.append(Mapped(name, method.fields[name], source.text, node))
        return compile_values(mapped, constants, self._language.functions)

    def _sources(
        self, path: FaultPath, own: Mapping[str, Expression | Constant], method: Method
    ) -> Mapping[str, FieldSource]:
        """The route's own fields, and those of the destination that the method has and the route does not map."""
        sources = {name: (source, (*path, "map", name)) for name, source in own.items() if name in method.fields}
        general = self._destination.map
        return sources | {
            name: (source, (*self._path, "map", name))
            for name, source in general.items()
            if name in method.fields and name not in own
        }

    def _check_fields(
        self, path: FaultPath, own: Mapping[str, object], sources: Mapping[str, FieldSource], method: Method
    ) -> None:
        self._faults += [
            unknown((*path, field), field, f"field of {method.name}", method.fields)
            for field in own
            if field not in method.fields
        ]
        self._faults += [
            Fault(
                (*path, field),
                f"{method.name} requires {field}, and nothing is mapped to it",
                f"add `{field}: …` to the map",
            )
            for field in sorted(method.required - sources.keys())
        ]

    def _constant(self, path: FaultPath, value: Any, name: str, method: Method, constants: dict[str, Any]) -> None:
        """Convert a constant once, for all events."""
        field = method.fields[name]
        try:
            constants[name] = field.convert(value)
        except ValueError as error:
            self._faults.append(
                Fault(
                    path,
                    f"the constant does not fit: {located(name, error)}",
                    f"an expression goes in quotes; a constant must be: {field.type}",
                )
            )

    def _hook(self, path: FaultPath, name: str) -> Hook:
        module, _, function = name.rpartition(".")
        try:
            found = getattr(import_module(module), function)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - importing runs the user's code
            words = f"{name} cannot be imported: {type(error).__name__}: {error}"
            self._faults.append(Fault(path, words, "install its package beside this one, or set PYTHONPATH"))
            return _nothing
        if not callable(found):
            self._faults.append(Fault(path, f"{name} is not a function", "name a function f(event, item, record)"))
            return _nothing
        hook: Hook = found
        return hook

    # Expressions.

    def _node(self, text: str) -> Node | None:
        try:
            return self._language.parse(text)
        except ExpressionError:
            return None

    def _expression(self, text: str | None) -> Compiled | None:
        try:
            return None if text is None else self._language.compile(text)
        except ExpressionError:
            return None


def _always(value: Any) -> Compiled:
    return lambda _scope, _event: value


def _nothing(_event: object, _item: object, _record: object) -> None:
    """In the place of a hook that is not there; the fault keeps it from being called."""
