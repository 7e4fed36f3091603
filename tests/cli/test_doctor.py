"""`eventune doctor`."""

import io
import json
import subprocess
import sys
from dataclasses import replace

import pytest

from eventune.doctor import machine as facts
from eventune.doctor.packages import Package

GIB = 2**30
MESSAGE = "AttributeError: 'DataParallel' object has no attribute 'config'"
HEALTHY = facts.Machine(
    eventune="0.1.0",
    python="3.11.7",
    platform="Linux",
    packages={"torch": Package("2.13.0", ">=2.6", optional=False), "vllm": Package(None)},
    environment={"OMP_NUM_THREADS": "2"},
    processor=facts.Processor("Some [bold] CPU", ("avx2",), 4, 8, 8),
    memory=facts.Memory(64 * GIB, 32 * GIB, 30 * GIB),
    driver="",
    torch=facts.Torch("2.13.0", "CPU", 4, (), mps=False, complaint=""),
    precisions=(
        facts.Precision("cpu", "bfloat16", True, False, ""),
        facts.Precision("cpu", "float16", False, None, "no"),
    ),
    bitsandbytes={"cpu": ""},
    hub=facts.Hub("https://hub.example", True, "/cache", GIB, False, None, ""),
    disks=(facts.Disk("working folder", "/runs", 50 * GIB, 100 * GIB),),
    packaged_models={"minilm": True, "other": False},
)


@pytest.fixture
def doctor(run, monkeypatch):
    """Runs the verb on a wide terminal unless a test narrows it."""
    monkeypatch.setenv("COLUMNS", "120")
    return lambda *words: run("doctor", *words)


@pytest.fixture
def on_machine(monkeypatch):
    """Puts a made-up machine in place of this one."""

    def put(machine):
        monkeypatch.setattr(facts, "inspect_machine", lambda *, network: machine)

    return put


def test_a_message_is_explained_with_cause_cure_and_threads(doctor):
    found = doctor("--error", MESSAGE)
    assert found.code == 0
    lines = found.out.splitlines()
    assert lines[0] == "data-parallel"
    assert MESSAGE in lines[1]
    assert "  cause: " in found.out
    assert "  fix: Call `get_peft_model` first" in found.out
    assert "transformers#30445" in found.out
    assert found.err == ""


def test_a_log_file_is_explained_with_line_numbers_and_counts(doctor, tmp_path):
    log = tmp_path / "train.log"
    log.write_bytes(b"\xff\xfe start\n" + f"{MESSAGE}\n".encode() * 3)
    found = doctor("--error", log)
    assert found.code == 0
    assert found.out.startswith("data-parallel (line 2, and on 2 more)\n")


def test_standard_input_is_read_whatever_its_bytes(doctor, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\n" + MESSAGE.encode()), encoding="utf-8"))
    result = json.loads(doctor("--error", "-", "--json").out)
    assert (result["source"], result["matches"][0]["line_number"]) == ("standard input", 2)


def test_json_is_one_object_with_all_that_is_known(doctor):
    found = doctor("--error", MESSAGE, "--json")
    assert found.out.count("\n") == 1
    (match,) = json.loads(found.out)["matches"]
    assert match.keys() == {"line_number", "line", "count", "name", "pattern", "cause", "fix", "threads"}
    assert (match["name"], match["line"], match["count"]) == ("data-parallel", MESSAGE, 1)


@pytest.mark.parametrize("text", ["never heard of", "x" * 10_000, "nul\0byte"])
def test_an_unknown_message_is_no_failure_and_has_a_next_step(text, doctor):
    found = doctor("--error", text)
    assert found.code == 0
    assert "no known message was found" in found.out
    assert "Next: give the whole traceback" in found.out
    assert json.loads(doctor("--error", text, "--json").out) == {"source": "message", "matches": []}


@pytest.mark.parametrize("text", ["absent.log", "runs/absent", "/absent/train.txt"])
def test_what_looks_like_a_file_that_is_not_there_is_refused(text, doctor):
    found = doctor("--error", text)
    assert found.code == 2
    assert f"--error: {text}: no such file" in found.err


def test_an_empty_text_and_a_folder_are_refused(doctor, tmp_path):
    assert "expected a message or a file, found nothing" in doctor("--error", " ").err
    found = doctor("--error", tmp_path)
    assert found.code == 2
    assert "found the folder" in found.err


def test_an_error_is_explained_without_a_look_at_the_machine(doctor, on_machine, monkeypatch):
    monkeypatch.setattr(facts, "inspect_machine", lambda **options: pytest.fail("the machine was looked at"))
    assert doctor("--error", MESSAGE).code == 0
    assert doctor("--error", MESSAGE, "--network").code == 2


def test_a_healthy_machine_is_described_and_passes(doctor, on_machine):
    on_machine(HEALTHY)
    found = doctor()
    assert found.code == 0
    lines = [line.rstrip() for line in found.out.splitlines()]
    rows = {line[:15].strip(): line[15:] for line in lines}
    assert rows["packages"] == "torch 2.13.0"
    assert rows["not installed"] == "vllm"
    assert rows["environment"] == "OMP_NUM_THREADS=2"
    assert rows["CPU"] == "Some [bold] CPU, avx2"
    assert rows["memory"] == "30.0 free of 32.0 GiB"
    assert rows["precision"] == "cpu bfloat16 works, but slow; cpu float16 fails: no"
    assert "offline by HF_HUB_OFFLINE: not asked" in rows["hub"]
    assert rows["models"] == "minilm, other (not installed)"
    assert lines[-1] == "No combination here is known to fail."


def test_a_gpu_is_described(doctor, on_machine):
    gpu = facts.Device("Big GPU", "8.0", 80 * GIB)
    torch = replace(HEALTHY.torch, built_for="CUDA 12.8", devices=(gpu,))
    on_machine(replace(HEALTHY, torch=torch, driver="550.54"))
    assert "for CUDA 12.8, 4 threads, Big GPU (8.0, 80 GiB)" in " ".join(doctor().out.split())


def test_an_error_among_the_findings_is_exit_code_1_and_a_warning_is_not(doctor, on_machine):
    on_machine(replace(HEALTHY, memory=facts.Memory(GIB, GIB, None)))
    found = doctor()
    assert found.code == 0
    assert "warning: 1.0 GiB of memory" in found.out
    on_machine(replace(HEALTHY, torch=facts.Failure("OSError: libcudart")))
    found = doctor()
    assert found.code == 1
    assert "error: torch cannot be imported: OSError: libcudart" in found.out
    assert "unknown: OSError: libcudart" in found.out


def test_json_of_a_machine_is_one_object_with_facts_and_findings(doctor, on_machine):
    on_machine(replace(HEALTHY, memory=facts.Memory(GIB, GIB, None), driver=facts.Failure("OSError: no")))
    found = doctor("--json")
    assert found.out.count("\n") == 1
    result = json.loads(found.out)
    assert result["machine"]["memory"] == {"total_bytes": GIB, "usable_bytes": GIB, "available_bytes": None}
    assert result["machine"]["driver"] == {"failed": "OSError: no"}
    assert [finding["name"] for finding in result["findings"]] == ["little-memory"]


@pytest.mark.parametrize("columns", [40, 60, 120])
def test_everything_fits_the_terminal(columns, doctor, on_machine, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    on_machine(replace(HEALTHY, memory=facts.Memory(GIB, GIB, None), platform="Linux-" + "x" * 90))
    outputs = [doctor().out, doctor("--error", f"{MESSAGE}\nCUDA out of memory").out, doctor("--error", "hm hm").out]
    for out in outputs:
        assert max(len(line.rstrip()) for line in out.splitlines()) <= columns
        assert "…" not in out


def test_the_network_flag_reaches_the_probe(doctor, monkeypatch):
    asked = []

    def inspect_machine(*, network):
        asked.append(network)
        return HEALTHY

    monkeypatch.setattr(facts, "inspect_machine", inspect_machine)
    doctor()
    doctor("--network")
    assert asked == [False, True]


def test_help_and_error_load_no_model_library():
    script = (
        "import sys\n"
        "from eventune.cli import Parser, doctor\n"
        "parser = Parser()\n"
        "doctor.add_arguments(parser)\n"
        "doctor.run(parser.parse_args(['--error', 'CUDA out of memory']))\n"
        "sys.exit(bool({'torch', 'transformers', 'peft', 'huggingface_hub'} & sys.modules.keys()))\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "gpu-memory" in ended.stdout


def test_a_misspelt_flag_is_refused_with_the_closest_one(doctor):
    found = doctor("--eror", "x")
    assert found.code == 2
    assert "--error" in found.err
