"""Label Studio's requests, in the shape in which it sends them."""

from collections import Counter

import pytest
from starlette.testclient import TestClient

from eventune.corpora import read_corpus
from eventune.corpora.label_studio import read_document
from eventune.events import Argument, Event, EventType, Ontology, Role, Span
from eventune.inference.extractor import Extractor
from eventune.serving.annotations import FILE, open_annotations
from eventune.serving.app import make_app
from eventune.serving.arguments import ServeSettings
from eventune.serving.runs import ServedRun

CONFIG = """<View>
  <Relations><Relation value="attacker"/></Relations>
  <Labels name="kind" toName="body"><Label value="attack" background="#cfe6f5"/><Label value="attacker"/></Labels>
  <Text name="body" value="$article"/>
</View>"""
TEXT = "😀 Gunmen shot [[three|x]] soldiers."
PREDICT = {
    "tasks": [
        {"id": 7, "data": {"article": TEXT}, "annotations": [], "predictions": [], "project": 1, "meta": {}},
        {"id": 8, "data": {"article": "Nothing happened."}, "annotations": [], "predictions": [], "project": 1},
    ],
    "model_version": None,
    "project": "1.1764381234",
    "label_config": CONFIG,
    "params": {"login": None, "password": None, "context": None},
}


class Detecting:
    """Stands in for a run: each "shot" is an attack whose attacker is the word before it."""

    detects = finds_arguments = True

    def __init__(self):
        self.ontology = Ontology.of([EventType("attack", (Role("attacker"),))])
        self.counts = Counter()

    def fingerprint(self):
        return "0123456789ab"

    def annotate(self, documents, *, on_batch=None):
        def events(words):
            for n, word in enumerate(words):
                if word == "shot":
                    yield Event(
                        "attack", Span(n, n + 1), (Argument("attacker", Span(n - 1, n), 0.75),), "", (), {"score": 0.25}
                    )

        return [document.with_events(events(document.words)) for document in documents]


@pytest.fixture
def backend(tmp_path):
    with open_annotations(tmp_path) as annotations:
        runs = {"demo": ServedRun("demo", Extractor(Detecting()), {}, "textee", "0123456789ab")}
        with TestClient(
            make_app(runs, ServeSettings(), annotations=annotations), base_url="http://localhost"
        ) as client:
            yield client


def test_it_says_that_it_is_up_and_which_model_it_is(backend):
    assert backend.get("/health").json()["status"] == "UP"
    setup = {"project": "1.17", "schema": CONFIG, "hostname": "http://ls", "access_token": "t", "extra_params": None}
    assert backend.post("/setup", json=setup).json() == {"model_version": "0123456789ab"}


def test_tasks_are_predicted_by_the_names_of_the_project(backend):
    first, second = backend.post("/predict", json=PREDICT).json()["results"]
    assert second == {"model_version": "0123456789ab", "score": 0.0, "result": []}
    assert (first["model_version"], first["score"]) == ("0123456789ab", 0.5)
    regions = {each["value"]["labels"][0]: each for each in first["result"] if each["type"] == "labels"}
    assert {label: (each["value"]["text"], each["score"]) for label, each in regions.items()} == {
        "attack": ("shot", 0.25),
        "attacker": ("Gunmen", 0.75),
    }
    for each in regions.values():
        assert (each["from_name"], each["to_name"]) == ("kind", "body")
        assert TEXT[each["value"]["start"] : each["value"]["end"]] == each["value"]["text"]
    [relation] = [each for each in first["result"] if each["type"] == "relation"]
    assert (relation["from_id"], relation["to_id"]) == (regions["attack"]["id"], regions["attacker"]["id"])
    assert (relation["labels"], relation["direction"]) == (["attacker"], "right")


def test_labels_that_the_project_lacks_are_left_out_with_their_relations(backend):
    config = CONFIG.replace('<Label value="attacker"/>', "")
    [first, _] = backend.post("/predict", json={**PREDICT, "label_config": config}).json()["results"]
    assert [each["type"] for each in first["result"]] == ["labels"]


def test_labels_are_those_of_the_tags_that_have_them(backend):
    config = """<View>
      <Labels name="trigger" toName="text"><Label value="attack"/></Labels>
      <Labels name="label" toName="text"><Label value="attacker"/></Labels>
      <Text name="text" value="$article"/>
    </View>"""
    [first, _] = backend.post("/predict", json={**PREDICT, "label_config": config}).json()["results"]
    tags = {each["value"]["labels"][0]: each["from_name"] for each in first["result"] if each["type"] == "labels"}
    assert tags == {"attack": "trigger", "attacker": "label"}


def test_a_prediction_that_is_accepted_comes_back_as_the_same_events(backend, tmp_path):
    prediction = backend.post(
        "/predict",
        json={
            **PREDICT,
            "label_config": CONFIG.replace("$article", "$text"),
            "tasks": [{"id": 7, "data": {"text": TEXT}}],
        },
    ).json()["results"][0]
    annotation = {"id": 3, "result": prediction["result"], "was_cancelled": False, "ground_truth": False}
    event = {
        "action": "ANNOTATION_CREATED",
        "project": {"id": 1, "label_config": CONFIG.replace("$article", "$text")},
        "annotation": annotation,
        "task": {"id": 7, "data": {"text": TEXT}},
    }

    response = backend.post("/webhook", json=event)

    assert (response.status_code, response.json()) == (201, {"result": {"ids": ["7"]}, "status": "saved"})
    [saved] = read_corpus(tmp_path / FILE, "jsonl").documents
    assert saved == read_document({"id": 7, "data": {"text": TEXT}, "annotations": [annotation]})
    [found] = saved.events
    assert (found.type, saved.text_of(found.trigger)) == ("attack", "shot")
    assert [(a.role, saved.text_of(a.span)) for a in found.arguments] == [("attacker", "Gunmen")]


def webhook(action, task, annotation):
    """What Label Studio tells of an annotation, as far as it is read."""
    return {
        "action": action,
        "project": {"id": 1, "title": "events", "label_config": CONFIG, "task_number": 2},
        "task": task,
        "annotation": annotation,
    }


def annotated(id, text, **more):
    value = {"start": 0, "end": 4, "text": text[:4], "labels": ["attack"]}
    region = {"id": "r1", "type": "labels", "from_name": "trigger", "to_name": "body", "origin": "manual"}
    task = {"id": id, "data": {"article": text}, "project": 1, "is_labeled": True}
    return task, {"id": id + 90, "task": id, "result": [{**region, "value": value}], "was_cancelled": False, **more}


def test_a_text_in_another_field_is_saved(backend, tmp_path):
    backend.post("/webhook", json=webhook("ANNOTATION_UPDATED", *annotated(7, "Shot dead."))).raise_for_status()
    [saved] = read_corpus(tmp_path / FILE, "jsonl").documents
    assert (saved.text, [event.type for event in saved.events]) == ("Shot dead.", ["attack"])


def labelled(tag, *labels):
    """A project's annotation of the text's first word and second word, each with a label of a tag."""
    results = []
    for number, label in enumerate(labels):
        value = {"start": 5 * number, "end": 5 * number + 4, "labels": [label]}
        results.append({"id": f"r{number}", "type": "labels", "from_name": tag, "to_name": "body", "value": value})
    task = {"id": 7, "data": {"article": "Shot dead."}}
    return task, {"id": 97, "task": 7, "result": results, "was_cancelled": False}


@pytest.mark.parametrize(
    ("tags", "tag", "labels", "events"),
    [
        ({"event": ["attack"], "role": ["attacker"]}, "event", ["attack"], ["attack"]),
        # A type that the run does not know stands in the tag of those that it does.
        ({"event": ["attack", "meet"], "role": ["attacker"]}, "event", ["meet"], ["meet"]),
        ({"event": ["attack"], "role": ["attacker", "victim"]}, "role", ["attacker", "victim"], []),
        ({"kind": ["attack", "attacker", "victim"]}, "kind", ["attack", "victim"], ["attack"]),
        # A role that is called like a type is none.
        ({"event": ["attack"], "role": ["attacker", "attack"]}, "role", ["attack"], []),
    ],
)
def test_triggers_without_arguments_are_events_whatever_their_tag_is_called(
    backend, tmp_path, tags, tag, labels, events
):
    config = "".join(
        f'<Labels name="{name}" toName="body">{"".join(f"<Label value={label!r}/>" for label in of_tag)}</Labels>'
        for name, of_tag in tags.items()
    )
    told = webhook("ANNOTATION_CREATED", *labelled(tag, *labels))
    told["project"]["label_config"] = f'<View>{config}<Text name="body" value="$article"/></View>'
    backend.post("/webhook", json=told).raise_for_status()
    [saved] = read_corpus(tmp_path / FILE, "jsonl").documents
    assert [event.type for event in saved.events] == events
    assert len(saved.events) + len(saved.entities) == len(labels)


def test_annotations_that_are_made_together_are_saved(backend, tmp_path):
    tasks, annotations = zip(annotated(7, "Shot dead."), annotated(8, "Fire at sea."), strict=True)
    response = backend.post("/webhook", json=webhook("ANNOTATIONS_CREATED", tasks, annotations))
    assert response.json() == {"result": {"ids": ["7", "8"]}, "status": "saved"}
    assert [saved.id for saved in read_corpus(tmp_path / FILE, "jsonl").documents] == ["7", "8"]


def test_a_skipped_task_is_not_saved(backend, tmp_path):
    task, annotation = annotated(7, "Shot dead.", was_cancelled=True)
    response = backend.post("/webhook", json=webhook("ANNOTATION_CREATED", task, annotation))
    assert response.json() == {"result": {"ids": []}, "status": "saved"}
    assert not (tmp_path / FILE).read_text(encoding="utf-8")


def test_tasks_and_annotations_must_be_as_many(backend):
    task, annotation = annotated(7, "Shot dead.")
    response = backend.post("/webhook", json=webhook("ANNOTATIONS_CREATED", [task], [annotation] * 2))
    assert response.status_code == 422
    assert response.json()["error"]["message"] == "annotation: expected one for each of 1 tasks, found 2"


@pytest.mark.parametrize("action", ["ANNOTATIONS_DELETED", "PROJECT_UPDATED", "TASKS_CREATED", "START_TRAINING"])
def test_other_actions_are_heard(backend, action):
    response = backend.post("/webhook", json={"action": action, "project": {"id": 1}})
    assert (response.status_code, response.json()) == (201, {"result": {}, "status": "heard"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label_config": "<View>"}, "label_config: expected XML, found"),
        (
            {"label_config": '<!DOCTYPE x [<!ENTITY a "b">]><View/>'},
            "label_config: expected XML without a document type",
        ),
        ({"label_config": "<View/>"}, "label_config: expected Labels of a Text, found none"),
        ({"tasks": [{"id": 1, "data": {"text": "x"}}]}, "tasks.data.article: expected a text, found NoneType"),
        ({"tasks": []}, "tasks: expected 1 to 256 documents, found 0"),
    ],
)
def test_what_is_wrong_is_told(backend, change, message):
    response = backend.post("/predict", json={**PREDICT, **change})
    assert response.status_code == 422
    assert response.json()["error"]["message"].startswith(message)
