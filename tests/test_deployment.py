"""The files in deploy/: what they start, and that it works with what they install."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
import yaml

from eventune import Client
from eventune.cli import build_parser
from eventune.exporting.exporting import export_run

DEPLOY = Path(__file__).parents[1] / "deploy"
REQUIREMENTS = [
    line for line in (DEPLOY / "requirements.txt").read_text(encoding="utf-8").splitlines() if line[0] != "#"
]
TEXT = "Gunmen [[shot|attack]] three soldiers in Mosul on Monday."
# Stands for an environment with nothing but the image's packages.
SITE = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
from eventune.cli import main
sys.exit(main(sys.argv[1:]))
"""


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def installed_with(names):
    """The packages that pip installs for these, markers of extras left out."""
    found, waiting = set(), [normal(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            try:
                needed = requires(name) or []
            except PackageNotFoundError:
                continue
            waiting += [normal(re.match(r"[\w.-]+", line)[0]) for line in needed if "extra ==" not in line]
    return found


def image_command():
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    return json.loads(re.search(r"^CMD (\[.*\])$", lines, flags=re.MULTILINE)[1])


def compose_command():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]["eventune"]["command"]


def unit_command():
    unit = (DEPLOY / "eventune.service").read_text(encoding="utf-8")
    return re.search(r"^ExecStart=\S+ (.*)$", unit, flags=re.MULTILINE)[1].split()


@pytest.mark.parametrize("command", [image_command, compose_command, unit_command])
def test_what_is_started_is_a_command(command):
    words = command()
    assert words[0] == "serve"
    assert build_parser("serve").parse_args(words).runs


def test_nothing_runs_as_root_or_listens_to_other_machines_unasked():
    assert re.search(r"^USER [1-9]\d*$", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert all(port.startswith("127.0.0.1:") for service in services.values() for port in service["ports"])
    assert "--host" not in unit_command()


def test_an_export_is_served_with_what_the_image_installs(tiny_run, tmp_path):
    export = export_run(tiny_run, tmp_path / "export").path
    kept = installed_with(REQUIREMENTS) | {"eventune"}
    assert kept & {"torch", "transformers", "peft", "accelerate", "scipy"} == set()
    missing = {name for name, of in packages_distributions().items() if not kept & set(map(normal, of))}
    assert {"torch", "transformers"} <= missing
    command = [sys.executable, "-c", SITE.replace("{missing!r}", repr(missing)), "serve", str(export), "--port", "0"]
    with subprocess.Popen(
        [*command, "--json"], stdout=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"}
    ) as server:
        try:
            with Client(json.loads(server.stdout.readline())["url"]) as client:
                found = client.extract(TEXT)
                assert client.models()[0]["id"] == "export"
        finally:
            server.terminate()
    assert found.text_of(found.events[0].trigger) == "shot"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_the_unit_and_finds_it_guarded(tmp_path):
    unit = (DEPLOY / "eventune.service").read_text(encoding="utf-8").replace("/opt/eventune/bin/eventune", "/bin/true")
    (tmp_path / "eventune.service").write_text(unit, encoding="utf-8")
    verify = ["systemd-analyze", "verify", "--man=no", str(tmp_path / "eventune.service")]
    verified = subprocess.run(verify, capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")
    exposure = ["systemd-analyze", "security", "--offline=true", "--threshold=15", str(tmp_path / "eventune.service")]
    assert subprocess.run(exposure, capture_output=True).returncode == 0
