import json
import re
import sys
import types
from dataclasses import replace

import pytest

from eventune.cli import main
from eventune.cli.data import VERBS
from eventune.corpora import fetch as fetching
from eventune.corpora import read_corpus, read_ontology, write_corpus
from eventune.corpora.arguments import DataArguments
from eventune.events import Argument, Document, Event, Span
from eventune.runs.splits import read_splits

FOREIGN_LINE = '{"id": "a", "text": 1}\n'


def document(number, *roles, type="attack"):
    event = Event(type, Span(1, 2), tuple(Argument(role, Span(0, 1), score=0.5) for role in roles))
    return Document.from_sentences(f"d{number}", [["Rebels", "shelled", "Homs", f"[{number}]"]], events=[event])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_corpus([document(n, "attacker") for n in range(5)], tmp_path / "corpus.jsonl")
    return tmp_path


def result_of(capsys, *words, code=0):
    assert main(["data", *words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("verb", VERBS)
def test_help_names_every_flag_with_its_meaning(verb, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit, match="0"):
        main(["data", verb, "--help"])
    out = capsys.readouterr().out
    assert "--json" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check", "corpus.jsonl", "--fix"], "--fix and --output_file go together"),
        (["check", "corpus.jsonl", "-o", "x"], "--fix and --output_file go together"),
        (["check", "corpus.jsonl", "--fix", "-o", "corpus.jsonl"], "corpus.jsonl: exists already"),
        (["check", "corpus.jsonl", "--max_length", "0"], "--max_length: expected an integer >= 1, found 0"),
        (["stats", "corpus.jsonl", "--html", "corpus.jsonl"], "--html: corpus.jsonl: exists already"),
        (["stats", "corpus.jsonl", "--html", "no/x.html"], "--html: no/x.html: its folder does not exist"),
        (["convert", "corpus.jsonl", "corpus.jsonl"], "corpus.jsonl: exists already"),
        (["convert", "corpus.jsonl", ""], ".: exists already"),
        (["convert", "corpus.jsonl", "x", "--output_format", "ramz"], "unknown corpus format 'ramz'"),
        (["convert", "corpus.jsonl", "x", "--output_coreference_file", "corpus.jsonl"], "corpus.jsonl: exists already"),
        (["convert", "corpus.jsonl", "x", "--output_coreference_file", "x"], "x: is to hold both corpus and"),
        (["convert", "absent.jsonl", "x"], "absent.jsonl: no such file"),
        (["split", "absent.jsonl", "-o", "x"], "absent.jsonl: no such file"),
        (["split", "corpus.jsonl", "-o", "corpus.jsonl"], "corpus.jsonl: exists already"),
        (
            ["split", "corpus.jsonl", "-o", "x", "--test_fraction", "1"],
            "expected a share to test on, and something",
        ),
        (
            ["split", "corpus.jsonl", "-o", "x", "--test_fraction", "0"],
            "expected a share to test on, and something",
        ),
        (
            ["split", "corpus.jsonl", "-o", "x", "--group_by", "url"],
            "group_by: document d0 has no metadata field 'url'",
        ),
        (["split", "corpus.jsonl", "-o", "x", "--test_fraction", "0.01"], "5 documents are too few to split off"),
        (["ontology", "absent.yaml"], "absent.yaml: no such file"),
        (["ontology", "corpus.jsonl", "-o", "corpus.jsonl"], "corpus.jsonl: exists already"),
        (["fetch"], "expected the name of a corpus, found none"),
        (["fetch", "ram"], "unknown corpus 'ram'"),
        (["fetch", "rams"], "rams: the checksum of RAMS_1.0c.tar.gz is not known"),
        (["fetch", "phee", "--files", "dev.json", "test.json"], "phee: the checksum of test.json is not known"),
        (["fetch", "phee", "--files", "trian.json"], "phee has no file 'trian.json'"),
        (["fetch", "phee", "--sha256", "12"], "--sha256: expected 64 hexadecimal digits, found '12'"),
        (["fetch", "phee", "--sha256", "0" * 64], "--sha256: expected one file, found 3"),
        (["fetch", "phee", "--sha256", "0" * 64, "--files", "dev.json"], "--sha256: expected 3fef1a8e"),
        (["fetch", "rams", "--accept_unverified", "-o", "corpus.jsonl"], "corpus.jsonl: cannot be made"),
    ],
)
def test_wrong_input_gives_one_message_and_writes_nothing(words, message, folder, capsys):
    assert main(["data", *words]) == 2
    captured = capsys.readouterr()
    assert f"error: {message}" in captured.err
    assert captured.out == ""
    assert [path.name for path in folder.iterdir()] == ["corpus.jsonl"]


@pytest.mark.parametrize("words", [["check", "--fix", "-o", "out"], ["stats", "--html", "out"], ["convert", "out"]])
def test_file_with_a_bad_line_leaves_no_output(words, folder, capsys):
    with (folder / "corpus.jsonl").open("a") as file:
        file.write(FOREIGN_LINE * 2)
    assert main(["data", words[0], "corpus.jsonl", *words[1:]]) == 2
    assert "corpus.jsonl: 2 bad lines" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["corpus.jsonl"]


def test_fix_writes_what_a_second_check_finds_nothing_in(folder, capsys):
    wrong = [document(1, "Attacker", "attacker"), document(2, "attacker"), document(3, "attacker", type="At-tack")]
    write_corpus([*wrong, document(5, "attacker")], folder / "wrong.jsonl")
    write_corpus([document(2)], folder / "test.jsonl")
    (folder / "o.yaml").write_text("types:\n  attack:\n    roles:\n      attacker:\n")
    flags = ["--ontology_file", "o.yaml", "--other_file", "test.jsonl"]
    assert result_of(capsys, "check", "wrong.jsonl", *flags, code=1)["errors"] == 3
    result = result_of(capsys, "check", "wrong.jsonl", *flags, "--fix", "-o", "out.jsonl")
    assert {kind: value["count"] for kind, value in result["fixes"].items()} == {
        "roles renamed": 1,
        "repeated arguments removed": 1,
        "documents of other parts removed": 1,
        "types renamed": 1,
    }
    assert (result["documents"], result["findings"], result["losses"]) == (3, [], {})
    assert [item.id for item in read_corpus("out.jsonl")] == ["d1", "d3", "d5"]
    again = result_of(capsys, "check", "out.jsonl", *flags, "--fix", "-o", "again.jsonl")
    assert again["fixes"] == {}
    assert (folder / "again.jsonl").read_bytes() == (folder / "out.jsonl").read_bytes()


def test_fix_says_what_it_did(folder, capsys):
    write_corpus([document(1, "x", "x")], folder / "wrong.jsonl")
    assert main(["data", "check", "wrong.jsonl", "--fix", "-o", "out.jsonl"]) == 0
    assert (
        "mended: out.jsonl\n  mended: repeated arguments removed: 1\n1 documents, 0 errors" in capsys.readouterr().out
    )


def test_window_is_checked_where_it_is_named(folder, capsys):
    assert result_of(capsys, "check", "corpus.jsonl", "--max_length", "3")["warnings"] == 5


def test_statistics_tell_how_fast_they_were(folder, capsys):
    result = result_of(capsys, "stats", "corpus.jsonl")
    assert result["documents_per_second"] == pytest.approx(5 / result["seconds"])


def test_page_of_statistics_gets_figures_and_examples(folder, capsys, monkeypatch):
    calls = []

    def statistics_page(figures, examples, *, title):
        calls.append((figures["documents"], [item.id for item in examples], title))
        return "<html>"

    monkeypatch.setitem(sys.modules, "eventune.reports", types.SimpleNamespace(statistics_page=statistics_page))
    assert result_of(capsys, "stats", "corpus.jsonl", "--html", "page.html")["html"] == "page.html"
    assert (folder / "page.html").read_text() == "<html>"
    assert calls == [(5, ["d0", "d1", "d2", "d3", "d4"], "corpus.jsonl")]


def test_conversion_reports_what_was_lost(folder, capsys):
    result = result_of(capsys, "convert", "corpus.jsonl", "out.jsonlines", "--output_format", "rams")
    assert (result["documents"], result["format"], result["output_format"]) == (5, "jsonl", "rams")
    assert len(read_corpus("out.jsonlines", "rams")) == 5
    assert main(["data", "convert", "corpus.jsonl", "b.jsonlines", "--output_format", "rams"]) == 0
    out = capsys.readouterr().out
    assert "5 documents, jsonl (guessed) to rams" in out
    for kind, loss in result["losses"].items():
        assert f"lost: {kind}: {loss['count']}, first in {loss['first']}" in out
    assert result["losses"]["scores of arguments"] == {"count": 5, "first": "d0"}


def test_conversion_to_the_own_format_loses_nothing(folder, capsys):
    assert main(["data", "convert", "corpus.jsonl", "out.jsonl"]) == 0
    assert "nothing was lost" in capsys.readouterr().out
    assert list(read_corpus("out.jsonl")) == list(read_corpus("corpus.jsonl"))


def test_coreference_of_wikievents_comes_along(folder, corpora_folder, capsys):
    source = corpora_folder / "wikievents"
    if not (source / "coref_dev.jsonlines").is_file():
        pytest.skip(f"needs WikiEvents in {source}; set EVENTUNE_CORPORA")
    words = ["convert", str(source / "dev.jsonl"), "out.jsonl", "--output_coreference_file", "clusters.jsonlines"]
    result = result_of(capsys, *words, "--coreference_file", str(source / "coref_dev.jsonlines"))
    assert (result["documents"], result["losses"]) == (20, {})
    assert len((folder / "clusters.jsonlines").read_text().splitlines()) == 20
    assert result_of(capsys, "stats", "out.jsonl")["coreference_clusters"] > 0


def test_split_writes_the_parts_that_training_would_draw(folder, capsys):
    shares = {"dev_fraction": 0.2, "test_fraction": 0.4, "split_seed": 3}
    flags = [word for name, share in shares.items() for word in (f"--{name}", str(share))]
    result = result_of(capsys, "split", "corpus.jsonl", "-o", "parts", *flags)
    drawn = read_splits(DataArguments(train_file="corpus.jsonl", **shares), print)
    for name, documents in (("train", drawn.train), ("dev", drawn.dev), ("test", drawn.test)):
        assert list(read_corpus(folder / "parts" / f"{name}.jsonl")) == list(documents)
        assert result["parts"][name]["documents"] == len(documents)
        assert result["parts"][name]["arguments"] == len(documents)


def test_split_tells_of_texts_in_two_parts_and_keeps_them_together_where_asked(folder, capsys):
    twice = [replace(document(n, "attacker"), id=f"again-{n}") for n in range(5)]
    write_corpus([*read_corpus("corpus.jsonl"), *twice], folder / "twice.jsonl")
    assert main(["data", "split", "twice.jsonl", "-o", "apart"]) == 0
    assert "texts stand in two parts: --group_by text" in capsys.readouterr().err
    assert main(["data", "split", "twice.jsonl", "-o", "together", "--group_by", "text"]) == 0
    assert capsys.readouterr().err == ""
    assert [len(read_corpus(f"together/{part}.jsonl")) for part in ("train", "test")] == [8, 2]
    assert not (folder / "together" / "dev.jsonl").exists()


def test_ontology_is_read_off_a_corpus_and_shown_again(folder, capsys):
    assert main(["data", "ontology", "corpus.jsonl"]) == 0
    induced = capsys.readouterr().out
    assert main(["data", "ontology", "corpus.jsonl", "-o", "o.yaml"]) == 0
    assert capsys.readouterr().out == "o.yaml: 1 types, 1 roles\n"
    assert (folder / "o.yaml").read_text() == induced
    assert main(["data", "ontology", "o.yaml"]) == 0
    assert capsys.readouterr().out == induced
    result = result_of(capsys, "ontology", "o.yaml")
    assert (result["types"], result["roles"]) == (1, 1)
    assert result["ontology"] == read_ontology("o.yaml").to_dict()


def test_an_ontology_is_written_as_label_studio_s_configuration(folder, capsys):
    from eventune.serving.label_studio import Labelling

    flags = ["--output_format", "label_studio"]
    assert main(["data", "ontology", "corpus.jsonl", *flags, "-o", "o.xml"]) == 0
    labelling = Labelling.read((folder / "o.xml").read_text(encoding="utf-8"))
    tags = {"trigger": frozenset({"attack"}), "label": frozenset({"attacker"})}
    assert labelling == Labelling(tags=tags)
    capsys.readouterr()
    assert main(["data", "ontology", "corpus.jsonl", *flags]) == 0
    assert capsys.readouterr().out == (folder / "o.xml").read_text(encoding="utf-8")


def test_lines_of_rams_are_an_ontology_too(folder, capsys):
    (folder / "roles.txt").write_text("life.die victim 2 place 1\n")
    assert result_of(capsys, "ontology", "roles.txt")["roles"] == 2


def test_corpora_are_listed_with_their_licences(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    names = [corpus["name"] for corpus in result_of(capsys, "fetch", "--list")["corpora"]]
    assert names == ["rams", "wikievents", "phee", "fewfc", "wlp"]
    assert main(["data", "fetch", "--list"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 40
    assert re.search(r"rams: .*CC BY-SA\s4\.0", out, re.DOTALL)


def test_fetched_files_are_shown_with_licence_and_checksum(folder, capsys, monkeypatch):
    def fetch(file, into):
        return fetching.Fetched(into / file.name, file.sha256 or "0" * 64, 7, bool(file.sha256))

    monkeypatch.setattr(fetching, "fetch", fetch)
    assert main(["data", "fetch", "phee", "--accept_unverified"]) == 0
    captured = capsys.readouterr()
    assert "licence: MIT" in captured.out
    assert f"phee/test.json: 7 bytes, NOT verified\n  sha256 {'0' * 64}\n" in captured.out
    assert main(["data", "fetch", "phee"]) == 0
    assert "left out, as their checksums are not known (--accept_unverified takes them): test.json" in (
        capsys.readouterr().err
    )
    result = result_of(capsys, "fetch", "phee")
    assert [file["file"] for file in result["files"]] == ["phee/train.json", "phee/dev.json"]
    assert result["left_out"] == ["test.json"]
    result = result_of(capsys, "fetch", "rams", "--sha256", "A" * 64, "-o", "data")
    assert result["files"] == [
        {"file": "data/RAMS_1.0c.tar.gz", "sha256": "a" * 64, "bytes": 7, "verified": True},
    ]


def test_an_ontology_is_written_with_descriptions_that_it_lacks(folder, capsys):
    (folder / "meant.yaml").write_text("types: {Attack: violence}\nroles: {Attacker: who attacks}\n")
    found = result_of(capsys, "ontology", "corpus.jsonl", "--descriptions_file", "meant.yaml")["ontology"]
    roles = {"attacker": {"description": "who attacks"}}
    assert found["types"]["attack"] == {"roles": roles, "description": "violence"}

    assert main(["data", "ontology", "corpus.jsonl", "--descriptions_file", "descriptions:new"]) == 2
    assert "descriptions:new" in capsys.readouterr().err
