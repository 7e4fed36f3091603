"""Counting two files by the RAMS definition: the official ones as its scorer does, all others as corpora."""

from __future__ import annotations

from pathlib import Path

from eventune.corpora import AUTO, stream_corpus
from eventune.corpora.records import read_json_records
from eventune.events import Ontology
from eventune.scoring.measures import Tally
from eventune.scoring.pairs import check_tokens
from eventune.scoring.prediction_files import first_record, is_rams_predictions
from eventune.scoring.rams import links_of, predicted_events
from eventune.scoring.rams_counts import RamsCounts
from eventune.scoring.rams_files import official_records, read_gold, read_predictions, read_predictions_in_gold_format
from eventune.scoring.rams_links import LinkCounter, count_links

_GOLD_FIELDS = {"evt_triggers", "gold_evt_links"}


def count_files(
    gold: Path,
    predictions: Path,
    *,
    format: str = AUTO,
    ontology: Ontology | None = None,
    type_constrained: bool = False,
    strict: bool = True,
    official: bool = True,
) -> tuple[RamsCounts, list[Tally]]:
    """Count the links of two files by the RAMS definition.

    RAMS files are read as the official scorer reads them, whatever is in their spans; all others as corpora.

    Args:
        gold: Annotated corpus.
        predictions: Official prediction lines, or a corpus with the predicted events.
        format: Format of files that are corpora.
        ontology: Types, roles and multiplicities; needed by `type_constrained`.
        type_constrained: Keep the best-scored arguments that the event type's roles admit.
        strict: Refuse spans over a sentence boundary.
        official: Refuse RAMS files at which the official scorer stops although they can be read as corpora: packed
            ones, arrays, blank lines, gold lines without an event.

    Returns:
        The counts, and what each gold document adds to them.
    """
    more_roles: list[str] = []
    records = official_records if official else read_json_records
    if format in (AUTO, "rams") and first_record(gold).keys() & _GOLD_FIELDS:
        gold_file = read_gold(records(gold), needs_event=official)
        annotated = gold_file.documents
        more_roles += gold_file.roles
    else:
        annotated = {document.id: links_of(document) for document in stream_corpus(gold, format)}
    if first_record(predictions).keys() & _GOLD_FIELDS:
        file = read_predictions_in_gold_format(records(predictions), needs_event=official)
        predicted = file.documents
        more_roles += file.roles
    elif is_rams_predictions(predictions):
        predicted = read_predictions(records(predictions)).documents
    else:
        predicted = {}
        for document in stream_corpus(predictions, format):
            if document.id in annotated:
                check_tokens(document.id, len(annotated[document.id].sentence_of), len(document.tokens))
            predicted[document.id] = predicted_events(document)
    counter = LinkCounter(ontology=ontology, type_constrained=type_constrained, strict=strict)
    tallies = count_links(counter, annotated, predicted, more_roles=more_roles)
    return counter.counts, tallies
