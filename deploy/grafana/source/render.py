#!/usr/bin/env python3
"""Writes the dashboards into the folder above this one, or into the one that is given.

It needs Tests/requirements.txt. Nobody who only imports the dashboards needs it.
"""

import pathlib
import sys

import dashboards
from dashboards.rendering import render


def main() -> None:
    above = pathlib.Path(__file__).resolve().parent.parent
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else above
    for declared in dashboards.ALL:
        others = [other for other in dashboards.ALL if other is not declared]
        (folder / declared.file).write_text(render(declared, others), encoding="utf-8")


if __name__ == "__main__":
    main()
