"""Jinja templates as strangers send them: sandboxed, and stopped when they make too much of anything.

jinja2's sandbox keeps a template from Python's inside, but not from `'x' * 10**10`, a loop in a loop, or a text that is
doubled sixty times. Here every step and every character that a template makes is paid for out of one purse.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from datetime import datetime
from functools import wraps
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, Undefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from eventune.errors import EventuneError, first_line
from eventune.generation.bounded_prices import (
    PURSE,
    STEP,
    TooMuchError,
    price_of_filter,
    price_of_format,
    price_of_method,
    weight,
)

_MOST_NUMBER = 100_000
"""Greatest number that a filter or a function takes: widths, counts, digits."""
_MOST_BITS = 4_096
_MOST_INDENT = 64
_MOST_SOURCE = 4 * 2**20
_FILTERS = (
    *("abs", "attr", "batch", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first", "float"),
    *("format", "groupby", "indent", "int", "items", "join", "last", "length", "list", "lower", "map", "max", "min"),
    *("reject", "rejectattr", "replace", "reverse", "round", "safe", "select", "selectattr", "slice", "sort", "string"),
    *("sum", "title", "trim", "truncate", "unique", "upper", "urlencode", "wordcount"),
)
_GLOBALS = ("range", "cycler", "joiner")
_METHODS_OF_TEXT = frozenset({"translate", "encode", "format_map", "maketrans"})
"""Methods that no prompt needs, and that make much of little."""
_TEXTUAL = frozenset({"capitalize", "e", "escape", "format", "indent", "join", "lower", "replace", "string", "sum"})
_TEXTUAL |= {"title", "trim", "truncate", "upper", "urlencode", "wordcount"}
"""Filters that make a text of their whole value."""


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """A sandbox whose templates pay for what they do; `left` is what they have left."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, undefined: type[Undefined]) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=undefined,
            finalize=self.text,
            extensions=[_Generation, loopcontrols],
        )
        self.left = PURSE
        self.filters = {name: self._paying(name, self.filters[name]) for name in _FILTERS}
        self.filters["tojson"] = self._to_json
        self.globals = {name: self.globals[name] for name in _GLOBALS}
        self.globals |= {
            "dict": lambda *pairs, **items: dict(*pairs, **items),
            "namespace": _Namespace,
            "raise_exception": _raise,
            "strftime_now": _now,
        }

    def pay(self, price: int) -> None:
        """Take a price out of the purse."""
        self.left -= price
        if self.left < 0:
            raise TooMuchError(f"it makes more than {PURSE:,} characters and steps, which no prompt has")

    def step(self, characters: int) -> None:
        """Pay for one more time that a part of the template is gone through, with so many characters in it."""
        self.pay(STEP + characters)

    def made(self, value: Any) -> Any:
        """Pay for a value, all that is in it included."""
        self.pay(weight(value, self.left))
        return value

    def counted(self, values: Iterable[Any]) -> Iterable[Any]:
        """Pay for values that are gone through, in advance where their number is known."""
        if isinstance(values, Sized):
            self.pay(len(values))
            return values
        return self._one_by_one(values)

    def _one_by_one(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            self.pay(STEP)
            yield value

    def text(self, value: Any) -> str:
        """Return a value as the text that it is shown as."""
        return str(value) if isinstance(value, Undefined) else str(self.made(value))

    def concat_all(self, *parts: Any) -> str:
        """Return what `~` makes."""
        return "".join([self.text(part) for part in parts])

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        return super()._generate(_Pricing().visit(source), *args, **kwargs)

    def sliced(self, values: Any, start: Any, stop: Any, step: Any) -> Any:
        """Return `values[start:stop:step]`, which is a copy."""
        found = values[start:stop:step]
        if isinstance(found, str | list | tuple):
            self.pay(len(found))
        return found

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Tell whether a template may have an attribute."""
        is_method = isinstance(obj, str | bytes) and attr in _METHODS_OF_TEXT
        return not is_method and super().is_safe_attribute(obj, attr, value)

    def call(
        __self,  # noqa: N805
        __context: Context,
        __obj: Any,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Call what a template calls; the names are such that any keyword can be passed on."""
        # The sandbox has put its own around a text's method `format`.
        method = getattr(__obj, "__wrapped__", __obj)
        owner = getattr(method, "__self__", None)
        if owner is __self:
            return __obj(*args)  # what `_Pricing` put there; jinja adds the loop's variables
        __self._require_small(args, kwargs)
        if isinstance(owner, str):
            __self.pay(price_of_method(getattr(method, "__name__", ""), owner, args, kwargs))
        if isinstance(owner, str | list | tuple | dict):
            __self.pay(len(owner))
        __self.step(sum(len(arg) for arg in args if isinstance(arg, str | list | tuple | dict | range)))
        found = super().call(__context, __obj, *args, **kwargs)
        return __self.made(found) if isinstance(found, str | list | tuple | dict) else found

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute `left operator right`."""
        numbers = [value for value in (left, right) if isinstance(value, int)]
        texts = [value for value in (left, right) if isinstance(value, str | bytes | list | tuple)]
        if operator == "*" and texts and numbers:
            size = len(texts[0]) if isinstance(texts[0], str | bytes) else weight(texts[0], self.left)
            self.pay(size * max(0, numbers[0]))
        elif operator == "%" and isinstance(left, str):
            self.pay(price_of_format(left, right if isinstance(right, tuple | dict) else (right,)))
        elif len(numbers) == 2 and operator in {"*", "**"}:
            bits = [number.bit_length() for number in numbers]
            if (bits[0] * abs(right) if operator == "**" else sum(bits)) > _MOST_BITS:
                raise TooMuchError(f"{left} {operator} {right} is larger than any number in a prompt")
        elif operator == "+" and texts:
            self.pay(sum(weight(text, self.left) for text in texts))
        self.pay(STEP)
        return super().call_binop(context, operator, left, right)

    def _paying(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a filter that is paid for."""
        # Some get the environment or a context before the value.
        at = int(hasattr(function, "jinja_pass_arg"))

        @wraps(function)
        def paying(*args: Any, **kwargs: Any) -> Any:
            value, others = args[at] if len(args) > at else "", args[at + 1 :]
            self._require_small(others, kwargs)
            if isinstance(value, Iterator):
                value = list(self.counted(value))
                args = (*args[:at], value, *others)
            is_sized = isinstance(value, str | list | tuple | dict)
            self.step(weight(value, self.left) if name in _TEXTUAL else len(value) if is_sized else 0)
            self.pay(price_of_filter(name, value, (*others, *kwargs.values())))
            found = function(*args, **kwargs)
            if isinstance(found, str | list | tuple | dict):
                self.pay(len(found))
            return found

        return paying

    def _to_json(
        self,
        value: Any,
        ensure_ascii: bool = False,
        indent: int | None = None,
        separators: Any = None,
        sort_keys: bool = False,
    ) -> str:
        """Return JSON without HTML's escapes, as transformers has it."""
        if not isinstance(indent, int | None) or (indent or 0) > _MOST_INDENT:
            raise TooMuchError(f"tojson: expected an indent of at most {_MOST_INDENT}")
        between = sum(map(len, separators)) if separators else 2
        self.pay(weight(value, self.left) * (1 + (indent or 0) + between))
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    @staticmethod
    def _require_small(args: Iterable[Any], kwargs: Mapping[str, Any]) -> None:
        for value in (*args, *kwargs.values()):
            if isinstance(value, int | float) and abs(value) > _MOST_NUMBER:
                raise TooMuchError(f"expected numbers up to {_MOST_NUMBER:,}, found {value}")


class _Pricing(NodeTransformer):
    """Makes a template pay for what its syntax does: loops, literals, `~`."""

    def visit_For(self, node: nodes.For) -> Any:  # noqa: N802
        self.generic_visit(node)
        node.iter = _call("counted", node.iter)
        return self._with_step(node)

    def visit_Macro(self, node: nodes.Macro) -> Any:  # noqa: N802
        self.generic_visit(node)
        return self._with_step(node)

    visit_CallBlock = visit_Macro  # noqa: N815
    visit_Block = visit_Macro  # noqa: N815

    def visit_Concat(self, node: nodes.Concat) -> Any:  # noqa: N802
        self.generic_visit(node)
        return _call("concat_all", *node.nodes)

    def visit_Getitem(self, node: nodes.Getitem) -> Any:  # noqa: N802
        self.generic_visit(node)
        if not isinstance(node.arg, nodes.Slice):
            return node
        bounds = (node.arg.start, node.arg.stop, node.arg.step)
        return _call("sliced", node.node, *(bound or nodes.Const(None) for bound in bounds))

    def visit_List(self, node: nodes.List) -> Any:  # noqa: N802
        self.generic_visit(node)
        return _call("made", node)

    visit_Dict = visit_List  # noqa: N815

    def visit_Tuple(self, node: nodes.Tuple) -> Any:  # noqa: N802
        self.generic_visit(node)
        return _call("made", node) if node.ctx == "load" else node

    @staticmethod
    def _with_step(node: Any) -> nodes.Node:
        """Let each pass through a body pay, also for the characters that stand in it."""
        length = sum(len(data.data) for data in node.find_all(nodes.TemplateData))
        step = nodes.ExprStmt(_call("step", nodes.Const(length)))
        node.body = [step.set_lineno(node.lineno), *node.body]
        found: nodes.Node = node
        return found


def _call(name: str, *args: Any) -> Any:
    return nodes.Call(nodes.EnvironmentAttribute(name), list(args), [], None, None).set_lineno(args[0].lineno or 0)


class _Generation(Extension):
    """`{% generation %}` marks what a model is trained on; here it only stands around it."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Return what stands inside."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Namespace(Namespace):
    """A namespace without names that begin with an underscore, as transformers has it."""

    def __init__(*args: Any, **kwargs: Any) -> None:
        self, *pairs = args
        values = dict(*pairs, **kwargs)
        for name in values:
            _require_plain(name)
        Namespace.__init__(self, values)

    def __setitem__(self, name: str, value: Any) -> None:
        _require_plain(name)
        super().__setitem__(name, value)


def _require_plain(name: Any) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise SecurityError(f"a namespace holds no {name!r}")


def _now(form: str) -> str:
    return datetime.now().strftime(form)


def _raise(message: str) -> None:
    raise TemplateError(message)


class BoundedTemplate:
    """A template that is compiled, and rendered as often as it is asked for.

    Attributes:
        source: The template.
        name: What errors call it.
        purpose: What it is for, as `write a question`.
    """

    def __init__(self, source: str, *, name: str, purpose: str, hint: str, strict: bool = False) -> None:
        """Compile a template.

        Args:
            source: The template.
            name: What errors call it.
            purpose: What it is for, as `write a question`.
            hint: What to do where it is broken.
            strict: Whether a name that does not exist is an error, and not an empty text.

        Raises:
            EventuneError: If it is no template.
        """
        self.source, self.name, self.purpose = source, name, purpose
        self._hint, self._strict = hint, strict
        self._environment = BoundedEnvironment(StrictUndefined if strict else Undefined)
        if not isinstance(source, str) or len(source) > _MOST_SOURCE:
            raise EventuneError(f"{name}: expected a template of at most {_MOST_SOURCE:,} characters", hint)
        self._template: Template = self._run(lambda: self._environment.from_string(source))

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process as the source, to be compiled there."""
        return _again, (self.source, self.name, self.purpose, self._hint, self._strict)

    def render(self, **values: Any) -> str:
        """Write what the template writes.

        Args:
            values: What it knows.

        Raises:
            EventuneError: If it is broken, refuses what it is to write, or makes too much.
        """
        text: str = self._run(lambda: self._template.render(**values))
        return text

    def _run(self, work: Callable[[], Any]) -> Any:
        self._environment.left = PURSE
        try:
            return work()
        # Templates are programs: whatever Python raises in them, or in compiling them, is their own error.
        except EventuneError:
            raise
        except (Exception, RecursionError, MemoryError) as error:
            raise EventuneError(f"{self.name}: cannot {self.purpose}: {first_line(error)[:300]}", self._hint) from error


def _again(source: str, name: str, purpose: str, hint: str, strict: bool) -> BoundedTemplate:
    return BoundedTemplate(source, name=name, purpose=purpose, hint=hint, strict=strict)
