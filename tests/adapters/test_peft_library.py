"""PEFT is imported without bitsandbytes, and finds it where a base is quantised."""

import subprocess
import sys

import pytest

QUIETLY = """
import sys
import eventune.adapters.peft_library as library
from peft.import_utils import is_bnb_available
assert "bitsandbytes" not in sys.modules and not is_bnb_available()
from peft.tuners.lora.model import LoraModel
assert "bitsandbytes" not in sys.modules
"""
ASKED = """
module = library.import_bitsandbytes()
assert module is sys.modules["bitsandbytes"] and is_bnb_available()
"""


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_bitsandbytes_is_not_imported_with_peft():
    done = run(QUIETLY)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_bitsandbytes_that_is_asked_for_is_what_peft_uses():
    pytest.importorskip("bitsandbytes", exc_type=ImportError)
    done = run(QUIETLY + ASKED)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
