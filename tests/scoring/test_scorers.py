"""What the scorers count on documents, worked out by hand."""

import pytest

from eventune.errors import EventuneError
from eventune.events import Argument, Document, Entity, Event, EventType, Mention, Ontology, Role, Span
from eventune.scoring import SCORERS, make_scorer, score
from eventune.scoring.heads import head_of, read_heads, spacy_heads

WORDS = [["The", "armed", "rebels", "of", "Idlib", "shelled", "Homs", "and", "Hama", "again"]]


def document(*arguments, trigger=5, type="attack", entities=(), **more):
    found = tuple(Argument(role, Span(*span), filler=filler) for role, span, filler in arguments)
    event = Event(type, None if trigger is None else Span(trigger, trigger + 1), found, **more)
    return Document.from_sentences("d", WORDS, events=[event], entities=entities)


def arg(role, start, end, filler=""):
    return role, (start, end), filler


def f1(gold, predicted, scorer, measure, **options):
    return score([gold], [predicted], scorer, **options).tables["measures"][measure]["metrics"]["f1"]


def test_every_scorer_gives_a_perfect_prediction_one():
    gold = document(arg("place", 6, 7), arg("attacker", 1, 3))
    for name in SCORERS:
        result = score([gold], [gold], name)
        assert result.f1 == result.precision == result.recall == 1.0
        assert result.scorer == name
        assert result.tables["documents"] == {"gold": 1, "predicted": 1, "ignored": 0, "absent": 0}


def test_options_that_a_scorer_does_not_take_are_refused():
    with pytest.raises(EventuneError, match="scorer textee: expected its options"):
        make_scorer("textee", window=3)


def test_maven_arg_counts_words_that_two_strings_share():
    gold = document(arg("attacker", 0, 5))
    predicted = document(arg("attacker", 2, 5))
    # Without the article: "armed rebels of Idlib" and "rebels of Idlib".
    metrics = score([gold], [predicted], "maven-arg").tables["measures"]["mention_bow"]["metrics"]
    assert metrics == pytest.approx({"precision": 1.0, "recall": 0.75, "f1": 6 / 7})
    assert f1(gold, predicted, "maven-arg", "mention_exact") == 0.0


def test_maven_arg_has_an_entry_for_each_pair_and_a_zero_for_each_role_of_one_side():
    gold = document(arg("place", 6, 7), arg("place", 8, 9))
    predicted = document(arg("place", 8, 9), arg("place", 6, 7), arg("time", 9, 10))
    assert f1(gold, predicted, "maven-arg", "mention_bow") == pytest.approx(2 / 3)
    assert f1(gold, document(), "maven-arg", "mention_bow") == 0.0


def test_maven_arg_penalises_unequal_lengths_on_the_level_of_mentions_alone():
    gold = document(arg("place", 6, 7), arg("place", 8, 9))
    predicted = document(arg("place", 6, 7))
    assert f1(gold, predicted, "maven-arg", "mention_bow") == pytest.approx(0.5)
    assert f1(gold, predicted, "maven-arg", "entity_bow") == pytest.approx(0.5)
    assert f1(predicted, gold, "maven-arg", "entity_bow") == pytest.approx(1.0)


def test_maven_arg_accepts_any_mention_of_an_entity():
    entity = Entity((Mention(Span(6, 7), "m1"), Mention(Span(8, 9), "m2")), "c1")
    gold = document(arg("place", 6, 7, "c1"), entities=[entity])
    predicted = document(arg("place", 8, 9))
    assert f1(gold, predicted, "maven-arg", "entity_exact") == 1.0
    assert f1(gold, predicted, "maven-arg", "mention_bow") == pytest.approx(0.5)


def test_maven_arg_takes_the_best_trigger_of_an_event():
    mentions = (Mention(Span(5, 6)), Mention(Span(9, 10)))
    gold = document(arg("place", 6, 7), mentions=mentions)
    wrong, right = document(arg("place", 8, 9)), document(arg("place", 6, 7), trigger=9)
    predicted = gold.with_events([*wrong.events, *right.events])
    assert f1(gold, predicted, "maven-arg", "entity_bow") == pytest.approx(0.5)
    assert f1(gold, predicted, "maven-arg", "event_bow") == 1.0


def test_duee_fin_matches_gold_events_in_order_without_replacement():
    one, two = document(arg("a", 4, 5)).events[0], document(arg("a", 4, 5), arg("b", 6, 7)).events[0]
    gold = document().with_events([one, two])
    predicted = document().with_events([two, one])
    result = score([gold], [predicted], "duee-fin")
    # The first gold event takes the first prediction that shares its only pair; what is left shares one of two.
    assert (result.gold, result.predicted, result.matched) == (3, 3, 2)


def test_duee_fin_counts_strings_that_stand_nowhere():
    gold = document(arg("a", 4, 5), attributes={"unplaced": [{"role": "stage", "argument": "first"}]})
    result = score([gold], [document(arg("a", 4, 5))], "duee-fin")
    assert (result.gold, result.predicted, result.matched) == (2, 1, 1)


def test_textee_counts_an_event_without_a_partner_as_missed_or_spurious():
    one, two = (document(arg("place", 6, 7), trigger=trigger).events[0] for trigger in (5, 9))
    pair, single = document().with_events([one, two]), document().with_events([one])
    assert make_scorer("textee").add(pair, single)["argument_attached_cls"].parts == (2, 1, 1)
    assert make_scorer("textee").add(single, pair)["argument_attached_cls"].parts == (1, 2, 1)
    # Without the trigger, events of one type are one.
    assert make_scorer("textee").add(pair, single)["argument_cls"].parts == (1, 1, 1)


@pytest.fixture
def pipeline():
    """Gold and predicted events: one found, one missed, one with another type, one spurious."""

    def event(trigger, *arguments, type="attack"):
        return document(*arguments, trigger=trigger, type=type).events[0]

    gold = [event(1, arg("place", 6, 7)), event(5, arg("place", 8, 9)), event(9, arg("place", 6, 7), type="die")]
    predicted = [event(1, arg("place", 6, 7)), event(9, arg("place", 6, 7)), event(7, arg("place", 8, 9))]
    return document().with_events(gold), document().with_events(predicted)


@pytest.mark.parametrize(("mode", "counts"), [("strict", (3, 3, 1)), ("default", (2, 3, 1)), ("loose", (2, 2, 1))])
def test_omnievent_counts_the_events_that_its_mode_says(mode, counts, pipeline):
    result = score([pipeline[0]], [pipeline[1]], "omnievent", mode=mode)
    assert (result.gold, result.predicted, result.matched) == counts
    assert result.tables["mode"] == mode


def test_textee_tells_of_triggers_where_they_are_predicted(pipeline):
    result = score([pipeline[0]], [pipeline[1]], "textee", triggers="predicted")
    measures = {name: tuple(measure["counts"].values()) for name, measure in result.tables["measures"].items()}
    assert measures["trigger_id"] == (3, 3, 2)
    assert measures["trigger_cls"] == (3, 3, 1)
    assert measures["argument_attached_cls"] == (3, 3, 1)
    # Attack at 8–9 was found at another trigger, which AC does not look at; at 6–7 it is there twice.
    assert measures["argument_cls"] == (3, 2, 2)
    assert (result.tables["measure"], result.tables["triggers"]) == ("argument_attached_cls", "predicted")


def test_textee_scores_triggers_alone_by_their_type(pipeline):
    result = score([pipeline[0]], [pipeline[1]], "textee", triggers="alone")
    assert list(result.tables["measures"]) == ["trigger_id", "trigger_cls"]
    assert (result.tables["measure"], result.matched) == ("trigger_cls", 1)


def test_textee_has_no_trigger_scores_on_gold_triggers(pipeline):
    assert "trigger_cls" not in score([pipeline[0]], [pipeline[1]], "textee").tables["measures"]


@pytest.mark.parametrize(("name", "option"), [("textee", "triggers"), ("omnievent", "mode")])
def test_a_way_of_counting_that_there_is_not_is_refused(name, option):
    with pytest.raises(EventuneError, match=f"{option}: expected .* found 'other'"):
        make_scorer(name, **{option: "other"})


def test_wikievents_strips_articles_from_the_gold_only():
    gold = document(arg("attacker", 0, 3))
    assert f1(gold, document(arg("attacker", 1, 3)), "wikievents", "span_c") == 1.0
    assert f1(gold, document(arg("attacker", 0, 3)), "wikievents", "span_c") == 0.0


def test_wikievents_heads_and_coreference():
    heads = [2, 2, 5, 2, 3, 5, 5, 8, 6, 5]
    entity = Entity((Mention(Span(6, 7), "m1"), Mention(Span(8, 9), "m2")), "c1")
    gold = document(arg("attacker", 0, 5), arg("place", 6, 7), entities=[entity])
    predicted = document(arg("attacker", 2, 3), arg("place", 8, 9))
    options = {"heads": lambda _: heads}
    assert f1(gold, predicted, "wikievents", "head_c", **options) == pytest.approx(0.5)
    assert f1(gold, predicted, "wikievents", "head_coref_c", **options) == 1.0
    assert score([gold], [predicted], "wikievents", **options).tables["measure"] == "head_c"


def test_wikievents_has_no_measures_of_coreference_without_clusters():
    gold = document(arg("place", 6, 7), entities=[Entity((Mention(Span(6, 7), "m1"),), "alone")])
    assert score([gold], [gold], "wikievents").tables["measures"].keys() == {"span_i", "span_c"}


def test_wikievents_and_paie_leave_out_what_the_ontology_lacks():
    gold = document(arg("place", 6, 7))
    other = Ontology.of([EventType("attack", (Role("attacker"),))])
    assert score([gold], [gold], "paie", ontology=other).gold == 0
    assert score([gold], [gold], "wikievents", ontology=Ontology.of([EventType("x", ())])).gold == 0


def test_paie_window_counts_gold_outside_as_missed():
    gold = document(arg("attacker", 0, 3), arg("place", 6, 7))
    result = score([gold], [gold], "paie", window=4)
    assert (result.gold, result.predicted, result.matched) == (2, 1, 1)


def test_a_circle_of_heads_ends():
    assert head_of(Span(0, 2), [1, 0]) in (0, 1)


def test_heads_are_read_and_checked(tmp_path):
    path = tmp_path / "heads.jsonl"
    path.write_text('{"doc": "d", "head": [0, 0]}\n')
    with pytest.raises(EventuneError, match="expected 10 heads for document 'd', found 2"):
        read_heads(path)(document())
    path.write_text('{"doc": "d", "head": [5]}\n')
    with pytest.raises(EventuneError, match=r"heads\.jsonl:1: head: expected indices below 1, found 5"):
        read_heads(path)
    path.write_text("[1]\n[2]")
    with pytest.raises(EventuneError, match=r"heads\.jsonl:1"):
        read_heads(path)


def test_a_model_that_is_not_installed_is_named():
    with pytest.raises(EventuneError, match=r"spaCy.*\n.*python -m spacy download no_such_model"):
        spacy_heads("no_such_model")
