"""What an epoch reads, and which setting makes that much."""

from __future__ import annotations

from collections.abc import Iterator

from eventune.extraction.features import EncodedPart

MANY_WINDOWS = 8
"""Windows a document from which on they are worth a word."""
MUCH_PADDING = 1.5
"""So many times the tokens that there are."""


def workload_notices(part: EncodedPart, *, extractor: str, max_length: int, padded_length: int = 0) -> Iterator[str]:
    """Yield what makes training slow, with its figures; nothing where it is as quick as it can be.

    Args:
        part: What is trained on.
        extractor: Name of the extractor that encoded it.
        max_length: Pieces of the longest window.
        padded_length: Pieces that every window is padded to; 0 where batches are padded to their longest one.
    """
    if not part.examples:
        return
    windows, documents = len(part.examples), len(part.documents)
    events = len({(example.document, example.event) for example in part.examples})
    once = len({(example.document, example.event, example.first_word) for example in part.examples})
    if once >= MANY_WINDOWS * documents:
        yield (
            f"an epoch reads {once:,} windows: each of {events:,} events by itself, in {once / events:.1f} windows of "
            f"up to {max_length} tokens ({documents:,} documents)"
            + ("; trigger_window: 192 reads each once, around its trigger" if once > events else "")
        )
    if windows > once:
        yield (
            f"extractor {extractor} reads each of {once:,} windows once for every filler that it asks for, "
            f"{windows:,} times an epoch; extractor: joint reads it once"
        )
    tokens = sum(len(example.input_ids) for example in part.examples)
    if windows * padded_length >= MUCH_PADDING * tokens:
        yield (
            f"pad_to_max_length pads {windows:,} windows to {padded_length} tokens, where they have "
            f"{tokens / windows:.0f} on average: {windows * padded_length / tokens:.1f} times the work"
        )
