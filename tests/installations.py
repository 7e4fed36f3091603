"""Stands for an installation of eventune with some extras and nothing else."""

from contextlib import suppress
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_COMMAND = """
import sys
class Others:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        missing = name.partition(".")[0] in {missing!r}
        return None if missing else self.finder.find_spec(name, path, target)
sys.meta_path[:] = [Others(finder) for finder in sys.meta_path]
from eventune.cli import main
sys.exit(main(sys.argv[1:]))
"""


def missing_without(extras):
    """The modules that are here and would not be where pip installed `eventune[extras]` alone."""
    found, waiting = set(), [Requirement(f"eventune[{extras}]")]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in found:
            continue
        found.add(name)
        with suppress(PackageNotFoundError):
            for needed in map(Requirement, requires(name) or []):
                if not needed.marker or any(needed.marker.evaluate({"extra": of}) for of in ("", *wanted.extras)):
                    waiting.append(needed)
    return {name for name, of in packages_distributions().items() if not found & set(map(canonicalize_name, of))}


def command_without(missing):
    """Python code that runs the command line where these modules cannot be imported."""
    return _COMMAND.format(missing=missing)
