"""`eventune chat`: terminal, pipe and one question, with runs of every kind on a tiny model."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

from eventune.adapters import AdapterArguments, attach, save_trained
from eventune.backbones.causal_lm import load_causal_lm
from eventune.backbones.resolve import resolve
from eventune.generation.generating import GenerationSettings, generate

SETTINGS = GenerationSettings(max_new_tokens=8)
SHORT = ("--max_new_tokens", "8")
METHODS = {
    "lora": AdapterArguments(lora_r=4),
    "ia3": AdapterArguments(method="ia3"),
    "vera": AdapterArguments(method="vera", vera_r=8),
    "prefix": AdapterArguments(method="prefix", pre_seq_len=4),
    "freeze": AdapterArguments(method="freeze", freeze_trainable_layers=1),
    "full": AdapterArguments(method="full"),
}


def said(model: Any, folder: Path, text: str) -> str:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    prompt = f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"
    ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    return generate(model, tokenizer, [ids], SETTINGS, batch_size=1)[0]


@pytest.fixture(scope="module")
def base(tiny_llm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with weights large enough to say different things."""
    lm = load_causal_lm(resolve(str(tiny_llm)))
    drawn = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in lm.model.parameters():
            if parameter.ndim == 2:
                parameter.copy_(0.3 * torch.randn(parameter.shape, generator=drawn))
    folder = tmp_path_factory.mktemp("models") / "model"
    lm.model.save_pretrained(folder)
    lm.tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def base_answer(base: Path) -> str:
    return said(load_causal_lm(resolve(str(base))).model, base, "hi")


Run = tuple[Path, str]


@pytest.fixture(scope="module")
def make_run(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """Makes a run of a method, and gives its folder and what it answers to `hi`."""
    made: dict[tuple[str, int], Run] = {}

    def make(method: str, seed: int = 0) -> Run:
        if (method, seed) not in made:
            source = resolve(str(base))
            model = attach(load_causal_lm(source).model, METHODS[method])
            drawn = torch.Generator().manual_seed(seed)
            with torch.no_grad():
                for parameter in model.parameters():
                    if parameter.requires_grad:
                        parameter.add_(0.5 * torch.randn(parameter.shape, generator=drawn))
            folder = tmp_path_factory.mktemp("runs") / f"{method}-{seed}"
            folder.mkdir()
            save_trained(model, folder)
            (folder / "base.json").write_text(json.dumps(source.to_dict()), encoding="utf-8")
            made[method, seed] = folder, said(model.eval(), base, "hi")
        return made[method, seed]

    return make


@pytest.fixture
def piped(run: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs the command with lines on its standard input."""

    def piped(*words: object, lines: str, is_typed: bool = False) -> Any:
        stdin = io.StringIO(lines)
        monkeypatch.setattr(stdin, "isatty", lambda: is_typed, raising=False)
        monkeypatch.setattr("sys.stdin", stdin)
        return run("chat", *words, *SHORT)

    return piped


def test_one_question_to_a_model(run: Any, base: Path, base_answer: str) -> None:
    found = run("chat", base, "--once", "hi", *SHORT)
    assert (found.code, found.out) == (0, f"{base_answer}\n")


@pytest.mark.parametrize("method", list(METHODS))
def test_base_and_run_are_heard_whatever_was_trained(
    run: Any, base: Path, base_answer: str, make_run: Callable[..., Run], method: str
) -> None:
    folder, answer = make_run(method)
    assert answer != base_answer
    found = run("chat", base, "--adapter", folder, "--once", "hi", "--compare", "--json", *SHORT)
    assert found.code == 0, found.err
    assert json.loads(found.out) == {"prompt": "hi", "answers": {"base": base_answer, f"{method}-0": answer}}
    alone = run("chat", folder, "--once", "hi", *SHORT)
    assert (alone.code, alone.out) == (0, f"{answer}\n")


def test_answers_stand_one_under_the_other(
    run: Any, base: Path, base_answer: str, make_run: Callable[..., Run]
) -> None:
    folder, answer = make_run("lora")
    found = run("chat", base, "--adapter", f"mine={folder}", "--once", "hi", "--compare", *SHORT)
    assert found.out == f"[base] {base_answer}\n[mine] {answer}\n"


def test_piped_lines_are_turns_and_commands(
    piped: Any, base: Path, base_answer: str, make_run: Callable[..., Run]
) -> None:
    (one, first), (two, second), (three, third) = make_run("lora"), make_run("lora", 1), make_run("prefix")
    adapters = ("--adapter", f"one={one}", "--adapter", f"two={two}", "--adapter", f"three={three}")
    turns = "hi\n\n/reset\n/adapter two\nhi\n/reset\n/adapter three\nhi\n/reset\n/adapter base\nhi\n/reset\n"
    found = piped(base, *adapters, lines=f"{turns}/adapter one\n/compare\nhi\n/exit\nhi\n")
    assert found.code == 0, found.err
    both = f"[base] {base_answer}\n[one] {first}\n"
    assert found.out == f"{first}\n{second}\n{third}\n{base_answer}\n{both}"


def test_a_conversation_goes_on_until_it_is_reset(piped: Any, base: Path, base_answer: str) -> None:
    found = piped(base, lines="hi\nhi\n/reset\nhi\n/system Be brief.\nhi\n")
    first, second, third, fourth = found.out.removesuffix("\n").split("\n")
    assert first == third == base_answer
    assert len({first, second, fourth}) == 3
    assert found.err.count("begins anew") == 2


def test_someone_who_types_is_prompted_and_told_what_was_wrong(piped: Any, base: Path, base_answer: str) -> None:
    found = piped(base, lines="/rest\n/adapter x\n/compare\n/help\nhi\n", is_typed=True)
    assert found.code == 0
    assert found.out.replace("> ", "") == f"{base_answer}\n"
    assert "/rest: no such command (did you mean '/reset'?)" in found.err
    assert "adapter 'x': expected one of base" in found.err
    assert "expected an adapter beside the base" in found.err
    assert "/adapter NAME switches, " in found.err


def test_piped_bytes_that_are_no_text_are_one_error(refused: Any, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\n"), encoding="utf-8"))
    assert "expected a question in Unicode, found bytes that are no UTF-8" in refused("chat", base, *SHORT)


def test_a_mistake_in_a_pipe_ends_it(piped: Any, base: Path, base_answer: str) -> None:
    found = piped(base, lines="hi\n/rest\nhi\n")
    assert (found.code, found.out) == (2, f"{base_answer}\n")
    assert "error: /rest: no such command" in found.err


def test_a_run_speaks_in_the_template_and_prefix_of_its_training(
    run: Any, refused: Any, base: Path, make_run: Callable[..., Run], tmp_path: Path
) -> None:
    import shutil

    folder, answer = make_run("lora")
    copies = [Path(shutil.copytree(folder, tmp_path / name)) for name in ("plain", "other")]
    (copies[0] / "chat_template.jinja").write_text(
        "{% for m in messages %}{{ m['content'] }}{{ eos_token if m['role'] == 'assistant' }}{% endfor %}"
    )
    tokenizer = AutoTokenizer.from_pretrained(base)
    (copies[1] / "chat_template.jinja").write_text(tokenizer.chat_template)
    (copies[1] / "generator.json").write_text(json.dumps({"source_prefix": "h"}))
    assert run("chat", copies[0], "--once", "hi", *SHORT).out != f"{answer}\n"
    assert run("chat", copies[1], "--once", "i", *SHORT).out == f"{answer}\n"
    adapters = (f"--adapter={copies[0]}", f"--adapter={copies[1]}")
    assert "different chat templates" in refused("chat", base, *adapters, "--once", "hi", *SHORT)


def test_a_peft_adapter_of_other_tools_finds_its_base(
    run: Any, base: Path, make_run: Callable[..., Run], tmp_path: Path
) -> None:
    folder, answer = make_run("lora")
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    assert json.loads((tmp_path / "adapter_config.json").read_text())["base_model_name_or_path"] == str(base)
    assert run("chat", tmp_path, "--once", "hi", *SHORT).out == f"{answer}\n"


def test_draws_repeat_with_the_seed(run: Any, base: Path) -> None:
    drawn = ("chat", base, "--once", "hi", "--do_sample", "--temperature", "2", *SHORT)
    assert run(*drawn, "--seed", 1).out == run(*drawn, "--seed", 1).out != run(*drawn, "--seed", 2).out


def test_what_does_not_fit_is_refused(
    refused: Any, base: Path, tiny_llm: Path, tiny_encoder: Path, make_run: Callable[..., Run], tmp_path: Path
) -> None:
    folder, _ = make_run("lora")
    once = ("--once", "hi", *SHORT)
    assert "whose weights are not those of" in refused("chat", tiny_llm, "--adapter", folder, *once)
    assert "no such run" in refused("chat", base, "--adapter", tmp_path / "none", *once)
    assert "expected a finished run" in refused("chat", base, "--adapter", tmp_path, *once)
    assert "is taken" in refused("chat", base, "--adapter", f"base={folder}", *once)
    assert "is taken" in refused("chat", base, "--adapter", folder, "--adapter", folder, *once)
    assert "already" in refused("chat", folder, "--adapter", folder, *once)
    assert "expected a question" in refused("chat", base, "--once", " ")
    assert "expected --once" in refused("chat", base, "--json")
    assert "expected an adapter" in refused("chat", base, "--compare", *once)
    assert "expected 1 beside do_sample" in refused("chat", base, "--do_sample", "--num_beams", 2, *once)
    assert "expected a causal LM" in refused("chat", tiny_encoder, *once)
    assert "less than the 1024 tokens" in refused("chat", base, "--once", "hi", "--max_new_tokens", 1024)


def test_runs_whose_base_is_gone_or_that_are_no_language_models_are_named(refused: Any, tmp_path: Path) -> None:
    (tmp_path / "base.json").write_text(json.dumps({"name_or_path": str(tmp_path / "gone"), "sha256": "0" * 64}))
    message = refused("chat", tmp_path, "--once", "hi")
    assert "was trained on" in message
    assert f"eventune chat MODEL --adapter {tmp_path}" in message
    (tmp_path / "extractor.json").write_text("{}")
    assert "eventune extract" in refused("chat", tmp_path, "--once", "hi")
