"""A causal LM as an extractor: trained, saved, loaded, asked here or on a server, compared with an encoder."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from eventune.adapters.store import load_into
from eventune.chat.session import ChatModel, ChatSession
from eventune.cli import main
from eventune.corpora import read_corpus, write_corpus, write_ontology
from eventune.errors import EventuneError
from eventune.events import Argument, Document, Event, EventType, Ontology, Role, Span
from eventune.generation.extracting.endpoint import Endpoint
from eventune.generation.generating import GenerationSettings
from eventune.inference.endpoint import endpoint_extractor
from eventune.inference.extractor import Extractor
from eventune.recipe import Recipe
from eventune.runs.training import train
from eventune.scoring import score
from eventune.storage.json_files import read_json
from eventune.training.run_directory import OWN_FILES

ATTACK = EventType("attack", (Role("attacker"), Role("target")))


def document(number: int) -> Document:
    who, whom = (("Rebels", "soldiers"), ("Gunmen", "guards"))[number % 2]
    event = Event("attack", Span(1, 2), (Argument("attacker", Span(0, 1)), Argument("target", Span(2, 3))))
    return Document.from_sentences(f"d{number}", [[who, "shot", whom, "."]], events=[event])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generative")
    write_corpus([document(number) for number in range(2)], folder / "test.jsonl")
    write_corpus([document(number) for number in range(24)], folder / "train.jsonl")
    write_ontology(Ontology.of([ATTACK]), folder / "ontology.yaml")
    return folder


@pytest.fixture(scope="module")
def settings(folder: Path, tiny_llm: Path) -> dict[str, Any]:
    return {
        "task": "generation",
        "model_name_or_path": str(tiny_llm),
        "train_file": str(folder / "train.jsonl"),
        "dev_file": str(folder / "test.jsonl"),
        "test_file": str(folder / "test.jsonl"),
        "ontology_file": str(folder / "ontology.yaml"),
        "method": "full",
        "learning_rate": 5e-3,
        "warmup_steps": 0,
        "lr_scheduler_type": "constant_with_warmup",
        "num_train_epochs": 20,
        "per_device_train_batch_size": 4,
        "load_best_model_at_end": False,
        "max_new_tokens": 120,
        "save_predictions": True,
    }


@pytest.fixture(scope="module")
def run(folder: Path, settings: dict[str, Any]) -> Path:
    train(Recipe.of({**settings, "output_dir": str(folder / "run")}))
    return folder / "run"


def test_a_model_learns_its_documents_and_gives_the_same_scores_when_loaded(run: Path, folder: Path) -> None:
    result = read_json(run / "result.json")
    assert result["scores"]["test"]["metrics"]["f1"] == 1.0
    assert result["data"]["test"]["answers"] == {"answers": 2}
    assert {"ece", "ece_before", "answers"} <= result["data"]["dev"]["answers"].keys()
    gold = read_corpus(folder / "test.jsonl").documents
    found = Extractor.load(run).extract_all(gold)
    assert score(gold, found, scorer="rams").f1 == 1.0
    saved = read_corpus(run / "test_predictions.jsonl").documents
    assert [d.events for d in saved] == [d.events for d in found]
    assert all(0.0 <= a.score <= 1.0 for d in found for e in d.events for a in e.arguments if a.score is not None)


def test_the_top_layers_of_a_model_are_trained_alone(folder: Path, settings: dict[str, Any]) -> None:
    output = folder / "top"
    top = {"method": "lora", "trained_layers": 1, "all_layers_epochs": 0, "num_train_epochs": 2}
    train(Recipe.of({**settings, **top, "output_dir": str(output)}))
    weights = load_file(output / "adapter_model.safetensors")
    learned = {name: bool(weight.any()) for name, weight in weights.items() if "lora_B" in name}
    assert learned == {name: ".layers.1." in name for name in learned}


def test_raw_text_and_corpora_are_extracted_from_by_the_command(
    run: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["extract", str(run), "--text", "Rebels [[shot|attack]] soldiers .", "--json"]) == 0
    output = capsys.readouterr()
    (event,) = json.loads(output.out)["events"]
    assert {argument["role"] for argument in event["arguments"]} == {"attacker", "target"}
    assert "1 answers: all valid" in output.err
    target = tmp_path / "out.jsonl"
    assert main(["extract", str(run), str(folder / "test.jsonl"), "-o", str(target), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["arguments"] == 4
    assert len(read_corpus(target)) == 2


def test_a_model_is_tried_as_it_is_with_solved_examples(folder: Path, settings: dict[str, Any]) -> None:
    output = folder / "untrained"
    few = {**settings, "num_train_epochs": 0, "num_examples": 1, "output_dir": str(output), "max_length": 800}
    train(Recipe.of(few))
    assert not list(output.glob("*.safetensors"))
    result = read_json(output / "result.json")
    assert result["data"]["test"]["answers"]["answers"] == 2
    gold = read_corpus(folder / "test.jsonl").documents
    found = Extractor.load(output).extract_all(gold)
    assert score(gold, found, scorer="rams").f1 == result["scores"]["test"]["metrics"]["f1"]


@pytest.fixture
def server(run: Path, tiny_llm: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An OpenAI-compatible server with the run's model, and the requests that it gets."""
    tokenizer = AutoTokenizer.from_pretrained(run)
    model = load_into(AutoModelForCausalLM.from_pretrained(tiny_llm), run)
    lock, questions = threading.Lock(), list[dict[str, Any]]()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send({"data": [{"id": "arguments"}]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                questions.append(body)
                limit = GenerationSettings(max_new_tokens=min(body["max_tokens"], 120))
                session = ChatSession({"it": ChatModel.of(model)}, tokenizer, limit, max_length=1024)
                text = "".join(session.ask(body["messages"][-1]["content"]))
            self._send({"choices": [{"message": {"role": "assistant", "content": text}}]})

        def _send(self, value: dict[str, Any]) -> None:
            content = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{service.server_address[1]}/v1", questions
        service.shutdown()


def test_a_server_can_be_the_extractor(
    run: Path, folder: Path, server: tuple[str, list[dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    url, questions = server
    corpus = str(folder / "test.jsonl")
    for source in (run, folder / "ontology.yaml"):
        assert main(["evaluate", str(source), "--test_file", corpus, "--endpoint", url, "--json"]) == 0
        result = json.loads(capsys.readouterr().out)
        assert result["metrics"]["f1"] == 1.0
        assert result["answers"] == {"answers": 2}
    schema = questions[0]["response_format"]["json_schema"]["schema"]
    assert schema["required"] == ["attacker", "target"]
    assert schema["properties"]["target"] == {"type": "array", "items": {"type": "string"}, "maxItems": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--endpoint", "localhost"], "expected a URL"),
        (["--endpoint", "http://127.0.0.1:9/v1"], "no answer"),
        (["--endpoint_model", "x"], "expected --endpoint URL beside it"),
    ],
)
def test_a_server_that_is_not_there_is_an_error(
    run: Path, folder: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(run), "--test_file", str(folder / "test.jsonl"), *options]) == 2
    assert message in capsys.readouterr().err


@pytest.fixture
def odd_server() -> Iterator[tuple[str, dict[str, Any]]]:
    """A server that answers as it is told, and remembers the headers that it gets."""
    state: dict[str, Any] = {"headers": []}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state["headers"].append(dict(self.headers))
            code, headers, content = state["answer"]
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - the base class names it

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{service.server_address[1]}", state
        service.shutdown()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((200, {}, b'{"data": null}'), "it has: none"),
        ((200, {}, b"[" * 100_000), "no answer"),
        ((200, {}, b"no json"), "no answer"),
        ((302, {"Location": "http://127.0.0.2/v1/models"}, b""), "the server refused: 302"),
        ((401, {}, b"no key"), "the server refused: 401 no key"),
    ],
)
def test_odd_answers_of_a_server_are_one_message(
    run: Path,
    folder: Path,
    odd_server: tuple[str, dict[str, Any]],
    answer: tuple[int, dict[str, str], bytes],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url, state = odd_server
    state["answer"] = answer
    assert main(["evaluate", str(run), "--test_file", str(folder / "test.jsonl"), "--endpoint", url]) == 2
    assert message in capsys.readouterr().err


def test_a_question_that_the_server_refuses_is_counted_and_the_others_are_asked(
    run: Path, folder: Path, odd_server: tuple[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, state = odd_server
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    state["answer"] = (400, {}, b"too long")
    extractor = endpoint_extractor(run, Endpoint(url, "any"))
    extractor.extract_all(read_corpus(folder / "test.jsonl").documents)
    assert extractor.annotator.counts == {"answers": 2, "refused": 2}  # type: ignore[attr-defined]
    assert state["headers"][0]["Authorization"] == "Bearer secret"


def test_every_file_of_a_finished_run_is_known_when_it_is_overwritten(run: Path) -> None:
    for path in run.iterdir():
        assert any(fnmatchcase(path.name, own) for own in OWN_FILES), path.name


def test_an_initialisation_that_changes_the_base_leaves_an_adapter_alone(
    folder: Path, settings: dict[str, Any]
) -> None:
    output = folder / "pissa"
    lora = {**settings, "method": "lora", "init_lora_weights": "pissa", "num_train_epochs": 1}
    train(Recipe.of({**lora, "output_dir": str(output)}))
    assert all(path.is_file() for path in output.iterdir())
    assert (output / "adapter_model.safetensors").is_file()
    Extractor.load(output)


def test_another_model_on_the_server_is_an_error(
    run: Path, folder: Path, server: tuple[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--endpoint", server[0], "--endpoint_model", "other"]
    assert main(["evaluate", str(run), "--test_file", str(folder / "test.jsonl"), *options]) == 2
    assert "it has: arguments" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"decoding": "wild"}, "decoding"),
        ({"pretrain_file": "sample:warmup"}, "pretrain_file"),
        ({"task": "extraction", "num_train_epochs": 0}, "num_train_epochs"),
        ({"prompt_template": "absent.jinja"}, "prompt_template"),
        ({"max_new_tokens": 2000}, "max_new_tokens"),
        ({"max_new_tokens": 20}, "max_new_tokens: expected at least"),
        ({"extractor": "question"}, "extractor: expected joint with task: generation"),
        ({"task": "extraction", "decoding": "free", "method": "lora"}, "decoding: expected grounded with task"),
    ],
)
def test_settings_that_do_not_go_together_are_named(
    folder: Path, settings: dict[str, Any], changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(EventuneError, match=message):
        train(Recipe.of({**settings, **changed, "output_dir": str(folder / "wrong")}))
    assert not (folder / "wrong").exists()


def test_a_run_whose_settings_were_changed_by_hand_is_an_error(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in run.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    changed = {**read_json(copy / "extractor.json"), "decoding": "wild"}
    (copy / "extractor.json").write_text(json.dumps(changed))
    with pytest.raises(EventuneError, match="decoding: expected"):
        Extractor.load(copy)
    (copy / "prompt.jinja").unlink()
    (copy / "extractor.json").write_bytes((run / "extractor.json").read_bytes())
    with pytest.raises(EventuneError, match=r"lacks its prompt\.jinja"):
        Extractor.load(copy)
