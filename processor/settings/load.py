"""Loads the configuration: every fault at once, each with its file and line."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from processor.errors import Fault, FaultPath, Level
from processor.settings.avro_files import LocalSchemas, read_schemas
from processor.settings.cautions import (
    constant_faults,
    idle_faults,
    let_faults,
    mode_faults,
    plain_http_faults,
    slow_end_faults,
    unconditional_faults,
    unknown_schema_faults,
    unread_format_faults,
)
from processor.settings.cross import (
    alias_faults,
    ca_faults,
    foreign_key_faults,
    format_faults,
    header_faults,
    location_faults,
    loop_faults,
    reply_faults,
    target_faults,
    topic_faults,
)
from processor.settings.expressions import find_expressions
from processor.settings.files import read_files
from processor.settings.kafka_properties import check_kafka
from processor.settings.models import DestinationSettings, RouteSettings, Settings, Vendors
from processor.settings.outline import outline_destination, outline_route
from processor.settings.registry import RegistrySettings, check_registry
from processor.settings.secrets import SecretSource, key_sources
from processor.settings.substitute import substitute
from processor.settings.tables import sound_tables
from processor.settings.values import Frozen
from processor.settings.version import version_of
from processor.settings.wording import did_you_mean, nearest, translate
from processor.settings.yaml import Node, Positions, locate

DEFAULT_PATH = "clickstream.yaml"
ENV_PATHS = "CLICKSTREAM_CONFIG"

Part = TypeVar("Part", bound=Frozen)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the files say, and what is wrong with them.

    Attributes:
        settings: None where a fault is an error.
        faults: errors and warnings, by file and line.
        destinations: for more faults to be found; of those that are wrong by themselves, as much as could be read.
        routes: likewise.
        schemas: the records of the .avsc files that are right.
        tables: the rows of each table, or its file; none of those that are wrong.
        keys: by destination, where its key comes from, as far as files are part of it.
        expressions: all that the file has by their path, right or not, also where something beside them is wrong.
        positions: file and line of each value.
        version: 8 hex digits, the same for the same configuration and .avsc files, whatever the secrets are; empty
            where a file could not be read.
    """

    settings: Settings | None
    faults: tuple[Fault, ...]
    destinations: Mapping[str, DestinationSettings] = field(default_factory=dict)
    routes: Mapping[str, RouteSettings] = field(default_factory=dict)
    schemas: LocalSchemas = field(default_factory=LocalSchemas)
    tables: Mapping[str, Mapping[str, str] | Path] = field(default_factory=dict)
    keys: Mapping[str, SecretSource] = field(default_factory=dict)
    expressions: Mapping[FaultPath, str] = field(default_factory=dict)
    positions: Positions = field(default_factory=dict)
    version: str = ""

    def locate(self, fault: Fault) -> Fault:
        """Give a fault the file and line of its value, or of the nearest key above it."""
        return locate(fault, self.positions)


def config_paths(cli: Sequence[str], env: Mapping[str, str]) -> list[Path]:
    """Tell which files to read, later ones over earlier ones.

    Args:
        cli: the values of `--config`; where there are any, the environment is not looked at.
        env: `CLICKSTREAM_CONFIG` names files too, with `:` between them; without it `./clickstream.yaml` is read.
    """
    named = list(cli) or [name for name in env.get(ENV_PATHS, "").split(":") if name]
    return [Path(name) for name in named or [DEFAULT_PATH]]


def load(paths: Sequence[Path], env: Mapping[str, str], vendors: Vendors, *, offline: bool = False) -> Loaded:
    """Read, merge, substitute and check; never raises for what a user wrote.

    Args:
        paths: from `config_paths`.
        env: the environment's variables.
        vendors: the settings' class of each `type` of destination.
        offline: whether a file with a secret or with authorities may be missing; it is a warning then.
    """
    written, faults = read_files(paths)
    if written is None:
        return Loaded(None, tuple(faults))
    tree, missing = substitute(written, env, offline=offline)
    positions = written.positions()
    check = _Check(tree.python(), written, vendors, [*faults, *missing], offline)
    settings = check.run()
    located = sorted((locate(fault, positions) for fault in check.faults), key=lambda fault: (fault.file, fault.line))
    failed = any(fault.level is Level.ERROR for fault in located)
    return Loaded(
        None if failed else settings,
        tuple(located),
        {**check.outlined_destinations, **check.destinations},
        {**check.outlined_routes, **check.routes},
        check.schemas,
        sound_tables(check.section("tables")),
        key_sources(written, check.destinations, env),
        dict(find_expressions(check.tree)),
        positions,
        version_of(tree, check.schemas),
    )


@dataclass(slots=True)
class _Check:
    """Checks one merged tree part by part, so that a fault in one part hides none in another.

    Attributes:
        tree: the values after substitution.
        written: the same before it; what messages show.
        destinations: those that are right by themselves.
        routes: likewise.
        outlined_destinations: what can be read of the others.
        outlined_routes: likewise.
    """

    tree: dict[str, Any]
    written: Node
    vendors: Vendors
    faults: list[Fault]
    offline: bool
    destinations: dict[str, DestinationSettings] = field(default_factory=dict)
    routes: dict[str, RouteSettings] = field(default_factory=dict)
    outlined_destinations: dict[str, DestinationSettings] = field(default_factory=dict)
    outlined_routes: dict[str, RouteSettings] = field(default_factory=dict)
    schemas: LocalSchemas = field(default_factory=LocalSchemas)

    def run(self) -> Settings | None:
        """Check everything; the settings are whole only where no error was found."""
        self._place_files()
        destinations, routes = self.section("destinations"), self.section("routes")
        for name, value in destinations.items():
            if destination := self._destination(name, value):
                self.destinations[name] = destination
        for name, value in routes.items():
            if route := self._part(RouteSettings, value, ("routes", name)):
                self.routes[name] = route
            elif outline := outline_route(value):
                self.outlined_routes[name] = outline
        settings = self._part(Settings, self._with_parts(destinations, routes), ())
        self._add(self._kafka_faults())
        self._add(self._registry_faults())
        self._add(target_faults(self.outlined_routes | self.routes, destinations, self.written.positions()))
        self._add(topic_faults(self.routes, self.tree.get("topics")))
        self._add(plain_http_faults(self.destinations))
        self._add(ca_faults(self.destinations, offline=self.offline))
        self._add(header_faults(self.destinations))
        self._add(reply_faults(self.destinations))
        self._add(mode_faults(self.destinations))
        self._add(constant_faults(self.written))
        self._add(unconditional_faults(self.routes, self.destinations))
        self._read_schemas()
        if settings and len(self.routes) == len(routes) and len(self.destinations) == len(destinations):
            self._add(loop_faults(settings))
            self._add(idle_faults(settings))
            self._add(slow_end_faults(settings))
            self._add(unread_format_faults(settings))
            self._add(unknown_schema_faults(settings))
        return settings

    def section(self, key: str) -> dict[str, Any]:
        """Give a part of the file, empty where it is no mapping."""
        section = self.tree.get(key)
        return section if isinstance(section, dict) else {}

    def _add(self, faults: Iterable[Fault]) -> None:
        """Keep faults; where a path has one from an earlier check, a later one would only follow from it."""
        known = {fault.path for fault in self.faults}
        self.faults += [fault for fault in faults if fault.path not in known]

    def _destination(self, name: str, value: object) -> DestinationSettings | None:
        path = ("destinations", name)
        kind = value.get("type") if isinstance(value, dict) else None
        if isinstance(value, dict) and isinstance(kind, str) and kind in self.vendors:
            self._add(foreign_key_faults(path, value, kind, self.vendors))
            self.outlined_destinations[name] = outline_destination(kind, value)
            return self._part(self.vendors[kind], value, path)
        if not isinstance(value, dict):
            return self._part(DestinationSettings, value, path)
        misspelt = nearest("type", value)
        if misspelt and "type" not in value:
            fix = did_you_mean(misspelt, ["type"])
            self._add([Fault((*path, misspelt), "is not a known key", fix, meant="type")])
        node = self.written.at((*path, "type"))
        named = node is not None and isinstance(node.value, str)
        message = f"`{node.value}` is no type of destination" if node and named else "is required, as text"
        self._add([Fault((*path, "type"), message, did_you_mean(str(kind), self.vendors))])
        return None

    def _part(self, model: type[Part], value: object, path: FaultPath) -> Part | None:
        try:
            return model.model_validate(value)
        except ValidationError as error:
            errors = error.errors(include_url=False)
            self._add([translate(details, model, path, self.written) for details in errors])
            return None

    def _with_parts(self, destinations: dict[str, Any], routes: dict[str, Any]) -> dict[str, Any]:
        """Put the parts in that were checked; a faulty one is replaced by a blank that raises no second fault."""
        whole = dict(self.tree)
        if destinations:
            blank = _blank(DestinationSettings)
            whole["destinations"] = {name: self.destinations.get(name, blank) for name in destinations}
        if routes:
            empty = _blank(RouteSettings)
            whole["routes"] = {name: self.routes.get(name, empty) for name in routes}
        return whole

    def _kafka_faults(self) -> list[Fault]:
        kafka = self.tree.get("kafka")
        if not isinstance(kafka, dict):
            return []
        texts = {name: str(value) for name, value in kafka.items() if isinstance(value, str)}
        absent = location_faults("kafka", texts, offline=self.offline)
        self._add([self._unsubstituted(fault) for fault in absent])
        return [self._unsubstituted(fault) for fault in check_kafka(texts)]

    def _registry_faults(self) -> list[Fault]:
        try:
            registry = RegistrySettings.model_validate(self.tree.get("registry"))
        except ValidationError:  # said by the check of the whole
            return []
        absent = list(location_faults("registry", self.section("registry"), offline=self.offline))
        return [self._unsubstituted(fault) for fault in absent or check_registry(registry)]

    def _read_schemas(self) -> None:
        """Read the .avsc files; what refers to their records is judged only where none is missing."""
        if any(fault.path[:1] == ("schemas",) for fault in self.faults):
            return
        value = self.tree.get("schemas", [])
        texts = [value] if isinstance(value, str) else value
        self.schemas, faults = read_schemas([self._beside(("schemas", at), text) for at, text in enumerate(texts)])
        self._add(faults)
        if all(fault.level is Level.WARNING for fault in faults):
            self._add(format_faults(self.section("formats"), self.schemas))
            self._add(alias_faults(self.routes, self.schemas, self.written))
            self._add(let_faults(self.routes, self.schemas))

    def _place_files(self) -> None:
        """Look up beside the file that names them what the settings hold as paths."""
        for name, table in self.section("tables").items():
            if isinstance(table, dict) and table.keys() == {"file"}:
                self._place(table, ("tables", name, "file"))
        for name, destination in self.section("destinations").items():
            http = destination.get("http") if isinstance(destination, dict) else None
            if isinstance(http, dict):
                self._place(http, ("destinations", name, "http", "ca_file"))

    def _place(self, holder: dict[str, Any], path: FaultPath) -> None:
        name = holder.get(str(path[-1]))
        if name and isinstance(name, str):
            holder[str(path[-1])] = str(self._beside(path, name))

    def _beside(self, path: FaultPath, name: str) -> Path:
        """Look a relative path up beside the file that names it."""
        node = self.written.at(path) or self.written.at(path[:-1]) or self.written
        return Path(node.file).parent / name

    def _unsubstituted(self, fault: Fault) -> Fault:
        """Put `${NAME}` back for its value in a client's own words: it may be a secret in the wrong place."""
        message = fault.message
        for key, value in self.section(str(fault.path[0])).items():
            node = self.written.at((str(fault.path[0]), key))
            if node and isinstance(node.value, str) and isinstance(value, str) and value and node.value != value:
                shown = node.value.replace("\\", r"\\")
                message = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", shown, message)
        return replace(fault, message=message)


def _blank(model: type[Frozen]) -> Frozen:
    return model.model_construct()
