"""Every figure of the reference's official scorers on the same predictions: counts equal, floats to 1e-12."""

import json
from dataclasses import replace

import pytest

from eventune.corpora import read_corpus, read_ontology
from eventune.corpora.coreference import with_coreference
from eventune.errors import EventuneError
from eventune.events import Argument, Document, Entity, Event, EventType, Mention, Ontology, Role, Span
from eventune.scoring.genarg_files import (
    compared,
    count_genarg,
    official_genarg_report,
    predicted_spans,
    read_predictions,
)
from eventune.scoring.heads import read_heads
from eventune.scoring.paie import PaieScorer, PaieTally
from eventune.scoring.textee import TexteeScorer
from eventune.scoring.wikievents import cluster_spans, gold_spans

SETS = [("rams", name) for name in ("dev_low", "dev_mid", "dev_high", "dev_cross")]
SETS += [("wikievents", name) for name in ("dev_a", "dev_b")]
RUNS = [(variant, heads, coref) for variant in ("mention", "informative") for heads in (0, 1) for coref in (0, 1)]


@pytest.fixture(scope="module")
def official(reference_folder):
    return reference_folder / "scorers"


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def golds(corpora_folder, rams_dev):
    path = corpora_folder / "wikievents" / "dev.jsonl"
    if not path.is_file():
        pytest.skip(f"needs WikiEvents in {path.parent}")
    return {"rams": rams_dev, "wikievents": read_corpus(path)}


def predictions(official, golds, corpus, name):
    """Gold documents with what was predicted for them, on gold triggers, as the reference fed it."""
    for document in golds[corpus]:
        yield document, document.with_events(predicted_events(official, corpus, name, document))


_CACHE = {}


def predicted_events(official, corpus, name, document):
    key = (corpus, name)
    if key not in _CACHE:
        entries = lines(official / corpus / f"{name}.pred.jsonl")
        fields = ("doc_key", "predictions") if corpus == "rams" else ("doc_id", "events")
        _CACHE[key] = {entry[fields[0]]: entry[fields[1]] for entry in entries}
    found = _CACHE[key].get(document.id, [])
    if corpus == "rams":
        arguments = [Argument(role, Span(s, e + 1), score) for s, e, role, score in found[0][1:]] if found else []
        return [replace(document.events[0], arguments=tuple(arguments))] if found else []
    return [
        replace(
            document.events[item["event_index"]],
            arguments=tuple(Argument(a["role"], Span(a["start"], a["end"])) for a in item["arguments"]),
        )
        for item in found
    ]


def measures_of(scorer, pairs):
    for gold, predicted in pairs:
        scorer.add(gold, predicted)
    return scorer.score().to_dict()["measures"]


def assert_equal(found, expected, *, percent=1.0, names=("gold_num", "pred_num", "match_num")):
    assert [found["counts"][name] for name in ("gold", "predicted", "matched")] == [expected[name] for name in names]
    for name, value in found["metrics"].items():
        assert percent * value == pytest.approx(expected[name], abs=1e-12, rel=1e-12)


@pytest.mark.parametrize(("corpus", "name"), SETS)
def test_textee(official, golds, corpus, name):
    found = measures_of(TexteeScorer(), predictions(official, golds, corpus, name))
    expected = load(official / corpus / f"{name}.textee.json")
    assert found.keys() == expected.keys()
    for measure, figures in expected.items():
        assert_equal(found[measure], figures, percent=100.0)
    printed = (official / corpus / f"{name}.textee.txt").read_text(encoding="utf-8")
    rows = [textee_line(label, found[measure]) for label, measure in TEXTEE_LABELS.items() if measure in found]
    assert rows == [line for line in printed.splitlines() if " - P: " in line]


@pytest.mark.parametrize("name", ["dev_low", "dev_mid", "dev_high"])
@pytest.mark.parametrize(("task", "triggers"), [("E2E", "predicted"), ("ED", "alone")])
def test_textee_end_to_end(official, golds, name, task, triggers):
    found = {line["doc_id"]: line["events"] for line in lines(official / "wikievents" / f"{name}.e2e.pred.jsonl")}
    pairs = [(gold, gold.with_events(map(whole_event, found.get(gold.id, [])))) for gold in golds["wikievents"]]
    result = measures_of(TexteeScorer(triggers=triggers), pairs)
    expected = load(official / "wikievents" / f"{name}.e2e.textee.json")[task]
    assert list(result) == list(expected)
    for measure, figures in expected.items():
        assert_equal(result[measure], figures, percent=100.0)
    printed = (official / "wikievents" / f"{name}.e2e.textee.txt").read_text(encoding="utf-8")
    block = next(part for part in printed.split("### ") if part.startswith(f"{task}\n"))
    rows = [textee_line(label, result[measure]) for label, measure in TEXTEE_LABELS.items() if measure in result]
    assert rows == [line for line in block.splitlines() if " - P: " in line]


def whole_event(item):
    arguments = tuple(Argument(a["role"], Span(a["start"], a["end"])) for a in item["arguments"])
    return Event(item["type"], Span(*item["trigger"]), arguments)


TEXTEE_LABELS = {
    "Tri-I": "trigger_id",
    "Tri-C": "trigger_cls",
    "Arg-I": "argument_id",
    "Arg-C": "argument_cls",
    "Arg-I (attached)": "argument_attached_id",
    "Arg-C (attached)": "argument_attached_cls",
}


def textee_line(label, measure):
    counts = measure["counts"]
    precision, recall, f1 = (100 * measure["metrics"][name] for name in ("precision", "recall", "f1"))
    matched, predicted, gold = (counts[name] for name in ("matched", "predicted", "gold"))
    return (
        f"{label:16} - P: {precision:6.2f} ({matched:5d}/{predicted:5d}), "
        f"R: {recall:6.2f} ({matched:5d}/{gold:5d}), F: {f1:6.2f}"
    )


@pytest.mark.parametrize(("corpus", "name"), SETS)
@pytest.mark.parametrize(("part", "window"), [("full_document", None), ("window_250", 250)])
def test_paie(official, golds, corpus, name, part, window):
    expected = load(official / corpus / f"{name}.paie.json")
    roles = expected["arg_lists"].items()
    ontology = Ontology.of(EventType(kind, tuple(Role(role) for role in dict.fromkeys(names))) for kind, names in roles)
    heads = read_heads(official / corpus / "dev.heads.jsonl")
    found = measures_of(
        PaieScorer(ontology=ontology, heads=heads, window=window), predictions(official, golds, corpus, name)
    )
    for kind, prefix in (("span", ""), ("text", "text_"), ("head", "head_")):
        for measure, figures in expected[part][kind].items():
            assert_equal(found[prefix + measure], figures, names=("gt_num", "pred_num", "correct_num"))


@pytest.fixture(scope="module")
def genarg(official, golds, corpora_folder):
    folder = corpora_folder / "wikievents"
    return {
        "gold": list(with_coreference(golds["wikievents"], folder / "coref_dev.jsonlines")),
        "ontology": read_ontology(folder / "event_role_KAIROS.json"),
        "heads": read_heads(official / "wikievents" / "dev.heads.jsonl"),
    }


def genarg_score(official, genarg, name, variant):
    filled = read_predictions(official / "wikievents" / f"{name}.genarg.{variant}.pred.jsonl")
    return count_genarg(genarg["gold"], filled, ontology=genarg["ontology"], heads=genarg["heads"]).score()


@pytest.mark.parametrize("name", ["dev_a", "dev_b"])
def test_genarg_figures_and_print(official, genarg, name):
    expected = load(official / "wikievents" / f"{name}.genarg.json")
    scores = {variant: genarg_score(official, genarg, name, variant) for variant in ("mention", "informative")}
    printed = []
    for variant, heads, coref in RUNS:
        key = "|".join((variant, ("span", "head_only")[heads], ("nocoref", "coref")[coref]))
        score = scores[variant]
        mode = ("span", "head")[heads]
        counts = expected[key]["counts"]
        for measure, kind, extra in (("i", "idn", "arg_i"), ("c", "class", "arg_c")):
            figures = {**expected[key][extra], "gold": counts["gold"], "pred": counts["pred"], "hit": counts[kind]}
            found = score.tables["measures"][f"{mode}_{measure}"]
            assert_equal(found, figures, percent=100.0, names=("gold", "pred", "hit"))
            if coref:
                hits = counts[kind] + counts[f"{kind}_coref_extra"]
                figures = {**figures, **expected[key][f"coref_{extra}"], "hit": hits}
                found = score.tables["measures"][f"{mode}_coref_{measure}"]
                assert_equal(found, figures, percent=100.0, names=("gold", "pred", "hit"))
        printed.append(f"### {key}\n{official_genarg_report(score, heads=bool(heads), coreference=bool(coref))}")
    assert "\n".join(printed).strip() == (official / "wikievents" / f"{name}.genarg.txt").read_text().strip()


@pytest.mark.parametrize("name", ["dev_a", "dev_b"])
@pytest.mark.parametrize("variant", ["mention", "informative"])
@pytest.mark.parametrize("mode", ["span", "head"])
def test_genarg_sets_of_every_line(official, genarg, name, variant, mode):
    documents = {document.id: iter(document.events) for document in genarg["gold"]}
    texts = {document.id: document for document in genarg["gold"]}
    expected = lines(official / "wikievents" / f"{name}.genarg.{variant}.{mode}.events.jsonl")
    filled = read_predictions(official / "wikievents" / f"{name}.genarg.{variant}.pred.jsonl")
    for (key, template), line in zip(filled, expected, strict=True):
        event = next(documents[key])
        if "pred" not in line:
            assert event.type not in genarg["ontology"]
            continue
        document = texts[key]
        heads = genarg["heads"](document) if mode == "head" else None
        spans = predicted_spans(document, event, template, genarg["ontology"][event.type])
        assert inclusive({(compared(span, heads), role) for span, role in spans}) == sorted(line["pred"])
        gold = gold_spans(document, ((argument.span, argument.role) for argument in event.arguments), heads)
        assert inclusive(gold) == sorted(line["gold"])
        clusters = cluster_spans(document)
        canonical = [cluster.mentions[0].id for cluster in document.entities if len(cluster.mentions) > 1]
        corefering = {(canonical[clusters[span]], role) for span, role in gold if span in clusters}
        assert sorted(map(list, corefering)) == sorted(line["gold_coref"])


def inclusive(spans):
    """Spans as the reference has them; a slot without a word is an empty span there, [n, n - 1]."""
    return sorted([s, s - 1, role] if isinstance(s, int) else [s.start, s.end - 1, role] for s, role in spans)


EDGE_CASES = {"g": 9, "p": 7, "t": 4}


def edge_cases(kind):
    return pytest.mark.parametrize("case", range(EDGE_CASES[kind]))


def edge(official, kind, number):
    cases = sorted((official / "edge").glob(f"{kind}*.json"))
    assert len(cases) == EDGE_CASES[kind]
    return load(cases[number])


@edge_cases("g")
@pytest.mark.parametrize("mode", ["span", "head_only"])
def test_genarg_edge_cases(official, case, mode):
    case = edge(official, "g", case)
    clusters = {line["doc_key"]: line["clusters"] for line in case["coref_lines"] or ()}
    gold = [_genarg_document(line, clusters.get(line["doc_id"], [])) for line in case["test_lines"]]
    types = [_genarg_type(name, value) for name, value in case["ontology_used"].items()]
    heads = case["head_index_per_token"]
    filled = [(line["doc_key"], line["predicted"]) for line in case["gen_lines"]]
    options = {"ontology": Ontology.of(types), "heads": (lambda document: heads[document.id]) if heads else None}
    expected = case["expected"][mode]
    if "exception" in expected:
        with pytest.raises(EventuneError):
            count_genarg(gold, filled, **options)
        return
    score = count_genarg(gold, filled, **options).score()
    coref = any("--coref" in option for option in case["options"])
    assert official_genarg_report(score, heads=mode != "span", coreference=coref) == expected["stdout"]
    counts = expected["result"]["counts"]
    found = score.tables["measures"][f"{'span' if mode == 'span' else 'head'}_c"]["counts"]
    assert (found["gold"], found["predicted"], found["matched"]) == (counts["gold"], counts["pred"], counts["class"])


def _genarg_document(line, clusters):
    mentions = {item["id"]: Mention(Span(item["start"], item["end"]), item["id"]) for item in line["entity_mentions"]}
    events = [
        Event(
            event["event_type"],
            Span(event["trigger"]["start"], event["trigger"]["end"]),
            tuple(Argument(item["role"], mentions[item["entity_id"]].span) for item in event["arguments"]),
        )
        for event in line["event_mentions"]
    ]
    entities = [Entity(tuple(mentions[name] for name in names)) for names in clusters]
    return Document.from_sentences(line["doc_id"], [line["tokens"]], events=events, entities=entities)


def _genarg_type(name, value):
    roles, template = value["roles"], value["template"]
    for number, role in enumerate(roles, 1):
        template = template.replace(f"<arg{number}>", f"<{role}>")
    return EventType(name, tuple(Role(role, roles.count(role)) for role in dict.fromkeys(roles)), template=template)


@edge_cases("p")
def test_paie_edge_cases(official, case):
    case = edge(official, "p", case)
    for call in case.get("calls", ()):
        counts = [call[name] for name in ("gt_num", "pred_num", "correct_num")]
        expected = [call["expected"][name] for name in ("precision", "recall", "f1")]
        assert PaieTally.metrics_of(counts) == pytest.approx(expected, abs=1e-12)
    if "events" not in case:
        return
    heads = case["head_index_per_token"]
    gold, predicted, types = [], [], []
    for number, item in enumerate(case["events"]):
        types.append(EventType(f"t{number}", tuple(Role(role) for role in item["arg_list"])))
        for documents, side in ((gold, "gold"), (predicted, "pred")):
            arguments = [Argument(r, Span(s, e + 1)) for r, spans in item[side].items() for s, e in spans]
            event = Event(f"t{number}", Span(3, 4), tuple(arguments))
            documents.append(Document.from_sentences(f"d{number}", [item["tokens"]], events=[event]))
    by_document = {f"d{number}": indices for number, indices in enumerate(heads or ())}
    scorer = PaieScorer(
        ontology=Ontology.of(types), heads=(lambda document: by_document[document.id]) if heads else None
    )
    found = measures_of(scorer, zip(gold, predicted, strict=True))
    invalid = case.get("invalid_gt_num", 0)
    for kind, prefix in (("span", ""), ("text", "text_"), ("head", "head_")):
        for measure, figures in case["expected"].get(kind, {}).items():
            counts = found[prefix + measure]["counts"]
            parts = [counts["gold"] + invalid, counts["predicted"], counts["matched"]]
            assert parts == [figures[name] for name in ("gt_num", "pred_num", "correct_num")]
            expected = [figures[name] for name in ("precision", "recall", "f1")]
            assert PaieTally.metrics_of(parts) == pytest.approx(expected, abs=1e-12)


@edge_cases("t")
def test_textee_edge_cases(official, case):
    case = edge(official, "t", case)
    if "exception" in case["expected"]:
        # The official scorer asserts lists of one length. Here an event without a partner is missed or spurious.
        assert case["id"] == "t05_length_mismatch"
        return
    found = measures_of(TexteeScorer(), [(_textee_document(case["golds"]), _textee_document(case["preds"]))])
    for measure, figures in case["expected"]["scores"].items():
        assert_equal(found[measure], figures, percent=100.0)


def _textee_document(instances):
    events = [
        Event(
            item["trigger"][2],
            Span(*item["trigger"][:2]),
            tuple(Argument(a[2], Span(*a[:2])) for a in item["arguments"]),
        )
        for item in instances
    ]
    return Document.from_sentences("d", [[f"w{n}" for n in range(40)]], events=events)
