"""Seconds that encoding rows for fine-tuning takes: in this process, in several, and from the cache.

    python benchmarks/encode_rows.py --train_file ../shared/data/advertisegen/train_5000.jsonl \
        --prompt_column content --response_column summary

The ways take turns; medians are printed, of wall-clock seconds and of this process's own.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from eventune.backbones.causal_lm import load_causal_tokenizer
from eventune.backbones.resolve import resolve
from eventune.generation.encoding import ConversationEncoder, encode
from eventune.generation.rows import read_rows
from eventune.generation.rows_layouts import Columns
from eventune.generation.templates import set_template


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train_file", required=True, type=Path)
    parser.add_argument("--prompt_column", default="")
    parser.add_argument("--response_column", default="")
    parser.add_argument("--model_name_or_path", default="smollm2")
    parser.add_argument("--max_length", type=int, default=512, help="of prompt and of response")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    tokenizer = load_causal_tokenizer(resolve(options.model_name_or_path).folder)
    set_template(tokenizer, "auto")
    limits = {"max_source_length": options.max_length, "max_target_length": options.max_length}
    encoder = ConversationEncoder(tokenizer, **limits)
    rows = read_rows(options.train_file, columns=Columns(options.prompt_column, options.response_column))
    measured: dict[str, list[tuple[float, float]]] = {}
    for _ in range(options.repeats):
        for workers in options.workers:
            with tempfile.TemporaryDirectory() as folder:
                for way in (f"{workers} processes", f"from the cache of {workers}"):
                    started, own = time.perf_counter(), time.process_time()
                    encode(rows, encoder, num_workers=workers, cache_folder=Path(folder))
                    seconds = time.perf_counter() - started, time.process_time() - own
                    measured.setdefault(way, []).append(seconds)
    print(f"{len(rows)} rows: seconds, and this process's own")
    for way, figures in measured.items():
        wall, own = (statistics.median(column) for column in zip(*figures, strict=True))
        print(f"{way:20} {wall:6.2f} {own:6.2f}")


if __name__ == "__main__":
    main()
