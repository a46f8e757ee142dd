"""Mistakes in manifests that are right, each of which the checks must find."""

import copy

import laws

POD = "spec.template.spec"
CONTAINER = f"{POD}.containers.0"
# For each overlay: the kind of the document, the place in it, what is put there (None: it is taken out), and what must be
# said.
MISTAKES = {
    "scraped": [
        ("StatefulSet", "spec.replicas", 2, "more than one process"),
        ("StatefulSet", "spec.replicas", "1", "is not of type 'integer'"),
        ("StatefulSet", "spec.strategy", {"type": "Recreate"}, "'strategy' was unexpected"),
        ("StatefulSet", "spec.serviceName", "lkpush", "no private Service"),
        ("StatefulSet", "spec.selector.matchLabels", {"app": "x"}, "the workload selects"),
        ("StatefulSet", f"{POD}.terminationGracePeriodSeconds", 10, "it is killed after 10 s"),
        ("StatefulSet", f"{POD}.enableServiceLinks", None, "enableServiceLinks is not false"),
        ("StatefulSet", f"{POD}.automountServiceAccountToken", True, "automountServiceAccountToken is not false"),
        ("StatefulSet", f"{POD}.serviceAccountName", "other", "no ServiceAccount other"),
        ("StatefulSet", f"{POD}.hostNetwork", True, "hostNetwork is set"),
        ("StatefulSet", f"{POD}.securityContext.runAsUser", 0, "the pod may do more"),
        ("StatefulSet", f"{POD}.securityContext.fsgroup", 1, "'fsgroup' was unexpected"),
        ("StatefulSet", f"{CONTAINER}.securityContext.readOnlyRootFilesystem", False, "the container may do more"),
        ("StatefulSet", f"{CONTAINER}.resources.limits.memory", "1G", "the limits are others"),
        ("StatefulSet", f"{CONTAINER}.ports.0.containerPort", 8080, "the port webhook is 8080"),
        ("StatefulSet", f"{CONTAINER}.livenessProbe.httpGet.port", "metrics", "livenessProbe asks the port metrics"),
        ("StatefulSet", f"{CONTAINER}.volumeMounts.0.mountPath", "/state", "STATE_DIR is not what is mounted"),
        ("StatefulSet", f"{CONTAINER}.env.0.value", "/run/x", "names /run/x"),
        ("StatefulSet", f"{CONTAINER}.env.0.name", "LISTEN", "a variable is set twice"),
        ("StatefulSet", f"{CONTAINER}.envFrom.0.configMapRef.name", "other", "ValueError"),
        ("StatefulSet", "spec.volumeClaimTemplates.0.metadata.name", "data", "mounted are"),
        ("Service", "spec.selector", {"app": "x"}, "selects"),
        ("Service", "spec.ports.0.targetPort", "http", "a Service leads to the port http"),
        ("Service", "spec.ports.0.targetPort", "private", "has an address of its own"),
        ("NetworkPolicy", "spec.podSelector", {}, "NetworkPolicy selects"),
        ("NetworkPolicy", "spec.ingress.0.from", [{"podSelector": {}}], "not everybody may send webhooks"),
        ("NetworkPolicy", "spec.ingress.1.from", None, "open beyond the cluster"),
        ("NetworkPolicy", "spec.ingress.1.ports.0.port", "other", "names the ports"),
        ("PodDisruptionBudget", "spec.maxUnavailable", 0, "can be drained"),
        ("Ingress", "spec.rules.0.http.paths.0.path", "/", "the Ingress leads /"),
        ("Ingress", "spec.rules.0.http.paths.0.pathType", "Prefix", "the Ingress leads /webhook"),
        ("Ingress", "spec.rules.0.http.paths.0.backend.service.port.name", "private", "the Ingress leads"),
        ("PodMonitor", "spec.podMetricsEndpoints.0.port", "webhook", "asks the port webhook"),
        ("PodMonitor", "spec.podMetricsEndpoints.0.relabelings.0.replacement", "test", "other labels"),
        ("PodMonitor", "spec.podMetricsEndpoint", [], "'podMetricsEndpoint' was unexpected"),
        ("PodMonitor", "spec.podMetricsEndpoints.0.interval", "often", "does not match"),
        ("PodMonitor", "metadata.labels.a", 1, "is not of type"),
        ("ConfigMap", "data.METRICS_LISTEN", "0.0.0.0:80", "the port private is 9464"),
        ("ConfigMap", "data.GRAFANA_PROM_REMOTE_WRITE_URL", "https://a", "is scraped, too"),
        ("ConfigMap", "data.ENVIRONMENT", 1, "is not of type"),
        ("ConfigMap", "data.REGION", "1.234567e+06", "an exponent instead of digits"),
    ],
    "replicas": [
        ("StatefulSet", f"{CONTAINER}.env.2.name", "OTHER_FILE", "more than one process"),
        ("StatefulSet", "spec.minReadySeconds", 2, "an update goes on after 2 s"),
        ("StatefulSet", "spec.updateStrategy", {"type": "OnDelete"}, "an update waits for a person"),
        ("StatefulSet", "spec.podManagementPolicy", "OrderedReady", "one pod that is not ready keeps the others away"),
        ("StatefulSet", f"{POD}.affinity", None, "nothing keeps the pods on nodes of their own"),
        ("StatefulSet", f"{POD}.topologySpreadConstraints", None, "nothing spreads the pods over zones"),
        ("StatefulSet", f"{POD}.topologySpreadConstraints.0.labelSelector.matchLabels", {"app": "x"}, "selects"),
        ("StatefulSet", f"{CONTAINER}.env.2.value", "/run/x", "names /run/x"),
        ("PodDisruptionBudget", "spec.maxUnavailable", 2, "can be drained"),
        ("ConfigMap", "data.JOURNAL_NAME", None, "the log has no name"),
    ],
    "replicas-no-volume": [
        ("Deployment", "spec.strategy", {"type": "Recreate"}, "an update ends all pods at once"),
        ("Deployment", f"{POD}.volumes.1.emptyDir", {}, "an emptyDir without a limit"),
    ],
}


def unnoticed(documents: list[dict], tried: list[tuple], valid):
    """The mistakes of those tried that no check finds in these documents, which have no other."""
    for kind, place, value, expected in tried:
        changed = list(documents)
        index = next(number for number, document in enumerate(documents) if document["kind"] == kind)
        changed[index] = copy.deepcopy(documents[index])
        put(changed[index], place.split("."), value)
        found = [*laws.problems(changed), *valid.judge(changed[index])]
        if not any(expected in problem for problem in found):
            yield f"{kind} {place} = {value}: expected «{expected}», found {found}"


def put(node, path: list[str], value) -> None:
    for part in path[:-1]:
        node = node[int(part)] if isinstance(node, list) else node[part]
    if value is None:
        del node[path[-1]]
    else:
        node[int(path[-1]) if isinstance(node, list) else path[-1]] = value
