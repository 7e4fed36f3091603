# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From a folder of texts to a served extractor
#
# A first extractor in a few minutes of one core, on the sample that comes with the package: look at texts with the run `warmup`, train on
# corrected documents, compare two ways of training, serve the better one. As a notebook: `make setup-docs`,
# then `.venv/bin/jupytext --to ipynb docs/notebooks/first-extractor.py`.

# %%
import json
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path

import yaml

from eventune import Client, Extractor, Recipe, read_corpus, score, train, write_corpus
from eventune.cli import main

work = Path(tempfile.mkdtemp())
sample = Path(str(resources.files("eventune.corpora.sample")))

# %% [markdown]
# ## 1. A folder of texts
# Yours would be here already. Twelve of the sample's, without their annotation:

# %%
test = read_corpus(sample / "test.jsonl").documents[:12]
texts = work / "texts"
texts.mkdir()
for document in test:
    (texts / f"{document.id}.txt").write_text(document.text, encoding="utf-8")
print(test[0].text)

# %% [markdown]
# ## 2. What `warmup` finds
# It has seen none of these types; it knows them by the names in the ontology.

# %%
warmup = Extractor.load("warmup", ontology=sample / "ontology.yaml")


def show(document):
    for event in document.events:
        trigger = document.text_of(event.trigger) if event.trigger else "–"
        print(f"{event.type}: {trigger}")
        for argument in event.arguments:
            print(f"    {argument.role}: {document.exact_text_of(argument)} ({argument.score:.2f})")


show(warmup.extract(test[0].text))

# %% [markdown]
# The same for the whole folder, on the command line:

# %%
flags = ["--ontology_file", str(sample / "ontology.yaml")]
main(["extract", "warmup", *flags, str(texts), "-o", str(work / "first.jsonl")])

# %% [markdown]
# ## 3. Corrected documents
# People correct such findings on the page (`eventune serve warmup --annotate labelled --documents texts`). Here the sample's own annotation stands in
# for them: forty documents to train on, twelve to choose thresholds by.

# %%
write_corpus(read_corpus(sample / "train.jsonl").documents[:40], work / "train.jsonl")
write_corpus(read_corpus(sample / "dev.jsonl").documents[:12], work / "dev.jsonl")
write_corpus(test, work / "test.jsonl")
main(["data", "check", str(work / "train.jsonl"), "--ontology_file", str(sample / "ontology.yaml")])

# %% [markdown]
# ## 4. Train
# LoRA on the weights of `warmup`, triggers first, then their arguments.

# %%
settings = {
    "task": "events",
    "train_file": str(work / "train.jsonl"),
    "dev_file": str(work / "dev.jsonl"),
    "test_file": str(work / "test.jsonl"),
    "ontology_file": str(sample / "ontology.yaml"),
    "init_from": "warmup",
    "model_name_or_path": "minilm",
    "method": "lora",
    "lora_r": 8,
    "lora_alpha": 16,
    "learning_rate": 1e-3,
    "num_train_epochs": 2,
    "output_dir": str(work / "runs" / "first"),
}
result = train(Recipe.of(settings))
print(result.resources["trainable_parameters"], "weights trained")

# %% [markdown]
# ## 5. Better than `warmup`?
# By TextEE's definition: triggers with their type (TC), and arguments attached to their trigger (AC+).

# %%
extractor = Extractor.load(work / "runs" / "first")
bare = [document.with_events(()) for document in test]
for name, each in (("warmup", warmup), ("trained", extractor)):
    measures = score(test, each.extract_all(bare), scorer="textee", triggers="predicted").tables["measures"]
    print(name, {key: round(measures[key]["metrics"]["f1"], 3) for key in ("trigger_cls", "argument_attached_cls")})

# %% [markdown]
# Twelve documents say little: look at the intervals of a comparison before you believe a difference.

# %% [markdown]
# ## 6. Compare two ways of training
# Each run is made in a process of its own; the page `comparison.html` has tables and pictures.

# %%
recipe = work / "recipe.yaml"
recipe.write_text(yaml.safe_dump({**settings, "num_train_epochs": 1}), encoding="utf-8")
arms = "lora:r=8,lora:r=8:learning_rate=3e-4"
main(["compare", str(recipe), "--arms", arms, "--seeds", "0", "--output_dir", str(work / "table")])
print((work / "table" / "comparison.md").read_text(encoding="utf-8"))

# %% [markdown]
# ## 7. Serve it
# In a process of its own, as it would run: the page for people, the API for programs.

# %%
command = [sys.executable, "-m", "eventune", "serve", str(work / "runs" / "first"), "--port", "0", "--json"]
server = subprocess.Popen(command, stdout=subprocess.PIPE)
url = json.loads(server.stdout.readline())["url"]
with Client(url) as client:
    show(client.extract(test[1].text))

# %%
server.terminate()
server.wait()

# %% [markdown]
# Next: [label the documents that teach most](../how-to/label.md), [train on your own corpus](../how-to/own-corpus.md),
# [export it without torch](../export.md).
