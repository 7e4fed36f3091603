"""A causal LM behind an OpenAI-compatible server: messages and a JSON schema in, an answer's text out."""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eventune.errors import EventuneError
from eventune.generation.conversation import Message

KEY_VARIABLE = "OPENAI_API_KEY"
"""The environment variable that a server's key is read from, where it wants one."""
_RETRIED = {408, 429, 500, 502, 503, 504}
_REFUSED = {400, 413, 422}
_TRIES = 4
_MOST_BYTES = 64 << 20


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the key and the documents are for the server that was named."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


class RefusedError(EventuneError):
    """A question that a server does not take, such as one that is too long for its model."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server, and the model on it that is asked.

    Attributes:
        url: Where its API begins, e.g. `http://localhost:8000/v1`.
        model: The model's name there; of vLLM, that of a LoRA module too.
        timeout_seconds: How long an answer may take.
    """

    url: str
    model: str
    timeout_seconds: float = 300.0

    @classmethod
    def open(cls, url: str, model: str = "") -> Endpoint:
        """Find a server and its model.

        Args:
            url: Where its API begins.
            model: The model; may be empty where the server has one only.

        Raises:
            EventuneError: If there is no such server or model.
        """
        if not url.startswith(("http://", "https://")):
            raise EventuneError(f"--endpoint: expected a URL, found {url!r}", "e.g. http://localhost:8000/v1")
        found = cls(url.rstrip("/"), model)._request("models")
        models = found.get("data")
        names = (
            [str(entry.get("id")) for entry in models if isinstance(entry, dict)] if isinstance(models, list) else []
        )
        if model and model not in names:
            raise EventuneError(f"--endpoint_model: {model!r} is not at {url}", f"it has: {', '.join(names) or 'none'}")
        if not model and len(names) != 1:
            raise EventuneError(
                f"--endpoint_model: expected one of the models at {url}, found none given",
                f"it has: {', '.join(names) or 'none'}",
            )
        return cls(url.rstrip("/"), model or names[0])

    def answer(self, messages: Sequence[Message], *, schema: Mapping[str, Any] | None, max_tokens: int) -> str:
        """Ask.

        Args:
            messages: The question.
            schema: JSON schema of the answer; None lets the model write anything.
            max_tokens: Tokens of the longest answer.

        Returns:
            The answer's text.

        Raises:
            RefusedError: If the server does not take the question.
            EventuneError: If it does not answer in time, or has no such model.
        """
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "temperature": 0,
            "max_tokens": max_tokens,
        }
        if schema is not None:
            named = {"name": "arguments", "strict": True, "schema": schema}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        answer = self._request("chat/completions", body)
        try:
            return str(answer["choices"][0]["message"]["content"] or "")
        except (KeyError, IndexError, TypeError):
            raise EventuneError(f"{self.url}: expected a chat completion, found {json.dumps(answer)[:200]}") from None

    def _request(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send a request; what may be over soon is tried again, each time after a longer pause."""
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get(KEY_VARIABLE):
            headers["Authorization"] = f"Bearer {key}"
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.url}/{path}", data, headers)
        for attempt in range(1, _TRIES + 1):
            try:
                with _OPENER.open(request, timeout=self.timeout_seconds) as response:
                    answer = json.loads(response.read(_MOST_BYTES))
                    return answer if isinstance(answer, dict) else {}
            except urllib.error.HTTPError as error:
                text = error.read().decode(errors="replace")[:300]
                if error.code not in _RETRIED or attempt == _TRIES:
                    kind = RefusedError if error.code in _REFUSED else EventuneError
                    raise kind(f"{self.url}/{path}: the server refused: {error.code} {text}") from None
            except (OSError, ValueError, http.client.HTTPException, RecursionError) as error:
                reason = getattr(error, "reason", error)
                raise EventuneError(f"{self.url}/{path}: no answer: {reason}", "is the server running?") from None
            time.sleep(2.0 ** (attempt - 2))
        raise AssertionError
