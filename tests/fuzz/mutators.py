"""Files as strangers send them: one change, or a few, to a file that is right. All drawn from one `random.Random`."""

import codecs
import copy
import json
import os
import shutil

import yaml

DEEP = 20_000
LONG_INTEGER = "7" * 5_000

# Written as they stand; no library would write them.
RAW_JSON = (
    *(LONG_INTEGER, f"-{LONG_INTEGER}", "NaN", "Infinity", "-Infinity", "1e999", "-0.0", "1E400", "0x10", "01", "tru"),
    *('"\\ud800"', '"\\udc00x"', '"\\u0000"', '"\\x"', "[" * DEEP + "]" * DEEP, '{"a":' * DEEP + "1" + "}" * DEEP),
    *('{"a": 1, "a": 2}', "[1, 2", "{", "/* */ 1", "'x'", ""),
)
RAW_YAML = (
    *(LONG_INTEGER, ".inf", ".nan", "2024-13-45", "2024-02-30", "2024-01-01", "2024-02-30 25:61:61", "12:99:99", "0o9"),
    *("[" * DEEP + "]" * DEEP, "{a: " * 500 + "1" + "}" * 500, "&a [*a]", "&a {b: *a}", "*unknown", "!!binary '%%%'"),
    *("!!python/object/apply:os.system ['true']", "!!int x", "!!float x", "!!timestamp x", "!!bool x", "!!set {a, b}"),
    *("!!omap [a: 1]", "{? [a]: b}", "{a: 1, a: 2}", "<<: 3", "{<<: *x}", "'", '"\\ud800"', '"\\0"', "@", "`"),
    "[&a [x,x,x,x,x,x,x,x], &b [*a,*a,*a,*a,*a,*a,*a,*a], &c [*b,*b,*b,*b,*b,*b,*b,*b], &d [*c,*c,*c,*c,*c,*c,*c,*c],"
    " &e [*d,*d,*d,*d,*d,*d,*d,*d], &f [*e,*e,*e,*e,*e,*e,*e,*e], &g [*f,*f,*f,*f,*f,*f,*f,*f], &h [*g,*g,*g,*g]]",
)
ODD_TEXTS = (
    *("", " ", "\x00", "a\x00b", "x" * 5_000, "x" * 100_000, "../../etc/passwd", "/", "/dev/null", ".", "..", "~x"),
    *("a/b/c/d", "https://example.invalid/x", "no-such/model", "minilm", "\u202e", "é" * 300, "病" * 200, "😀"),
    *("{{ 1 }}", "{% for i in range(10) %}", "%s%s%n", "(a+)+$", "[", "*", "null", "true", "-1", "1e18", "0", "auto"),
)
ODD_VALUES = (
    *(None, True, False, 0, 1, -1, 2, 7, 10**6, 10**9, 10**18, 10**30, -(10**18), 2**31, 2**63, 2**64),
    *(0.0, 0.5, 1.5, -0.5, 1e-300, 1e18, 1e300, [], {}, [None], [[]], {"": None}, {"a": {"b": []}}, [1, "a", None]),
)
KNOWN_FIELDS = {
    "adapter_config.json": {
        "megatron_config": {"tensor_model_parallel_size": 1},
        "megatron_core": "os.path",
        "layer_replication": [[0, 2], [1, 2]],
        "peft_type": "VERA",
        "target_modules": "(a|a)*$",
        "r": 10**9,
        "init_lora_weights": "pissa_niter_999999999",
        "trainable_token_indices": [10**9],
        "task_type": "SEQ_CLS",
        "auto_mapping": {"base_model_class": "x", "parent_library": "os"},
        "num_virtual_tokens": 10**9,
        "modules_to_save": ["encoder"],
        "bias": "all",
        "loftq_config": {"a": 1},
        "runtime_config": {"ephemeral_gpu_offload": True},
    },
    "config.json": {
        "auto_map": {"AutoModel": "evil.Model", "AutoConfig": "evil.Config"},
        "attn_implementation": "kernels-community/flash-attn2",
        "quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True},
        "configuration_files": ["config.0.0.1.json"],
        "transformers_weights": "../x.safetensors",
        "architectures": [1, 2],
        "dtype": "0",
        "torch_dtype": 7,
        "model_type": "chatglm",
        "hidden_act": "nothing",
        "num_hidden_layers": 10**7,
        "hidden_size": 10**9,
        "vocab_size": 10**12,
        "num_attention_heads": 0,
        "pad_token_id": 10**9,
        "is_decoder": True,
        "id2label": {"a": 1},
        "rope_scaling": {"type": "dynamic", "factor": "x"},
        "max_position_embeddings": 0,
        "tie_word_embeddings": "x",
    },
    "tokenizer_config.json": {
        "auto_map": {"AutoTokenizer": ["evil.Tokenizer", None]},
        "tokenizer_class": "EvilTokenizer",
        "chat_template": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "model_max_length": -1,
        "added_tokens_decoder": {"x": {"content": 1}},
        "eos_token": 7,
        "tokenizer_file": "/etc/passwd",
        "extra_special_tokens": [1],
    },
    "base.json": {"name_or_path": "no-such/model", "sha256": "x", "revision": 7},
    "extractor.json": {"task": "generation", "method": "prefix", "max_span_length": 10**12, "ontology_bytes": 10**12},
    "generator.json": {"task": "x", "method": "full", "max_source_length": 10**12, "source_prefix": "x" * 10_000},
    "quantisation.json": {"quantization_bit": "x"},
    "trainer_state.json": {"global_step": 10**12},
}
"""What is worth a try in a file of this name."""
TEMPLATES = (
    "{{ text() }}{{ 'x' * 999999999 }}",
    "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}{{ text() }}",
    "{% set x = 'ab' %}{% for i in range(60) %}{% set x = x ~ x %}{% endfor %}{{ text() }}",
    "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x }}{{ text() }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.popen('id') }}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ '%999999999d' % 1 }}{{ text() }}",
    "{{ '{:999999999}'.format(1) }}{{ text() }}",
    "{{ 'x'.center(999999999) }}{{ text() }}",
    "{% include 'x' %}",
    "{{ " + "(" * 5_000 + ")" * 5_000 + " }}",
    "{% if 1 %}" * 3_000 + "{% endif %}" * 3_000,
    "{{ undefined.field }}",
    "{{",
    "",
)


def mutate(target, draw):
    """Change a file, or one of a folder's files, and return what was done."""
    if target.is_dir():
        files = sorted(path for path in target.rglob("*") if path.is_file() and not path.name.startswith("."))
        if not files:
            return "nothing is left"
        # What programs write as JSON is where most can be wrong.
        target = draw.choices(files, [5 if path.suffix in {".json", ".yaml", ".jinja"} else 1 for path in files])[0]
    kinds = {"structure": 12, "text": 4, "bytes": 2, "place": 2}
    if target.suffix == ".jinja":
        kinds = {"template": 8, "text": 2, "bytes": 1, "place": 1}
    elif target.suffix not in {".json", ".jsonl", ".yaml", ".yml"}:
        kinds = {"text": 3, "bytes": 5, "place": 2}
    kind = draw.choices(list(kinds), kinds.values())[0]
    change = {"structure": _structure, "text": _text, "bytes": _bytes, "place": _place, "template": _template}[kind]
    try:
        done = change(target, draw)
    except (LookupError, ValueError, RecursionError, TypeError, AttributeError, yaml.YAMLError):
        done = _text(target, draw)  # an earlier change left no structure to change
    return f"{target.name}: {done}"


def _structure(path, draw):
    if path.suffix == ".jsonl":
        lines = path.read_text(encoding="utf-8").splitlines()
        number = draw.randrange(len(lines)) if lines else 0
        if not lines:
            return "nothing in it"
        lines[number], what = _changed(lines[number], path.name, draw, RAW_JSON, json.loads, _json)
        _write(path, "\n".join(lines) + "\n")
        return f"line {number + 1}: {what}"
    is_yaml = path.suffix in {".yaml", ".yml"}
    load, dump = (yaml.safe_load, _yaml) if is_yaml else (json.loads, _json)
    raw = RAW_YAML if is_yaml else RAW_JSON
    text, what = _changed(path.read_text(encoding="utf-8"), path.name, draw, raw, load, dump)
    _write(path, text)
    return what


def _changed(text, name, draw, raw, load, dump):
    """Return a text with one value in it changed, and what was changed."""
    value = load(text)
    places = list(_places(value))
    known = KNOWN_FIELDS.get(name)
    if known and isinstance(value, dict) and draw.random() < 0.4:
        key = draw.choice(list(known))
        value[key] = copy.deepcopy(known[key])
        return dump(value), f"{key} = {str(known[key])[:60]}"
    if not places:
        return draw.choice(raw), "all of it"
    holder, key = draw.choice(places)
    shown = str(key)[:40]
    kind = draw.choice(("raw", "value", "value", "text", "type", "delete", "rename", "wrap", "repeat", "twice"))
    if kind == "raw":
        holder[key] = "@@RAW@@"
        chosen = draw.choice(raw)
        return _put_raw(dump(value), chosen), f"{shown} = {chosen[:30]} (as it stands)"
    if kind in {"value", "text"}:
        holder[key] = copy.deepcopy(draw.choice(ODD_VALUES if kind == "value" else ODD_TEXTS))
        return dump(value), f"{shown} = {str(holder[key])[:30]!r}"
    if kind == "type":
        old = holder[key]
        holder[key] = draw.choice([str(old), [old], {"value": old}, old == old])
    elif kind == "delete":
        del holder[key]
    elif kind == "rename" and isinstance(holder, dict):
        holder[draw.choice(ODD_TEXTS)] = holder.pop(key)
    elif kind == "wrap":
        holder[key] = [holder[key]]
    elif kind == "repeat" and isinstance(holder[key], list) and len(holder[key]) < 50:
        holder[key] = holder[key] * 500
    elif kind == "twice":
        line = dump({"@@": holder[key]}) if isinstance(holder, dict) else dump(holder[key])
        return dump(value) + line, f"something behind it: {shown}"
    return dump(value), f"{kind} {shown}"


def _places(value):
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield value, key
        yield from _places(inner)


def _json(value):
    return json.dumps(value, ensure_ascii=False)


def _yaml(value):
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False)


def _put_raw(text, raw):
    return text.replace('"@@RAW@@"', raw).replace("'@@RAW@@'", raw).replace("@@RAW@@", raw)


def _template(path, draw):
    source = draw.choice(TEMPLATES)
    _write(path, source)
    return f"the template {source[:50]}"


def _text(path, draw):
    text = path.read_bytes().decode("utf-8", errors="replace")
    at = draw.randrange(len(text) + 1)
    lines = text.splitlines(keepends=True)
    number = draw.randrange(len(lines)) if lines else 0
    changes = {
        "cut": lambda: text[:at],
        "empty": lambda: "",
        "white": lambda: " \n\t\n",
        "NUL": lambda: text[:at] + "\x00" + text[at:],
        "bracket": lambda: text[:at] + draw.choice("[]{}\"',:&*!|>%@`") + text[at:],
        "without a character": lambda: text[:at] + text[at + 1 :],
        "line ends": lambda: text.replace("\n", draw.choice(("\r\n", "\r", "\u2028"))),
        "a line twice": lambda: "".join([*lines[:number], *lines[number : number + 1] * 2, *lines[number + 1 :]]),
        "without a line": lambda: "".join([*lines[:number], *lines[number + 1 :]]),
        "deep": lambda: draw.choice(("[", '{"a":', "- ", "a: {", "(")) * DEEP,
        "twice": lambda: text + text,
        "odd": lambda: draw.choice((*RAW_JSON, *ODD_TEXTS)),
    }
    name = draw.choice(list(changes))
    _write(path, changes[name]())
    return f"{name} at {at}"


def _bytes(path, draw):
    content = bytearray(path.read_bytes())
    name = draw.choice(("flipped", "not UTF-8", "BOM", "UTF-16", "cut", "random", "zeros", "longer"))
    if name == "flipped" and content:
        for _ in range(draw.randint(1, 8)):
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    elif name == "not UTF-8":
        at = draw.randrange(len(content) + 1)
        content[at:at] = draw.choice((b"\xff", b"\xc3", b"\xed\xa0\x80", b"\x80", b"\xb2\xa1"))
    elif name == "BOM":
        content[:0] = codecs.BOM_UTF8
    elif name == "UTF-16":
        content = bytearray(bytes(content).decode("utf-8", errors="replace").encode("utf-16"))
    elif name == "cut":
        del content[draw.randrange(len(content) + 1) :]
    elif name == "random":
        content = bytearray(draw.randbytes(draw.randrange(400)))
    elif name == "zeros":
        content = bytearray(len(content))
    elif name == "longer":
        content += draw.randbytes(64)
    path.write_bytes(bytes(content))
    return name


def _place(path, draw):
    name = draw.choice(("missing", "folder", "dangling", "loop", "pipe", "empty"))
    path.unlink()
    if name == "folder":
        path.mkdir()
    elif name == "dangling":
        path.symlink_to("nowhere")
    elif name == "loop":
        path.symlink_to(path.name)
    elif name == "pipe":
        os.mkfifo(path)
    elif name == "empty":
        path.touch()
    return name


def _write(path, text):
    path.write_bytes(text.encode("utf-8", errors="surrogatepass"))


def mutate_words(words, draw):
    """Return a command with one word after the verb changed, and what was done; no word of a real one holds a NUL."""
    words = list(words)
    number = draw.randrange(1, len(words))
    texts = [text for text in ODD_TEXTS if "\x00" not in text]
    words[number] = draw.choice((*texts, "\udc80", "caf\udce9", "--", "-", "--json", "nan", LONG_INTEGER, "a/" * 3_000))
    return words, f"word {number} = {words[number][:30]!r}"


def clear(folder):
    """Remove a workspace, whatever was made of it."""
    shutil.rmtree(folder, ignore_errors=True)
