"""The layers of docs/ARCHITECTURE.md, read off the imports: a test a rule, which names all modules that break it."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

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


@cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def nodes_of(path):
    return list(ast.walk(tree_of(path)))


@cache
def imported_by(path):
    """Names of all modules that a module imports."""
    return set(imports_of([tree_of(path)]))


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
        elif not isinstance(node, ast.expr):
            yield from imports_of(ast.iter_child_nodes(node))


def imports_when_loaded(path):
    """Names of the modules that are imported when the module itself is."""

    class Functions(ast.NodeTransformer):
        def visit_FunctionDef(self, node):
            return None

        visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    # Not of the tree that others read: it is changed.
    return imports_of([Functions().visit(ast.parse(path.read_text(encoding="utf-8")))])


def parts_imported(path):
    return {name.split(".")[1] for name in imported_by(path) if name.startswith("eventune.")}


def libraries_imported(path):
    return {name.split(".")[0] for name in imported_by(path)}


def broken(paths, rule):
    """What a rule finds in each of these modules, by its name; nothing where it is kept."""
    return {str(path.relative_to(PACKAGE)): found for path in paths if (found := rule(path))}


MODULES_OF_PARTS = [path for path in MODULES if part_of(path) not in {"__init__", "__main__"}]


def test_every_module_belongs_to_a_level():
    assert {part_of(path) for path in MODULES_OF_PARTS} == LEVEL.keys(), "enter new ones in LEVELS"


def test_imports_point_down():
    def above(path):
        part = part_of(path)
        return {name for name in parts_imported(path) - {part, "__version__"} if LEVEL[name] > LEVEL[part]}

    assert broken(MODULES_OF_PARTS, above) == {}


def test_parts_of_one_level_do_not_import_one_another():
    def siblings(path):
        part = part_of(path)
        found = {name for name in parts_imported(path) if LEVEL.get(name) == LEVEL[part]} - {part}
        return {(part, sibling) for sibling in found} - MAY_IMPORT_SIBLINGS

    assert broken(MODULES_OF_PARTS, siblings) == {}


def name_of(path):
    return ".".join(("eventune", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def test_no_file_imports_itself_through_others():
    files = {name_of(path) for path in MODULES}
    imports = {name_of(path): imported_by(path) & files - {name_of(path)} for path in MODULES}
    # What imports nothing that is left cannot be part of a circle; what is left in the end is one, or leads to one.
    while free := {name for name, imported in imports.items() if not imported & imports.keys()}:
        imports = {name: imported for name, imported in imports.items() if name not in free}
    assert imports == {}


def test_few_modules_lie_outside_of_packages():
    loose = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    assert loose == {"errors", "results", "recipe", "reporter"}


@cache
def compared_texts(path):
    """Texts that a module compares something with, or tells cases apart by."""
    return set(_compared_texts(path))


def _compared_texts(path):
    for node in nodes_of(path):
        if isinstance(node, ast.Compare):
            yield from (n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str))
        elif isinstance(node, ast.match_case):
            yield from (n.value for n in ast.walk(node.pattern) if isinstance(n, ast.Constant))


# Rooms below the tasks know none of them: `events` there is a field of corpora.
ABOVE_TASKS = [path for path in MODULES if LEVEL.get(part_of(path), 9) >= LEVEL["tasks"]]


def test_no_module_branches_on_a_task_s_name():
    from eventune.tasks.registry import TASKS

    found = broken(ABOVE_TASKS, lambda path: compared_texts(path) & TASKS.keys())
    assert found == {}, "enter what differs in tasks/registry.py"


SPEAK_OF_LORA_ALONE = {PACKAGE / "adapters" / "vllm.py", PACKAGE / "adapters" / "chatglm" / "reading.py"}
"""They read the files of one kind of adapter and refuse all others, whatever the table holds."""


def test_no_module_branches_on_a_method_s_name():
    from eventune.adapters.methods import METHODS

    names = METHODS.keys() | {method.peft_type for method in METHODS.values() if method.peft_type}
    found = broken(set(MODULES) - SPEAK_OF_LORA_ALONE, lambda path: compared_texts(path) & names)
    assert found == {}, "enter what differs in adapters/methods.py"


def test_domain_corpora_and_scoring_know_no_model_library():
    light = [path for path in MODULES_OF_PARTS if LEVEL[part_of(path)] in {0, 1}]
    assert broken(light, lambda path: libraries_imported(path) & HEAVY) == {}


def test_documents_are_encoded_and_arguments_chosen_without_torch():
    listed = ", ".join(TORCH_FREE)
    code = f"import sys, {listed}; print(*sorted({{name.split('.')[0] for name in sys.modules}} & {HEAVY!r}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert loaded == []
    # Nor inside of functions.
    named = [path for path in MODULES if name_of(path) in TORCH_FREE]
    assert broken(named, lambda path: libraries_imported(path) & HEAVY) == {}


def light_modules():
    """What is loaded for `--help`: the commands and the arguments that they show."""
    for path in MODULES:
        # What shows a training run is imported when one starts.
        shown = part_of(path) in {"__init__", "__main__", "cli", "recipe"} and path != PACKAGE / "cli" / "progress.py"
        shown = shown or path in {PACKAGE / "tasks" / "registry.py", PACKAGE / "adapters" / "methods.py"}
        if shown or path.name == "arguments.py":
            yield path


def test_commands_load_no_model_library_before_they_run():
    def heavy(path):
        names = set(imports_when_loaded(path))
        own = names & {"eventune.cli.progress", "eventune.runs.training", "eventune.extractor"}
        return own | ({name.split(".")[0] for name in names} & HEAVY)

    assert broken(light_modules(), heavy) == {}


def test_a_finished_run_is_opened_without_the_trainer():
    files = {name_of(path): path for path in MODULES}
    loaded = {"eventune.inference.runs", "eventune.tasks.span_extraction", "eventune.tasks.trigger_detection"}
    waiting = list(loaded)
    while waiting:
        new = set(imports_when_loaded(files[waiting.pop()])) & files.keys() - loaded
        loaded |= new
        waiting += new
    # With transformers' own come datasets, pandas and accelerate.
    assert {name for name in loaded if name in {"eventune.training.trainer", "eventune.training.meter"}} == set()


def test_modules_are_named_by_their_content():
    vague = {"util", "utils", "helper", "helpers", "misc", "common"}

    def named(path):
        return {part.strip("_") for part in path.relative_to(PACKAGE).with_suffix("").parts} & vague

    assert broken(MODULES, named) == {}


def test_modules_and_functions_are_short():
    def long(path):
        if len(path.read_text(encoding="utf-8").splitlines()) > MAX_MODULE_LINES:
            yield "the module"
        for node in nodes_of(path):
            is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if is_function and node.end_lineno - node.lineno + 1 > MAX_FUNCTION_LINES:
                yield node.name

    assert broken(MODULES, lambda path: list(long(path))) == {}


RUNS_CODE = re.compile(
    r"torch\.load\((?![^()]*weights_only=True)|trust_remote_code\s*=\s*(?!False)|allow_pickle\s*=\s*(?!False)"
    r"|yaml\.(unsafe_load|full_load|load)\(|\b(eval|exec)\("
)


def test_nothing_that_runs_code_from_a_file_is_read():
    libraries = {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve", "cloudpickle"}

    def unsafe(path):
        # A model's own `eval()` is none.
        texts = RUNS_CODE.finditer(path.read_text(encoding="utf-8").replace(".eval(", "("))
        return [match[0] for match in texts] + sorted(libraries_imported(path) & libraries)

    assert broken(MODULES, unsafe) == {}
