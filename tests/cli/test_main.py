"""The command line as a whole."""

import io
import json
import subprocess
import sys
import time

import pytest

import eventune
from eventune.cli import VERBS, build_parser, main
from eventune.errors import EventuneError

ALL_COMMANDS = [[], *([verb] for verb in VERBS), ["data", "check"], ["data", "stats"]]


@pytest.mark.parametrize("words", ALL_COMMANDS, ids=" ".join)
def test_every_command_has_a_help_that_fits_80_columns(words, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    found = run(*words, "--help")
    assert found.code == 0
    assert found.err == ""
    assert found.out.startswith(f"usage: {' '.join(['eventune', *words])}")
    assert max(map(len, found.out.splitlines())) <= 80


@pytest.mark.parametrize("words", ALL_COMMANDS, ids=" ".join)
def test_every_help_is_shown_on_a_narrow_terminal(words, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert run(*words, "--help").code == 0


def test_overview_names_every_command_with_what_it_does(run):
    lines = [line.split(maxsplit=1) for line in run("--help").out.splitlines()]
    for verb, summary in VERBS.items():
        assert [verb, summary] in lines


def test_names_that_are_loaded_when_they_are_used_are_listed():
    code = "import eventune, eventune.adapters as a; print(*dir(eventune), *dir(a)); import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names, modules = (set(line.split()) for line in done.stdout.splitlines())
    assert names >= {"Extractor", "train", "Recipe", "attach", "__version__"}
    assert "torch" not in modules


def test_version_is_the_packages(run):
    assert run("--version").out == f"eventune {eventune.__version__}\n"


def loaded_modules(*words):
    """Run a command in a process of its own and return the modules that it loaded."""
    code = (
        "import sys\nfrom eventune.cli import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["extract", "--help"], ["evaluate", "--help"]])
def test_help_loads_no_model_library(words):
    assert not loaded_modules(*words) & {"torch", "transformers", "peft", "scipy", "matplotlib"}


MODEL_LIBRARIES = {"torch", "transformers", "peft", "bitsandbytes", "datasets"}
SAMPLE = ["--train_file", "sample:train", "--dev_file", "sample:dev"]
EARLY_ERRORS = {
    "no recipe": (["train", "absent.yaml"], "absent.yaml: no such recipe"),
    "a wrong setting": (["train", *SAMPLE, "--output_dir", "new", "--lora_r", "0"], "lora_r: expected"),
    "a missing corpus": (["train", "--train_file", "absent.jsonl", "--output_dir", "new"], "found absent.jsonl"),
    "a folder in use": (["train", *SAMPLE, "--output_dir", "."], "output_dir: . exists and is not empty"),
    "an unknown model": (
        ["train", *SAMPLE, "--output_dir", "new", "--model_name_or_path", "minilmm"],
        "model 'minilmm' was not found",
    ),
    "nobody to talk to": (["chat", "smolm2"], "model 'smolm2' was not found"),
    "no settings": (["sft", "absent.json"], "absent.json: no such file of settings"),
    "nothing to merge": (["merge", "absent", "new"], "absent: no such run directory"),
    "a merged model that is there": (["merge", "absent", "corpus.jsonl"], "corpus.jsonl: exists already"),
    "no output": (["extract", "absent", "corpus.jsonl", "--output_format", "brat"], "expected -o beside it"),
    "nothing to extract with": (["extract", "absent", "--text", "They [[won|x]]."], "absent: no such run directory"),
    "no gold": (["evaluate", "absent", "--test_file", "absent.jsonl"], "absent.jsonl: no such file"),
    "nothing to evaluate": (["evaluate", "absent", "--test_file", "corpus.jsonl"], "absent: no such run directory"),
    "nothing to inspect": (["inspect", "absent"], "model 'absent' was not found"),
    "nothing to ask": (["chat", "absent", "--json"], "--json: expected --once TEXT"),
    "nothing to compare": (["compare", "absent.yaml", "--arms", "full"], "absent.yaml: no such recipe"),
    "an unknown arm": (["compare", "recipe.yaml", "--arms", "lorra"], "did you mean 'lora'"),
}


@pytest.fixture(scope="module")
def early_errors(small_corpus, tmp_path_factory):
    """What each of `EARLY_ERRORS` printed, and the model libraries that were loaded by then, in one process."""
    folder = tmp_path_factory.mktemp("early")
    (folder / "corpus.jsonl").write_bytes((small_corpus / "dev.jsonl").read_bytes())
    (folder / "recipe.yaml").write_text("train_file: sample:train\n")
    code = (
        "import contextlib, io, json, sys\nfrom eventune.cli import main\n"
        "for name, (words, _) in json.loads(sys.argv[1]).items():\n"
        "    printed = io.StringIO()\n"
        "    with contextlib.redirect_stderr(printed), contextlib.redirect_stdout(printed):\n"
        "        code = main(words)\n"
        "    print(json.dumps([name, code, printed.getvalue(), list(sys.modules)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(EARLY_ERRORS)], capture_output=True, text=True, check=True, cwd=folder
    )
    return {name: (code, text, set(modules)) for name, code, text, modules in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("name", EARLY_ERRORS)
def test_settings_and_paths_are_checked_before_model_libraries_are_loaded(name, early_errors):
    code, printed, modules = early_errors[name]
    assert code == 2
    assert EARLY_ERRORS[name][1] in printed
    assert not modules & MODEL_LIBRARIES


def test_the_overview_takes_less_than_half_a_second():
    def seconds():
        start = time.monotonic()
        subprocess.run([sys.executable, "-m", "eventune", "--help"], check=True, capture_output=True)
        return time.monotonic() - start

    # The best of three: a busy machine is no fault of the program.
    assert min(seconds() for _ in range(3)) < 0.5


@pytest.mark.parametrize("words", [[], ["trian"], ["--jsn"], ["train", "recipe.yaml", "left", "over"]])
def test_unknown_commands_and_words_are_refused_with_the_usage(words, run):
    found = run(*words)
    assert found.code == 2
    assert found.out == ""
    assert found.err.startswith("usage: eventune")


def test_an_unknown_command_is_answered_with_the_known_ones(run):
    assert all(verb in run("trian").err for verb in VERBS)


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        (["train", "--learning_rat"], "--learning_rate"),
        (["score", "--gold", "g", "--predictions", "p", "--scorers", "rams"], "--scorer"),
        (["extract", "run", "--txt", "Hello"], "--text"),
        (["data", "check", "f", "--other_files", "g"], "--other_file"),
    ],
)
def test_an_unknown_flag_is_answered_with_the_closest_one(words, flag, run):
    found = run(*words)
    assert found.code == 2
    assert "unrecognized arguments: --" in found.err
    assert f"did you mean '{flag}'?" in found.err


def test_errors_are_one_message_and_a_hint_on_stderr(run, monkeypatch):
    def fails(arguments):
        raise EventuneError("f: expected a, found b", "do c")

    monkeypatch.setattr("eventune.cli.data.check.run", fails)
    found = run("data", "check", "f")
    assert (found.code, found.out, found.err) == (2, "", "error: f: expected a, found b\nhint: do c\n")


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["data", "check", "absent.jsonl"], "absent.jsonl: no such file", "check the path; "),
        (["train", "--lora_r", "0"], "flags: 3 settings are wrong:", ""),
        (["score", "--gold", "g", "--scorer", "rams"], "the following arguments are required: --predictions", ""),
        (["data", "chek"], "invalid choice: 'chek'", ""),
    ],
)
def test_with_json_an_error_is_an_object_on_stdout_and_a_message_on_stderr(words, message, hint, run):
    found = run(*words, "--json")
    assert found.code == 2
    error = json.loads(found.out)["error"]
    assert error.keys() == {"message", "hint"}
    assert message in error["message"]
    assert error["hint"].startswith(hint)
    assert message in found.err
    assert run(*words).out == ""


def test_what_a_library_that_stops_says_is_an_object_as_well(run, monkeypatch):
    class PanicException(BaseException):
        """Is called as that of the tokenizers' library is."""

    def stops(arguments):
        raise PanicException("too\nlong")

    monkeypatch.setattr("eventune.cli.data.check.run", stops)
    found = run("data", "check", "f", "--json")
    assert found.code == 2
    assert json.loads(found.out)["error"]["message"] == "a library stopped: too long"
    assert "a library stopped" in found.err


def test_an_error_is_json_where_standard_output_has_other_characters(monkeypatch):
    stream = io.BytesIO()
    stdout = io.TextIOWrapper(stream, encoding="latin-1")
    monkeypatch.setattr("sys.stdout", stdout)
    assert main(["data", "check", "é\U0001f600.jsonl", "--json"]) == 2
    stdout.flush()
    assert "é\U0001f600.jsonl" in json.loads(stream.getvalue())["error"]["message"]


def test_an_interruption_gives_the_shells_exit_code(run, monkeypatch):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("eventune.cli.data.check.run", interrupted)
    found = run("data", "check", "f")
    assert (found.code, found.err) == (130, "interrupted\n")


def test_a_reader_that_goes_away_is_no_error(small_corpus):
    command = [sys.executable, "-m", "eventune", "data", "stats", str(small_corpus / "train.jsonl"), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        errors = process.stderr.read()
    assert errors == b""
    assert process.returncode == 0


def test_paths_with_brackets_and_colons_are_printed_as_they_are(run, small_corpus, tmp_path):
    path = tmp_path / "[bold]:smile:[x].jsonl"
    path.write_bytes((small_corpus / "dev.jsonl").read_bytes())
    out = run("data", "stats", path).out
    assert "[bold]:smile:[x].jsonl" in out.replace("\n", "")


def test_main_takes_the_processs_own_arguments(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["eventune", "--version"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.startswith("eventune ")


def test_a_parser_can_be_used_twice_and_keeps_nothing_of_the_first_time():
    parser = build_parser("compare")
    first = parser.parse_args(["compare", "r.yaml", "--arms", "full", "--lora_r", "4"])
    assert parser.parse_args(["compare", "r.yaml", "--arms", "full"]).unknown == {}
    assert first.unknown == {"lora_r": "4"}
    parser = build_parser("sft")
    assert parser.parse_args(["sft", "a.json", "--seed", "1"]).words == ["a.json", "--seed", "1"]
    assert parser.parse_args(["sft"]).words == []


class PanicException(BaseException):
    """What the tokenizers' library raises; it is no Exception."""


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_a_library_that_panics_is_one_error(refused, monkeypatch, flags):
    def panicking(_):
        raise PanicException("called `unwrap()` on\nan `Err` value")

    monkeypatch.setattr("eventune.cli.recipes.run", panicking)
    message = refused("recipes", *flags)
    assert message.startswith("error: a library stopped: called `unwrap()` on an `Err` value\nhint: ")
