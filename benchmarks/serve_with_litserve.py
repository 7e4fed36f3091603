"""An extractor behind LitServe and its batching, for `serve_load.py`.

    python benchmarks/serve_with_litserve.py RUN PORT

`POST /predict` answers `{"documents": [record]}`; documents that arrive within 10 ms are read together, 32 at the most.
"""

import json
import sys
import threading
import time
from typing import Any

import httpx
import litserve

from eventune import Extractor
from eventune.corpora.jsonl import read_document, write_document

BATCH_DOCUMENTS, BATCH_SECONDS = 32, 0.01


class Api(litserve.LitAPI):
    """The extractor in LitServe's terms."""

    run: str

    def setup(self, device: str) -> None:  # noqa: ARG002
        """Load the run."""
        self.extractor = Extractor.load(self.run)

    def decode_request(self, request: dict[str, Any]) -> Any:
        """Read a document."""
        return read_document(request["documents"][0])

    def batch(self, inputs: list[Any]) -> list[Any]:
        """Keep documents as they are."""
        return inputs

    def predict(self, x: Any) -> Any:
        """Read documents together."""
        return self.extractor.extract_all(x)

    def unbatch(self, output: list[Any]) -> list[Any]:
        """Give each its own."""
        return output

    def encode_response(self, output: Any) -> dict[str, Any]:
        """Write a document."""
        return {"documents": [next(write_document(output))]}


def announce(url: str) -> None:
    """Print the address once the server answers there with its model loaded."""
    while True:
        try:
            if httpx.get(f"{url}/health").is_success:
                break
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    print(json.dumps({"url": url}), flush=True)


def main() -> None:
    """Serve until a signal says to stop."""
    run, port = sys.argv[1], int(sys.argv[2])
    api = Api(max_batch_size=BATCH_DOCUMENTS, batch_timeout=BATCH_SECONDS)
    api.run = run
    threading.Thread(target=announce, args=(f"http://127.0.0.1:{port}",), daemon=True).start()
    server = litserve.LitServer(api, accelerator="cpu", timeout=False)
    server.run(host="127.0.0.1", port=port, log_level="warning", generate_client_file=False)


if __name__ == "__main__":
    main()
