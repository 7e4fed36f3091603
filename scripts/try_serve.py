"""Serve a run or an export as a user would, ask it, and stop it: `make test-install` tries the extra `serve` so."""

from __future__ import annotations

import json
import subprocess
import sys

from eventune import Client

TEXT = "Gunmen shot three soldiers in Mosul on Monday."


def main() -> int:
    """Return 0 if the server answers, and ends as it should."""
    command = (sys.executable, "-m", "eventune", "serve", sys.argv[1], "--port", "0", "--json")
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            with Client(json.loads(process.stdout.readline())["url"]) as client:
                document = client.extract(TEXT)
        finally:
            process.terminate()
    print(f"{len(document.events)} event found, exit code {process.returncode}")
    return int(not document.events or process.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
