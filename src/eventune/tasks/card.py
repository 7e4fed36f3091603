"""The README of a run directory, a model card that the hub understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml


def extractor_card(recipe: Mapping[str, Any], result: Mapping[str, Any], *, event_type: str) -> str:
    """Write the card of a run.

    Args:
        recipe: Its settings.
        result: Its result, as `result.json` holds it.
        event_type: A type of its ontology, for the example.

    Returns:
        Markdown with a YAML header.
    """
    header = {
        "base_model": recipe["model_name_or_path"],
        "library_name": "eventune",
        "tags": ["event-argument-extraction", recipe["method"]],
    }
    resources = result["resources"]
    chosen = "the epoch and the margins" if recipe["load_best_model_at_end"] else "the margins"
    lines = [
        "---",
        yaml.safe_dump(header, sort_keys=False).strip(),
        "---",
        "",
        "# Event argument extractor",
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
        _cost(resources),
        "",
        f"The dev part chose {chosen}, so its score is optimistic." if "dev" in result["scores"] else "",
        "",
        "```python",
        "from eventune import Extractor, parse_marked_text",
        "",
        'extractor = Extractor.load("path/to/this/folder")',
        f'document = extractor.extract(parse_marked_text("A text with its [[trigger|{event_type}]] marked."))',
        "```",
        "",
    ]
    return "\n".join(lines)


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
