"""What is wrong with the links of a site that was built: places that are not there, and what the network has."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
_FOREIGN_WORKER, _OWN_WORKER = "https://unpkg.com/iframe-worker/shim", "assets/search-from-files.js"
_PASSIVE = {"canonical", "alternate", "prev", "next"}
"""Relations of a link that nothing is loaded by."""


class _Page(HTMLParser):
    """Collects a page's links, what it loads, and the places that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.places |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if _LOADED.get(tag) in found and found.get("rel") not in _PASSIVE:
            self.loaded.append(found[_LOADED[tag]])


def use_own_worker(site: Path) -> None:
    """Put the site's own script for searching from files in the place of one that would come from the network."""
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        # Each language has its own copy of docs/.
        depth = len(path.relative_to(site / "zh" if (site / "zh") in path.parents else site).parts) - 1
        path.write_text(text.replace(_FOREIGN_WORKER, f"{'../' * depth}{_OWN_WORKER}"), encoding="utf-8")


def problems(site: Path) -> Iterator[str]:
    """Yield a sentence for each link that leads nowhere, and for each file that would come from the network."""
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        where = path.relative_to(site)
        for link in page.loaded:
            if urlsplit(link).netloc:
                yield f"{where}: loads {link} from the network"
        for link in [*page.links, *page.loaded]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if path.name == "404.html":
                continue
            if not target.is_file():
                yield f"{where}: leads to {link}, which is not there"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].places:
                yield f"{where}: leads to {link}, a page without that place"
