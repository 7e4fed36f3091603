import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_to_one(page):
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    # The reference is made when the site is built, which checks the links to it.
    own = [link for link in links if "reference/" not in link]
    assert [link for link in own if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_figure_is_left_to_be_filled_in(page):
    assert not re.search(r"@[A-Z]+@", page.read_text(encoding="utf-8"))


def test_the_chinese_readme_has_the_commands_of_the_english_one():
    english, chinese = (
        re.findall(r"```.*?```", (ROOT / name).read_text(encoding="utf-8"), flags=re.DOTALL)
        for name in ("README.md", "README.zh-CN.md")
    )
    assert english == chinese
