"""Parts of a corpus that are drawn by chance: what is tested on is not trained on, nor what belongs to it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass

from eventune.corpora.arguments import TEXT, Fold
from eventune.errors import EventuneError
from eventune.events import Document

Documents = Sequence[Document]


@dataclass(frozen=True, slots=True)
class Drawing:
    """How parts are drawn.

    Attributes:
        group_by: Metadata field whose values stay in one part, or `text` for repeated texts; empty for each document by
            itself.
        seed: The order in which groups are drawn.
    """

    group_by: str = ""
    seed: int = 0

    def parts(
        self, documents: Documents, *, dev_fraction: float, test_fraction: float, fold: Fold | None = None
    ) -> tuple[Documents, Documents, Documents]:
        """Split documents.

        Args:
            documents: The documents.
            dev_fraction: The dev part's share of them, in whole groups.
            test_fraction: The test part's.
            fold: The test part, in place of a share.

        Returns:
            The training, the dev and the test part; a part without a share is empty.

        Raises:
            EventuneError: If there are too few, or they lack the field.
        """
        train, test = self._fold(documents, fold) if fold else self._share(documents, test_fraction)
        held_out = 1.0 / fold.folds if fold else test_fraction
        train, dev = self._share(train, dev_fraction / (1.0 - held_out))
        return train, dev, test

    def some(self, documents: Documents, fraction: float) -> Documents:
        """Return a share of the documents, in whole groups; a smaller share's are part of a greater one's.

        Raises:
            EventuneError: If they lack the field.
        """
        chosen = self._chosen(documents, fraction)
        return tuple(document for document in documents if self._group(document) in chosen)

    def _share(self, documents: Documents, fraction: float) -> tuple[Documents, Documents]:
        """Split off whole groups until the share of documents is reached."""
        if not fraction:
            return documents, ()
        return self._parted(documents, self._chosen(documents, fraction), f"a share of {fraction:g}")

    def _fold(self, documents: Documents, fold: Fold) -> tuple[Documents, Documents]:
        """Split off one fold: whole groups in a drawn order, cut where its share of the documents begins and ends."""
        groups, sizes = self._drawn(documents)
        chosen, before = set[str](), 0
        for group in groups:
            if before * fold.folds // len(documents) == fold.number - 1:
                chosen.add(group)
            before += sizes[group]
        return self._parted(documents, chosen, f"fold {fold}")

    def _parted(self, documents: Documents, chosen: Container[str], what: str) -> tuple[Documents, Documents]:
        """Return the documents that are kept, and those of the chosen groups, which are split off."""
        kept = tuple(document for document in documents if self._group(document) not in chosen)
        split_off = tuple(document for document in documents if self._group(document) in chosen)
        if not kept or not split_off:
            raise EventuneError(f"{len(documents)} documents are too few to split off {what}")
        return kept, split_off

    def _chosen(self, documents: Documents, fraction: float) -> set[str]:
        """Draw whole groups until the share of documents is reached."""
        groups, sizes = self._drawn(documents)
        wanted, chosen, taken = round(fraction * len(documents)), set[str](), 0
        for group in groups:
            if taken >= wanted:
                break
            chosen.add(group)
            taken += sizes[group]
        return chosen

    def _drawn(self, documents: Documents) -> tuple[list[str], Counter[str]]:
        """Return the groups in the order that the seed draws, and how many documents each has."""
        if (
            self.group_by
            and self.group_by != TEXT
            and (lacking := next((d for d in documents if self.group_by not in d.metadata), None))
        ):
            raise EventuneError(
                f"group_by: document {lacking.id} has no metadata field {self.group_by!r}",
                f"its fields: {', '.join(lacking.metadata) or 'none'}",
            )
        sizes = Counter({document.id: self._group(document) for document in documents}.values())
        groups = sorted(sizes)
        random.Random(self.seed).shuffle(groups)
        return groups, sizes

    def _group(self, document: Document) -> str:
        if self.group_by == TEXT:
            return document.text
        return str(document.metadata[self.group_by]) if self.group_by else document.id
