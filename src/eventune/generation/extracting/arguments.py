"""How a causal LM is asked for arguments, and how its answers are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from eventune.errors import InvalidValueError, out_of_range
from eventune.storage.paths import is_file

DECODINGS = {
    "grounded": "values are spans of the document",
    "schema": "the JSON is as it must be, its values are any text",
    "free": "anything",
}

MOST_EVENTS = 10_000
MOST_EXAMPLES = 10_000
_BOUNDS = {"events_per_prompt": (1, MOST_EVENTS), "num_examples": (0, MOST_EXAMPLES), "max_new_tokens": (16, 2**24)}


@dataclass(kw_only=True)
class GenerativeExtractionArguments:
    """Settings of the tasks whose answers a causal LM writes."""

    decoding: str = field(
        default="grounded",
        metadata={
            "help": "What a causal LM may write: " + "; ".join(f"{name}: {what}" for name, what in DECODINGS.items())
        },
    )
    events_per_prompt: int = field(
        default=1,
        metadata={"help": "Events of a document that a causal LM is asked about at once", "read_by": "generation"},
    )
    prompt_template: str = field(
        default="", metadata={"help": "Jinja file with the prompt of a causal LM; the built-in one if empty"}
    )
    num_examples: int = field(
        default=0,
        metadata={"help": "Solved examples before a causal LM's prompt: the most alike documents of train_file"},
    )
    max_new_tokens: int = field(default=512, metadata={"help": "Tokens of a causal LM's longest answer"})

    def problems(self) -> Iterator[InvalidValueError]:
        """Yield one error for each setting that is out of range."""
        if self.decoding not in DECODINGS:
            yield InvalidValueError("decoding", " or ".join(DECODINGS), repr(self.decoding))
        yield from out_of_range(self, _BOUNDS)
        if self.prompt_template and not is_file(self.prompt_template):
            yield InvalidValueError("prompt_template", "an existing file", self.prompt_template)
