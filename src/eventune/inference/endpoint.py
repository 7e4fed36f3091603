"""Extraction by a causal LM on a server: nothing but questions and answers crosses the wire."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from eventune.corpora import read_ontology
from eventune.errors import EventuneError
from eventune.events import Document, Ontology
from eventune.generation.extracting.answers import Found
from eventune.generation.extracting.endpoint import Endpoint, RefusedError
from eventune.generation.extracting.parsing import read_answer
from eventune.generation.extracting.prompts import PromptTemplate, Question
from eventune.generation.extracting.questions import QuestionBuilder
from eventune.generation.extracting.script import json_schema
from eventune.generation.extracting.task import Answers, annotated
from eventune.inference.extractor import Extractor
from eventune.runs.opening import open_run
from eventune.storage.paths import is_file
from eventune.tasks.generative_extraction import GenerativeExtraction, GenerativeSettings

MAX_TOKENS = 512
"""Tokens of the longest answer where no run says another."""
WORKERS = 8
"""Questions at a time."""


class EndpointAnnotator:
    """Annotates documents with what a server answers; its probabilities are not known.

    Attributes:
        ontology: What is extracted.
        counts: What was wrong with its answers so far, by kind.
    """

    detects = False
    finds_arguments = is_generative = True

    def __init__(
        self,
        endpoint: Endpoint,
        question_builder: QuestionBuilder,
        *,
        files: Sequence[Path],
        with_schema: bool = True,
        max_tokens: int = MAX_TOKENS,
    ) -> None:
        self.ontology: Ontology = question_builder.ontology
        self.counts: Counter[str] = Counter()
        self._endpoint, self._question_builder = endpoint, question_builder
        self._with_schema, self._max_tokens, self._files = with_schema, max_tokens, files

    def fingerprint(self) -> str:
        """See `Annotator`: a hash of the files that the questions are made of, and of the server's name."""
        digest = hashlib.sha256(b"".join(path.read_bytes() for path in self._files))
        digest.update(f"{self._endpoint.url} {self._endpoint.model}".encode())
        return digest.hexdigest()[:12]

    def annotate(
        self, documents: Sequence[Document], *, on_batch: Callable[[int, int], None] | None = None
    ) -> list[Document]:
        """Return documents with the arguments found in place of their own; several are asked about at a time."""
        asked = [
            (number, question)
            for number, document in enumerate(documents)
            for question in self._question_builder.questions(document)
        ]
        answers = Answers([[] for _ in documents])
        with ThreadPoolExecutor(WORKERS) as pool:
            results = pool.map(self._answer, [question for _, question in asked])
            for done, ((number, _), (found, counts)) in enumerate(zip(asked, results, strict=True), 1):
                answers.found[number] += found
                self.counts += counts
                if on_batch is not None:
                    on_batch(done, len(asked))
        self.counts["answers"] += len(asked)
        return annotated(documents, answers)

    def _answer(self, question: Question) -> tuple[list[Found], Counter[str]]:
        types = [self.ontology[question.document.events[index].type] for index in question.events]
        try:
            text = self._endpoint.answer(
                self._question_builder.messages(question),
                schema=json_schema(types) if self._with_schema else None,
                max_tokens=self._max_tokens,
            )
        except RefusedError:
            return [], Counter(refused=1)
        return read_answer(text, self._question_builder.script(question), question)


def endpoint_extractor(source: Path, endpoint: Endpoint) -> Extractor:
    """Return an extractor that asks a server.

    Args:
        source: A run with `task: generation`, whose prompt, ontology and examples are used, or an ontology's file.
        endpoint: The server; the model on it may be the run's adapter.

    Raises:
        EventuneError: If the source is neither.
    """
    if is_file(source):
        ontology = read_ontology(source)
        questions = QuestionBuilder(ontology, PromptTemplate.read("", ontology))
        return Extractor(EndpointAnnotator(endpoint, questions, files=[source]))
    opened = open_run(source)
    settings = opened.settings
    if not isinstance(settings, GenerativeSettings) or opened.entry.detects:
        raise EventuneError(
            f"{source}: expected a run with task: generation, found one with task: {opened.entry.name}",
            "give such a run, or an ontology file",
        )
    own = (opened.entry.settings_file, *GenerativeExtraction.files(settings))
    return Extractor(
        EndpointAnnotator(
            endpoint,
            settings.question_builder(source),
            files=[source / name for name in own],
            with_schema=settings.decoding != "free",
            max_tokens=settings.max_new_tokens,
        )
    )
