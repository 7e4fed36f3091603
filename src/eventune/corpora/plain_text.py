"""Plain text, a document a line."""

from __future__ import annotations

from pathlib import Path

from eventune.errors import EventuneError
from eventune.events import Document
from eventune.events.segmentation import segment


def read_plain_text(path: Path) -> tuple[Document, ...]:
    """Read a file of plain text.

    Args:
        path: The file, in UTF-8, with a sentence or a document on each line; empty lines are left out.

    Returns:
        The documents, without events.

    Raises:
        EventuneError: If the file cannot be read, or holds no text.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EventuneError(f"{path}: expected plain text in UTF-8: {error}") from None
    lines = [line.strip() for line in text.split("\n")]
    documents = tuple(
        Document(f"{path.name}:{number}", line, *segment(line)) for number, line in enumerate(lines, start=1) if line
    )
    if not documents:
        raise EventuneError(f"{path}: expected text, found none", "give a sentence or a document on each line")
    return documents
