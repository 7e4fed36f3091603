"""What `eventune serve` can be told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields

from eventune.errors import EventuneError, InvalidValueError, out_of_range

LOOPBACK = "127.0.0.1"
TOKEN_VARIABLE = "EVENTUNE_TOKEN"
"""The environment variable that holds the bearer token: a flag would show in every list of processes."""
_BOUNDS: dict[str, tuple[float, float]] = {
    "port": (0, 65535),
    "max_bytes": (1024, 1 << 30),
    "max_documents": (1, 100_000),
    "max_tokens": (16, 10_000_000),
    "max_seconds": (0.1, 86_400),
    "max_queue": (1, 1_000_000),
    "batch_tokens": (1, 1_000_000),
}


@dataclass(frozen=True, kw_only=True)
class ServeSettings:
    """What is served how; see the flags of the same names.

    Raises:
        EventuneError: If a value is out of range, or they do not go together.
    """

    host: str = field(default=LOOPBACK, metadata={"help": "address to listen on"})
    port: int = field(default=8321, metadata={"help": "port to listen on; 0 for a free one"})
    max_bytes: int = field(default=4 << 20, metadata={"help": "bytes of the largest request"})
    max_documents: int = field(default=256, metadata={"help": "documents of the largest request"})
    max_tokens: int = field(
        default=100_000,
        metadata={"help": "tokens of the largest request; one with several events counts once an event"},
    )
    max_seconds: float = field(default=60.0, metadata={"help": "seconds until a request is given up"})
    max_queue: int = field(
        default=512, metadata={"help": "documents that may wait; when there are more, requests are refused with 429"}
    )
    batch_tokens: int = field(default=4096, metadata={"help": "tokens that are read together"})

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise problems[0]

    def _problems(self) -> Iterator[EventuneError]:
        yield from out_of_range(self, _BOUNDS)
        if self.max_queue < self.max_documents:
            expected = f"an integer >= max_documents, {self.max_documents}"
            yield InvalidValueError("max_queue", expected, str(self.max_queue), "such a request could never be taken")

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on this machine can ask."""
        return self.host in {LOOPBACK, "localhost", "::1"}


def setting_flags() -> Iterator[tuple[str, type, object, str]]:
    """Yield name, type, default and help of each setting."""
    for each in fields(ServeSettings):
        yield each.name, type(each.default), each.default, f"{each.metadata['help']} (default: {each.default})"
