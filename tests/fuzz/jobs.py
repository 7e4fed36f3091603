"""Files that are right, and the commands that read them."""

import contextlib
import json
import shutil
from pathlib import Path

from .harness import Job

METHODS = ("lora", "prefix", "ia3")
MORE_METHODS = ("full", "freeze", "bitfit", "vera")
FORMATS = ("rams", "wikievents", "textee", "maven-arg", "duee", "docee", "phee", "doccano", "label-studio")
_ROWS = [{"prompt": f"who is {name}?", "response": f"a {name}"} for name in ("cat", "dog", "cow", "hen", "fox", "owl")]


def make_templates(folder, *, encoder, llm, corpus):
    """Make models, corpora, settings, finished and unfinished runs in a folder; the paths in them are relative.

    Args:
        folder: A new folder.
        encoder: Folder of a tiny encoder.
        llm: Folder of a tiny causal LM.
        corpus: Folder with `train.jsonl`, `dev.jsonl` and `ontology.yaml`.
    """
    folder.mkdir(parents=True)
    shutil.copytree(encoder, folder / "encoder")
    shutil.copytree(llm, folder / "llm")
    for name, count in (("train", 6), ("dev", 3)):
        lines = (corpus / f"{name}.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)[:count]
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    shutil.copyfile(corpus / "ontology.yaml", folder / "ontology.yaml")
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in _ROWS), encoding="utf-8")
    with contextlib.chdir(folder):
        _make_corpora()
        _make_runs()
        _make_unfinished()


def add_templates(folder):
    """Add runs of the other methods and kinds, which thousands of inputs are made of."""
    with contextlib.chdir(folder):
        _make_more_runs()


RECIPE = {
    "model_name_or_path": "encoder",
    "train_file": "train.jsonl",
    "dev_file": "dev.jsonl",
    "ontology_file": "ontology.yaml",
    "num_train_epochs": 1,
    "per_device_train_batch_size": 8,
    "max_span_length": 6,
    "lora_r": 2,
    "seed": 1,
}
ARGUMENTS = {
    "model_name_or_path": "llm",
    "train_file": "rows.jsonl",
    "validation_file": "rows.jsonl",
    "prompt_column": "prompt",
    "response_column": "response",
    "lora_r": 2,
    "max_steps": 1,
    "max_source_length": 64,
    "max_target_length": 16,
    "per_device_train_batch_size": 4,
    "learning_rate": 1e-3,
    "output_dir": "out",
    "do_train": True,
    "do_eval": True,
    "logging_steps": 1,
}


EVENTS = {"task": "events", "detection": {"num_train_epochs": 2}}
BROKEN_OFF = {
    "per_device_train_batch_size": 4,
    "num_train_epochs": 2,
    "save_steps": 1,
    "ema_decay": 0.5,
    "early_stopping_patience": 3,
    "output_dir": "unfinished",
}
BROKEN_OFF_ROWS = {
    "per_device_train_batch_size": 2,
    "max_steps": 4,
    "save_steps": 1,
    "eval_strategy": "steps",
    "eval_steps": 1,
    "output_dir": "unfinished-rows",
}


def _make_corpora():
    from eventune.corpora import format_names, read_corpus, write_corpus
    from eventune.errors import EventuneError

    documents = read_corpus(Path("dev.jsonl")).documents
    for name in format_names():
        try:
            write_corpus(documents, Path(f"corpus.{name}"), format=name)
        except EventuneError:
            continue


def _make_runs():
    from eventune.recipe import Recipe
    from eventune.runs.merging import merge_run
    from eventune.runs.training import train
    from eventune.sft.settings import SftArguments
    from eventune.sft.tuning import fine_tune

    for method in METHODS:
        train(Recipe.of({**RECIPE, "method": method, "output_dir": f"run-{method}"}))
    generation = {
        **{**RECIPE, "model_name_or_path": "llm", "task": "generation", "max_new_tokens": 96, "num_examples": 1},
        **{"method": "lora", "max_length": 700, "decoding": "free"},
    }
    del generation["dev_file"]
    train(Recipe.of({**generation, "output_dir": "run-generation"}))
    only_training = {**ARGUMENTS, "do_eval": False}
    fine_tune(SftArguments.of({**only_training, "output_dir": "run-responses"}))
    prefix = {name: value for name, value in only_training.items() if name != "lora_r"}
    fine_tune(SftArguments.of({**prefix, "pre_seq_len": 2, "output_dir": "run-responses-prefix"}))
    merge_run(Path("run-responses"), Path("run-merged"))
    base = json.loads(Path("run-merged/base.json").read_text(encoding="utf-8"))
    assert base["name_or_path"] == "llm"
    Path("recipe.yaml").write_text(_yaml({**RECIPE, "output_dir": "out"}), encoding="utf-8")
    Path("recipe-generation.yaml").write_text(_yaml({**generation, "output_dir": "out"}), encoding="utf-8")
    Path("arguments.json").write_text(json.dumps(ARGUMENTS), encoding="utf-8")
    Path("arms.yaml").write_text(_yaml({"one": {"lora_r": 2}, "two": {"method": "bitfit"}}), encoding="utf-8")


def _make_more_runs():
    from eventune.comparison.arms import read_arms
    from eventune.comparison.plan import plan_runs
    from eventune.recipe import Recipe
    from eventune.runs.training import train

    plain = {name: value for name, value in RECIPE.items() if name != "lora_r"}
    for method in MORE_METHODS:
        rank = {"vera_r": 4} if method == "vera" else {}
        train(Recipe.of({**plain, **rank, "method": method, "output_dir": f"run-{method}"}))
    train(Recipe.of({**RECIPE, **EVENTS, "output_dir": "run-events"}))
    Path("recipe-events.yaml").write_text(_yaml({**RECIPE, **EVENTS, "output_dir": "out"}), encoding="utf-8")
    for run in plan_runs(RECIPE, read_arms(Path("arms.yaml")), [0], Path("comparison")):
        train(run.recipe)


def _make_unfinished():
    """Make runs that were broken off within an epoch: there are the last checkpoint and the best."""
    from transformers import TrainerCallback

    from eventune.recipe import Recipe
    from eventune.reporter import SilentReporter
    from eventune.runs.training import train
    from eventune.sft.settings import SftArguments
    from eventune.sft.tuning import fine_tune

    class Stop(TrainerCallback):
        def __init__(self, step):
            self.step = step

        def on_step_begin(self, args, state, control, **kwargs):
            if state.global_step == self.step:
                raise KeyboardInterrupt

    class StopAfter(SilentReporter):
        def __init__(self, step):
            self.step = step

        def callbacks(self):
            return [Stop(self.step)]

    with contextlib.suppress(KeyboardInterrupt):
        train(Recipe.of({**RECIPE, **BROKEN_OFF}), reporter=StopAfter(5))
    with contextlib.suppress(KeyboardInterrupt):
        fine_tune(SftArguments.of({**ARGUMENTS, **BROKEN_OFF_ROWS}), reporter=StopAfter(2))
    Path("recipe-unfinished.yaml").write_text(_yaml({**RECIPE, **BROKEN_OFF}), encoding="utf-8")
    Path("arguments-unfinished.json").write_text(json.dumps({**ARGUMENTS, **BROKEN_OFF_ROWS}), encoding="utf-8")


def _yaml(values):
    import yaml

    return yaml.safe_dump(values, sort_keys=False)


def jobs(templates):
    """Return the jobs on templates, each with those files that it reads."""
    base = {"encoder": "encoder", "llm": "llm"}
    data = {name: name for name in ("train.jsonl", "dev.jsonl", "ontology.yaml")}
    found = list(_corpus_jobs(templates))
    training = {**base, **data, "recipe.yaml": "recipe.yaml", "recipe-generation.yaml": "recipe-generation.yaml"}
    spans, generation = ("train", "recipe.yaml"), ("train", "recipe-generation.yaml")
    found += [
        Job("train", spans, training, ("recipe.yaml",), offline=False, weight=4),
        Job("train", generation, training, ("recipe-generation.yaml",), offline=False, weight=3),
        Job("train", spans, training, ("train.jsonl", "dev.jsonl", "ontology.yaml")),
        Job("train", spans, training, ("encoder",)),
        Job("train", generation, training, ("llm",)),
    ]
    tuning = {**base, "rows.jsonl": "rows.jsonl", "arguments.json": "arguments.json", "run": "run-responses"}
    goes_on = ("sft", "arguments.json", "--ptuning_checkpoint", "run")
    found += [
        Job("sft", ("sft", "arguments.json"), tuning, ("arguments.json",), offline=False, weight=4),
        Job("sft", ("sft", "arguments.json"), tuning, ("rows.jsonl",)),
        Job("sft", goes_on, tuning, ("run",), weight=2),
    ]
    for run in sorted(path.name for path in templates.glob("run-*")):
        found += _run_jobs(run, {**base, "dev.jsonl": "dev.jsonl", "run": run})
    for model in ("encoder", "llm"):
        found.append(Job("inspect", ("inspect", model), base, (model,), weight=2))
    found.append(Job("chat", ("chat", "llm", "--once", "hi", "--max_new_tokens", "4"), base, ("llm",), weight=2))
    resume = ("--resume_from_checkpoint", "true")
    for command, settings, run in (
        ("train", "recipe-unfinished.yaml", "unfinished"),
        ("sft", "arguments-unfinished.json", "unfinished-rows"),
    ):
        files = {**base, **data, "rows.jsonl": "rows.jsonl", settings: settings, run: run}
        found.append(Job("resume", (command, settings, *resume), files, (run,), weight=5))
    if (templates / "recipe-events.yaml").exists():
        files = {**base, **data, "recipe-events.yaml": "recipe-events.yaml"}
        words = ("train", "recipe-events.yaml")
        found.append(Job("train", words, files, ("recipe-events.yaml",), offline=False, weight=2))
        found += _comparison_jobs(training)
    return found


def _comparison_jobs(training):
    # The runs are there, so that few have to be made in processes of their own.
    compare = ("compare", "recipe.yaml", "--arms", "arms.yaml", "--output_dir", "comparison")
    files = {**training, "arms.yaml": "arms.yaml", "comparison": "comparison"}
    for targets in (("arms.yaml",), ("recipe.yaml",), ("comparison",)):
        yield Job("compare", compare, files, targets, copies=("comparison",), weight=0.5)


def _corpus_jobs(templates):
    for corpus in sorted(path.name for path in templates.glob("corpus.*")):
        files = {corpus: corpus, "ontology.yaml": "ontology.yaml", "dev.jsonl": "dev.jsonl"}
        targets = (corpus, "ontology.yaml") if corpus.endswith(".jsonl") else (corpus,)
        common = {"files": files, "targets": targets, "weight": 0.5}
        yield Job("data check", ("data", "check", corpus, "--ontology_file", "ontology.yaml", "--json"), **common)
        yield Job("data stats", ("data", "stats", corpus), **common)
        yield Job("data convert", ("data", "convert", corpus, "out"), **common)
        yield Job("data ontology", ("data", "ontology", corpus), **common)
        yield Job("score", ("score", "--gold", "dev.jsonl", "--predictions", corpus, "--resamples", "0"), **common)
    files = {"ontology.yaml": "ontology.yaml", "dev.jsonl": "dev.jsonl"}
    words = ("data", "check", "dev.jsonl", "--ontology_file", "ontology.yaml")
    yield Job("data check", words, files, ("ontology.yaml",), weight=2)
    yield Job("data ontology", ("data", "ontology", "ontology.yaml"), files, ("ontology.yaml",))


def _run_jobs(run, files):
    common = {"files": files, "targets": ("run",)}
    if run in {"run-responses", "run-responses-prefix", "run-merged"}:
        brief = ("--once", "hi", "--max_new_tokens", "4")
        yield Job("chat", ("chat", "run", *brief), **common, weight=2)
        yield Job("chat", ("chat", "llm", "--adapter", "run", *brief), **common)
        yield Job("doctor", ("doctor", "--vllm", "run"), **common, weight=0.5)
        if run == "run-merged":
            yield Job("inspect", ("inspect", "run"), **common, weight=2)
    else:
        yield Job("extract", ("extract", "run", "dev.jsonl", "-o", "found.jsonl"), **common, weight=3)
        yield Job("evaluate", ("evaluate", "run", "--test_file", "dev.jsonl"), **common)
        # A base that came with the run.
        with_base = {**common, "targets": ("encoder" if run != "run-generation" else "llm",)}
        yield Job("extract", ("extract", "run", "dev.jsonl", "-o", "found.jsonl"), **with_base, weight=0.5)
    if run in {"run-lora", "run-ia3", "run-prefix", "run-vera", "run-responses", "run-generation", "run-events"}:
        yield Job("merge", ("merge", "run", "out"), **common)
