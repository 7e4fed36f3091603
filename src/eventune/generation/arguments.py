"""Which rows a causal LM is trained on and asked, and how they are cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from eventune.errors import InvalidValueError, out_of_range
from eventune.storage.paths import is_file

DATA_FILES = ("train_file", "validation_file", "test_file")
TEMPLATES = ("auto", "plain")
MOST_BEAMS = 1_000
_BOUNDS = {
    "preprocessing_num_workers": (1, 1_000),
    **dict.fromkeys(("max_source_length", "max_target_length", "val_max_target_length"), (1, 2**24)),
    **dict.fromkeys(("max_train_samples", "max_eval_samples", "max_predict_samples"), (1, 10**12)),
    "num_beams": (1, MOST_BEAMS),
}


@dataclass(kw_only=True)
class DataTrainingArguments:
    """Settings of the data, by the names that ChatGLM2's training script gave them."""

    dataset_name: str | None = field(
        default=None, metadata={"help": "Hub id of a data set, in place of the files; needs the package datasets"}
    )
    dataset_config_name: str | None = field(default=None, metadata={"help": "Its configuration"})
    prompt_column: str | None = field(
        default=None, metadata={"help": "Column of the prompt; found from the columns' names if not given"}
    )
    response_column: str | None = field(default=None, metadata={"help": "Column of the response"})
    history_column: str | None = field(
        default=None, metadata={"help": "Column of earlier turns, a list of [question, answer]"}
    )
    train_file: str | None = field(
        default=None, metadata={"help": "Rows to train on: JSON, JSON lines, CSV, Parquet, or E2E's text"}
    )
    validation_file: str | None = field(default=None, metadata={"help": "Rows to evaluate on"})
    test_file: str | None = field(default=None, metadata={"help": "Rows to write predictions for"})
    dev_fraction: float = field(
        default=0.0, metadata={"help": "Share of train_file's prompts that is evaluated and not trained on"}
    )
    test_fraction: float = field(
        default=0.0, metadata={"help": "Share of train_file's prompts that is predicted and not trained on"}
    )
    split_seed: int = field(default=0, metadata={"help": "Seed of that split, the same for all runs to compare"})
    overwrite_cache: bool = field(default=False, metadata={"help": "Encode the rows anew where a cache is there"})
    preprocessing_num_workers: int | None = field(
        default=None, metadata={"help": "Processes that encode the rows; none of their own if not given"}
    )
    max_source_length: int = field(default=1024, metadata={"help": "Tokens of the longest prompt; longer ones are cut"})
    max_target_length: int = field(
        default=128, metadata={"help": "Tokens of the longest response, its end included; longer ones are cut"}
    )
    val_max_target_length: int | None = field(
        default=None, metadata={"help": "Tokens of the longest response generated; max_target_length if not given"}
    )
    pad_to_max_length: bool = field(
        default=False, metadata={"help": "Pad every row to both lengths together: slow, to compare with"}
    )
    max_train_samples: int | None = field(default=None, metadata={"help": "Train on the first so many rows"})
    max_eval_samples: int | None = field(default=None, metadata={"help": "Evaluate on the first so many rows"})
    max_predict_samples: int | None = field(default=None, metadata={"help": "Predict the first so many rows"})
    num_beams: int | None = field(default=None, metadata={"help": "Beams of evaluation and prediction"})
    ignore_pad_token_for_loss: bool = field(
        default=True, metadata={"help": "Only true: padding has no loss, also where the end token pads"}
    )
    source_prefix: str = field(default="", metadata={"help": "Text that is put before each prompt"})
    chat_template: str = field(
        default="auto",
        metadata={"help": "auto (the model's own where it has one, else plain), plain, or the path of a .jinja file"},
    )
    packing: bool = field(default=False, metadata={"help": "Put several rows into one sequence, kept apart"})

    @property
    def generated_length(self) -> int:
        """Tokens of the longest response that is generated in evaluation."""
        return self.max_target_length if self.val_max_target_length is None else self.val_max_target_length

    def problems(self) -> Iterator[InvalidValueError]:
        """Yield one error for each setting that is out of range, and each file that does not exist."""
        files = {name: value for name in DATA_FILES if (value := getattr(self, name))}
        if not files and not self.dataset_name:
            yield InvalidValueError("train_file", "rows to train on or to ask", "no file and no dataset_name")
        for name, value in files.items():
            if self.dataset_name:
                yield InvalidValueError(name, "nothing beside dataset_name", value)
            elif not is_file(value):
                yield InvalidValueError(name, "an existing file", value)
        if self.dataset_config_name and not self.dataset_name:
            yield InvalidValueError("dataset_config_name", "nothing without dataset_name", self.dataset_config_name)
        yield from self._column_problems()
        yield from self._split_problems()
        yield from out_of_range(self, _BOUNDS)
        if not self.ignore_pad_token_for_loss:
            yield InvalidValueError("ignore_pad_token_for_loss", "true, as padding is no text to learn", "false")
        if self.chat_template not in TEMPLATES and not is_file(self.chat_template):
            expected = f"{', '.join(TEMPLATES)} or the path of a .jinja file"
            yield InvalidValueError("chat_template", expected, repr(self.chat_template))

    def _column_problems(self) -> Iterator[InvalidValueError]:
        for name in ("response_column", "history_column"):
            if getattr(self, name) and not self.prompt_column:
                yield InvalidValueError(name, "nothing without prompt_column", getattr(self, name))
        if self.prompt_column and self.train_file and not self.response_column:
            yield InvalidValueError("response_column", "a column beside prompt_column, to train on", "nothing")
        given = [c for c in (self.prompt_column, self.response_column, self.history_column) if c]
        if len(set(given)) < len(given):
            yield InvalidValueError("prompt_column", "a column of its own", f"{', '.join(given)}")

    def _split_problems(self) -> Iterator[InvalidValueError]:
        for part, name in (("dev", "validation_file"), ("test", "test_file")):
            fraction = getattr(self, f"{part}_fraction")
            if not 0.0 <= fraction < 1.0:
                yield InvalidValueError(f"{part}_fraction", "a number in [0, 1)", str(fraction))
            elif fraction and getattr(self, name):
                yield InvalidValueError(f"{part}_fraction", f"0 beside a {name}", str(fraction))
        if self.dev_fraction + self.test_fraction >= 1.0:
            yield InvalidValueError("test_fraction", "less than 1 together with dev_fraction", str(self.test_fraction))
