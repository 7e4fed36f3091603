"""An extractor behind a FastAPI endpoint as a tutorial has it, for `serve_load.py`.

    python benchmarks/serve_with_fastapi.py RUN PORT

`POST /predict` answers `{"documents": [record]}`; each request's document is read by itself, one after another.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

import uvicorn
from fastapi import FastAPI

from eventune import Extractor
from eventune.corpora.jsonl import read_document, write_document


def main() -> None:
    """Serve until a signal says to stop."""
    run, port = sys.argv[1], int(sys.argv[2])
    app, extractor, lock = FastAPI(), Extractor.load(run), threading.Lock()

    @app.post("/predict")
    def predict(body: dict[str, Any]) -> dict[str, Any]:
        document = read_document(body["documents"][0])
        with lock:
            return {"documents": [next(write_document(extractor.extract_all([document])[0]))]}

    print(json.dumps({"url": f"http://127.0.0.1:{port}"}), flush=True)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
