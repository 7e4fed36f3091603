"""What an epoch reads, and which setting makes that much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from eventune.extraction.coverage import EncodedPart
from eventune.extraction.features import EncodedWindow

MANY_WINDOWS = 8
"""Windows a document from which on they are worth a word."""
MUCH_PADDING = 1.5
"""So many times the tokens that there are."""


def workload_notices(
    part: EncodedPart[EncodedWindow], *, extractor: str, max_length: int, padded_length: int = 0
) -> Iterator[str]:
    """Yield what makes training slow, with its figures; nothing where it is as quick as it can be.

    Args:
        part: What is trained on.
        extractor: Name of the extractor that encoded it.
        max_length: Pieces of the longest window.
        padded_length: Pieces that every window is padded to; 0 where batches are padded to their longest one.
    """
    examples = [example for example in part.examples if not example.is_near]
    if not examples:
        return
    windows, documents = len(examples), len(part.documents)
    once = {(example.document, example.event, example.first_word) for example in examples}
    windows_of = Counter((document, event) for document, event, _ in once)
    events, once_read = len(windows_of), len(once)
    if once_read >= MANY_WINDOWS * documents:
        around_triggers = any(
            count > 1 and part.documents[document].events[event].trigger is not None
            for (document, event), count in windows_of.items()
        )
        yield (
            f"an epoch reads {once_read:,} windows: each of {events:,} events by itself, in {once_read / events:.1f} "
            f"windows of up to {max_length} tokens ({documents:,} documents)"
            + ("; trigger_window: 96 reads each once, around its trigger" if around_triggers else "")
        )
    if windows > once_read:
        yield (
            f"extractor {extractor} reads each of {once_read:,} windows once for every filler that it asks for, "
            f"{windows:,} times an epoch; extractor: joint reads it once"
        )
    inputs, tokens = len(part.examples), sum(len(example.input_ids) for example in part.examples)
    if inputs * padded_length >= MUCH_PADDING * tokens:
        yield (
            f"pad_to_max_length pads {inputs:,} windows to {padded_length} tokens, where they have "
            f"{tokens / inputs:.0f} on average: {inputs * padded_length / tokens:.1f} times the work"
        )
