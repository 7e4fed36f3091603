"""The layers of docs/ARCHITECTURE.md, read off the imports."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "eventune"
LEVELS = [
    {"errors", "results", "events", "storage"},
    {"corpora", "scoring", "reports"},
    {"backbones", "adapters", "extraction", "generation", "recipes", "training"},
    {"tasks"},
    {"recipe", "reporter"},
    {"runs", "runtime"},
    {"inference", "chat", "sft", "doctor"},
    {"comparison", "exporting", "serving"},
    {"cli"},
]
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}
# Parts of one level may not import one another, but for these: a part that is made of the others is told what they are.
MAY_IMPORT_SIBLINGS = {
    ("events", "errors"),
    ("results", "errors"),
    ("results", "storage"),
    ("storage", "errors"),
    ("scoring", "corpora"),
}
HEAVY = {"torch", "transformers", "peft", "accelerate", "datasets", "safetensors"}
MODULES = sorted(PACKAGE.rglob("*.py"))
# Documents are encoded and arguments are chosen also where no torch and no transformers are installed.
TORCH_FREE = [
    f"eventune.extraction.{name}"
    for name in (
        "arguments",
        "batches",
        "calibration",
        "coverage",
        "decoding",
        "detection.arguments",
        "detection.batches",
        "detection.decoding",
        "detection.features",
        "detection.marks",
        "detection.ranking",
        "features",
        "marks",
        "prompts",
        "question_features",
        "ranking",
        "subwords",
        "windows",
    )
]
MAX_MODULE_LINES, MAX_FUNCTION_LINES = 400, 60


def part_of(path):
    """The part of the package that a module belongs to: a folder or a module beside it."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports_of(nodes):
    """Names of all modules imported, also inside functions, but not those for type checkers alone."""
    for node in nodes:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            yield from imports_of(node.orelse)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module == "eventune")
        else:
            yield from imports_of(ast.iter_child_nodes(node))


def imports_when_loaded(tree):
    """Names of the modules that are imported when the module itself is."""

    class Functions(ast.NodeTransformer):
        def visit_FunctionDef(self, node):
            return None

        visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    return imports_of([Functions().visit(tree)])


def parts_imported(path):
    for name in imports_of([tree_of(path)]):
        if name.startswith("eventune."):
            yield name.split(".")[1]


def id_of(path):
    return str(path.relative_to(PACKAGE))


MODULES_OF_PARTS = [path for path in MODULES if part_of(path) not in {"__init__", "__main__"}]


@pytest.mark.parametrize("path", MODULES_OF_PARTS, ids=id_of)
def test_every_module_belongs_to_a_level(path):
    assert part_of(path) in LEVEL, f"enter {part_of(path)!r} in LEVELS"


@pytest.mark.parametrize("path", MODULES_OF_PARTS, ids=id_of)
def test_imports_point_down(path):
    part = part_of(path)
    for imported in set(parts_imported(path)) - {part, "__version__"}:
        assert LEVEL[imported] <= LEVEL[part], f"{part} imports {imported}, which is above it"


@pytest.mark.parametrize("path", MODULES_OF_PARTS, ids=id_of)
def test_parts_of_one_level_do_not_import_one_another(path):
    part = part_of(path)
    siblings = {name for name in parts_imported(path) if LEVEL.get(name) == LEVEL[part]} - {part}
    assert {(part, sibling) for sibling in siblings} <= MAY_IMPORT_SIBLINGS


def name_of(path):
    return ".".join(("eventune", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def test_no_file_imports_itself_through_others():
    files = {name_of(path) for path in MODULES}
    imports = {name_of(path): set(imports_of([tree_of(path)])) & files - {name_of(path)} for path in MODULES}
    # What imports nothing that is left cannot be part of a circle; what is left in the end is one, or leads to one.
    while free := {name for name, imported in imports.items() if not imported & imports.keys()}:
        imports = {name: imported for name, imported in imports.items() if name not in free}
    assert imports == {}


def test_few_modules_lie_outside_of_packages():
    loose = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    assert loose == {"errors", "results", "recipe", "reporter"}


def compared_texts(tree):
    """Texts that a module compares something with, or tells cases apart by, or has for keys."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            yield from (n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str))
        elif isinstance(node, ast.match_case):
            yield from (n.value for n in ast.walk(node.pattern) if isinstance(n, ast.Constant))


# Rooms below the tasks know none of them: `events` there is a field of corpora.
ABOVE_TASKS = [path for path in MODULES if LEVEL.get(part_of(path), 9) >= LEVEL["tasks"]]


@pytest.mark.parametrize("path", ABOVE_TASKS, ids=id_of)
def test_no_module_branches_on_a_task_s_name(path):
    from eventune.tasks.registry import TASKS

    assert not set(compared_texts(tree_of(path))) & TASKS.keys(), "enter what differs in tasks/registry.py"


SPEAK_OF_LORA_ALONE = {PACKAGE / "adapters" / "vllm.py", PACKAGE / "adapters" / "chatglm" / "reading.py"}
"""They read the files of one kind of adapter and refuse all others, whatever the table holds."""


@pytest.mark.parametrize("path", [path for path in MODULES if path not in SPEAK_OF_LORA_ALONE], ids=id_of)
def test_no_module_branches_on_a_method_s_name(path):
    from eventune.adapters.methods import METHODS

    names = METHODS.keys() | {method.peft_type for method in METHODS.values() if method.peft_type}
    assert not set(compared_texts(tree_of(path))) & names, "enter what differs in adapters/methods.py"


@pytest.mark.parametrize("path", [path for path in MODULES_OF_PARTS if LEVEL.get(part_of(path)) in {0, 1}], ids=id_of)
def test_domain_corpora_and_scoring_know_no_model_library(path):
    assert {name.split(".")[0] for name in imports_of([tree_of(path)])} & HEAVY == set()


def test_documents_are_encoded_and_arguments_chosen_without_torch():
    listed = ", ".join(TORCH_FREE)
    code = f"import sys, {listed}; print(*sorted({{name.split('.')[0] for name in sys.modules}} & {HEAVY!r}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert loaded == []
    for path in MODULES:
        if name_of(path) in TORCH_FREE:
            # Nor inside of functions.
            assert {name.split(".")[0] for name in imports_of([tree_of(path)])} & HEAVY == set(), id_of(path)


def light_modules():
    """What is loaded for `--help`: the commands and the arguments that they show."""
    for path in MODULES:
        # What shows a training run is imported when one starts.
        shown = part_of(path) in {"__init__", "__main__", "cli", "recipe"} and path != PACKAGE / "cli" / "progress.py"
        shown = shown or path in {PACKAGE / "tasks" / "registry.py", PACKAGE / "adapters" / "methods.py"}
        if shown or path.name == "arguments.py":
            yield path


@pytest.mark.parametrize("path", light_modules(), ids=id_of)
def test_commands_load_no_model_library_before_they_run(path):
    names = set(imports_when_loaded(tree_of(path)))
    assert {name.split(".")[0] for name in names} & HEAVY == set()
    assert names & {"eventune.cli.progress", "eventune.runs.training", "eventune.extractor"} == set()


def test_a_finished_run_is_opened_without_the_trainer():
    files = {name_of(path): path for path in MODULES}
    loaded = {"eventune.inference.runs", "eventune.tasks.span_extraction", "eventune.tasks.trigger_detection"}
    waiting = list(loaded)
    while waiting:
        new = set(imports_when_loaded(tree_of(files[waiting.pop()]))) & files.keys() - loaded
        loaded |= new
        waiting += new
    # With transformers' own come datasets, pandas and accelerate.
    assert {name for name in loaded if name in {"eventune.training.trainer", "eventune.training.meter"}} == set()


@pytest.mark.parametrize("path", MODULES, ids=id_of)
def test_modules_are_named_by_their_content(path):
    assert not {part.strip("_") for part in path.relative_to(PACKAGE).with_suffix("").parts} & {
        "util",
        "utils",
        "helper",
        "helpers",
        "misc",
        "common",
    }


@pytest.mark.parametrize("path", MODULES, ids=id_of)
def test_modules_and_functions_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_MODULE_LINES
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno + 1 <= MAX_FUNCTION_LINES, f"{node.name} is too long"


@pytest.mark.parametrize("path", MODULES, ids=id_of)
def test_nothing_that_runs_code_from_a_file_is_read(path):
    text = path.read_text(encoding="utf-8")
    names = {name.split(".")[0] for name in imports_of([tree_of(path)])}
    assert names & {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve", "cloudpickle"} == set()
    assert not re.search(
        r"torch\.load\((?![^()]*weights_only=True)|trust_remote_code\s*=\s*(?!False)|allow_pickle\s*=\s*(?!False)", text
    )
    assert not re.search(r"yaml\.(unsafe_load|full_load|load)\(|\b(eval|exec)\(", text.replace(".eval(", "("))
