"""A server's API in Python, typed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from eventune.corpora.jsonl import read_document, write_document
from eventune.errors import EventuneError, require_library
from eventune.events import Document

if TYPE_CHECKING:
    import httpx

Triggers = Literal["auto", "given", "marked", "detected"]
_BUSY = 429
_USUAL_WAIT, _LONGEST_WAIT = 1.0, 30.0


class Client:
    """Asks a server that `eventune serve` runs; needs neither torch nor a model."""

    def __init__(
        self, url: str = "http://127.0.0.1:8321", *, token: str = "", timeout: float = 90.0, retries: int = 5
    ) -> None:
        """Set up a connection; nothing is asked yet.

        Args:
            url: Where the server is.
            token: Its bearer token, where it has one.
            timeout: Seconds until an answer is given up.
            retries: How often a busy server is asked again, after as long as it says.

        Raises:
            EventuneError: If httpx is not installed.
        """
        library = require_library("httpx", "eventune.Client needs httpx", "pip install 'eventune[serve]'")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http: httpx.Client = library.Client(base_url=url, headers=headers, timeout=timeout)
        self._failure: type[Exception] = library.HTTPError
        self._retries = retries

    def __enter__(self) -> Client:
        """Return the client, to be closed with the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def models(self) -> list[dict[str, Any]]:
        """Return the runs that are served: `id`, `fingerprint`, `ontology`, `scores`."""
        found: list[dict[str, Any]] = self._ask("GET", "/v1/models")["data"]
        return found

    def extract(
        self,
        document: Document | str,
        *,
        model: str = "",
        triggers: Triggers = "auto",
        types: Sequence[str] = (),
        threshold: float = 0.0,
    ) -> Document:
        """Find the events of a text, or the arguments of a document's; see `Extractor.extract`.

        Args:
            document: The document or text.
            model: Name of a run, where several are served.
            triggers: Where events come from.
            types: Event types to look for where there are none.
            threshold: Leave out what is less probable.

        Returns:
            The document with what was found.

        Raises:
            EventuneError: What the server refuses, or that it is not there.
        """
        content = {"text": document} if isinstance(document, str) else {"documents": [_record(document)]}
        options = {"model": model, "triggers": triggers, "types": list(types), "threshold": threshold}
        return self._documents({**content, **options})[0]

    def extract_all(
        self, documents: Sequence[Document], *, model: str = "", triggers: Triggers = "auto", threshold: float = 0.0
    ) -> list[Document]:
        """Find the arguments of many documents' events in one request; arguments are those of `extract`."""
        content = {"documents": [_record(document) for document in documents]}
        return self._documents({**content, "model": model, "triggers": triggers, "threshold": threshold})

    def score(
        self,
        gold: Sequence[Document],
        predicted: Sequence[Document] | None = None,
        *,
        model: str = "",
        scorer: str = "",
    ) -> dict[str, Any]:
        """Score predicted documents, or what a run finds, against annotated ones.

        Args:
            gold: Annotated documents.
            predicted: The same with predicted events; what the run finds by default.
            model: Name of a run, where several are served.
            scorer: Definition of the score; the run's own by default.

        Returns:
            Precision, recall and F1 as fractions, their counts, and the scorer's own tables.

        Raises:
            EventuneError: As `extract`.
        """
        content: dict[str, Any] = {"gold": [_record(document) for document in gold], "model": model, "scorer": scorer}
        if predicted is not None:
            content["predicted"] = [_record(document) for document in predicted]
        return self._ask("POST", "/v1/score", content)

    def _documents(self, content: dict[str, Any]) -> list[Document]:
        return [read_document(record) for record in self._ask("POST", "/v1/extract", content)["documents"]]

    def _ask(self, method: str, path: str, content: Any = None) -> dict[str, Any]:
        for attempt in range(self._retries + 1):
            try:
                response = self._http.request(method, path, json=content)
            except self._failure as error:
                message = f"{self._http.base_url}: expected an answer, found {type(error).__name__}: {error}"
                raise EventuneError(message, "is the server running? eventune serve RUN") from None
            if response.status_code != _BUSY or attempt == self._retries:
                break
            time.sleep(_seconds(response.headers.get("retry-after", "")))
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if isinstance(answer, dict) and response.is_success:
            return answer
        if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
            raise EventuneError(str(answer["error"].get("message")), str(answer["error"].get("hint", "")))
        found = f"found status {response.status_code}"
        raise EventuneError(f"{response.url}: expected an answer of eventune serve, {found}")


def _seconds(retry_after: str) -> float:
    """Return how long a server wants to be left alone; a proxy may name a date in place of seconds."""
    return min(float(retry_after), _LONGEST_WAIT) if retry_after.isdecimal() else _USUAL_WAIT


def _record(document: Document) -> dict[str, Any]:
    return next(write_document(document))
