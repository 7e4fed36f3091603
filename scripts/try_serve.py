"""Serve a small run as a user would, ask it, and stop it: what `make test-install` tries of the extra `serve`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from eventune import Client

FIXTURE = Path(__file__).resolve().parents[1] / "tests" / "fixtures" / "run-0.1.0"


def main() -> int:
    """Return 0 if the server answers, and ends as it should."""
    run = ("serve", str(FIXTURE / "run"), "--model_name_or_path", str(FIXTURE / "base"), "--port", "0", "--json")
    with subprocess.Popen([sys.executable, "-m", "eventune", *run], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            with Client(json.loads(process.stdout.readline())["url"]) as client:
                document = client.extract("rebels [[shot|attack]] sailors.")
        finally:
            process.terminate()
    print(f"{len(document.events)} event found, exit code {process.returncode}")
    return int(not document.events or process.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
