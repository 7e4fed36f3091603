"""The README of a run directory, a model card that the hub understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml


def model_card(recipe: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """Write the card of a run.

    Args:
        recipe: Its settings.
        result: Its result, as `result.json` holds it.

    Returns:
        Markdown with a YAML header.
    """
    header = {
        "base_model": recipe["model_name_or_path"],
        "library_name": "eventune",
        "tags": ["event-argument-extraction", recipe["method"]],
    }
    resources = result["resources"]
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
        f"Trainable parameters: {resources['trainable_parameters']:,} of {resources['total_parameters']:,}; "
        f"saved: {resources['saved_bytes']:,} bytes; training: {resources['train_seconds']:.0f} s without evaluation.",
        "",
        "The dev part chose the epoch and the margins, so its score is optimistic."
        if "dev" in result["scores"]
        else "",
        "",
        "```python",
        "from eventune import Extractor, parse_marked_text",
        "",
        'extractor = Extractor.load("path/to/this/folder")',
        'document = extractor.extract(parse_marked_text("Gunmen [[shot|attack]] three soldiers in Mosul."))',
        "```",
        "",
    ]
    return "\n".join(lines)
