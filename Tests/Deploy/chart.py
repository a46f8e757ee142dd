"""The chart, rendered in every way that its switches allow, and with wrong values."""

import itertools
import json
import pathlib
import re
import shutil

import jsonschema
import yaml

# What the Secrets of the renderings hold.
CONTENT = {
    "LIVEKIT_KEYS": "APIxxxxxxxx: its-secret\n", "LIVEKIT_API_SECRET": "its-secret", "GRAFANA_API_KEY": "glc_xxxxxxxx",
    "DATABASE_URL": "postgres://lkpush:password@postgres.example.com/office",
    "JOURNAL_URL": "postgres://lkpush:password@postgres.example.com/lkpush?target_session_attrs=read-write",
    "REMOTE_WRITE_BEARER_TOKEN": "token",
    "REMOTE_WRITE_HEADERS": "X-Scope-OrgID=office", "REMOTE_WRITE_DESTINATION_EU_PASSWORD": "password",
    "REMOTE_WRITE_DESTINATION_EU_BEARER_TOKEN": "token", "REMOTE_WRITE_DESTINATION_EU_HEADERS": "X-Scope-OrgID=office",
}
URL = "https://prometheus.example.com/api/prom/push"
LABELS = {"environment": "prod", "region": "eu"}
PUSH = {"push": {"enabled": True, "url": URL, "username": "123456"}}
MADE = {"secrets": {name: CONTENT[name] for name in ["LIVEKIT_KEYS", "GRAFANA_API_KEY"]}}

WITH_DATABASE = {"secrets": MADE["secrets"] | {"DATABASE_URL": CONTENT["DATABASE_URL"]}}
# Each switch with all its settings. Every combination is rendered.
SWITCHES = {
    "state": {
        "claims": {},
        "claim": {"persistence": {"existingClaim": "mine"}},
        "none": {"persistence": {"enabled": False}},
    },
    "way": {
        "pushed": PUSH,
        "scraped": {"push": {"enabled": False}},
        "monitored": {"push": {"enabled": False}, "podMonitor": {"enabled": True}},
    },
    "secret": {
        "given": {"existingSecret": "mine"},
        "made": {"secrets": {name: CONTENT[name] for name in [
            "LIVEKIT_KEYS", "GRAFANA_API_KEY", "DATABASE_URL", "REMOTE_WRITE_HEADERS"]}},
    },
    "ingress": {"on": {"ingress": {"enabled": True, "hosts": ["a.example.com", "b.example.com"]}}, "off": {}},
    "policy": {"on": {}, "off": {"networkPolicy": {"enabled": False}}},
    "budget": {"on": {}, "off": {"pdb": {"enabled": False}}},
    "account": {"on": {}, "off": {"serviceAccount": {"create": False}}},
}
# Values that are no switches, each given once.
OTHERS = {
    "destinations only": MADE | {"destinations": [{"name": "eu", "url": URL}]},
    "all of a destination": PUSH | {
        "destinations": [
            {"name": "eu", "url": URL + "/2", "username": 1_234_567, "message": "2.0", "include": ["lk_*", "lkpush_*"]},
            {"name": "archive", "url": "http://victoria:8428/api/v1/write", "exclude": ["process_*"]}],
        "existingSecret": "mine",
        "existingSecretKeys": ["LIVEKIT_KEYS", "GRAFANA_API_KEY", "REMOTE_WRITE_DESTINATION_EU_PASSWORD"]},
    "a token": LABELS | {
        "push": {"url": URL},
        "secrets": {"LIVEKIT_KEYS": CONTENT["LIVEKIT_KEYS"], "REMOTE_WRITE_BEARER_TOKEN": "token"}},
    "one key pair": PUSH | {
        "secrets": {"LIVEKIT_API_SECRET": "its-secret", "GRAFANA_API_KEY": "glc_xxxxxxxx"},
        "config": {"LIVEKIT_API_KEY": "APIxxxxxxxx"}},
    "settings of each kind": PUSH | MADE | {
        "config": {
            "MAX_SERIES": 1_000_000, "SINGLE_SESSION": True, "LIVEKIT_URL": "wss://livekit.example.com",
            "IDLE_PUSH_INTERVAL": "60s", "EXTERNAL_LABELS": "team=office,zone=a", "METRICS_ALLOWED_HOSTS": "a.b,c.d",
            "ORG_SOURCE": "room-name", "ORG_ROOM_PATTERN": "^(?<org>[^~]+)~", "LOG_LEVEL": "debug"}},
    "scraped under other names": MADE | {
        "push": {"enabled": False}, "podMonitor": {"enabled": True, "labels": {"release": "stack"}, "interval": "30s"},
        "config": {"SERVICE": "calls", "JOB": "office"}, "instance": "lkpush-eu"},
    "all of the pod": PUSH | MADE | {
        "image": {"repository": "registry.example.com/lkpush", "digest": "sha256:" + "0" * 64, "pullPolicy": "Always"},
        "imagePullSecrets": [{"name": "registry"}], "fullnameOverride": "calls", "listenHost": "[::]",
        "shutdownTimeoutSeconds": 60, "podLabels": {"team": "office"}, "podAnnotations": {"a.example.com/b": "c"},
        "commonLabels": {"cost": "1"}, "nodeSelector": {"disk": "ssd"}, "priorityClassName": "high",
        "tolerations": [{"key": "office", "operator": "Exists"}], "affinity": {"nodeAffinity": {}},
        "extraEnv": [{"name": "NO_PROXY", "value": "10.0.0.0/8"}, {
            "name": "OTEL_RESOURCE_ATTRIBUTES", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}],
        "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/lkpush/ca", "readOnly": True}],
        "serviceAccount": {"create": False, "name": "given"}, "service": {
            "type": "LoadBalancer", "port": 8080, "annotations": {"a.example.com/b": "c"}}},
    "all of the volume": PUSH | MADE | {"persistence": {
        "size": "10Gi", "storageClass": "fast", "accessModes": ["ReadWriteOncePod"],
        "annotations": {"a.example.com/b": "c"}, "whenDeleted": "Delete"}},
    "no storage class": PUSH | MADE | {"persistence": {"storageClass": "-"}},
    "all of the ingress": PUSH | MADE | {"ingress": {
        "enabled": True, "className": "nginx", "hosts": ["a.example.com"], "annotations": {"a.example.com/b": "c"},
        "tls": [{"hosts": ["a.example.com"], "secretName": "a-tls"}]}},
    "ids of the cluster": PUSH | MADE | {
        "podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}},
    "replicas": PUSH | {
        "replicaCount": 3, "existingSecret": "mine",
        "existingSecretKeys": ["LIVEKIT_KEYS", "GRAFANA_API_KEY", "DATABASE_URL", "JOURNAL_URL"]},
    "replicas by a Secret of the database": PUSH | WITH_DATABASE | {
        "replicaCount": 2, "journal": {"existingSecret": "postgres-app", "existingSecretKey": "uri", "name": "calls"}},
    "replicas by a URL": PUSH | WITH_DATABASE | {
        "replicaCount": 5, "journal": {"url": CONTENT["JOURNAL_URL"]}, "instance": "office"},
    "replicas without volumes": PUSH | WITH_DATABASE | {
        "replicaCount": 3, "journal": {"existingSecret": "journal"}, "persistence": {"enabled": False}},
    "one pod with a shared journal": PUSH | WITH_DATABASE | {"journal": {"existingSecret": "journal"}},
    "replicas that stand elsewhere": PUSH | WITH_DATABASE | {
        "replicaCount": 3, "journal": {"existingSecret": "journal"}, "affinity": {"nodeAffinity": {}},
        "topologySpreadConstraints": [{
            "maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "lkpush"}}}]},
    "nobody reads": PUSH | MADE | {"networkPolicy": {"privateFrom": []}},
}
RIGHT = LABELS | PUSH | MADE
# Values that contradict each other, several ways at once, and what the error must say of each.
WRONG = {
    "nothing": ({}, [
        "environment: required", "region: required", "no Secret: give existingSecret", "push.url: required"]),
    "both": (
        RIGHT | {
            "existingSecret": "mine", "podMonitor": {"enabled": True}, "ingress": {"enabled": True},
            "persistence": {"enabled": False, "existingClaim": "mine"}},
        ["existingSecret and secrets are both given", "everything would count twice", "ingress.hosts: required",
            "but persistence.enabled is false"]),
    "strays": (
        RIGHT | {
            "secrets": {"GRAFANA_API_KEY": "x", "REMOTE_WRITE_DESTINATION_US_PASSWORD": "x"},
            "push": {"url": URL},
            "destinations": [{"name": "eu", "url": URL, "username": "x"}, {"name": "eu", "url": URL}]},
        ["the Secret has no LIVEKIT_KEYS", "eu is there twice", "destinations has no us", "push.username: required",
            "eu needs both username and REMOTE_WRITE_DESTINATION_EU_PASSWORD"]),
    "no-key": (
        RIGHT | {"secrets": {"LIVEKIT_API_SECRET": "x"}},
        ["config.LIVEKIT_API_KEY: required", "the Secret has no GRAFANA_API_KEY"]),
    "keys-twice": (
        RIGHT | {"config": {"LIVEKIT_API_KEY": "x"}}, ["leave out LIVEKIT_API_SECRET and config.LIVEKIT_API_KEY"]),
    "no-journal": (
        RIGHT | {"replicaCount": 3, "journal": {"name": "calls"}},
        ["replicaCount is 3, and without a journal in PostgreSQL one process owns the state",
            "journal.name is given, but no journal in PostgreSQL"]),
    "journal-twice": (
        RIGHT | {
            "journal": {"existingSecret": "mine", "url": CONTENT["JOURNAL_URL"]},
            "push": {"enabled": False}, "persistence": {"existingClaim": "mine"}},
        ["the journal is given 2 times (journal.existingSecret, journal.url): give one",
            "persistence.existingClaim is one volume", "push.enabled: replicas push", "the Secret has no DATABASE_URL"]),
    # The rest of what the schema refuses is tried without helm.
    "misspelt": (RIGHT | {"persistance": {"enabled": True}}, ["persistance"]),
}
# Values that the schema must refuse, each with the name that its message must have.
REFUSED = [
    ({"replicas": 2}, "replicas"), ({"replicaCount": 0}, "0"), ({"journal": {"url": "mysql://a"}}, "mysql"),
    ({"journal": {"URL": "postgres://a"}}, "URL"), ({"push": {"URL": URL}}, "URL"),
    ({"config": {"LOGLEVEL": "debug"}}, "LOGLEVEL"), ({"config": {"LISTEN": ":80"}}, "LISTEN"),
    ({"config": {"GRAFANA_API_KEY": "x"}}, "GRAFANA_API_KEY"), ({"config": {"LOG_LEVEL": ["debug"]}}, "debug"),
    ({"secrets": {"LIVEKIT_KEY": "x"}}, "LIVEKIT_KEY"),
    ({"existingSecretKeys": ["LIVEKIT_KEYS_FILE"]}, "LIVEKIT_KEYS_FILE"),
    ({"destinations": [{"name": "EU", "url": URL}]}, "EU"), ({"destinations": [{"name": "eu"}]}, "url"),
    ({"destinations": [{"name": "default", "url": URL}]}, "default"), ({"push": {"url": "prometheus"}}, "prometheus"),
    ({"persistence": {"accessModes": ["ReadWriteMany"]}}, "ReadWriteMany"),
    ({"service": {"type": "ExternalName"}}, "ExternalName"), ({"persistence": {"size": "4"}}, "4"),
    ({"podMonitor": {"enabled": "yes"}}, "yes"), ({"image": {"digest": "abc"}}, "abc"),
]


def merged(parts) -> dict:
    """Values of several switches in one."""
    whole: dict = {}
    for part in parts:
        for key, value in part.items():
            both = isinstance(whole.get(key), dict) and isinstance(value, dict)
            whole[key] = merged([whole[key], value]) if both else value
    return whole


class Grid:
    """A chart that has the chart once for each way, so that one start of helm renders them all."""

    def __init__(self, chart: pathlib.Path, folder: pathlib.Path):
        self.folder = folder
        self.ways: dict[str, tuple[str, dict]] = {}
        values = {}
        for chosen in itertools.product(*(settings.items() for settings in SWITCHES.values())):
            name = ", ".join(f"{switch} {setting}" for switch, (setting, _) in zip(SWITCHES, chosen))
            values[name] = merged([LABELS] + [part for _, part in chosen])
        values |= {name: LABELS | part for name, part in OTHERS.items()}
        for number, (name, way) in enumerate(values.items()):
            self.ways[f"way{number}"] = (name, way)
        shutil.copytree(chart, folder / "charts/lkpush")
        version = yaml.safe_load((chart / "Chart.yaml").read_text())["version"]
        parts = [{"name": "lkpush", "version": version, "alias": alias} for alias in self.ways]
        whole = {"apiVersion": "v2", "name": "all", "version": "0.0.0", "dependencies": parts}
        # What is JSON is YAML, and faster to write.
        (folder / "Chart.yaml").write_text(json.dumps(whole))
        (folder / "values.yaml").write_text(json.dumps({alias: way for alias, (_, way) in self.ways.items()}))

    def split(self, text: str) -> dict[str, str]:
        """The documents of each way."""
        found: dict[str, list[str]] = {name: [] for name, _ in self.ways.values()}
        for part in re.split(r"^---\n", text, flags=re.M):
            place = re.match(r"# Source: all/charts/(way\d+)/", part)
            if place:
                found[self.ways[place[1]][0]].append(part)
        return {name: "---\n".join(parts) for name, parts in found.items()}

    @staticmethod
    def problems(name: str, documents: list[dict]):
        """What the switches of a way promise, and is not so."""
        kinds = [document["kind"] for document in documents]
        on = dict(part.split(" ") for part in name.split(", ")) if name.startswith("state ") else {}
        for kind, is_wanted in {
            "StatefulSet": on.get("state") != "none", "Deployment": on.get("state") == "none",
            "PodMonitor": on.get("way") == "monitored", "Secret": on.get("secret") == "made",
            "Ingress": on.get("ingress") == "on", "NetworkPolicy": on.get("policy") == "on",
            "PodDisruptionBudget": on.get("budget") == "on", "ServiceAccount": on.get("account") == "on",
        }.items() if on else ():
            if (kind in kinds) != is_wanted:
                yield f"{kind} is {'missing' if is_wanted else 'there'}"


def arguments(file: pathlib.Path, values: dict) -> list[str]:
    file.write_text(json.dumps(values))
    return ["-f", str(file)]


def notes(chart: pathlib.Path, name: str) -> list[str]:
    """The command that shows what a person reads after the installation. It asks no cluster."""
    return [
        "install", "lkpush", str(chart), "-n", "lkpush", "--dry-run=client", "--hide-secret",
        "-f", str(chart / f"ci/{name}-values.yaml")]


def note_problems(name: str, status: int, text: str):
    notes = text.partition("NOTES:\n")[2]
    wanted = ["create secret generic lkpush", "-- lkpush check", "https://lkpush.example.com/webhook", "port-forward"]
    wanted += ["WITHOUT A VOLUME"] if name.endswith("no-volume") else []
    wanted += ["3 pods share the log lkpush"] if name.startswith("replicas") else []
    if status or not notes:
        yield f"no notes: {text[-400:]}"
    for words in wanted:
        if words not in notes:
            yield f"the notes lack «{words}»"
    for line in notes.splitlines():
        if len(line) > 120 or line.rstrip() != line or "<no value>" in line:
            yield f"«{line}»"


def secret_problems(example: dict, overlays: dict[str, list[dict]]):
    """The example of the Secret has what the overlays read, and no more."""
    read = {
        entry["name"].removesuffix("_FILE") for documents in overlays.values() for document in documents
        if document["kind"] in ["StatefulSet", "Deployment"]
        for entry in document["spec"]["template"]["spec"]["containers"][0]["env"]}
    if set(example["stringData"]) != read:
        yield f"secret.example.yaml has {sorted(example['stringData'])}, the overlays read {sorted(read)}"


def schema_problems(chart: pathlib.Path):
    """The schema knows every value, refuses what it must, and every value is explained."""
    schema = json.loads((chart / "values.schema.json").read_text())
    text = (chart / "values.yaml").read_text()
    standard = yaml.safe_load(text)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    for error in validator.iter_errors(standard):
        yield f"values.yaml: {error.json_path}: {error.message}"
    for values, name in REFUSED:
        if not any(name in error.message for error in validator.iter_errors(values)):
            yield f"the schema takes {values}"

    def compare(properties: dict, values: dict, place: str):
        for key in sorted(set(properties) ^ set(values)):
            yield f"{place}{key} is only in {'the schema' if key in properties else 'values.yaml'}"
        for key in set(properties) & set(values):
            # Settings are listed in the schema alone, and what Kubernetes defines is not listed.
            inner = properties[key].get("properties") if key not in ["config", "resources"] else None
            if inner:
                yield from compare(inner, values[key], f"{place}{key}.")

    yield from compare({k: v for k, v in schema["properties"].items() if k != "global"}, standard, "")
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if re.match(r" {0,2}[a-zA-Z]+:", line) and not explained(lines, number):
            yield f"values.yaml, line {number + 1}: {line.strip()} is not explained"


def explained(lines: list[str], number: int) -> bool:
    """True if a comment stands before a value, before the group of which it is one, or before each value in it."""
    above = lines[number - 1].strip()
    if above.startswith("#"):
        return True
    if not above or lines[number].startswith("  "):
        # A group: its values are explained one by one.
        return number + 1 < len(lines) and lines[number + 1].startswith("  ") or lines[number].strip() in [
            "requests:", "limits:"]
    return explained(lines, number - 1)
