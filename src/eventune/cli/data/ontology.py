"""`eventune data ontology`."""

from __future__ import annotations

import argparse
from pathlib import Path

from eventune.cli.data.source import add_source, located, patience, reserved
from eventune.cli.output import add_json_flag, emit

YAML, LABEL_STUDIO = FORMATS = ("yaml", "label_studio")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_source(parser)
    parser.add_argument(
        "--descriptions_file",
        default="",
        metavar="FILE",
        help="what types and roles mean, for those that are not described: YAML, or published: descriptions:news, …",
    )
    parser.add_argument("-o", "--output_file", metavar="OUT", help="write it there, not to stdout; must not exist")
    parser.add_argument(
        "--output_format",
        choices=FORMATS,
        default=YAML,
        metavar="NAME",
        help=f"{' or '.join(FORMATS)}, the labelling configuration of a project of Label Studio (default: {YAML})",
    )
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show the ontology, or write it."""
    from eventune.corpora import AUTO, read_ontology, stream_corpus
    from eventune.corpora.descriptions import Descriptions, path_of_descriptions
    from eventune.corpora.label_studio import labelling_configuration
    from eventune.corpora.ontologies import ontology_text
    from eventune.events import Ontology
    from eventune.storage.atomic import write_atomically

    with reserved(arguments.output_file), patience(f"reading {arguments.file}"):
        path = located(arguments.file)
        if arguments.format == AUTO and not _is_corpus(path):
            ontology = read_ontology(path)
        else:
            ontology = Ontology.induced_from(stream_corpus(path, arguments.format))
        if named := arguments.descriptions_file:
            ontology = Descriptions.read(path_of_descriptions(named)).add_to(ontology)
        to_text = labelling_configuration if arguments.output_format == LABEL_STUDIO else ontology_text
        text = to_text(ontology)
        if arguments.output_file:
            write_atomically(Path(arguments.output_file), text)
    value = ontology.to_dict()
    counts = {"types": len(ontology), "roles": sum(len(event_type.roles) for event_type in ontology.types.values())}
    result = {"file": arguments.file, "output_file": arguments.output_file, **counts, "ontology": value}
    if arguments.output_file:
        text = f"{arguments.output_file}: {counts['types']:,} types, {counts['roles']:,} roles\n"
    # `out` does not break lines: what is printed is a file.
    emit(result, as_json=arguments.json, render=lambda console: console.out(text, end="", highlight=False))
    return 0


def _is_corpus(path: Path) -> bool:
    """Tell whether the first record of a file is one of a known format of corpora."""
    from eventune.corpora.registry import guess_format, layout_of
    from eventune.errors import InvalidValueError

    first = next(layout_of(path).read(path), None)
    if first is None or isinstance(first.value, InvalidValueError):
        return False
    return guess_format(first.value, path) is not None
