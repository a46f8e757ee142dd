#!/usr/bin/env python3
"""Checks dashboards: `check.py FAMILIES RULES DASHBOARD...` prints one problem a line, and ends with 1 if there is any.

FAMILIES is JSON, a list of `{"name", "kind", "labels"}`: what lkpush has. RULES is a folder whose `*.yaml` name the
recording rules. A problem begins with the name of its file.
"""

import itertools
import json
import pathlib
import re
import sys
import typing

import yaml
from grafana_foundation_sdk.models import units

import expressions
import schema

COLUMNS = 24
DASHBOARDS = {f"lkpush {name}" for name in ("organization", "platform", "pipeline")}
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Grafana's own variables.
GLOBALS = {"__interval", "__range", "__rate_interval", "__url_time_range", "__value"}
# Grafana's names of units. A unit of one's own begins with `suffix:`.
UNITS = {getattr(units, name) for name in vars(units) if isinstance(getattr(units, name), str) and name[0] != "_"}
VARIABLE = re.compile(r"\$\{(\w+)[^}]*\}|\$([A-Za-z_]\w*)")

Dashboard = dict[str, typing.Any]


def main() -> int:
    families = {family["name"]: family for family in json.loads(pathlib.Path(sys.argv[1]).read_text())}
    known = expressions.Known(families, recorded(pathlib.Path(sys.argv[2])))
    paths = [pathlib.Path(path) for path in sys.argv[3:]]
    count = 0
    for path in paths:
        for problem in problems_of(json.loads(path.read_text(encoding="utf-8")), known):
            print(f"{path.name}: {problem}")
            count += 1
    return 1 if count else 0


def recorded(folder: pathlib.Path) -> set[str]:
    """Returns the names of the recording rules."""
    groups = [group for path in folder.glob("*.yaml") for group in yaml.safe_load(path.read_text()).get("groups", [])]
    return {rule["record"] for group in groups for rule in group.get("rules", []) if "record" in rule}


def problems_of(content: Dashboard, known: expressions.Known) -> typing.Iterator[str]:
    problems = schema.check_dashboard(content)
    yield from problems
    # The other checks rely on the schema.
    if not problems:
        yield from _head(content)
        yield from _sources(content, "dashboard")
        yield from _variables(content, known)
        yield from _layout(content["panels"])
        titles = {panel["title"] for panel in content["panels"]} | DASHBOARDS
        for panel in content["panels"]:
            if panel["type"] != "row":
                yield from _panel(panel, known)
                yield from _named(panel, titles)


def _head(content: Dashboard) -> typing.Iterator[str]:
    expected = {"id": None, "refresh": "1m", "timezone": "browser", "graphTooltip": 1, "tags": ["lkpush"]}
    for key, value in expected.items():
        if content.get(key, "nothing") != value:
            yield f"{key} is {content.get(key)!r}, not {value!r}"
    if not 39 <= content["schemaVersion"] <= 41:
        yield f"schemaVersion {content['schemaVersion']} is not one of Grafana 11"
    if not re.fullmatch(r"lkpush-[a-z]+", content.get("uid", "")):
        yield f"uid {content.get('uid')!r} is not lkpush-NAME"
    if "__inputs" in content:
        yield "__inputs ask for a data source; the variable is there for that"
    others = {"/d/lkpush-organization", "/d/lkpush-platform", "/d/lkpush-pipeline"} - {f"/d/{content.get('uid')}"}
    if {link["url"] for link in content.get("links", [])} != others:
        yield f"the links do not lead to {sorted(others)}"
    for link in content.get("links", []):
        if not (link["keepTime"] and link["includeVars"]):
            yield f"the link to {link['title']} loses the time or the variables"


def _sources(value: typing.Any, path: str) -> typing.Iterator[str]:
    """Every data source is the one that was chosen."""
    if isinstance(value, list):
        for place, each in enumerate(value):
            yield from _sources(each, f"{path}[{place}]")
    if isinstance(value, dict):
        for key, each in value.items():
            if key == "datasource" and each != SOURCE:
                yield f"{path}.datasource is {each!r}, not the one that was chosen"
            yield from _sources(each, f"{path}.{key}")


# Variables


def _used(text: str) -> set[str]:
    return {found[1] or found[2] for found in VARIABLE.finditer(text)} - GLOBALS


def _variables(content: Dashboard, known: expressions.Known) -> typing.Iterator[str]:
    declared = content["templating"]["list"]
    names = [variable["name"] for variable in declared]
    if len(set(names)) < len(names):
        yield f"two variables have one name: {names}"
    if not any((variable["type"], variable["query"]) == ("datasource", "prometheus") for variable in declared):
        yield "no variable chooses the data source"
    used = _used(json.dumps(content["panels"]) + json.dumps(content.get("links", [])))
    earlier: set[str] = set()
    for variable in declared:
        if variable["type"] == "query":
            query = variable["query"]["query"]
            used |= _used(query) | _used(json.dumps(variable["datasource"]))
            for name in sorted(_used(query) - earlier):
                yield f"the variable {variable['name']} needs {name}, which comes after it or not at all"
            yield from (f"the variable {variable['name']}: {text}" for text in expressions.check_values(query, known))
            if not variable.get("label") or not variable.get("description"):
                yield f"the variable {variable['name']} has no label or description"
        if variable["name"] == "environment" and (variable.get("multi") or variable.get("includeAll")):
            yield "several values of the variable environment can be chosen: environments would be mixed"
        earlier.add(variable["name"])
    yield from (f"nothing uses the variable {name}" for name in sorted(set(names) - used))
    yield from (f"the variable {name} is used and not defined" for name in sorted(used - set(names)))


# Panels


def _layout(panels: list[Dashboard]) -> typing.Iterator[str]:
    """Panels are told apart, stand within the columns, overlap nowhere, and fill the lines below their row."""
    ids = [panel["id"] for panel in panels]
    if len(set(ids)) < len(ids):
        yield "two panels have one id"
    titles = [panel["title"] for panel in panels]
    for title in sorted({title for title in titles if titles.count(title) > 1}):
        yield f"two panels are called {title!r}"
    cells: dict[tuple[int, int], str] = {}
    for panel in panels:
        place = panel["gridPos"]
        if place["x"] + place["w"] > COLUMNS:
            yield f"{panel['title']}: it ends beyond column {COLUMNS}"
        for cell in itertools.product(
            range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        ):
            if cell in cells:
                yield f"{panel['title']} overlaps {cells[cell]}"
                break
            cells[cell] = panel["title"]
    height = max((y for _, y in cells), default=0) + 1
    for y in range(height):
        if len([cell for cell in cells if cell[1] == y]) < COLUMNS:
            yield f"line {y} has a gap"
    if panels and panels[0]["type"] != "row":
        yield "the first panel has no row above it"


def _panel(panel: Dashboard, known: expressions.Known) -> typing.Iterator[str]:
    title = panel.get("title") or f"panel {panel['id']}"
    if not panel.get("title"):
        yield f"{title}: it has no title"
    for word in ("**Normal:** ", "**Otherwise:** "):
        if word not in panel.get("description", ""):
            yield f"{title}: the description does not say {word.strip()}"
    defaults = panel["fieldConfig"]["defaults"]
    units_here = [defaults.get("unit")] + [
        each["value"]
        for override in panel["fieldConfig"].get("overrides", [])
        for each in override["properties"]
        if each["id"] == "unit"
    ]
    for unit in units_here:
        if unit is None:
            yield f"{title}: it has no unit"
        elif unit not in UNITS and not unit.startswith("suffix:"):
            yield f"{title}: Grafana has no unit {unit!r}"
    for transformation in panel.get("transformations", []):
        if transformation["id"] not in ("merge", "organize"):
            yield f"{title}: the check does not know the transformation {transformation['id']}"
    targets = panel.get("targets", [])
    if not targets:
        yield f"{title}: it has no query"
    ids = [target["refId"] for target in targets]
    if len(set(ids)) < len(ids):
        yield f"{title}: two queries have one refId"
    for target in targets:
        yield from (f"{title} {target['refId']}: {text}" for text in _target(target, known))
        # Over a range such a panel would show the last value that there was, also of what has stopped since.
        if panel["type"] in ("stat", "table") and not target.get("instant"):
            yield f"{title} {target['refId']}: it is not instant, so it shows what has ended as if it were there"
    if panel["type"] == "stat" and "noValue" not in defaults:
        yield f"{title}: nothing says what is meant when there is no value"


def _named(panel: Dashboard, titles: set[str]) -> typing.Iterator[str]:
    """What a description has in italics is a panel of this dashboard, or a dashboard."""
    for name in re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", panel.get("description", "")):
        if name not in titles:
            yield f"{panel.get('title')}: nothing here is called {name!r}"


def _target(target: Dashboard, known: expressions.Known) -> typing.Iterator[str]:
    if target.get("instant", False) == target.get("range", False):
        yield "it is either instant or over the range"
    if "$__rate_interval" in target["expr"] and target.get("interval") != "75s":
        yield "without the smallest step of 75s, $__rate_interval can be shorter than 5m"
    if "$__interval" in target["expr"] and target.get("interval") != "5m":
        yield "without the smallest step of 5m, $__interval can be shorter than that"
    if target.get("format") == "heatmap" and "[$__interval]" not in target["expr"]:
        yield "a cell is as wide as the step: over another range an event is in several cells or in none"
    if target.get("format") == "time_series" and not target.get("legendFormat"):
        yield "it has no legend"
    shown = set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))
    yield from expressions.check_query(target["expr"], shown, known, ("environment", "job"))


if __name__ == "__main__":
    sys.exit(main())
