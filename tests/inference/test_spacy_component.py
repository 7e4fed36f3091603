import tomllib
from pathlib import Path
from pkgutil import resolve_name

import pytest

from eventune import EventuneError
from eventune.corpora import spacy_docs
from eventune.inference import spacy_component
from eventune.inference.extractor import Extractor

spacy = pytest.importorskip("spacy")
TEXT = "Gunmen shot three soldiers in Mosul on Monday."


@pytest.fixture(scope="module")
def nlp():
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("eventune", config={"run": "warmup"})
    return nlp


def test_a_blank_pipeline_finds_what_the_run_finds(nlp):
    (event,) = nlp(TEXT)._.events
    expected = Extractor.load("warmup").extract(TEXT)
    (found,) = expected.events
    assert (event.type, event.trigger.text) == (found.type, expected.text_of(found.trigger))
    assert [(each.role, each.span.text, each.score) for each in event.arguments] == [
        (argument.role, expected.exact_text_of(argument), argument.score) for argument in found.arguments
    ]


def test_many_documents_come_in_their_order(nlp):
    texts = [TEXT, "", "The museum opens at nine.", TEXT]
    docs = list(nlp.pipe(texts, batch_size=2))
    assert [doc.text for doc in docs] == texts
    alone = [nlp(text) for text in texts]
    assert [spacy_docs.document_of(doc) for doc in docs] == [spacy_docs.document_of(doc) for doc in alone]
    assert [len(doc._.events) for doc in alone[:2]] == [1, 0]


def test_an_ontology_of_one_s_own_is_used(tmp_path):
    (tmp_path / "mine.yaml").write_text("types: {layoff: {roles: {employer: {}, place: {}}}}", encoding="utf-8")
    nlp = spacy.blank("en")
    nlp.add_pipe("eventune", config={"run": "warmup", "ontology_file": str(tmp_path / "mine.yaml")})
    (event,) = nlp("In May, Volvo dismissed 1,300 workers in Gothenburg.")._.events
    assert event.type == "layoff"


def test_a_run_that_finds_no_triggers_takes_those_of_a_span_group(tiny_run):
    nlp = spacy.blank("en")
    nlp.add_pipe("eventune", config={"run": str(tiny_run), "triggers": "sc"})
    doc = nlp.make_doc(TEXT)
    doc.spans["sc"] = [doc.char_span(7, 11, label="attack")]
    (event,) = nlp(doc)._.events
    assert (event.type, event.trigger.text) == ("attack", "shot")
    assert spacy_docs.document_of(doc).events[0].arguments == (
        Extractor.load(tiny_run).extract(TEXT.replace("shot", "[[shot|attack]]")).events[0].arguments
    )


def test_what_cannot_be_loaded_is_refused(tiny_run):
    nlp = spacy.blank("en")
    with pytest.raises(EventuneError, match=r"eventune.run: expected a run directory, found none"):
        nlp.add_pipe("eventune")
    with pytest.raises(EventuneError, match="this run finds arguments and no triggers"):
        nlp.add_pipe("eventune", config={"run": str(tiny_run)})


def test_the_entry_point_leads_to_the_component():
    pyproject = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    entries = pyproject["project"]["entry-points"]["spacy_factories"]
    assert {name: resolve_name(path) for name, path in entries.items()} == {
        spacy_component.NAME: spacy_component.make_component
    }
