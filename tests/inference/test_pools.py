"""Records in pools, read and extracted."""

import json

import pytest

from eventune.corpora.inputs import open_inputs
from eventune.inference.pools import Options, PoolExtractor, pools_of


def test_records_are_read_by_what_their_own_file_is(idle, tmp_path):
    """A type in raw text is a word that means one; in a corpus it is a name."""
    (tmp_path / "a.txt").write_text("They [[shot|ATTACK]] him.")
    (tmp_path / "b.txt").write_text("They [[shot|atack]] him.")
    event = {"type": "atack", "trigger": [1, 2]}
    record = {"id": "c", "text": "They shot.", "tokens": [[0, 4], [5, 10]], "events": [event]}
    (tmp_path / "c.jsonl").write_text(json.dumps(record))
    names = [str(tmp_path / name) for name in ("a.txt", "b.txt", "c.jsonl")]
    [pool] = pools_of(open_inputs(names).items(), 10)

    read = PoolExtractor(idle).read(pool)

    assert {n: [event.type for event in document.events] for n, document in read.documents.items()} == {
        0: ["conflict.attack"],
        2: ["atack"],
    }
    first, second, third = read.entries
    assert (first.error, third.error, third.identifier) == (None, None, "c")
    assert first.identifier == str(tmp_path / "a")
    assert second.place == str(tmp_path / "b.txt")
    assert "event type 'atack' is not in the ontology" in str(second.error)


@pytest.mark.parametrize("batch_tokens", [1, 60, 100_000])
def test_documents_are_extracted_together_up_to_so_many_tokens_padding_included(
    batch_tokens, idle, small_corpus, monkeypatch
):
    asked = []
    of_class = idle.extract_all
    monkeypatch.setattr(idle, "extract_all", lambda documents: asked.append(documents) or of_class(documents))
    crew = PoolExtractor(idle, Options(batch_tokens=batch_tokens))
    list(crew.results(pools_of(open_inputs([str(small_corpus / "dev.jsonl")]).items(), 100)))
    sizes = [[len(d.tokens) * len(d.events) for d in group] for group in asked]
    assert sum(map(len, sizes)) == 12
    assert all(len(group) == 1 or max(group) * len(group) <= batch_tokens for group in sizes)
    assert [max(group) for group in sizes] == sorted(map(max, sizes), reverse=True)
    assert len(sizes) == {1: 12, 100_000: 1}.get(batch_tokens, len(sizes))
