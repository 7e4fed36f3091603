"""Make the built-in sample corpus from its grammar, the same bytes each time.

python scripts/make_sample.py            write src/eventune/corpora/sample/
python scripts/make_sample.py --check    tell whether the files there are what this script makes
python scripts/make_sample.py --show 30  print the first documents of each part, with their events
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from sample.documents import make_crowded_document, make_document, make_uneventful_document
from sample.frames import SPAN_RULE, TYPES

from eventune.corpora.jsonl import write_document
from eventune.events import Document, EventType, Ontology, Role

FOLDER = Path(__file__).resolve().parents[1] / "src" / "eventune" / "corpora" / "sample"
SIZES = {"train": 320, "dev": 80, "test": 120}
CROWDED_SIZES = {"train": 20, "dev": 5, "test": 8}
UNEVENTFUL_SIZES = {"train": 60, "dev": 24, "test": 40}
"""Documents with three events, and without any, behind the others of a part."""
SEED = 20


def make_part(part: str) -> list[Document]:
    """Make the documents of a part.

    Args:
        part: `train`, `dev` or `test`.

    Returns:
        The documents, all different.

    Raises:
        ValueError: If two documents have one text; another seed mends that.
    """
    # A generator of its own for each part: another size of one part leaves the others as they are.
    rng = random.Random(f"{SEED}-{part}")
    documents = [make_document(rng, part, number) for number in range(SIZES[part])]
    rng = random.Random(f"{SEED}-{part}-crowded")
    documents += [make_crowded_document(rng, part, number) for number in range(CROWDED_SIZES[part])]
    rng = random.Random(f"{SEED}-{part}-uneventful")
    documents += different((make_uneventful_document(rng, part, number) for number in count()), UNEVENTFUL_SIZES[part])
    if len({document.text for document in documents}) < len(documents):
        raise ValueError(f"{part}: a text stands twice")
    return documents


def different(documents: Iterator[Document], size: int) -> list[Document]:
    """Return the first documents whose texts differ."""
    by_text: dict[str, Document] = {}
    while len(by_text) < size:
        document = next(documents)
        by_text.setdefault(document.text, document)
    return list(by_text.values())


def make_ontology() -> Ontology:
    """Return the ontology of the sample, the roles in the order in which a prompt lists them."""
    return Ontology.of(
        EventType(name, tuple(Role(role, most, text) for role, (_, most, text) in roles.items()), description)
        for name, (description, roles) in TYPES.items()
    )


def yaml_of(ontology: Ontology) -> str:
    """Return an ontology as YAML; a JSON string is a YAML string, so no library is needed to write it."""
    out = [f"# The built-in sample corpus, made by scripts/make_sample.py. {SPAN_RULE}", "types:"]
    for event_type in ontology.types.values():
        out += [f"  {event_type.name}:", f"    description: {json.dumps(event_type.description)}", "    roles:"]
        for role in event_type.roles:
            out += [f"      {role.name}:", f"        multiplicity: {role.multiplicity}"]
            out += [f"        description: {json.dumps(role.description)}"]
    return "\n".join(out) + "\n"


def make_parts() -> dict[str, list[Document]]:
    """Return the documents of each part."""
    return {part: make_part(part) for part in SIZES}


def make_files() -> dict[str, str]:
    """Return the content of each file by its name."""
    files = {"ontology.yaml": yaml_of(make_ontology())}
    for part, documents in make_parts().items():
        records = [record for document in documents for record in write_document(document)]
        lines = [json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in records]
        files[f"{part}.jsonl"] = "\n".join(lines) + "\n"
    return files


def show(count: int) -> str:
    """Return the first documents of each part with their events, for people to read."""
    out = []
    for documents in make_parts().values():
        for document in documents[:count]:
            out.append(f"[{document.id}] {document.text}")
            for event in document.events:
                arguments = [f"{each.role}={document.text_of(each.span)}" for each in event.arguments]
                trigger = document.text_of(event.trigger) if event.trigger else ""
                out.append(f"    {event.type} <{trigger}> {'; '.join(arguments)}")
    return "\n".join(out)


def main() -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file differs")
    parser.add_argument("--show", type=int, metavar="N", help="print N documents of each part, write nothing")
    arguments = parser.parse_args()
    if arguments.show:
        sys.stdout.write(show(arguments.show) + "\n")
        return 0
    different = []
    for name, content in make_files().items():
        path = FOLDER / name
        if not arguments.check:
            path.write_bytes(content.encode("utf-8"))
        elif not path.exists() or path.read_bytes() != content.encode("utf-8"):
            different.append(name)
    if different:
        sys.stderr.write(f"{', '.join(different)}: not what this script makes; run it without --check\n")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
