#!/usr/bin/env python3
"""Prints every query of the dashboards, one JSON object a line.

`expr` is what Grafana gets. `promql` is the same with values for the variables, as Prometheus gets it from Grafana.
`NAME=VALUE` arguments replace the values: `environment=test org_id=org_1 range=6h rate_interval=5m`. All but that of
`environment` are regular expressions.
`shows_failures`: empty until something fails. `days`: empty in a database with a shorter past.
"""

import json
import sys

import dashboards
from dashboards.panel import Panel, Stat, Table

DEFAULTS = {
    "environment": "prod",
    "job": ".*",
    "instance": ".*",
    "destination": ".*",
    "org_id": ".+",
    "__range": "24h",
    "__rate_interval": "5m",
    "__interval": "5m",
}


def fill(expr: str, values: dict[str, str]) -> str:
    """Returns the expression with values for its variables. The longest names come first: some begin with another."""
    for name in sorted(values, key=len, reverse=True):
        expr = expr.replace("${" + name + "}", values[name]).replace("$" + name, values[name])
    return expr


def is_instant(panel: Panel) -> bool:
    return isinstance(panel, (Stat, Table))


def main() -> None:
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    given = {f"__{name}" if f"__{name}" in DEFAULTS else name: value for name, value in given.items()}
    for dashboard in dashboards.ALL:
        for panel in dashboard.panels:
            for number, query in enumerate(panel.queries):
                line = {
                    "dashboard": dashboard.uid,
                    "panel": panel.title,
                    "refId": chr(ord("A") + number),
                    "expr": query.expr,
                    "promql": fill(query.expr, DEFAULTS | given),
                    "instant": is_instant(panel),
                    "shows_failures": query.shows_failures,
                    "days": query.days,
                }
                print(json.dumps(line, ensure_ascii=False))


if __name__ == "__main__":
    main()
