import json
import subprocess
import sys

import pytest

from eventune.cli import main
from eventune.corpora import write_corpus
from eventune.events import Argument, Document, Event, Span


def document(number, *roles, type="attack"):
    event = Event(type, Span(1, 2), tuple(Argument(role, Span(0, 1)) for role in roles))
    return Document.from_sentences(f"d{number}", [["Rebels", "shelled", "Homs", f"[{number}]"]], events=[event])


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "corpus.jsonl"
    write_corpus([document(n, "attacker") for n in range(5)], path)
    return str(path)


@pytest.fixture
def ontology(tmp_path):
    path = tmp_path / "ontology.yaml"
    path.write_text("types:\n  attack:\n    roles:\n      target:\n")
    return str(path)


def test_good_corpus_passes_its_check(corpus, capsys):
    assert main(["data", "check", corpus]) == 0
    out = capsys.readouterr().out
    assert "format: jsonl (guessed)" in out
    assert "5 documents, 0 errors, 0 warnings" in out


def test_format_that_was_named_is_not_called_guessed(corpus, capsys):
    assert main(["data", "check", corpus, "--format", "jsonl"]) == 0
    assert "guessed" not in capsys.readouterr().out


def test_built_in_corpora_are_read_by_their_names(tmp_path, capsys):
    assert main(["data", "check", "sample:dev", "--ontology_file", "sample:ontology"]) == 0
    assert "0 errors" in capsys.readouterr().out
    assert main(["data", "stats", "sample:dev", "--ontology_file", "sample:ontology", "--json"]) == 0
    documents = json.loads(capsys.readouterr().out)["documents"]
    assert main(["data", "ontology", "sample:ontology", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["types"]
    assert main(["data", "convert", "sample:dev", str(tmp_path / "dev.jsonl"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["documents"] == documents


@pytest.mark.parametrize(
    "words", [["stats", "sample:warm-up"], ["check", "sample:dev", "--ontology_file", "sample:ontolgy"]]
)
def test_a_built_in_corpus_that_is_misspelt_is_asked_for(words, capsys):
    assert main(["data", *words]) == 2
    assert f"{words[-1]}: no such file\nhint: did you mean 'sample:" in capsys.readouterr().err


def test_errors_of_a_check_give_exit_code_one(corpus, ontology, capsys):
    assert main(["data", "check", corpus, "--ontology_file", ontology]) == 1
    out = capsys.readouterr().out
    assert "error: unknown role (5)" in out
    assert "d0 events[0].arguments[0].role: " in out
    assert "… and 2 more (--json lists all)" in out


def test_json_of_a_check_lists_all_findings_and_nothing_else(corpus, ontology, capsys):
    assert main(["data", "check", corpus, "--ontology_file", ontology, "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert (result["documents"], result["errors"], result["warnings"], len(result["findings"])) == (5, 5, 0, 5)
    assert (result["format"], result["format_guessed"], result["file"]) == ("jsonl", True, corpus)


def test_text_shared_with_another_file_is_an_error(corpus, tmp_path, capsys):
    write_corpus([document(3)], tmp_path / "test.jsonl")
    write_corpus([document(9)], tmp_path / "dev.jsonl")
    other = [str(tmp_path / "dev.jsonl"), str(tmp_path / "test.jsonl")]
    assert main(["data", "check", corpus, "--json", "--other_file", *other]) == 1
    [finding] = json.loads(capsys.readouterr().out)["findings"]
    assert finding["document"] == "d3"
    assert finding["message"].endswith("test.jsonl")


def test_other_files_are_read_in_the_format_that_was_named(corpus, tmp_path, capsys):
    (tmp_path / "lines.jsonl").write_text('{"doc_key": "d", "sentences": [["A"]]}\n', encoding="utf-8")
    assert main(["data", "check", corpus, "--format", "jsonl", "--other_file", str(tmp_path / "lines.jsonl")]) == 2
    assert "lines.jsonl:1: " in capsys.readouterr().err


def test_file_that_cannot_be_read_gives_exit_code_two(corpus, capsys):
    assert main(["data", "check", corpus + "x"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "corpus.jsonlx: no such file" in captured.err
    assert main(["data", "stats", corpus, "--format", "ramz"]) == 2
    assert "hint: did you mean 'rams'?" in capsys.readouterr().err


def test_json_of_statistics_is_what_describe_returns(corpus, ontology, capsys):
    assert main(["data", "stats", corpus, "--ontology_file", ontology, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["documents"], result["events"], result["roles"]) == (5, 5, {"attacker": 5})
    assert result["empty_role_share"] == 1.0


@pytest.mark.parametrize("columns", [40, 80])
def test_statistics_fit_into_a_narrow_terminal(columns, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    path = tmp_path / "c.jsonl"
    write_corpus([document(n, f"role-{n}", type="transaction.transferownership.[n]/a" * 2) for n in range(20)], path)
    monkeypatch.chdir(tmp_path)
    assert main(["data", "stats", "c.jsonl"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= columns
    assert "roles that stay empty" not in out
    assert "… and 5 more (--json lists all)" in out
    assert "transaction.transferownership.[n]" in out


@pytest.mark.parametrize(
    "arguments", [["data"], ["data", "chek"], ["data", "check"], ["data", "check", "f", "--ont", "o"]]
)
def test_wrong_arguments_are_refused(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: eventune" in capsys.readouterr().err


def test_help_and_checks_do_not_import_torch(corpus):
    code = "import sys; from eventune.cli import main; main(sys.argv[1:]); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, "data", "stats", corpus], check=True, capture_output=True)
