"""The files in deploy/: what they start; that it works with what they install is a test of exports."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from eventune.cli import build_parser

DEPLOY = Path(__file__).parents[1] / "deploy"


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


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_the_unit_and_finds_it_guarded(tmp_path):
    unit = (DEPLOY / "eventune.service").read_text(encoding="utf-8").replace("/opt/eventune/bin/eventune", "/bin/true")
    (tmp_path / "eventune.service").write_text(unit, encoding="utf-8")
    verify = ["systemd-analyze", "verify", "--man=no", str(tmp_path / "eventune.service")]
    verified = subprocess.run(verify, capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")
    exposure = ["systemd-analyze", "security", "--offline=true", "--threshold=15", str(tmp_path / "eventune.service")]
    assert subprocess.run(exposure, capture_output=True).returncode == 0
