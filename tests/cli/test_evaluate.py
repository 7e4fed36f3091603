"""`eventune evaluate`."""

import json
import shutil
from dataclasses import replace

import pytest

from eventune.corpora import read_corpus, write_corpus
from eventune.corpora.raw_text import document_of
from eventune.events import Argument, Entity, Event, Mention, Span


@pytest.fixture
def test_file(small_corpus):
    return small_corpus / "dev.jsonl"


@pytest.fixture
def copied_run(tiny_run, tmp_path):
    return shutil.copytree(tiny_run, tmp_path / "copy")


def test_json_is_one_object_with_the_scores_that_training_reported(run, tiny_run, test_file):
    found = run("evaluate", tiny_run, "--test_file", test_file, "--json")

    assert found.code == 0
    assert found.out.count("\n") == 1
    result = json.loads(found.out)
    reported = json.loads((tiny_run / "result.json").read_text(encoding="utf-8"))["scores"]["dev"]
    for name in ("scorer", "metrics", "counts", "roles", "distance"):
        assert result[name] == reported[name]
    assert result["counts"].keys() == {"gold", "predicted", "matched"}
    assert result["metrics"].keys() == {"precision", "recall", "f1"}
    assert (result["run"], result["test_file"]) == (str(tiny_run), str(test_file))


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_tables_fit_the_terminal_with_all_figures_whole(columns, run, tiny_run, test_file, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))

    found = run("evaluate", tiny_run, "--test_file", test_file)

    lines = [line.rstrip() for line in found.out.splitlines()]
    assert max(map(len, lines)) <= columns
    assert "…" not in found.out
    reported = json.loads((tiny_run / "result.json").read_text(encoding="utf-8"))["scores"]["dev"]
    counts = [str(reported["counts"][name]) for name in ("gold", "predicted", "matched")]
    metrics = [f"{100 * reported['metrics'][name]:.2f}" for name in ("precision", "recall", "f1")]
    shown = counts if columns >= 80 else counts[:1]
    assert ["all", *shown, *metrics] in [line.split() for line in lines]
    assert found.err.endswith("format jsonl (guessed)\n")


def test_the_predicted_documents_are_written_when_asked_for(run, tiny_run, test_file, tmp_path):
    target = tmp_path / "predicted.jsonl"
    scored = run("evaluate", tiny_run, "--test_file", test_file, "--predictions_file", target, "--json")

    assert [document.id for document in read_corpus(target)] == [document.id for document in read_corpus(test_file)]
    again = run("score", "--gold", test_file, "--predictions", target, "--json")
    assert json.loads(again.out)["counts"] == json.loads(scored.out)["counts"]


def test_a_folder_for_the_predictions_that_does_not_exist_is_refused_before_the_work(refused, tiny_run, test_file):
    message = refused("evaluate", tiny_run, "--test_file", test_file, "--predictions_file", "absent/p.jsonl")
    assert "--predictions_file: absent/p.jsonl: its folder does not exist" in message


def test_a_file_of_predictions_that_exists_is_refused_before_the_work(refused, test_file, tmp_path):
    target = tmp_path / "precious.jsonl"
    target.write_text("precious")
    message = refused("evaluate", "absent", "--test_file", test_file, "--predictions_file", target)
    assert f"--predictions_file: {target}: exists already" in message
    assert target.read_text() == "precious"


def test_arguments_of_unknown_types_count_as_missed_and_are_reported(run, tiny_run, test_file, tmp_path):
    documents = read_corpus(test_file).documents
    gold = documents[0].events[0].arguments
    strange = documents[0].with_events([Event("unheard.of", Span(0, 1), gold)])
    write_corpus([strange], tmp_path / "strange.jsonl")

    found = run("evaluate", tiny_run, "--test_file", tmp_path / "strange.jsonl", "--json")

    assert json.loads(found.out)["counts"] == {"gold": len(gold), "predicted": 0, "matched": 0}
    assert "the run's ontology lacks, counted as missed: 1 events by their type (unheard.of 1)" in found.err
    assert "--ignore_unknown_roles" in found.err


def test_types_and_roles_that_the_run_does_not_know_are_left_out_when_that_is_wanted(
    run, refused, tiny_run, test_file, tmp_path
):
    known, other = read_corpus(test_file).documents[:2]
    event = known.events[0]
    half = replace(event, arguments=(*event.arguments, Argument("unheard.role", event.arguments[0].span)))
    strange = other.with_events([Event("unheard.of", Span(0, 1), (Argument("x", Span(1, 2)),))])
    write_corpus([known.with_events([half]), strange], tmp_path / "strange.jsonl")
    write_corpus([strange], tmp_path / "stranger.jsonl")

    found = run("evaluate", tiny_run, "--test_file", tmp_path / "strange.jsonl", "--ignore_unknown_roles", "--json")

    assert json.loads(found.out)["counts"]["gold"] == len(event.arguments)
    assert "1 events by their type (unheard.of 1) and 1 arguments by their role (unheard.role 1)" in found.err
    message = refused("evaluate", tiny_run, "--test_file", tmp_path / "stranger.jsonl", "--ignore_unknown_roles")
    assert "no gold argument" in message


def test_a_file_without_gold_arguments_is_refused(refused, tiny_run, test_file, tmp_path):
    bare = [d.with_events([replace(e, arguments=()) for e in d.events]) for d in read_corpus(test_file)[:2]]
    write_corpus(bare, tmp_path / "bare.jsonl")
    message = refused("evaluate", tiny_run, "--test_file", tmp_path / "bare.jsonl")
    assert "bare.jsonl: expected annotated arguments to score against, found no gold argument" in message
    assert f"eventune extract {tiny_run}" in message


def test_clusters_of_the_gold_make_measures_of_coreference(run, tiny_run, test_file, tmp_path):
    [document] = read_corpus(test_file).documents[:1]
    places = [Span(index, index + 1) for index in range(2)]
    mentions = [Entity((Mention(place, f"m{number}"),)) for number, place in enumerate(places)]
    write_corpus([replace(document, entities=tuple(mentions))], tmp_path / "gold.jsonl")
    line = {"doc_key": document.id, "clusters": [["m0", "m1"]], "informative_mentions": ["x"]}
    (tmp_path / "clusters.jsonlines").write_text(json.dumps(line) + "\n")
    words = ("evaluate", tiny_run, "--test_file", tmp_path / "gold.jsonl", "--scorer", "wikievents", "--json")

    plain = json.loads(run(*words).out)["measures"]
    clustered = json.loads(run(*words, "--coreference_file", tmp_path / "clusters.jsonlines").out)["measures"]

    assert plain.keys() == {"span_i", "span_c"}
    assert clustered.keys() == {"span_i", "span_c", "span_coref_i", "span_coref_c"}


def test_a_run_that_does_not_exist_is_refused(refused, test_file):
    assert refused("evaluate", "absent", "--test_file", test_file).startswith("error: absent: no such run directory")


def test_a_folder_that_is_no_run_is_refused(refused, test_file, small_corpus):
    message = refused("evaluate", small_corpus, "--test_file", test_file)
    assert "expected a run directory, found no result.json in it" in message


def test_an_unfinished_run_is_refused_with_the_command_that_finishes_it(refused, copied_run, test_file):
    (copied_run / "result.json").unlink()
    message = refused("evaluate", copied_run, "--test_file", test_file)
    assert "the run is not finished" in message
    assert f"hint: eventune train {copied_run}/recipe.yaml --resume_from_checkpoint true" in message


@pytest.mark.parametrize("name", ["extractor.json", "base.json", "ontology.yaml", "adapter_model.safetensors"])
def test_a_run_with_a_missing_file_is_refused(name, refused, copied_run, test_file):
    (copied_run / name).unlink()
    assert f"the run lacks its {name}" in refused("evaluate", copied_run, "--test_file", test_file)


@pytest.mark.parametrize("name", ["extractor.json", "base.json", "adapter_config.json", "adapter_model.safetensors"])
def test_a_run_with_a_file_that_was_cut_off_is_refused(name, refused, copied_run, test_file):
    content = (copied_run / name).read_bytes()
    (copied_run / name).write_bytes(content[: len(content) // 2])
    assert name in refused("evaluate", copied_run, "--test_file", test_file)


def test_another_base_than_the_runs_is_refused(refused, tiny_run, tiny_encoder, test_file, tmp_path):
    other = shutil.copytree(tiny_encoder, tmp_path / "other")
    weights = bytearray((other / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (other / "model.safetensors").write_bytes(weights)
    message = refused("evaluate", tiny_run, "--test_file", test_file, "--model_name_or_path", other)
    assert "its weights are not those that the run" in message
    assert "--model_name_or_path" in message


def test_an_unknown_scorer_is_refused_with_the_known_ones(run, tiny_run, test_file):
    found = run("evaluate", tiny_run, "--test_file", test_file, "--scorer", "rouge")
    assert found.code == 2
    assert "argument --scorer: invalid choice: 'rouge' (choose from " in found.err


def test_a_missing_corpus_is_refused(refused, tiny_run):
    assert refused("evaluate", tiny_run, "--test_file", "absent.jsonl").startswith("error: absent.jsonl: no such file")


@pytest.mark.parametrize("size", ["0", "-3"])
def test_batches_of_nothing_are_refused(size, refused, tiny_run, test_file):
    message = refused("evaluate", tiny_run, "--test_file", test_file, "--per_device_eval_batch_size", size)
    assert f"batch_size: expected an integer >= 1, found {size}" in message


@pytest.fixture
def gold(tmp_path):
    """A corpus of two events: one that is found, and one with another trigger; and a sentence without any."""
    first = document_of("Gunmen shot two. All [[fled|attack]]. They shot him.", id="a")
    arguments = (Argument("attacker", Span(0, 1)),)
    events = [Event("attack", Span(1, 2), arguments), *first.events]
    write_corpus([first.with_events(events), document_of("Nothing was said.", id="b")], tmp_path / "gold.jsonl")
    return tmp_path / "gold.jsonl"


def test_triggers_are_found_where_the_run_can(run, detecting, gold):
    annotator = detecting()
    result = json.loads(run("evaluate", "RUN", "--test_file", gold, "--json").out)
    assert (result["scorer"], result["measure"], result["triggers"]) == ("textee", "argument_attached_cls", "predicted")
    counts = {name: tuple(measure["counts"].values()) for name, measure in result["measures"].items()}
    assert counts["trigger_cls"] == (2, 2, 1)
    assert counts["argument_attached_cls"] == (1, 2, 1)
    assert all(not document.events for document in annotator.asked)


def test_gold_triggers_are_taken_when_asked_for(run, detecting, gold):
    detecting()
    found = run("evaluate", "RUN", "--test_file", gold, "--triggers", "gold", "--scorer", "textee")
    assert "scorer: textee (exact spans as sets, in percent), triggers: gold" in found.out.splitlines()
    assert "trigger_cls" not in found.out


def test_a_run_that_finds_triggers_alone_has_their_scores_alone(run, detecting, gold):
    detecting(finds_arguments=False)
    result = json.loads(run("evaluate", "RUN", "--test_file", gold, "--json").out)
    assert list(result["measures"]) == ["trigger_id", "trigger_cls"]
    assert (result["measure"], result["counts"]) == ("trigger_cls", {"gold": 2, "predicted": 2, "matched": 1})


def test_the_table_says_that_triggers_are_predicted(run, detecting, gold):
    detecting()
    out = run("evaluate", "RUN", "--test_file", gold).out
    assert "triggers: predicted" in out.splitlines()[0]
    assert "trigger_cls" in out


def test_what_a_run_cannot_find_is_refused(refused, detecting, tiny_run, gold, test_file):
    message = refused("evaluate", tiny_run, "--test_file", test_file, "--triggers", "predicted")
    assert "--triggers predicted: expected a run that finds triggers" in message
    assert "--event_free: expected a run that finds triggers" in refused("evaluate", tiny_run, "--event_free", gold)
    detecting(finds_arguments=False)
    message = refused("evaluate", "RUN", "--test_file", gold, "--triggers", "gold")
    assert "--triggers gold: expected a run that finds arguments" in message
    message = refused("evaluate", "RUN", "--test_file", gold, "--scorer", "rams")
    assert "--scorer: expected textee for a run that finds triggers alone" in message


def test_false_alarms_of_a_run_without_triggers_are_refused_before_anything_is_scored(
    refused, tiny_run, test_file, gold, tmp_path
):
    target = tmp_path / "predicted.jsonl"
    flags = ("--test_file", test_file, "--event_free", gold, "--predictions_file", target)
    assert "--event_free: expected a run that finds triggers" in refused("evaluate", tiny_run, *flags)
    assert not target.exists()


def test_false_alarms_of_plain_text_are_told_for_a_thousand_sentences(run, detecting, tmp_path):
    detecting()
    free = tmp_path / "free.txt"
    free.write_text("Nothing was said.\nHe shot a film. It was long.\n\n", encoding="utf-8")
    result = json.loads(run("evaluate", "RUN", "--event_free", free, "--json").out)
    assert result["event_free"] == {
        "file": str(free),
        "sentences": 3,
        "events": 1,
        "per_thousand_sentences": 1000 / 3,
        "types": {"attack": 1},
    }


def test_false_alarms_of_a_corpus_are_those_in_its_sentences_without_events(run, detecting, gold, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    detecting()
    found = run("evaluate", "RUN", "--test_file", gold, "--event_free", gold)
    assert "trigger_cls" in found.out
    assert found.out.splitlines()[-1] == (
        f"false alarms: 500.00 events per thousand sentences without events (1 in 2 of {gold})"
    )


def test_nothing_to_evaluate_on_is_refused(refused):
    assert "expected --test_file or --event_free, found neither" in refused("evaluate", "RUN")


def _with_scorer(run_directory, value):
    recipe = run_directory / "recipe.yaml"
    recipe.write_text(recipe.read_text(encoding="utf-8").replace("scorer: rams", f"scorer: {value}"), encoding="utf-8")


def test_the_scorer_is_the_one_that_the_run_was_trained_by(run, copied_run, test_file):
    _with_scorer(copied_run, "textee")

    own = run("evaluate", copied_run, "--test_file", test_file, "--json")
    chosen = run("evaluate", copied_run, "--test_file", test_file, "--scorer", "rams", "--json")

    assert [json.loads(found.out)["scorer"] for found in (own, chosen)] == ["textee", "rams"]


def test_a_run_of_unknown_scorer_is_refused(refused, copied_run, test_file):
    _with_scorer(copied_run, "[rouge]")

    message = refused("evaluate", copied_run, "--test_file", test_file)

    assert "recipe.yaml: scorer: expected rams or wikievents" in message
    assert "found ['rouge']" in message
