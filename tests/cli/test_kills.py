"""A command that was killed before any of its changes to files leaves, given again, what an undisturbed one does."""

import itertools

import pytest

from eventune.cli import main

COMMANDS = {
    "extract": ["extract", "RUN", "CORPUS", "-o", "out.jsonl"],
    "extract to brat": ["extract", "RUN", "CORPUS", "-o", "out", "--output_format", "brat"],
    "convert adapter": ["convert", "adapter", "STATE", "deep/out", "--lora_alpha", "4"],
    "data convert": ["data", "convert", "CORPUS", "out.json", "--output_format", "rams"],
    "data ontology": ["data", "ontology", "CORPUS", "-o", "out.yaml"],
}


def contents(folder):
    return {str(path.relative_to(folder)): path.is_file() and path.read_bytes() for path in folder.rglob("*")}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS.keys())
def test_what_was_killed_anywhere_is_made_whole_by_the_same_command(
    words, small_corpus, detecting, killed_before, tmp_path, monkeypatch, capfd
):
    import torch

    detecting()
    layers = {f"layer.lora_{part}.weight": torch.ones(2, 2) for part in "AB"}
    torch.save({**layers, "head.weight": torch.ones(2, 2)}, tmp_path / "state.pt")
    given = {"RUN": "run", "CORPUS": str(small_corpus / "dev.jsonl"), "STATE": str(tmp_path / "state.pt")}
    words = [given.get(word, word) for word in words]

    def changed(name):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        return tmp_path / name

    whole = changed("whole")
    assert main(words) == 0
    for number in itertools.count(1):
        place = changed(str(number))
        was_killed = killed_before(number, lambda: main(words))
        is_made = contents(place).keys() >= contents(whole).keys()
        assert main(words) == (2 if is_made else 0), capfd.readouterr().err
        assert contents(place) == contents(whole)
        if not was_killed:
            break
    assert number > 3
