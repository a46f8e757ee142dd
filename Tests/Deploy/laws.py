"""What must hold for the manifests of one lkpush, beyond the schema of each."""

import re

# What strangers may ask for, and what only the cluster may.
PORTS = {"webhook": "LISTEN", "private": "METRICS_LISTEN"}


class Parts:
    """The documents of one lkpush."""

    def __init__(self, documents: list[dict]):
        self.documents = documents
        workloads = self.of("StatefulSet") + self.of("Deployment")
        assert len(workloads) == 1, f"{len(workloads)} workloads"
        self.workload = workloads[0]
        self.spec = self.workload["spec"]
        self.pod = self.spec["template"]["spec"]
        assert len(self.pod["containers"]) == 1, "more than one container"
        self.container = self.pod["containers"][0]
        self.labels = self.spec["template"]["metadata"]["labels"]
        self.ports = {port["name"]: port["containerPort"] for port in self.container["ports"]}

    def of(self, kind: str) -> list[dict]:
        return [document for document in self.documents if document["kind"] == kind]

    def named(self, kind: str, name: str) -> bool:
        return any(document["metadata"]["name"] == name for document in self.of(kind))

    @property
    def settings(self) -> dict[str, str]:
        names = [source["configMapRef"]["name"] for source in self.container["envFrom"]]
        [found] = [document for document in self.of("ConfigMap") if document["metadata"]["name"] in names]
        return found["data"]

    @property
    def is_shared(self) -> bool:
        """True if the journal is in PostgreSQL, where any number of processes share it."""
        return "JOURNAL_URL_FILE" in self.variables

    @property
    def variables(self) -> dict[str, str]:
        own = {entry["name"]: entry["value"] for entry in self.container.get("env", []) if "value" in entry}
        return self.settings | own


def problems(documents: list[dict]) -> list[str]:
    try:
        parts = Parts(documents)
        return [problem for law in LAWS for problem in law(parts)]
    except (AssertionError, KeyError, ValueError) as error:
        return [f"{type(error).__name__}: {error}"]


def one_process(parts: Parts):
    if parts.is_shared:
        yield from several(parts)
    else:
        if parts.spec["replicas"] != 1:
            yield "there is more than one process"
        if parts.workload["kind"] == "Deployment" and parts.spec["strategy"] != {"type": "Recreate"}:
            yield "an update starts a second process beside the first"
    grace, timeout = parts.pod["terminationGracePeriodSeconds"], parts.settings["SHUTDOWN_TIMEOUT"]
    if grace <= int(timeout.removesuffix("s")):
        yield f"it is killed after {grace} s, and a stop may take {timeout}"
    budgets = parts.of("PodDisruptionBudget")
    if any(budget["spec"].get("maxUnavailable") != 1 or "minAvailable" in budget["spec"] for budget in budgets):
        yield "no node with it can be drained"


def several(parts: Parts):
    """What holds where pods share a journal: one at a time goes, and they stand apart."""
    if parts.spec["minReadySeconds"] <= 5:
        yield f"an update goes on after {parts.spec['minReadySeconds']} s, and a change of leader may take 5 s"
    if not parts.settings.get("JOURNAL_NAME"):
        yield "the log has no name"
    if parts.workload["kind"] == "Deployment":
        if parts.spec["strategy"].get("rollingUpdate") != {"maxSurge": 1, "maxUnavailable": 0}:
            yield "an update ends all pods at once"
    else:
        if parts.spec["updateStrategy"] != {"type": "RollingUpdate"}:
            yield "an update waits for a person"
        if parts.spec["podManagementPolicy"] != "Parallel":
            yield "one pod that is not ready keeps the others away"
    if not parts.pod.get("affinity"):
        yield "nothing keeps the pods on nodes of their own"
    if not parts.pod.get("topologySpreadConstraints"):
        yield "nothing spreads the pods over zones"


def security(parts: Parts):
    pod, container = parts.pod["securityContext"], parts.container["securityContext"]
    # A cluster may choose the ids itself.
    ids = {pod[name] for name in ["runAsUser", "runAsGroup", "fsGroup"] if name in pod}
    if not pod.get("runAsNonRoot") or ids - {65532} or pod.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield f"the pod may do more than it needs: {pod}"
    if container != {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}
    }:
        yield f"the container may do more than it needs: {container}"
    for name in ["automountServiceAccountToken", "enableServiceLinks"]:
        if parts.pod.get(name) is not False:
            yield f"{name} is not false"
    for name in ["hostNetwork", "hostPID", "hostIPC"]:
        if name in parts.pod:
            yield f"{name} is set"
    account = parts.pod["serviceAccountName"]
    if not parts.named("ServiceAccount", account) and account not in ["default", "given"]:
        yield f"there is no ServiceAccount {account}"


def resources(parts: Parts):
    if parts.container["resources"]["limits"] != {"cpu": "500m", "memory": "300M"}:
        yield "the limits are others than stated"


def selectors(parts: Parts):
    chosen = [("the workload", parts.spec["selector"]["matchLabels"])]
    for term in parts.pod.get("affinity", {}).get("podAntiAffinity", {}).get(
            "preferredDuringSchedulingIgnoredDuringExecution", []):
        chosen.append(("the affinity", term["podAffinityTerm"]["labelSelector"]["matchLabels"]))
    for constraint in parts.pod.get("topologySpreadConstraints", []):
        chosen.append(("the spreading", constraint["labelSelector"]["matchLabels"]))
    for document in parts.documents:
        spec = document.get("spec", {})
        match document["kind"]:
            case "Service":
                chosen.append((f"Service {document['metadata']['name']}", spec["selector"]))
            case "NetworkPolicy":
                chosen.append(("NetworkPolicy", spec["podSelector"].get("matchLabels", {})))
            case "PodDisruptionBudget" | "PodMonitor":
                chosen.append((document["kind"], spec["selector"].get("matchLabels", {})))
    for name, labels in chosen:
        if not labels or not labels.items() <= parts.labels.items():
            yield f"{name} selects {labels}, the pod has {parts.labels}"


def ports(parts: Parts):
    for name, setting in PORTS.items():
        if parts.ports[name] != int(parts.settings[setting].rpartition(":")[2]):
            yield f"the port {name} is {parts.ports[name]}, {setting} is {parts.settings[setting]}"
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"]:
        port = parts.container[probe]["httpGet"]["port"]
        if port not in parts.ports:
            yield f"{probe} asks the port {port}"
    services = {}
    for service in parts.of("Service"):
        services[service["metadata"]["name"]] = service["spec"]
        for port in service["spec"]["ports"]:
            if port["targetPort"] not in parts.ports:
                yield f"a Service leads to the port {port['targetPort']}"
    private = [
        name for name, spec in services.items() if any(port["targetPort"] == "private" for port in spec["ports"])]
    if [services[name].get("clusterIP") for name in private] != ["None"]:
        yield f"the private listener has an address of its own: {private}"
    if "serviceName" in parts.spec and parts.spec["serviceName"] not in private:
        yield f"there is no private Service {parts.spec['serviceName']}"
    for ingress in parts.of("Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                found = [
                    port["targetPort"] for port in services[backend["name"]]["ports"]
                    if port["name"] == backend["port"]["name"]]
                if (path["path"], path["pathType"], found) != ("/webhook", "Exact", ["webhook"]):
                    yield f"the Ingress leads {path['path']} to {found}"


def private_listener(parts: Parts):
    for policy in parts.of("NetworkPolicy"):
        rules = {rule["ports"][0]["port"]: rule for rule in policy["spec"]["ingress"]}
        if any(len(rule["ports"]) != 1 for rule in policy["spec"]["ingress"]) or not set(rules) <= set(parts.ports):
            yield f"the NetworkPolicy names the ports {list(rules)}"
        if "from" in rules["webhook"]:
            yield "not everybody may send webhooks"
        if "private" in rules and (not rules["private"].get("from") or "ipBlock" in str(rules["private"]["from"])):
            yield "the private listener is open beyond the cluster"
        if policy["spec"]["policyTypes"] != ["Ingress"]:
            yield "the NetworkPolicy limits where lkpush may connect to"


def mounts(parts: Parts):
    volumes = {volume["name"]: volume for volume in parts.pod["volumes"]}
    claims = {claim["metadata"]["name"] for claim in parts.spec.get("volumeClaimTemplates", [])}
    paths = {mount["name"]: mount["mountPath"] for mount in parts.container["volumeMounts"]}
    if set(paths) != set(volumes) | claims or claims & set(volumes):
        yield f"mounted are {sorted(paths)}, there are {sorted(set(volumes) | claims)}"
    if paths["state"] != parts.settings["STATE_DIR"]:
        yield f"STATE_DIR is not what is mounted: {paths['state']}"
    for name, value in parts.variables.items():
        # A journal may have a Secret of its own.
        folder = paths["journal" if name == "JOURNAL_URL_FILE" and "journal" in paths else "secret"]
        if name.endswith("_FILE") and value != f"{folder}/{name.removesuffix('_FILE')}":
            yield f"{name} names {value}, which is not mounted"
    mounted = {volume["secret"]["secretName"] for volume in volumes.values() if "secret" in volume}
    for document in parts.of("Secret"):
        if document["metadata"]["name"] not in mounted:
            yield f"the Secret {document['metadata']['name']} is made and not mounted"
    if any(name in parts.settings for name in [entry["name"] for entry in parts.container.get("env", [])]):
        yield "a variable is set twice"
    if "emptyDir" in volumes.get("state", {}):
        has_name = parts.settings.get("INSTANCE") or parts.is_shared
        if not volumes["state"]["emptyDir"].get("sizeLimit") or not has_name:
            yield "an emptyDir without a limit, or without INSTANCE"


def counted_once(parts: Parts):
    ways = ["GRAFANA_PROM_REMOTE_WRITE_URL", "REMOTE_WRITE_DESTINATIONS"]
    pushes = [name for name in ways if parts.settings.get(name)]
    for monitor in parts.of("PodMonitor"):
        if pushes:
            yield f"what is pushed ({pushes}) is scraped, too"
        [endpoint] = monitor["spec"]["podMetricsEndpoints"]
        if endpoint["port"] != "private":
            yield f"the PodMonitor asks the port {endpoint['port']}"
        labels = {relabeling["targetLabel"]: relabeling["replacement"] for relabeling in endpoint["relabelings"]}
        wanted = {
            "environment": parts.settings["ENVIRONMENT"], "region": parts.settings["REGION"],
            "service": parts.settings.get("SERVICE", "lkpush")}
        if not wanted.items() <= labels.items() or not labels["instance"] or not labels["job"]:
            yield f"what is scraped has other labels than what would be pushed: {labels}"


def numbers(parts: Parts):
    """Helm reads the numbers of a file as floating-point ones."""
    for name, value in parts.settings.items():
        if re.fullmatch(r"[0-9.]+e[+-][0-9]+", str(value)):
            yield f"{name} is {value}: an exponent instead of digits"


def requests(documents: list[dict]):
    """What a cluster asks of each listener."""
    parts = Parts(documents)
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"]:
        get = parts.container[probe]["httpGet"]
        yield f"{PORTS[get['port']]} GET {get['path']}"
    for monitor in parts.of("PodMonitor"):
        yield f"METRICS_LISTEN GET {monitor['spec']['podMetricsEndpoints'][0]['path']}"
    for ingress in parts.of("Ingress"):
        for path in ingress["spec"]["rules"][0]["http"]["paths"]:
            yield f"LISTEN POST {path['path']}"


LAWS = [one_process, security, resources, selectors, ports, private_listener, mounts, counted_once, numbers]
