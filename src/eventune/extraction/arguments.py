"""How documents are read and arguments are scored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from eventune.errors import InvalidValueError, out_of_range

EXTRACTORS = ("joint", "question")
MOST_SPAN_LENGTH = 1_000
"""Words of an argument, or of a trigger; the scores of a batch take memory for each length."""

LEAST_WINDOW = 16


@dataclass(kw_only=True)
class ExtractionArguments:
    """The extractor's own settings."""

    extractor: str = field(
        default="joint",
        metadata={
            "help": "joint (one pass an event, all roles at once) or question (one input for each role and filler, as "
            "question answering has it: slow, to compare with)",
            "read_by": "extraction",
        },
    )
    pad_to_max_length: bool = field(
        default=False,
        metadata={
            "help": "Pad every batch to max_length, as many scripts do: slow, to compare with",
            "read_by": "extraction",
        },
    )
    max_length: int = field(
        default=0,
        metadata={
            "help": "Subword tokens that the encoder reads at once; longer texts are read in windows; 0: all it can. "
            "Of a causal LM: tokens of the longest prompt; longer texts are cut around the trigger"
        },
    )
    max_span_length: int = field(
        default=12, metadata={"help": "Words of the longest argument", "read_by": ("extraction", "generation")}
    )
    trigger_window: int = field(
        default=0,
        metadata={
            "help": "Subword tokens that are read around an event's trigger, in one window: documents with many events "
            "cost as many times less; 0: the whole document",
            "read_by": "extraction",
        },
    )
    near_window: int = field(
        default=0,
        metadata={
            "help": "Subword tokens around an event's trigger that are read once more by themselves, in training too; "
            "what both readings say of a span is averaged; 0: no second reading",
            "read_by": "extraction",
        },
    )
    role_descriptions: bool = field(
        default=False,
        metadata={
            "help": "Read what the ontology says of a type and its roles behind their names, where it leaves half of "
            "max_length to the text",
            "read_by": "extraction",
        },
    )
    head_dropout: float = field(default=0.1, metadata={"help": "Dropout before the span scorer", "read_by": "heads"})
    word_dropout: float = field(
        default=0.0,
        metadata={
            "help": "Share of the text's subword tokens that are masked in training, anew in each epoch",
            "read_by": "heads",
        },
    )

    def problems(self) -> Iterator[InvalidValueError]:
        """Yield one error for each setting that is out of range."""
        if self.extractor not in EXTRACTORS:
            yield InvalidValueError("extractor", " or ".join(EXTRACTORS), repr(self.extractor))
        if self.extractor == "question" and self.word_dropout:
            yield InvalidValueError("word_dropout", "0 with extractor: question", str(self.word_dropout))
        if self.extractor == "question":
            for name, without in (("role_descriptions", False), ("near_window", 0)):
                if getattr(self, name):
                    expected = f"{str(without).lower()} with extractor: question"
                    yield InvalidValueError(name, expected, str(getattr(self, name)).lower())
        if self.max_length != 0 and self.max_length < 64:
            yield InvalidValueError("max_length", "0, or a number of subword tokens >= 64", str(self.max_length))
        for name in ("trigger_window", "near_window"):
            if getattr(self, name) != 0 and getattr(self, name) < LEAST_WINDOW:
                expected = f"0, or a number of subword tokens >= {LEAST_WINDOW}"
                yield InvalidValueError(name, expected, str(getattr(self, name)))
        if 0 < self.trigger_window <= self.near_window:
            yield InvalidValueError("near_window", "fewer subword tokens than trigger_window", str(self.near_window))
        yield from out_of_range(self, {"max_span_length": (1, MOST_SPAN_LENGTH)})
        for name in ("head_dropout", "word_dropout"):
            if not 0.0 <= getattr(self, name) < 1.0:
                yield InvalidValueError(name, "a number in [0, 1)", str(getattr(self, name)))
