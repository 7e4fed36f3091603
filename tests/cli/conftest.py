"""What the tests of all commands share."""

import json
from types import SimpleNamespace

import pytest

from eventune.cli import main


@pytest.fixture
def run(capsys):
    """Runs a command and gives its exit code and what it printed; a traceback fails the test by itself."""

    def run(*words):
        try:
            code = main([str(word) for word in words])
        except SystemExit as stop:
            code = stop.code
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return run


@pytest.fixture
def refused(run):
    """Runs a command that must be refused, and gives its one error message, hint included."""

    def refused(*words):
        found = run(*words)
        lines = found.err.splitlines()
        errors = [number for number, line in enumerate(lines) if line.startswith("error: ")]
        assert found.code == 2
        assert json.loads(found.out).keys() == {"error"} if "--json" in words else found.out == ""
        assert len(errors) == 1, found.err
        assert "Traceback" not in found.err
        return "\n".join(lines[errors[0] :])

    return refused
