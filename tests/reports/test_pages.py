"""Pages are well formed, load nothing, and escape what they show."""

import re
from html.parser import HTMLParser

import pytest

from eventune.corpora import describe
from eventune.events import Argument, Document, Event, Span
from eventune.reports import errors_page, statistics_page
from eventune.reports.page import Mark, pieces
from eventune.scoring.errors import ErrorAnalysis

SCRIPT = "<script>alert(1)</script>"


class Reader(HTMLParser):
    """Reads a page, and fails at a tag that closes another one."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], set(), [], []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes
        if tag not in {"meta", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data):
        self.text.append(data)


def document(*arguments, id="d1"):
    """A document of one event with arguments `(start, end, role)`."""
    found = tuple(Argument(role, Span(start, end)) for start, end, role in arguments)
    return Document.from_sentences(id, [["a", SCRIPT, "c", "d", "&", "f"]], events=[Event("e", Span(0, 1), found)])


def statistics():
    documents = [document((1, 2, f'"{SCRIPT}'), (1, 4, "y"), id=SCRIPT)]
    return statistics_page(describe(documents), documents, title=SCRIPT)


def errors():
    analysis = ErrorAnalysis()
    gold = document((1, 2, f'"{SCRIPT}'), (3, 5, "y"), id=SCRIPT)
    analysis.add(gold, document((1, 4, f'"{SCRIPT}'), (3, 5, "z")))
    score = {"scorer": SCRIPT, "metrics": dict.fromkeys(("precision", "recall", "f1"), 0.5)}
    score["counts"] = {"gold": 2, "predicted": 2, "matched": 1}
    return errors_page({**analysis.to_dict(), "note": SCRIPT}, analysis.examples, score=score, title=SCRIPT)


def errors_of(*predicted, gold=((3, 5, "y"),), length=80):
    """The page on documents with one gold argument each, and the predicted ones."""
    analysis = ErrorAnalysis()
    for number, arguments in enumerate(predicted):
        words = Document.from_sentences(f"d{number}", [["w"] * length])
        sides = (
            words.with_events([Event("e", Span(0, 1), tuple(Argument(role, Span(s, e)) for s, e, role in found))])
            for found in (gold, arguments)
        )
        analysis.add(*sides)
    score = {"scorer": "rams", "metrics": dict.fromkeys(("precision", "recall", "f1"), 0.0)}
    score["counts"] = {"gold": 0, "predicted": 0, "matched": 0}
    return errors_page({**analysis.to_dict(), "note": ""}, analysis.examples, score=score, title="t")


def labels_of(page, title):
    """The labels and counts of the bars of a chart."""
    section = page.partition(title)[2].partition("</section>")[0]
    return re.findall(r'<span class="label">(.*?)</span>.*?<span>([\d,]+)</span>\n', section)


def test_shifts_are_shown_around_zero_and_those_far_away_as_one_bar_on_each_side():
    far = [((start, 75, "y"),) for start in range(30)]
    page = errors_of(*far, ((40, 41, "y"),), gold=((30, 75, "y"),))
    assert labels_of(page, "start of the span") == [
        ("-11 and below", "20"),
        *((str(shift), "1") for shift in range(-10, 0)),
        ("0", "0"),
        *((f"+{shift}", "0") for shift in range(1, 10)),
        ("+10", "1"),
    ]


def test_how_many_documents_are_shown_is_said():
    assert "All 2 documents with an error." in errors_of((), ((0, 1, "z"),))
    assert "The first 50 of the 60 documents with an error." in errors_of(*[()] * 60)


@pytest.mark.parametrize("page", [statistics(), errors()], ids=["statistics", "errors"])
def test_a_page_is_well_formed_loads_nothing_and_escapes(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert reader.tags & {"script", "link", "img", "iframe"} == set()
    assert not {name for name, _ in reader.attributes} & {"src", "href", "onclick"}
    assert "http" not in page
    assert "url(" not in page
    assert SCRIPT in "".join(reader.text)


def test_pieces_are_the_whole_text_and_overlapping_marks_share_a_piece():
    shown = document()
    found = pieces(shown, [Mark(Span(1, 4), "x", "one"), Mark(Span(2, 5), "y", "two")])
    assert "".join(piece.text for piece in found) == shown.text
    assert [piece.styles for piece in found] == ["", "one", "one two", "two", ""]
    assert [[mark.label for mark in piece.labels] for piece in found] == [[], [], ["x"], ["y"], []]


def test_empty_analysis_and_corpus_give_pages():
    assert "<h1>t</h1>" in statistics_page(describe([]), [], title="t")
    score = {"scores": {}, "scorer": "rams", "metrics": dict.fromkeys(("precision", "recall", "f1"), 0.0)}
    score["counts"] = {"gold": 0, "predicted": 0, "matched": 0}
    assert "<h1>t</h1>" in errors_page({**ErrorAnalysis().to_dict(), "note": ""}, [], score=score, title="t")


def test_long_documents_are_counted_in_few_bins():
    documents = [Document.from_sentences(f"d{size}", [["w"] * size]) for size in (3, 120, 124, 900)]
    page = statistics_page(describe(documents), [], title="t")
    assert "100–199" in page
    assert "100–199" not in statistics_page(describe(documents[:1]), [], title="t")
