"""Commands on pages are commands of the program; those of the site's first pages do what the pages say."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from eventune.cli import VERBS, build_parser, main
from eventune.corpora import read_corpus, read_ontology, write_corpus, write_ontology

from .conftest import ROOT, Page

PAGES = sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").rglob("*.md")])
HOW_TO = [path for path in sorted((ROOT / "docs" / "how-to").glob("*.md")) if not path.name.endswith(".zh-CN.md")]
ENGLISH = [ROOT / "docs" / "index.md", ROOT / "docs" / "concepts.md", *HOW_TO]
SMALLER = {
    "train": ["--num_train_epochs", "1"],
    "compare": ["--num_train_epochs", "1", "--seeds", "0", "--arms", "lora:r=8", "--workers", "1"],
    "sft": ["--max_steps", "1", "--per_device_train_batch_size", "1"],
    "serve": ["--port", "0", "--json"],
}
"""What a test asks for in place of what takes hours."""
SERVERS = ("serve", "mcp")
ELSEWHERE = {"demo", "doctor"}
"""Run by tests of their own: tests/cli/test_demo.py, test_doctor.py."""


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_on_a_page_is_one(path):
    for words in Page(path).commands():
        if words and words[0] in VERBS:
            build_parser(words[0]).parse_args(words)
        else:
            assert words[:1] in (["--version"], ["--help"], ["…"]), words


@pytest.mark.parametrize("path", ENGLISH, ids=lambda path: path.stem)
def test_the_chinese_page_has_the_same_code(path):
    chinese = Page(path.with_name(f"{path.stem}.zh-CN.md"))
    assert [Page(path).blocks(kind) for kind in ("", "yaml", "python")] == [
        chinese.blocks(kind) for kind in ("", "yaml", "python")
    ]
    assert len(re.findall("^## ", Page(path).text, re.MULTILINE)) == len(re.findall("^## ", chinese.text, re.MULTILINE))


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """The files that the pages speak of: some documents of the sample, in all the forms that are named."""
    folder = tmp_path_factory.mktemp("material")
    sample = resources.files("eventune.corpora.sample")
    for part, count in (("train", 24), ("dev", 6), ("test", 6)):
        documents = read_corpus(Path(str(sample.joinpath(f"{part}.jsonl")))).documents[:count]
        write_corpus(documents, folder / f"{part}.jsonl")
    write_ontology(read_ontology(str(sample.joinpath("ontology.yaml"))), folder / "ontology.yaml")
    write_corpus(documents, folder / "annotated", "brat")
    write_corpus(documents, folder / "zh.jsonl")
    (folder / "labelled").mkdir()
    write_corpus(documents, folder / "labelled" / "annotations.jsonl")
    (folder / "texts").mkdir()
    for document in documents:
        (folder / "texts" / f"{document.id}.txt").write_text(document.text, encoding="utf-8")
    (folder / "news.jsonl").write_text(json.dumps({"id": "n", "body": documents[0].text}) + "\n", encoding="utf-8")
    (folder / "news").mkdir()
    with gzip.open(folder / "news" / "may.jsonl.gz", "wt", encoding="utf-8") as packed:
        packed.write((folder / "news.jsonl").read_text(encoding="utf-8"))
    parquet.write_table(pyarrow.table({"id": ["n"], "body": [documents[0].text]}), folder / "texts.parquet")
    rows = [{"prompt": f"Say {number}.", "response": str(number)} for number in range(4)]
    (folder / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
    (folder / "mine.yaml").write_text("types: {layoff: {roles: {employer: {}, place: {}}}}\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(material):
    """The run and the recipe of the page on one's own corpus, which other pages go on with."""
    folder = material.with_name("trained")
    shutil.copytree(material, folder)
    run_page(Page(ROOT / "docs" / "how-to" / "own-corpus.md"), folder, verbs={"train"})
    shutil.copytree(folder / "runs" / "mine", folder / "runs" / "demo")
    return folder


def run_page(page, folder, *, verbs=frozenset(VERBS)):
    before = Path.cwd()
    os.chdir(folder)
    try:
        for name, text in page.files():
            Path(name).write_text(text, encoding="utf-8")
        for words in page.commands():
            if words[0] in verbs - ELSEWHERE:
                run_command([*words, *SMALLER.get(words[0], ())])
    finally:
        os.chdir(before)


def run_command(words):
    if words[0] not in SERVERS:
        assert main(words) == 0, words
        return
    stream = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-m", "eventune", *words], **stream) as server:
        if words[0] == "serve":
            assert json.loads(server.stdout.readline())["models"], words
            server.terminate()
        # An assistant that hangs up ends the other.
        server.stdin.close()
        assert server.wait() == 0, words


def test_the_first_page_shows_what_the_run_finds(material, tmp_path, capsys):
    shutil.copytree(material, tmp_path / "work")
    run_page(Page(ROOT / "docs" / "index.md"), tmp_path / "work", verbs={"extract"})
    out = capsys.readouterr().out
    assert "conflict.attack: shot" in out
    assert "layoff: dismissed" in out


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("path", ENGLISH, ids=lambda path: path.stem)
def test_commands_of_the_first_pages_run(path, material, tmp_path, request):
    page = Page(path)
    goes_on = path.stem != "own-corpus" and re.search(r"runs/(mine|demo)|recipe\.yaml", page.text)
    shutil.copytree(request.getfixturevalue("trained") if goes_on else material, tmp_path / "work")
    run_page(page, tmp_path / "work")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["spacy.md", "spacy.zh-CN.md"])
def test_the_code_on_the_page_about_spacy_runs(name, material, tmp_path, monkeypatch):
    monkeypatch.chdir(material)
    code = "import eventune.inference.spacy_component\n" + "\n".join(Page(ROOT / "docs" / name).blocks("python"))
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
