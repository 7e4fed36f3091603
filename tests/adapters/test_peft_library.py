"""PEFT is imported without bitsandbytes, and finds it where a base is quantised."""

import subprocess
import sys
from importlib.util import find_spec

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


def test_bitsandbytes_is_not_imported_with_peft_and_is_what_it_uses_when_asked_for():
    code = QUIETLY + ASKED if find_spec("bitsandbytes") else QUIETLY
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
