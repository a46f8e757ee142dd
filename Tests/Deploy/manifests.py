"""manifests.py TOOLS WORK builds all manifests, renders the chart in every way, judges both, and prints a JSON object.

TOOLS is the folder that tools.py makes; WORK is an empty folder. The object:
  problems      for each check, what is wrong
  environments  what lkpush would get: `names` of the renderings, `variables`, and the `files` that they name
  unfilled      the same for the overlays as they are in the repository, before anything is filled in
  requests      what a cluster asks, such as `LISTEN GET /readyz`
  counts        how much was looked at
"""

import concurrent.futures
import json
import pathlib
import re
import shutil
import subprocess
import sys

import yaml

import chart
import laws
import mistakes
import validity

ROOT = pathlib.Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/lkpush"
OVERLAYS = ["volume", "no-volume", "scraped", "replicas", "replicas-no-volume"]
FILLED = {
    "ENVIRONMENT": "prod", "REGION": "eu", "GRAFANA_PROM_USERNAME": "123456",
    "GRAFANA_PROM_REMOTE_WRITE_URL": "https://prometheus.example.com/api/prom/push",
}
# What Helm alone writes.
OF_HELM = ["helm.sh/chart", "app.kubernetes.io/version", "app.kubernetes.io/managed-by", "checksum/config"]


class Run:
    def __init__(self, tools: pathlib.Path, work: pathlib.Path):
        self.tools, self.work = tools, work
        self.problems: dict[str, list[str]] = {}
        self.valid = validity.Judge(tools)
        self.documents: dict[str, dict] = {}
        self.seen: dict[str, list[str]] = {}

    def tell(self, check: str, problems) -> None:
        self.problems.setdefault(check, []).extend(problems)

    def helm(self, *words: str) -> tuple[int, str]:
        # Caches and settings of the person who runs the tests have no part in it. Little memory is collected.
        done = subprocess.run(
            [self.tools / "helm", *words], capture_output=True, text=True,
            env={"HOME": str(self.work), "PATH": "/usr/bin:/bin", "GOGC": "400"})
        return done.returncode, done.stdout + done.stderr

    def build(self, overlay: str, folder: pathlib.Path) -> list[dict]:
        done = subprocess.run([self.tools / "kubectl", "kustomize", folder / overlay], capture_output=True, text=True)
        if done.returncode or done.stderr:
            self.tell("overlays", [f"{overlay}: kubectl kustomize: {done.stderr.strip()}"])
        return self.read(done.stdout)

    def read(self, text: str) -> list[dict]:
        """The documents of a text. One that was read already is not read again."""
        documents = []
        for part in re.split(r"^---\n", text, flags=re.M):
            part = re.sub(r"^# Source: .*\n", "", part)
            if not part.strip():
                continue
            if part not in self.documents:
                self.documents[part] = yaml.load(part, yaml.CSafeLoader)
            if self.documents[part]:
                documents.append(self.documents[part])
        return documents

    def judge(self, check: str, name: str, documents: list[dict]) -> None:
        if len(documents) < 4:
            self.tell(check, [f"{name}: has {len(documents)} documents"])
        for document in documents:
            self.tell(check, (f"{name}: {problem}" for problem in self.valid.problems(document)))
        self.tell(check, (f"{name}: {problem}" for problem in laws.problems(documents)))


def fill(folder: pathlib.Path) -> None:
    """Fills in what the files of settings leave open."""
    for file in folder.glob("*/settings.env"):
        lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
        names = [line.partition("=")[0] for line in lines if line]
        file.write_text("".join(
            f"{line}\n" if line.partition("=")[0] not in FILLED else "" for line in lines
        ) + "".join(f"{name}={FILLED[name]}\n" for name in names if name in FILLED))


def plain(documents: list[dict]) -> dict[str, dict]:
    """Documents by kind and name, without what only one of the two tools writes."""
    found = {}
    for document in documents:
        # kubectl appends a digest to the names of what it generates.
        document = json.loads(re.sub(r'"lkpush-[a-z0-9]{10}"', '"lkpush"', json.dumps(document)))
        template = document.get("spec", {}).get("template", {})
        for metadata in [document["metadata"], template.get("metadata", {})]:
            for part in ["labels", "annotations"]:
                for name in OF_HELM:
                    metadata.get(part, {}).pop(name, None)
                if part in metadata and not metadata[part]:
                    del metadata[part]
            metadata.pop("namespace", None)
        found[f"{document['kind']} {document['metadata']['name']}"] = document
    return found


def differences(one, other, place=""):
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(set(one) | set(other)):
            if key not in other:
                yield f"{place}.{key}: only in the overlay"
            elif key not in one:
                yield f"{place}.{key}: only in the chart"
            else:
                yield from differences(one[key], other[key], f"{place}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other)):
            yield from differences(*pair, f"{place}[{number}]")
    elif one != other:
        yield f"{place}: {json.dumps(one)} in the overlay, {json.dumps(other)} in the chart"


def environment(documents: list[dict], example: dict) -> dict:
    """What lkpush would get, with the content of the files that its variables name."""
    found = laws.Parts(documents)
    secret = found.of("Secret")
    content = example | (secret[0]["stringData"] if secret else {})
    variables = found.variables
    files = {
        value: content[value.rpartition("/")[2]] for name, value in variables.items()
        if value.startswith(("/etc/lkpush/secret/", "/etc/lkpush/journal/"))}
    return {"variables": variables, "files": files}


def main(tools: pathlib.Path, work: pathlib.Path) -> dict:
    run = Run(tools, work)
    example = yaml.safe_load((ROOT / "deploy/kubernetes/secret.example.yaml").read_text())
    as_given, filled = work / "given", work / "filled"
    for folder in [as_given, filled]:
        shutil.copytree(ROOT / "deploy/kubernetes", folder)
    fill(filled)
    grid = chart.Grid(CHART, work / "grid")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        all_ways = pool.submit(run.helm, "template", "lkpush", str(grid.folder), "-n", "lkpush")
        wrong = {
            name: pool.submit(
                run.helm, "template", "lkpush", str(CHART), *chart.arguments(work / f"{name}.yaml", values))
            for name, (values, _) in chart.WRONG.items()}
        rendered = {
            name: pool.submit(
                run.helm, "template", "lkpush", str(CHART), "-n", "lkpush", "-f", str(CHART / f"ci/{name}-values.yaml"))
            for name in OVERLAYS}
        lints = {
            name: pool.submit(run.helm, "lint", "--strict", "--quiet", str(CHART), *words)
            for name, words in ({"values.yaml": []} | {
                name: ["-f", str(CHART / f"ci/{name}-values.yaml")] for name in OVERLAYS}).items()}
        notes = {name: pool.submit(run.helm, *chart.notes(CHART, name)) for name in OVERLAYS}
        given = {name: pool.submit(run.build, name, as_given) for name in OVERLAYS}
        built = {name: pool.submit(run.build, name, filled) for name in OVERLAYS}

    environments: dict[str, dict] = {}

    def note(name: str, documents: list[dict]) -> None:
        found = environment(documents, chart.CONTENT)
        key = json.dumps(found, sort_keys=True)
        environments.setdefault(key, found | {"names": []})["names"].append(name)

    status, text = all_ways.result()
    if status or not all(built[name].result() and given[name].result() for name in OVERLAYS):
        # Nothing more can be said. The other reason was told when the overlay was built.
        run.tell("chart", [text] if status else [])
        sys.exit("\n".join(problem for told in run.problems.values() for problem in told))
    run.tell("overlays", run.valid.problems(example))
    run.tell("overlays", chart.secret_problems(example, {name: built[name].result() for name in OVERLAYS}))
    for name in OVERLAYS:
        overlay = built[name].result()
        run.judge("overlays", name, overlay)
        note(f"the overlay {name}", overlay)
        status, text = rendered[name].result()
        if status:
            run.tell("same", [f"{name}: {text}"])
            continue
        run.judge("chart", name, run.read(text))
        run.tell("same", (
            f"{name}: {problem}" for problem in differences(plain(overlay), plain(run.read(text)))))
    for name, part in grid.split(all_ways.result()[1]).items():
        documents = run.read(part)
        run.judge("chart", name, documents)
        run.tell("chart", (f"{name}: {problem}" for problem in grid.problems(name, documents)))
        note(name, documents)
    for name, result in lints.items():
        status, text = result.result()
        run.tell("lint", [f"{name}: {text}"] if status or "[WARNING]" in text or "[ERROR]" in text else [])
    for name, result in notes.items():
        run.tell("notes", (f"{name}: {problem}" for problem in chart.note_problems(name, *result.result())))
    for name, result in wrong.items():
        status, text = result.result()
        for expected in chart.WRONG[name][1]:
            if status == 0 or expected not in text:
                run.tell("wrong", [f"{name}: expected «{expected}», got {text[-400:] if status else 'a rendering'}"])
    run.tell("wrong", chart.schema_problems(CHART))
    for name, tried in mistakes.MISTAKES.items():
        run.tell("mistakes", mistakes.unnoticed(built[name].result(), tried, run.valid))
    return {
        "problems": run.problems,
        "environments": list(environments.values()),
        "unfilled": [
            environment(given[name].result(), chart.CONTENT) | {"names": [name]} for name in OVERLAYS],
        "requests": sorted({request for name in OVERLAYS for request in laws.requests(built[name].result())}),
        "counts": {
            "renderings": len(grid.ways), "documents": len(run.documents),
            "mistakes": sum(len(tried) for tried in mistakes.MISTAKES.values()),
            "wrong": sum(len(expected) for _, expected in chart.WRONG.values()) + len(chart.REFUSED)},
    }


if __name__ == "__main__":
    print(json.dumps(main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))))
