"""What pages say to type: their blocks of code."""

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
FILE = re.compile(r"`([\w-]+\.yaml)`")


class Page:
    """A page of the documentation, or the README."""

    def __init__(self, path):
        self.path = path
        self.text = path.read_text(encoding="utf-8")

    def blocks(self, language):
        return [match[2] for match in BLOCK.finditer(self.text) if match[1] == language]

    def commands(self):
        """The words of each command of eventune behind `eventune`, in their order."""
        for block in (*self.blocks(""), *self.blocks("bash")):
            for line in block.replace("\\\n", " ").splitlines():
                found = re.match(r"\s*(?:\$ )?(?:.* \| |taskset -c 0 )?eventune (.*)", line)
                if found:
                    yield shlex.split(found[1], comments=True)

    def files(self):
        """The YAML files that it shows, by the name that stands before each."""
        for match in BLOCK.finditer(self.text):
            names = FILE.findall(self.text[: match.start()])
            if match[1] == "yaml" and names:
                yield names[-1], match[2]


@pytest.fixture(scope="session")
def page():
    return lambda name: Page(ROOT / name)
