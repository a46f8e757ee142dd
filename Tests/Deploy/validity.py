"""Manifests against the published schemas."""

import json
import pathlib
import re

import jsonschema
import referencing


class Judge:
    """Finds what is wrong with single documents. What was judged already costs nothing."""

    def __init__(self, tools: pathlib.Path):
        self.folders = sorted((tools / "schemas").iterdir())
        self.pod_monitor = jsonschema.Draft202012Validator(json.loads((tools / "podmonitor.json").read_text()))
        self.registries: dict[pathlib.Path, referencing.Registry] = {}
        self.validators: dict[tuple, jsonschema.Draft202012Validator] = {}
        self.known: dict[int, list[str]] = {}

    def problems(self, document: dict) -> list[str]:
        # The caller keeps each document, so the address of one is never that of another.
        if id(document) not in self.known:
            self.known[id(document)] = list(self.judge(document))
        return self.known[id(document)]

    def judge(self, document: dict):
        name = f"{document['kind']} {document['metadata']['name']}"
        if document["kind"] == "PodMonitor":
            yield from self.told(name, self.pod_monitor, document)
            # Its metadata are those of every kind.
            document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": document["metadata"]}
        for folder in self.folders:
            yield from self.told(f"{name} for Kubernetes {folder.name}", self.validator(folder, document), document)

    @staticmethod
    def told(name: str, validator: jsonschema.Draft202012Validator | None, document: dict):
        if validator is None:
            yield f"{name}: there is no schema of {document['apiVersion']} {document['kind']}"
            return
        for error in validator.iter_errors(document):
            yield f"{name}: {error.json_path}: {error.message[:200]}"

    def validator(self, folder: pathlib.Path, document: dict) -> jsonschema.Draft202012Validator | None:
        # The schema of networking.k8s.io/v1 Ingress is ingress-networking-v1.json.
        version = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", document["apiVersion"])
        file = folder / f"{document['kind'].lower()}-{version}.json"
        if (folder, file.name) not in self.validators:
            if not file.exists():
                return None
            if folder not in self.registries:
                definitions = json.loads((folder / "_definitions.json").read_text())
                self.registries[folder] = referencing.Resource.from_contents(definitions) @ referencing.Registry()
            schema = json.loads(file.read_text())
            registry = referencing.Resource.from_contents(schema) @ self.registries[folder]
            self.validators[folder, file.name] = jsonschema.Draft202012Validator(schema, registry=registry)
        return self.validators[folder, file.name]
