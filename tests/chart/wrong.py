"""Values that the chart refuses, each with the words that must be said."""

from typing import NamedTuple

from tests.chart.rendering import Json, minimal, with_file

KEY = '"${file:/var/run/secrets/voyado/api-key}"'


class Wrong(NamedTuple):
    """Values that are wrong, and what must be said."""

    values: Json
    where: str
    cause: str
    fix: str


def other_name(name: str) -> Json:
    """The minimal file with another name for its destination."""
    values = with_file(replace=("  voyado:", f"  {name}:"))
    return {**values, "config": values["config"].replace("voyado.product_view", f"{name}.product_view")}


def beside(destination: str) -> Json:
    """The minimal file with one destination more, and a route to it."""
    account = "{type: retail_rocket, partner_id: p, api_key: k}"
    values = with_file(replace=("destinations:\n", f"destinations:\n  {destination}: {account}\n"))
    return {
        **values,
        "config": values["config"].replace("to: voyado.product_view", f"to: [{destination}.view, voyado.x]"),
    }


def with_both(one: str, other: str) -> str:
    """A file with these two destinations."""
    text: str = beside(one)["config"]
    return text.replace("  voyado:", f"  {other}:").replace("voyado.x", f"{other}.x")


WRONG = {
    "no file": Wrong(
        {}, "config", "is empty: the service needs its configuration file", "--set-file config=clickstream.yaml"
    ),
    "YAML instead of a text": Wrong(
        minimal(config={"destinations": {"voyado": {}}}),
        "config",
        "is YAML, and Helm has read it already: `NO` became false",
        "--set-file config=clickstream.yaml",
    ),
    "two files": Wrong(
        minimal(existingConfigMap="mine", destinations={"voyado": {}}),
        "existingConfigMap",
        "is set beside `config`",
        "remove one",
    ),
    "files beside a file that is not ours": Wrong(
        {"existingConfigMap": "mine", "destinations": {"voyado": {}}, "files": {"a.csv": "a,b"}},
        "files",
        "would go into the chart's own ConfigMap",
        "add them to that ConfigMap, or mount them with extraVolumes",
    ),
    "a file that nobody names the destinations of": Wrong(
        {"existingConfigMap": "mine"},
        "destinations",
        "the chart cannot look into the ConfigMap",
        """--set-json 'destinations={"voyado": {}, "rocket": {}}'""",
    ),
    "no YAML": Wrong(
        minimal(config="destinations: ["), "config", "is no YAML that Helm can read: ", "`clickstream check --offline`"
    ),
    "no destinations": Wrong(
        minimal(config="routes: {}\n"), "config", "has no `destinations`", "name at least one account"
    ),
    "values for a destination that is not there": Wrong(
        minimal(destinations={"voyadoo": {"replicaCount": 1}}),
        "destinations.voyadoo",
        "the configuration file has no such destination",
        "write one that it has: voyado",
    ),
    "a destination without a route": Wrong(
        with_file(replace=("to: voyado.product_view", "to: rocket.view")),
        "config: destinations.voyado",
        "no route leads to it",
        "add a route `to: voyado.…`",
    ),
    "a name that ends in a hyphen": Wrong(
        other_name("voyado-"), "config: destinations.voyado-", "cannot be part of a name in Kubernetes", "at the end"
    ),
    "a name that Helm takes for a truth value": Wrong(
        other_name("no"), "config: destinations.false", "a name that Helm's YAML takes for a truth value", "put quotes"
    ),
    "two names that Kubernetes cannot tell apart": Wrong(
        {**beside("shop_a"), "config": with_both("shop_a", "shop-a")},
        "config: destinations.shop_a",
        "would have the same Deployment as shop-a",
        "differ in more than _ and -",
    ),
    "a name that is too long": Wrong(
        other_name("v" * 50), f"config: destinations.{'v' * 50}", "more than 63 characters", "shorter fullnameOverride"
    ),
    "an end before the service's own": Wrong(
        minimal(terminationGracePeriodSeconds=27),
        "terminationGracePeriodSeconds",
        "27 s is too short for a shutdown_timeout of 25s: Kubernetes would kill the service before its last commit",
        "28 or more, or leave it empty for 25s + 10 s",
    ),
    "a timeout without a unit": Wrong(
        with_file("shutdown_timeout: 25\n"), "config: shutdown_timeout", "25 is not a duration", "25s, 1.5m"
    ),
    "a timeout from a variable": Wrong(
        with_file("shutdown_timeout: ${PATIENCE:-25s}\n"),
        "config: shutdown_timeout",
        "is ${PATIENCE:-25s}, which the chart cannot look up",
        "set terminationGracePeriodSeconds 10 s above it",
    ),
    "any port": Wrong(
        with_file("ops: {port: 0}\n"), "config: ops.port", "0 is not a port that probes could ask", "from 1 to 65535"
    ),
    "a port from a variable": Wrong(
        with_file("ops: {port: '${PORT:-8080}'}\n"), "config: ops.port", "${PORT:-8080} is not a port", "write a number"
    ),
    "a port that nobody outside reaches": Wrong(
        with_file("ops: {host: 127.0.0.1}\n"), "config: ops.host", "127.0.0.1 is the pod alone", "remove the key"
    ),
    "a key that is not mounted": Wrong(
        minimal(secrets=[]),
        "config: ${file:/var/run/secrets/voyado/api-key}",
        "nothing is mounted at /var/run/secrets/voyado",
        "secrets: [{name: NAME-OF-YOUR-SECRET, mountPath: /var/run/secrets/voyado}]",
    ),
    "a table that is not brought": Wrong(
        with_file("tables: {products: {file: tables/products.csv}}\n"),
        "config: tables.products.file",
        "tables/products.csv would lie beside the configuration file, and the chart has no such file",
        r"--set-file 'files.tables/products\.csv=tables/products.csv'",
    ),
    "schemas above the file": Wrong(
        with_file("schemas: ../schemas\n"),
        "config: schemas",
        "../schemas lies outside of the configuration file's folder",
        "put it beside or below the file, and add it to `files`",
    ),
    "schemas that are not mounted": Wrong(
        with_file("schemas: [/opt/schemas]\n"), "config: schemas", "nothing is mounted at /opt/schemas", "extraVolumes"
    ),
    "an authority that is not mounted": Wrong(
        with_file(replace=("{type: voyado,", "{type: voyado, http: {ca_file: /opt/ca/acme.pem},")),
        "config: destinations.voyado.http.ca_file",
        "nothing is mounted at /opt/ca",
        "mountPath: /opt/ca",
    ),
    "a variable that nothing sets": Wrong(
        with_file(replace=(KEY, '"${VOYADO_KEY}"')),
        "config: ${VOYADO_KEY}",
        "nothing sets it in the pods of voyado",
        "env: [{name: VOYADO_KEY, value: …}], or envFrom",
    ),
    "a variable of one destination only": Wrong(
        {
            **beside("rocket"),
            "config": beside("rocket")["config"].replace("partner_id: p", 'partner_id: "${PARTNER}"'),
            "destinations": {"rocket": {"env": [{"name": "PARTNER", "value": "p"}]}},
        },
        "config: ${PARTNER}",
        "nothing sets it in the pods of voyado",
        "env: [{name: PARTNER, value: …}]",
    ),
    "two Secrets in one folder": Wrong(
        minimal(secrets=[{"name": name, "mountPath": "/var/run/secrets/voyado"} for name in ("one", "two")]),
        "secrets",
        "/var/run/secrets/voyado is mounted twice",
        "give each its own folder",
    ),
    "a Secret in the file's folder": Wrong(
        minimal(
            secrets=[
                *minimal()["secrets"],
                {"name": "kafka", "mountPath": "/etc/clickstream/kafka"},
            ]
        ),
        "secrets",
        "/etc/clickstream/kafka belongs to what the chart itself mounts",
        "mount it elsewhere, for example under /var/run/secrets",
    ),
    "a Secret in place of the Jobs": Wrong(
        minimal(secrets=[*minimal()["secrets"], {"name": "kafka", "mountPath": "/etc/clickstream-replay/"}]),
        "secrets",
        "/etc/clickstream-replay belongs to what the chart itself mounts",
        "mount it elsewhere",
    ),
    "a replay of nobody's letters": Wrong(
        {**beside("rocket"), "replay": {"enabled": True}},
        "replay.destination",
        "is empty, and a replay is about one destination's letters",
        "name one: rocket, voyado",
    ),
    "a replay of somebody else's letters": Wrong(
        minimal(replay={"enabled": True, "destination": "rocket"}),
        "replay.destination",
        "there is no destination rocket",
        "write one that is there: voyado",
    ),
    "a Secret by subPath": Wrong(
        minimal(
            extraVolumes=[{"name": "kafka", "secret": {"secretName": "kafka"}}],
            extraVolumeMounts=[{"name": "kafka", "mountPath": "/opt/password", "subPath": "password"}],
        ),
        "extraVolumeMounts",
        "/opt/password is a Secret mounted by subPath, and would never change in the pod",
        "use `secrets`, with `items` for single keys",
    ),
    "a budget that blocks every node": Wrong(
        minimal(podDisruptionBudget={"maxUnavailable": "0%"}),
        "podDisruptionBudget.maxUnavailable",
        "0% forbids every eviction: no node with such a pod could be drained",
        "1 or more, or podDisruptionBudget.enabled=false",
    ),
    "a file outside of the folder": Wrong(
        minimal(files={"../a.csv": "a,b"}),
        "files: ../a.csv",
        "cannot be the path of a file beside clickstream.yaml",
        "from the file's own folder on: tables/products.csv",
    ),
    "a file in the file's place": Wrong(
        minimal(files={"clickstream.yaml": "a: b"}),
        "files: clickstream.yaml",
        "cannot be the path of a file beside clickstream.yaml",
        "tables/products.csv",
    ),
    "more than a ConfigMap holds": Wrong(
        minimal(files={"products.csv": "1,2\n" * 260_000}),
        "files",
        "a ConfigMap holds 1 MiB",
        "put what is large on a volume: extraVolumes",
    ),
}
