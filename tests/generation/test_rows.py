"""Reading rows of prompt and response."""

import csv
import json

import pytest
from transformers import HfArgumentParser

from eventune.errors import EventuneError
from eventune.generation.arguments import DataTrainingArguments
from eventune.generation.conversation import Message
from eventune.generation.rows import Columns, HubSplit, group_references, read_rows

ALPACA = {"instruction": "Translate", "input": "你好", "output": "Hello"}
MESSAGES = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
        {"role": "assistant", "content": "d"},
    ]
}
TAGS = Columns("content", "summary")


def write(path, *rows) -> str:
    """A file of JSON lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def turns(row) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in row.messages]


def test_named_columns_give_prompt_response_and_untrained_history(tmp_path) -> None:
    path = write(tmp_path / "rows.json", {"q": "third", "a": "answer", "h": [["first", "second"]]})
    (row,) = read_rows(path, columns=Columns("q", "a", "h"), source_prefix="Say: ")
    assert row.messages == (
        Message("user", "first"),
        Message("assistant", "second"),
        Message("user", "Say: third"),
        Message("assistant", "answer", is_trained=True),
    )
    assert row.references == ("answer",)


def test_alpaca_rows_are_found_by_their_columns(tmp_path) -> None:
    more = {**ALPACA, "input": "", "system": "Be kind.", "history": [["x", "y"]]}
    plain, rich = read_rows(write(tmp_path / "rows.jsonl", ALPACA, more))
    assert turns(plain) == [("user", "Translate\n你好"), ("assistant", "Hello")]
    assert turns(rich) == [
        ("system", "Be kind."),
        ("user", "x"),
        ("assistant", "y"),
        ("user", "Translate"),
        ("assistant", "Hello"),
    ]
    assert [message.is_trained for message in rich.messages] == [False, False, False, False, True]


def test_all_answers_of_messages_and_sharegpt_are_trained(tmp_path) -> None:
    names = {"system": "system", "user": "human", "assistant": "gpt"}
    shared = [{"from": names[turn["role"]], "value": turn["content"]} for turn in MESSAGES["messages"]]
    (row,) = read_rows(write(tmp_path / "a.jsonl", MESSAGES))
    (same,) = read_rows(write(tmp_path / "b.jsonl", {"conversations": shared}))
    assert row == same
    assert [message.is_trained for message in row.messages] == [False, False, True, False, True]
    assert row.response == "d"


@pytest.mark.parametrize("layout", ["array", "lines", "csv", "parquet", "hub"])
def test_all_kinds_of_files_give_the_same_rows(tmp_path, monkeypatch, layout) -> None:
    rows = [{"content": f"tags {n}, “{n}”\n", "summary": f"广告 {n}"} for n in range(5)]
    path = tmp_path / f"rows.{layout}"
    if layout == "array":
        path = tmp_path / "rows.json"
        path.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    elif layout == "csv":
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, ["content", "summary"])
            writer.writeheader()
            writer.writerows(rows)
    elif layout == "parquet":
        arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        parquet.write_table(arrow.Table.from_pylist(rows), path)
    else:
        path = tmp_path / "rows.jsonl"
        write(path, *rows)
    source = path
    if layout == "hub":
        datasets = pytest.importorskip("datasets")
        datasets.disable_progress_bars()
        monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / ".cache"))
        source = HubSplit(str(tmp_path), "train")
    found = read_rows(source, columns=TAGS)
    assert [turns(row) for row in found] == [[("user", r["content"]), ("assistant", r["summary"])] for r in rows]
    assert len(read_rows(source, columns=TAGS, max_rows=2)) == 2


def test_a_cell_of_csv_holds_history_as_json(tmp_path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('q,a,h\nc,d,"[[""a"", ""b""]]"\nc,d,\n', encoding="utf-8")
    first, second = read_rows(path, columns=Columns("q", "a", "h"))
    assert turns(first) == [("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")]
    assert turns(second) == [("user", "c"), ("assistant", "d")]


def test_rows_without_response_can_be_asked_but_not_trained_on(tmp_path) -> None:
    asked = [
        ({"messages": MESSAGES["messages"][:4]}, "a response as its last turn, found none"),
        ({**ALPACA, "output": ""}, "output: expected a text, found an empty one"),
    ]
    for row, message in asked:
        path = write(tmp_path / "rows.jsonl", row)
        (found,) = read_rows(path, needs_response=False)
        assert found.response == ""
        assert found.references == ()
        with pytest.raises(EventuneError, match=message):
            read_rows(path)
    path = write(tmp_path / "rows.jsonl", {"q": "a"})
    (found,) = read_rows(path, columns=Columns("q", "response"), needs_response=False)
    assert turns(found) == [("user", "a")]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"content": "a", "summary": " "}, "summary: expected a text, found an empty one"),
        ({"content": "", "summary": "b"}, "content: expected a text, found an empty one"),
        ({"content": 3, "summary": "b"}, "content: expected a text, found the value 3"),
        ({"content": ["a"], "summary": "b"}, "content: expected a text, found a list"),
        ({"content": None, "summary": "b"}, "content: expected a text, found nothing"),
        ({"content": "a"}, "row: expected the column 'summary', found content"),
        (["a", "b"], "row: expected an object of columns, found a list"),
        ("text", "row: expected an object of columns, found a str"),
    ],
)
def test_a_row_of_no_use_is_named_with_its_place(tmp_path, row, message) -> None:
    good = {"content": "a", "summary": "b"}
    path = write(tmp_path / "rows.jsonl", good, row, good, row)
    with pytest.raises(EventuneError) as caught:
        read_rows(path, columns=TAGS)
    assert caught.value.message == f"{path}:2 (row 2): {message}"
    assert caught.value.hint.endswith("1 more rows are of no use: 4")


@pytest.mark.parametrize(
    ("turns_of_row", "message"),
    [
        ([("user", "a"), ("user", "b")], "turn 2: expected the role assistant, found user"),
        ([("assistant", "a")], "turn 1: expected the role user, found assistant"),
        ([("system", "s"), ("assistant", "a")], "turn 2: expected the role user, found assistant"),
        ([("system", "s")], "row: expected a turn of the user, found none"),
        ([("tool", "a")], r"messages\[0\].role: expected system or user or assistant, found 'tool'"),
        ([("user", "")], r"messages\[0\].content: expected a text, found an empty one"),
        ([], "messages: expected a list of turns, found an empty list"),
    ],
)
def test_roles_must_alternate(tmp_path, turns_of_row, message) -> None:
    row = {"messages": [{"role": role, "content": content} for role, content in turns_of_row]}
    with pytest.raises(EventuneError, match=rf"rows.jsonl:1 \(row 1\): {message}"):
        read_rows(write(tmp_path / "rows.jsonl", row))


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ("a", "h: expected a list of \\[question, answer\\], found 'a'"),
        ([["a"]], "h\\[0\\]: expected \\[question, answer\\], found 1 values"),
        ([["a", 3]], "h\\[0\\]\\[1\\]: expected a text, found the value 3"),
        ({"a": "b"}, "h: expected a list of \\[question, answer\\], found an object"),
    ],
)
def test_history_must_be_pairs(tmp_path, history, message) -> None:
    path = write(tmp_path / "rows.jsonl", {"q": "a", "a": "b", "h": history})
    with pytest.raises(EventuneError, match=message):
        read_rows(path, columns=Columns("q", "a", "h"))


def test_a_missing_column_names_those_that_are_there(tmp_path) -> None:
    path = write(tmp_path / "rows.jsonl", {"content": "a", "summary": "b"})
    with pytest.raises(EventuneError, match="expected the column 'sumary', found content, summary") as caught:
        read_rows(path, columns=Columns("content", "sumary"))
    assert caught.value.hint == "did you mean 'summary'?"
    with pytest.raises(EventuneError, match="found content, summary\nname the columns: prompt_column"):
        read_rows(path)


def test_files_that_hold_no_rows_are_named(tmp_path) -> None:
    empty, broken = tmp_path / "empty.json", tmp_path / "broken.json"
    empty.write_text("[]", encoding="utf-8")
    broken.write_text('{"content": "a", "summary": "b"}\n{"content": \n', encoding="utf-8")
    with pytest.raises(EventuneError, match=r"empty.json: expected rows, found none"):
        read_rows(empty)
    with pytest.raises(EventuneError, match=r"broken.json:2 \(row 2\): line: expected one JSON object, found broken"):
        read_rows(broken, columns=TAGS)
    with pytest.raises(EventuneError, match="no such file"):
        read_rows(tmp_path / "none.json")
    (tmp_path / "rows.txt").write_text("a||b\nno bars\n", encoding="utf-8")
    with pytest.raises(EventuneError, match=r"rows.txt:2 \(row 2\): line: expected mr\|\|text, found no"):
        read_rows(tmp_path / "rows.txt")
    (tmp_path / "rows.csv").write_text("content,summary\na\n", encoding="utf-8")
    with pytest.raises(EventuneError, match=r"rows.csv:2 \(row 1\): line: expected 2 values"):
        read_rows(tmp_path / "rows.csv", columns=TAGS)
    (tmp_path / "rows.parquet").write_bytes(b"PAR1 no")
    pytest.importorskip("pyarrow")
    with pytest.raises(EventuneError, match=r"rows.parquet: expected Parquet"):
        read_rows(tmp_path / "rows.parquet", columns=TAGS)


def test_references_of_equal_prompts_are_merged_in_order(tmp_path) -> None:
    path = tmp_path / "rows.txt"
    path.write_text("a||one\nb||two\na||three \na||one\n", encoding="utf-8")
    first, second = group_references(read_rows(path))
    assert (first.prompt[0].content, first.references) == ("a", ("one", "three"))
    assert (second.prompt[0].content, second.references) == ("b", ("two",))


@pytest.mark.parametrize(
    ("name", "columns", "count", "groups"),
    [
        ("advertisegen/train_5000.jsonl", TAGS, 5000, None),
        ("advertisegen/dev_500.jsonl", TAGS, 500, None),
        ("e2e/valid.txt", Columns(), 4672, 547),
        ("chat/self_cognition.json", Columns(), 80, None),
        ("chat/oaast_sft_zh.json", Columns(), 689, None),
    ],
)
def test_published_files_are_read(corpora_folder, name, columns, count, groups) -> None:
    path = corpora_folder / name
    if not path.is_file():
        pytest.skip(f"needs {path}; set EVENTUNE_CORPORA to the folder that holds {name}")
    rows = read_rows(path, columns=columns)
    assert len(rows) == count
    if groups is not None:
        assert len(group_references(rows)) == groups
        assert sum(len(row.references) for row in group_references(rows)) == len({r.messages for r in rows})


def test_the_notes_command_line_is_parsed() -> None:
    flags = "--train_file a.json --prompt_column content --response_column summary --max_source_length 64"
    (found,) = HfArgumentParser(DataTrainingArguments).parse_args_into_dataclasses(
        [*flags.split(), "--overwrite_cache"]
    )
    assert (found.train_file, found.max_source_length, found.overwrite_cache) == ("a.json", 64, True)
    assert (found.max_train_samples, found.generated_length) == (None, 128)


def test_settings_out_of_range_are_all_reported(tmp_path) -> None:
    settings = DataTrainingArguments(
        train_file=str(tmp_path / "none.json"), response_column="a", max_source_length=0, chat_template="qwen"
    )
    settings.ignore_pad_token_for_loss = False
    fields = [problem.field for problem in settings.problems()]
    assert fields == [
        "train_file",
        "response_column",
        "max_source_length",
        "ignore_pad_token_for_loss",
        "chat_template",
    ]
    assert [problem.field for problem in DataTrainingArguments().problems()] == ["train_file"]
    (tmp_path / "rows.json").touch()
    fine = DataTrainingArguments(train_file=str(tmp_path / "rows.json"), prompt_column="q", response_column="a")
    assert list(fine.problems()) == []
