"""Reads files of deploy/ as the programs do that they are for, and prints them as JSON.

    read.py COMPOSE_FILE DOCKERFILE
"""

import json
import sys

import dockerfile
import yaml


def compose(path):
    """The stack, with what `<<` brings in."""
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


def instructions(path):
    """Each instruction of a Dockerfile, as Docker's own parser reads it."""
    return [
        {"name": line.cmd.upper(), "flags": list(line.flags), "values": list(line.value), "isExec": line.json}
        for line in dockerfile.parse_file(path)
    ]


if __name__ == "__main__":
    print(json.dumps({"compose": compose(sys.argv[1]), "dockerfile": instructions(sys.argv[2])}))
