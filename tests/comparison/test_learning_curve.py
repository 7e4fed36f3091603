"""Arms that differ in how much they are trained on."""

from eventune.comparison.arms import parse_arms
from eventune.comparison.comparing import Options, run_comparison
from eventune.comparison.table import rows_of


def test_arms_with_different_shares_of_the_documents_are_a_learning_curve(base, tmp_path):
    arms = parse_arms("lora:train_fraction=0.25,lora:train_fraction=0.5,lora")
    result = run_comparison(base, arms, tmp_path, Options(), title="learning curve")

    assert [arm["mean"]["train_documents"] for arm in result["arms"]] == [10, 20, 40]
    heads, rows = rows_of(result)
    place = heads.index("training documents")
    assert [row[place] for row in rows] == ["10", "20", "40"]
    assert (tmp_path / "pictures" / "f1-train_documents.svg").is_file()


def test_arms_that_are_trained_on_the_same_say_nothing_of_it(finished):
    folder, result = finished
    assert "training documents" not in rows_of(result)[0]
    assert not list(folder.rglob("*train_documents*"))
