"""How the site is put together: scripts/build_site.py builds and checks the whole, which takes minutes."""

import sys

import pytest
import yaml

from .conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

pytest.importorskip("zensical", reason="the extra docs is not installed")
from documentation.links import problems, use_own_worker
from documentation.reference import reference_pages
from documentation.tree import LANGUAGES, configuration, write_tree

from eventune.cli import VERBS
from eventune.recipe import all_sections


@pytest.fixture(scope="module")
def reference():
    return reference_pages()


@pytest.fixture(scope="module", params=LANGUAGES)
def tree(request, reference, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    write_tree(ROOT, request.param, reference, folder)
    return request.param, folder


def pages_in(entries):
    for entry in entries:
        for value in [entry] if isinstance(entry, str) else entry.values():
            yield from [value] if isinstance(value, str) else pages_in(value)


def test_every_page_is_in_the_navigation(tree):
    language, folder = tree
    navigation = yaml.safe_load(configuration(ROOT, language, source="source", site="site"))["nav"]
    pages = {str(path.relative_to(folder)) for path in folder.rglob("*.md")}
    assert pages - set(pages_in(navigation)) <= {"SECURITY.md", "CODE_OF_CONDUCT.md"}
    assert set(pages_in(navigation)) <= pages


def test_pages_have_no_switch_of_their_own_and_lead_out_of_no_folder(tree):
    _, folder = tree
    for path in folder.rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        assert ".zh-CN.md" not in text
        assert "../src/" not in text


def test_a_translated_page_has_the_places_of_the_english_one(tree):
    language, folder = tree
    text = (folder / "serving.md").read_text(encoding="utf-8")
    assert ('<a id="to-assistants"></a>\n\n## 供助手使用' in text) == (language == "zh")


def test_the_reference_has_every_command_and_every_setting(reference):
    assert {f"reference/commands/{verb}.md" for verb in VERBS} <= reference.keys()
    assert "| `--max_queue QUEUE` |" in reference["reference/commands/serve.md"]
    assert "## eventune data select" in reference["reference/commands/data.md"]
    names = [name for section in all_sections().values() for name in section.__dataclass_fields__]
    assert [name for name in names if f"| `{name}` |" not in reference["reference/settings.md"]] == []
    assert "| `lora_r` |" in reference["reference/sft-settings.md"]
    assert "::: eventune.Extractor" in reference["reference/api/eventune.md"]


def test_what_is_wrong_with_links_is_told(tmp_path):
    (tmp_path / "zh").mkdir()
    page = '<h1 id="here"></h1><a href="zh/a.html#there"></a><a href="#here"></a><a href="https://example.org"></a>'
    (tmp_path / "index.html").write_text(f"{page}<a href='gone.html'></a><img src='https://example.org/x.png'>")
    (tmp_path / "zh" / "a.html").write_text('<a href="../index.html#here"></a>')
    assert list(problems(tmp_path)) == [
        "index.html: loads https://example.org/x.png from the network",
        "index.html: leads to zh/a.html#there, a page without that place",
        "index.html: leads to gone.html, which is not there",
    ]


def test_the_search_s_script_comes_from_the_site(tmp_path):
    (tmp_path / "zh" / "how-to").mkdir(parents=True)
    for path in (tmp_path / "index.html", tmp_path / "zh" / "how-to" / "a.html"):
        path.write_text('<script src="https://unpkg.com/iframe-worker/shim"></script>')
    for folder in (tmp_path, tmp_path / "zh"):
        (folder / "assets").mkdir()
        (folder / "assets" / "search-from-files.js").write_text("")
    use_own_worker(tmp_path)
    assert list(problems(tmp_path)) == []
