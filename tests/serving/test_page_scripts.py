"""The page's scripts, run by Node with a stand-in for the browser; `browser/` has them in Chromium."""

import os
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest

NODE = shutil.which("node")
TESTS = Path(__file__).parent / "page"


@pytest.mark.skipif(not NODE, reason="needs Node 20 or newer: apt install nodejs")
@pytest.mark.parametrize("name", sorted(file.name for file in TESTS.glob("*.test.mjs")))
def test_the_page_s_scripts_do_what_their_tests_say(tmp_path, name):
    page = shutil.copytree(str(resources.files("eventune.serving").joinpath("static")), tmp_path / "static")
    (page / "package.json").write_text('{"type": "module"}', encoding="utf-8")

    done = subprocess.run(
        [NODE, "--test", "--test-reporter=spec", TESTS / name],
        env={**os.environ, "PAGE": str(page)},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout + done.stderr
