"""The sources of the site: docs/ in one language, the reference, and the files that pages lead to outside of docs/."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jupytext
import yaml
from pymdownx.slugs import slugify

from eventune.cli import VERBS

LANGUAGES = {"en": "English", "zh": "中文"}
CHINESE = ".zh-CN.md"
SETTINGS = "site.yaml"
"""What docs/ says of the site itself."""
NOTEBOOKS = "notebooks"
"""The folder of notebooks, which are pages as well."""
PROJECT_PAGES = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md")
"""Pages beside the README that are part of the site."""
_SWITCH = re.compile(r"^\[(?:中文|English)\]\([^)]*\)\n+", flags=re.MULTILINE)
_HEADING = re.compile(r"^## (.+)$", flags=re.MULTILINE)
_OUTSIDE = re.compile(r"\]\((?:\.\./)+(?!#)([^)#]+)((?:#[^)]*)?)\)")


def write_tree(root: Path, language: str, reference: Mapping[str, str], target: Path) -> None:
    """Write the pages of one language; a page that there is none of in Chinese is the English one.

    Args:
        root: The repository.
        language: `en` or `zh`.
        reference: Text of each generated page.
        target: Where they go.
    """
    docs = root / "docs"
    for path in sorted(docs.rglob("*")):
        relative = path.relative_to(docs)
        if path.is_dir() or path.name.endswith(CHINESE) or path.name == SETTINGS:
            continue
        translated = path.with_name(path.name.removesuffix(".md") + CHINESE)
        if path.parent.name == NOTEBOOKS:
            _write(target / relative.with_suffix(".md"), _notebook(path))
            _copy(path, target / relative)
        elif path.suffix != ".md":
            _copy(path, target / relative)
        else:
            text = path.read_text(encoding="utf-8")
            if language == "zh" and translated.is_file():
                text = _with_places(translated.read_text(encoding="utf-8"), text)
            _write(target / relative, _page(text, relative, root, target))
    for name in PROJECT_PAGES:
        text = (root / name).read_text(encoding="utf-8").replace("](docs/", "](")
        _write(target / name, _page(text, Path(name), root, target))
    for name, text in reference.items():
        _write(target / name, text)


def configuration(root: Path, language: str, *, source: str, site: str) -> str:
    """Return the site's configuration for one language, from docs/site.yaml."""
    values: dict[str, Any] = yaml.safe_load((root / "docs" / SETTINGS).read_text(encoding="utf-8"))
    navigation = values.pop("navigation")
    values |= {
        "docs_dir": source,
        "site_dir": site,
        "nav": [_entry(entry, language) for entry in navigation],
        "site_description": values["site_description"][language],
    }
    values["theme"]["language"] = language
    up = "" if language == "en" else "../"
    values["extra"] = {
        "generator": False,
        "alternate": [
            {"name": name, "link": f"./{up}{'' if code == 'en' else f'{code}/'}index.html", "lang": code}
            for code, name in LANGUAGES.items()
        ],
    }
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


def _entry(entry: Mapping[str, Any], language: str) -> dict[str, Any]:
    title = entry.get(language, entry["en"])
    if "page" in entry:
        return {title: entry["page"]}
    if "commands" in entry:
        folder = entry["commands"]
        return {title: [f"{folder}/index.md", *({f"eventune {verb}": f"{folder}/{verb}.md"} for verb in VERBS)]}
    return {title: [_entry(page, language) for page in entry["pages"]]}


def _page(text: str, relative: Path, root: Path, target: Path) -> str:
    """Return a page as the site has it: no switch of its own between languages, and no link out of it."""
    up = "../" * (len(relative.parts) - 1)

    def inside(match: re.Match[str]) -> str:
        name, anchor = match[1], match[2]
        if match[0].count("../") < len(relative.parts):
            return match[0]
        if name not in PROJECT_PAGES:
            _copy(root / name, target / "source" / name)
            name = f"source/{name}"
        return f"]({up}{name}{anchor})"

    text = _OUTSIDE.sub(inside, _SWITCH.sub("", text)).replace(CHINESE, ".md")
    return re.sub(rf"({NOTEBOOKS}/[\w-]+)\.py\)", r"\1.md)", text)


def _notebook(path: Path) -> str:
    text: str = jupytext.writes(jupytext.read(path), "md")
    # Without the notebook's own settings at its head.
    return f"{re.sub(r'^---.*?^---$', '', text, count=1, flags=re.DOTALL | re.MULTILINE).strip()}\n"


def _with_places(text: str, english: str) -> str:
    """Return a translated page whose headings also have the places of the English ones, to which other pages lead."""
    places = [slugify(case="lower")(heading, "-") for heading in _headings(english)]
    headings = list(_headings(text))
    if len(places) == len(headings):
        for place, heading in zip(places, headings, strict=True):
            text = text.replace(f"\n## {heading}\n", f'\n<a id="{place}"></a>\n\n## {heading}\n', 1)
    return text


def _headings(text: str) -> list[str]:
    return _HEADING.findall(re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def _copy(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)


def _write(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
