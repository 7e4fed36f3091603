"""The README of a run directory, a model card that the hub understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from eventune.tasks.steps import MEASURES

MARKED_EXAMPLE = """from eventune import Extractor, parse_marked_text

extractor = Extractor.load("path/to/this/folder")
document = extractor.extract(parse_marked_text("A text with its [[trigger|{}]] marked."))"""
UNMARKED_EXAMPLE = """from eventune import Extractor
from eventune.events import Document
from eventune.events.segmentation import segment

extractor = Extractor.load("path/to/this/folder")
text = "Gunmen shot three soldiers in Mosul."
document = extractor.extract(Document("d1", text, *segment(text)))"""
"""How a run is used, with a place for an event type where triggers must be marked."""


def extractor_card(recipe: Mapping[str, Any], result: Mapping[str, Any], *, title: str, example: str) -> str:
    """Write the card of a run.

    Args:
        recipe: Its settings.
        result: Its result, as `result.json` holds it.
        title: What it is.
        example: How it is used.

    Returns:
        Markdown with a YAML header.
    """
    header = {
        "base_model": recipe["model_name_or_path"],
        "library_name": "eventune",
        "tags": [title.lower().replace(" ", "-"), recipe["method"]],
    }
    resources = result["resources"]
    chosen = "the epoch and the thresholds" if recipe["load_best_model_at_end"] else "the thresholds"
    lines = [
        "---",
        yaml.safe_dump(header, sort_keys=False).strip(),
        "---",
        "",
        f"# {title}",
        "",
        f"Trained with eventune {result['versions']['eventune']} on `{recipe['model_name_or_path']}`, "
        f"method `{recipe['method']}`, seed {result['seed']}.",
        "",
        "| part | scorer | gold | precision | recall | F1 |",
        "|---|---|---|---|---|---|",
    ]
    for part, score in result["scores"].items():
        metrics = score["metrics"]
        lines.append(
            f"| {part} | {score['scorer']} | {score['counts']['gold']} | {metrics['precision']:.4f} "
            f"| {metrics['recall']:.4f} | {metrics['f1']:.4f} |"
        )
    lines += [
        "",
        *_false_alarms(result),
        _cost(resources),
        "",
        f"The dev part chose {chosen}, so its score is optimistic." if "dev" in result["scores"] else "",
        "",
        "```python",
        example,
        "```",
        "",
    ]
    return "\n".join(lines)


def pipeline_card(recipe: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """Write the card of a run that finds triggers and their arguments.

    Args:
        recipe: Its settings.
        result: Its result, as `result.json` holds it.

    Returns:
        Markdown with a YAML header.
    """
    header = {
        "base_model": recipe["model_name_or_path"],
        "library_name": "eventune",
        "tags": ["event-extraction", recipe["method"]],
    }
    short = {name: f"{name.partition('_')[0][0].upper()}{name.rpartition('_')[2][0].upper()}" for name in MEASURES}
    titles = [f"{title}+" if "attached" in name else title for name, title in short.items()]
    lines = [
        "---",
        yaml.safe_dump(header, sort_keys=False).strip(),
        "---",
        "",
        "# Event extractor",
        "",
        f"Trained with eventune {result['versions']['eventune']} on `{recipe['model_name_or_path']}`, "
        f"method `{recipe['method']}`, seed {result['seed']}. Finds triggers, then their arguments.",
        "",
        "F1 by TextEE's definition, on predicted triggers:",
        "",
        f"| part | {' | '.join(titles)} |",
        f"|{'---|' * (len(titles) + 1)}",
    ]
    for part, score in result["scores"].items():
        measures = score["measures"]
        figures = " | ".join(f"{measures[name]['metrics']['f1']:.4f}" for name in MEASURES)
        lines.append(f"| {part} | {figures} |")
    lines += [
        "",
        *_false_alarms(result),
        _cost(result["resources"]),
        "",
        "The dev part chose the thresholds, so its score is optimistic." if "dev" in result["scores"] else "",
        "",
        "```bash",
        'eventune extract path/to/this/folder --text "Gunmen shot three soldiers in Mosul."',
        "```",
        "",
    ]
    return "\n".join(lines)


def _false_alarms(result: Mapping[str, Any]) -> list[str]:
    told = {part: score["false_alarms"] for part, score in result["scores"].items() if "false_alarms" in score}
    return [
        line
        for part, alarms in told.items()
        for line in (
            f"False alarms, {part}: {alarms['per_thousand_sentences']:.1f} events per thousand sentences without "
            f"events ({alarms['events']:,} in {alarms['sentences']:,}).",
            "",
        )
    ]


def _cost(resources: Mapping[str, Any]) -> str:
    if "train_seconds" not in resources:
        return "Nothing was trained: this is the model as it is."
    pretraining = (
        f" after {resources['pretrain_seconds']:.0f} s of pretraining" if "pretrain_seconds" in resources else ""
    )
    return (
        f"Trainable parameters: {resources['trainable_parameters']:,} of {resources['total_parameters']:,}; saved: "
        f"{resources['saved_bytes']:,} bytes; training: {resources['train_seconds']:.0f} s without evaluation"
        f"{pretraining}."
    )


def responses_card(settings: Mapping[str, Any], result: Mapping[str, Any], *, base: str) -> str:
    """Write the card of a fine-tuned causal LM.

    Args:
        settings: The settings that were given.
        result: Its result, as `result.json` holds it.
        base: Name of the base model.

    Returns:
        Markdown with a YAML header.
    """
    header = {"base_model": base, "library_name": "eventune", "tags": ["text-generation"]}
    lines = [
        "---",
        yaml.safe_dump(header, sort_keys=False).strip(),
        "---",
        "",
        "# Fine-tuned causal LM",
        "",
        f"Trained with eventune {result['versions']['eventune']} on `{base}`, seed {result['seed']}.",
        "",
        "| part | rows | metric | value |",
        "|---|---|---|---|",
        *(
            f"| {part} | {score['counts']['rows']} | {metric} | {value:.4f} |"
            for part, score in result["scores"].items()
            for metric, value in score["metrics"].items()
        ),
        "",
        "Settings:",
        "",
        "```yaml",
        yaml.safe_dump(dict(settings), allow_unicode=True).strip(),
        "```",
        "",
        "```bash",
        "eventune chat path/to/this/folder",
        "```",
        "",
    ]
    return "\n".join(lines)
