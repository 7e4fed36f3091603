"""What belongs to an export."""

import shutil
from pathlib import Path

import pytest

from eventune.errors import EventuneError
from eventune.inference.exports import ExportAnnotator
from eventune.runs.shipped import located
from eventune.runtime.folder import EXPORT, TOKENIZER, ExportRecord, Tokens, graph_name, open_export
from eventune.storage.validation import write_settings

GRAPH = graph_name("float32")
WEIGHTS = f"{GRAPH}.data"


@pytest.fixture
def folder(tmp_path):
    """An export whose weights do not fit into its graph, as torch writes it above 1.5 GB; the graph itself is none."""
    for name in ("extractor.json", "ontology.yaml"):
        shutil.copy(located(Path("warmup")) / "arguments" / name, tmp_path)
    for name in (TOKENIZER, GRAPH, WEIGHTS):
        (tmp_path / name).write_text(name)
    tokens = Tokens(cls_token_id=0, sep_token_id=1, unk_token_id=None, pad_token_id=2)
    record = ExportRecord(task="extraction", precisions=("float32",), tokens=tokens, weights=(WEIGHTS,))
    write_settings(tmp_path / EXPORT, record)
    return tmp_path


def fingerprint(folder):
    opened = open_export(folder)
    return ExportAnnotator(opened, None, opened.ontology, "float32").fingerprint()


def test_weights_beside_a_graph_decide_what_is_found(folder):
    before = fingerprint(folder)
    assert fingerprint(folder) == before
    (folder / WEIGHTS).write_text("trained again")
    assert fingerprint(folder) != before


def test_weights_beside_a_graph_must_be_there(folder):
    (folder / WEIGHTS).unlink()
    with pytest.raises(EventuneError, match=f"expected the file {WEIGHTS}, found none"):
        open_export(folder)


def test_an_export_that_does_not_name_its_weights_opens(folder):
    text = (folder / EXPORT).read_text()
    (folder / EXPORT).write_text(text.replace(WEIGHTS, GRAPH))
    assert [path.name for path in open_export(folder).files("float32")] == ["extractor.json", TOKENIZER, GRAPH, WEIGHTS]
