"""Documents in pools: what is read, extracted and written together, whether in one process or in several.

A pool's records become documents where they are extracted from. Pools are the same however often an extraction is
interrupted and however many processes there are, and so are the batches in them and the last digits of their scores.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from eventune.corpora import lines_of
from eventune.corpora.inputs import Item
from eventune.corpora.raw_text import RawTexts
from eventune.corpora.sources import document_in
from eventune.errors import EventuneError
from eventune.events import Document
from eventune.inference.extractor import Extractor
from eventune.inference.questions import asked_about, events_of, tally

POOL_BYTES = 4 << 20
"""A pool of long records has fewer of them."""
BATCH_TOKENS = 16_384


@dataclass(frozen=True, slots=True)
class Options:
    """What beside the extractor decides what is found.

    Attributes:
        types: Event types of documents without events, as users name them: each gets an event of each, without a
            trigger.
        batch_tokens: Tokens, padding included, of the documents that are extracted together.
    """

    types: tuple[str, ...] = ()
    batch_tokens: int = BATCH_TOKENS


@dataclass(frozen=True, slots=True)
class Facts:
    """What whoever reads and writes must know of an extractor.

    Attributes:
        key: Twelve hexadecimal digits that no other extractor with other options has.
        detects: Whether it finds events.
        pool_documents: How many documents it takes at a time.
    """

    key: str
    detects: bool
    pool_documents: int


@dataclass(frozen=True, slots=True)
class Pool:
    """Records.

    Attributes:
        items: The records, each with its source.
        digest: Hash of the records.
        position: How many bytes of all inputs are read with it, about.
    """

    items: tuple[Item, ...]
    digest: str
    position: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of a record.

    Attributes:
        place: Where the record stands.
        identifier: That of its document.
        line: The document with what was found, in the own format; empty where it could not be read.
        counts: How much was found, see `Counts`.
        error: Why it could not be read.
    """

    place: str
    identifier: str = ""
    line: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    error: EventuneError | None = None


@dataclass(frozen=True, slots=True)
class ReadPool:
    """A pool whose records were read, before anything is extracted.

    Attributes:
        pool: The pool.
        entries: What became of each record so far: its identifier, or why it could not be read.
        documents: The documents as the extractor is asked about them, by the records' numbers.
    """

    pool: Pool
    entries: Sequence[Entry]
    documents: Mapping[int, Document]


@dataclass(frozen=True, slots=True)
class PoolResult:
    """What became of a pool.

    Attributes:
        pool: Digest and position of the pool, whose records are left out.
        entries: What became of each record, in their order.
        answers: What was wrong with a causal LM's answers, by kind.
    """

    pool: Pool
    entries: Sequence[Entry]
    answers: Counter[str]


class Crew(Protocol):
    """Whoever extracts from pools.

    Attributes:
        facts: What the extractor is.
    """

    @property
    def facts(self) -> Facts: ...  # noqa: D102

    def results(self, pools: Iterable[Pool]) -> Iterator[PoolResult]:
        """Yield what became of pools, in their order; the pools are taken as they are needed."""
        ...


class PoolExtractor:
    """Extracts from pools in this process; see `Crew`.

    Attributes:
        extractor: The extractor.
    """

    def __init__(self, extractor: Extractor, options: Options | None = None) -> None:
        """Take an extractor.

        Raises:
            EventuneError: If its ontology lacks one of the options' types.
        """
        self.extractor, self._options = extractor, options or Options()
        self._events = events_of(extractor, self._options.types)

    @property
    def facts(self) -> Facts:
        """See `Crew`."""
        extractor = self.extractor
        own = f"{extractor.fingerprint} {self._options} {extractor.pool_documents}"
        return Facts(hashlib.sha256(own.encode()).hexdigest()[:12], extractor.detects, extractor.pool_documents)

    def results(self, pools: Iterable[Pool]) -> Iterator[PoolResult]:
        """See `Crew`."""
        return map(self.extract, pools)

    def extract(self, pool: Pool) -> PoolResult:
        """Make documents of a pool's records, and extract from them."""
        return self.found(self.read(pool))

    def read(self, pool: Pool) -> ReadPool:
        """Make documents of a pool's records."""
        entries: list[Entry] = []
        documents: dict[int, Document] = {}
        for number, (source, record) in enumerate(pool.items):
            try:
                document = document_in(source, record)
                documents[number] = asked_about(
                    self.extractor, document, self._events, is_raw=isinstance(source, RawTexts)
                )
                entries.append(Entry(record.place, document.id))
            except EventuneError as error:
                entries.append(Entry(record.place, error=error))
        return ReadPool(pool, entries, documents)

    def found(self, read: ReadPool) -> PoolResult:
        """Extract from a pool's documents."""
        before = self.extractor.annotator.counts.copy()
        entries = list(read.entries)
        for group in _groups(read.documents, self._options.batch_tokens):
            asked = [read.documents[number] for number in group]
            for number, document, found in zip(group, asked, self.extractor.extract_all(asked), strict=True):
                [line] = lines_of(found)
                entries[number] = replace(entries[number], line=line, counts=tally(self.extractor, document, found))
        answers = Counter(self.extractor.annotator.counts)
        answers.subtract(before)
        return PoolResult(Pool((), read.pool.digest, read.pool.position), entries, +answers)


def pools_of(items: Iterable[tuple[Item, int]], size: int) -> Iterator[Pool]:
    """Yield records in pools of so many, in their order."""
    chosen: list[Item] = []
    digest, held = hashlib.sha256(), 0
    position = 0
    for item, position in items:
        content = _content(item.record.value)
        digest.update(content)
        held += len(content)
        chosen.append(item)
        if len(chosen) == size or held >= POOL_BYTES:
            yield Pool(tuple(chosen), digest.hexdigest()[:32], position)
            chosen, digest, held = [], hashlib.sha256(), 0
    if chosen:
        yield Pool(tuple(chosen), digest.hexdigest()[:32], position)


def _content(value: Any) -> bytes:
    """Return what tells a record from another one; what is wrong with it, if anything is."""
    text = str(value) if isinstance(value, EventuneError) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", errors="surrogatepass") + b"\n"


def _groups(documents: Mapping[int, Document], batch_tokens: int) -> Iterator[list[int]]:
    """Yield the numbers of documents of like length that are extracted together."""
    group: list[int] = []
    longest = 0
    # The longest first: memory that does not suffice is found out at once.
    for number in sorted(documents, key=lambda number: -cost_of(documents[number])):
        if group and longest * (len(group) + 1) > batch_tokens:
            yield group
            group = []
        longest = longest if group else cost_of(documents[number])
        group.append(number)
    if group:
        yield group


def cost_of(document: Document) -> int:
    """Return how many tokens a model reads of a document: all of them once an event."""
    return max(1, len(document.tokens)) * max(1, len(document.events))
