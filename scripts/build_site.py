"""Build the documentation as a site in build/site, in English and (below zh/) in Chinese, and check its links.

python scripts/build_site.py             needs nothing from the network, and neither does the site
python scripts/build_site.py --out DIR   build it there
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from documentation.links import problems, use_own_worker
from documentation.reference import reference_pages
from documentation.tree import LANGUAGES, configuration, write_tree

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Build, and tell what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site", help="folder; replaced if it is there")
    site = parser.parse_args().out.resolve()
    # The generator writes below the folder of its configuration alone.
    project = site.parent
    source = project / f"{site.name}-source"
    for folder in (site, source):
        shutil.rmtree(folder, ignore_errors=True)
    reference = reference_pages()
    for language in LANGUAGES:
        write_tree(ROOT, language, reference, source / language)
        folder = site if language == "en" else site / language
        config = project / f"{site.name}-{language}.yml"
        places = {"source": f"{source.name}/{language}", "site": str(folder.relative_to(project))}
        config.write_text(configuration(ROOT, language, **places), encoding="utf-8")
        subprocess.run([sys.executable, "-m", "zensical", "build", "--strict", "-f", str(config)], check=True)
    use_own_worker(site)
    found = list(problems(site))
    for problem in found:
        print(problem)
    pages = len(list(site.rglob("*.html")))
    print(f"{site}: {pages} pages, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
