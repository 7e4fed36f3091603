"""Templates of strangers: they write what transformers writes, and stop where they make too much."""

import time

import pytest
from transformers import AutoTokenizer

from eventune.errors import EventuneError
from eventune.generation.bounded import BoundedTemplate
from eventune.generation.bounded_prices import PURSE

MESSAGES = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "  <What> is {1} & 'two'? 病例 "},
    {"role": "assistant", "content": "A thing.\n\nOr two."},
    {"role": "user", "content": "Why?"},
]
# As models on the hub have them: Llama 2 and 3, Mistral, Qwen, Gemma, Phi, DeepSeek, Zephyr.
USUAL = {
    "chatml": "{% for m in messages %}{{'<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    "llama2": "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = "
    "messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}"
    "{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ "
    "raise_exception('Conversation roles must alternate') }}{% endif %}{% if loop.index0 == 0 and system_message != "
    "false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}"
    "{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + "
    "content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + "
    "eos_token }}{% endif %}{% endfor %}",
    "namespace": "{%- set ns = namespace(found=false, text='') -%}{%- for m in messages -%}{%- if m.role == 'user' -%}"
    "{%- set ns.found = true -%}{%- set ns.text = ns.text ~ loop.index ~ '|' -%}{%- endif -%}{%- endfor -%}"
    "{{- ns.text }}{{ ns.found | string | upper -}}",
    "macro": "{% macro show(m, depth=0) %}{{ '  ' * depth }}[{{ m.role | title }}] {{ m.content | trim }}{% endmacro %}"
    "{% for m in messages %}{{ show(m, loop.index0) }}\n{% endfor %}",
    "tojson": "{% for m in messages %}{{ m | tojson }}{{ m.content | tojson(indent=2, sort_keys=true) }}{% endfor %}",
    "filters": "{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | join(' / ') }}"
    "{{ messages | map(attribute='role') | unique | list | length }}{{ (messages | last).content | replace('W', 'w') }}"
    "{{ messages | rejectattr('role', 'in', ['user']) | list | count }}{{ messages[0] | dictsort | first | string }}"
    "{{ {'a': 1}.items() | list }}{{ messages[0].items() | list | length }}{{ undefined_name | default('none') }}",
    "slices": "{{ messages[::-1][0]['content'] }}{{ messages[-1].content.split('?')[0] }}{{ 'a,b'.split(',') }}"
    "{{ messages[1].content.lstrip().startswith('<') }}{{ '%s-%d' % ('x', 3) }}{{ '{}:{}'.format('a', 1) }}",
    "generation": "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{{ eos_token }}"
    "{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}",
    "loopcontrols": "{% for m in messages %}{% if loop.index > 3 %}{% break %}{% endif %}{% if m.role == 'system' %}"
    "{% continue %}{% endif %}{{ m.content }}{{ loop.last }}{% endfor %}",
    "tests": "{{ tools is none }}{{ tools is defined and tools }}{{ messages is iterable }}{{ messages[0] is mapping }}"
    "{{ messages[0].content is string }}{{ none_such is defined }}{{ (1, 2) }}{{ [1, 'a', none] }}{{ {'a': [1]} }}",
    "blocks": "{% set text %}{% for m in messages %}{{ m.role }}{% endfor %}{% endset %}{{ text }}{{ text | length }}"
    "{% filter upper %}{{ text }}{% endfilter %}{{ range(3) | list }}{{ 7 // 2 }}{{ 2 ** 10 }}{{ 'ab' in text }}",
    "recursive": "{% for x in [[1, [2, []]]] recursive %}{{ x | string }}{% if x is sequence %}{{ loop(x) }}{% endif %}"
    "{% endfor %}",
}


@pytest.mark.parametrize("name", USUAL)
def test_usual_templates_write_what_transformers_writes(tiny_llm, name):
    tokenizer = AutoTokenizer.from_pretrained(tiny_llm)
    messages = MESSAGES[1:] if name == "llama2" else MESSAGES
    options = {"tokenize": False, "add_generation_prompt": True}
    theirs = tokenizer.apply_chat_template(messages, chat_template=USUAL[name], **options)

    template = BoundedTemplate(USUAL[name], name="chat.jinja", purpose="render", hint="")
    values = {"tools": None, "documents": None, "add_generation_prompt": True, **tokenizer.special_tokens_map}
    assert template.render(messages=messages, **values) == theirs


def test_a_long_conversation_is_written(tiny_llm):
    messages = [{"role": role, "content": "word " * 2_000} for role in ("user", "assistant") * 50]
    template = BoundedTemplate(USUAL["chatml"], name="chat.jinja", purpose="render", hint="")

    assert len(template.render(messages=messages)) > 1_000_000


def doubled(by):
    return "{% set n = namespace(x=['ab']) %}{% for i in range(60) %}{% set n.x = " + by + " %}{% endfor %}{{ n.x }}"


BOMBS = {
    "nested loops": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "loops with a filter": "{% for i in range(99999) %}{% for j in range(99999) if false %}{% endfor %}{% endfor %}",
    "generators": "{% for i in range(99999) %}{{ range(99999) | map('string') | list | length }}{% endfor %}",
    "multiplied text": "{{ 'x' * 10000000000 }}",
    "multiplied list": "{{ [0] * 1000000000 }}",
    "multiplied step by step": "{{ ('x' * 10000) * 10000 }}",
    "powers": "{{ 9 ** 9 ** 9 ** 9 ** 9 }}",
    "products": "{% set n = namespace(x=9) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "doubled by ~": doubled("n.x ~ n.x"),
    "doubled by +": doubled("n.x + n.x"),
    "doubled by a list": doubled("[n.x, n.x]"),
    "doubled by a tuple": doubled("(n.x, n.x)"),
    "doubled by a dictionary": doubled("{'a': n.x, 'b': n.x}"),
    "doubled by dict()": doubled("dict(a=n.x, b=n.x)"),
    "doubled by %": doubled("'%s%s' % (n.x, n.x)"),
    "doubled by format": doubled("'{0}{0}'.format(n.x)"),
    "doubled by the filter format": doubled("'%s%s' | format(n.x, n.x)"),
    "doubled by join": doubled("[n.x, n.x] | join"),
    "doubled by the method join": doubled("''.join([n.x | string, n.x | string])"),
    "doubled by replace": doubled("'aa' | replace('a', n.x | string)"),
    "doubled by the method replace": doubled("'aa'.replace('a', n.x | string)"),
    "doubled by a block": "{% set x = 'ab' %}" + "{% set x %}{{ x }}{{ x }}{% endset %}" * 60 + "{{ x }}",
    "doubled by a macro": "{% macro f(x) %}{{ x }}{{ x }}{% endmacro %}{% set x = 'a' %}" + "{% set x = f(x) %}" * 60,
    "squared by replace": "{% set x = 'a' * 100000 %}{{ x | replace('a', x) }}",
    "squared by join": "{% set x = 'a' * 100000 %}{{ x | join(x) }}",
    "squared by the method join": "{% set x = 'a' * 100000 %}{{ x.join(x) }}",
    "squared by indent": "{% set x = '\\n' * 100000 %}{{ x | indent(100000, true) }}",
    "squared by an indent of text": "{% set x = '\\n' * 100000 %}{{ x | indent(x, true) }}",
    "width of %": "{{ '%999999999d' % 1 }}",
    "width of the filter format": "{{ '%999999999d' | format(1) }}",
    "width of format": "{{ '{:999999999}'.format(1) }}",
    "width from elsewhere": "{{ '{:{}}'.format(1, 99999) * 10000 }}",
    "precision": "{{ '%.999999999f' % 1.5 }}",
    "center": "{{ 'x'.center(999999999) }}",
    "zfill": "{{ 'x'.zfill(999999999) }}",
    "translate": "{{ 'aaaa'.translate({97: 'x' * 100000}) }}",
    "batch": "{{ [1] | batch(999999999, 'x') | list }}",
    "slice": "{{ [1] | slice(999999999) | list }}",
    "round": "{{ 1.5 | round(999999999, 'ceil') }}",
    "sum of lists": "{% set x = [[0] * 1000] * 1000 %}{{ x | sum(start=[]) }}",
    "indent of tojson": "{{ [1] | tojson(indent=999999999) }}",
    "text as indent of tojson": "{{ [1, 2] | tojson(indent='x' * 100000) }}",
    "separators of tojson": "{{ ([1] * 1000) | tojson(separators=('x' * 100000, ':')) }}",
    "literals in a loop": "{% for i in range(99999) %}" + "x" * 1_000 + "{% endfor %}",
    "literals in a macro": "{% macro f() %}"
    + "x" * 1_000
    + "{% endmacro %}{% for i in range(99999) %}{% set y = f() %}"
    "{% endfor %}",
    "endless macro": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "branching macro": "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "recursive loop": "{% for x in range(99) recursive %}{{ loop(range(99)) }}{% endfor %}",
    "copies": "{% set x = [0] * 100000 %}{% for i in range(99999) %}{% set y = x[:] %}{% endfor %}",
    "searches": "{% set x = 'a' * 100000 %}{% for i in range(99999) %}{% set y = x.count('b') %}{% endfor %}",
    "lipsum": "{{ lipsum(n=99999) }}",
    "deep brackets": "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}",
    "deep lists": "{{ " + "[" * 5_000 + "]" * 5_000 + " }}",
    "deep ifs": "{% if 1 %}" * 3_000 + "{% endif %}" * 3_000,
    "many fors": "{% for i in [1] %}" * 30 + "{% endfor %}" * 30,
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", BOMBS)
def test_a_template_that_makes_too_much_is_stopped(name):
    began = time.process_time()
    with pytest.raises(EventuneError, match=r"chat\.jinja: cannot render: "):
        BoundedTemplate(BOMBS[name], name="chat.jinja", purpose="render", hint="").render(messages=MESSAGES)

    assert time.process_time() - began < 8


ESCAPES = (
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ dict.__globals__ }}",
    "{{ raise_exception.__globals__ }}",
    "{{ messages | attr('__class__') | attr('__init__') }}",
    "{{ '{0.__class__.__init__.__globals__}'.format(messages) }}",
    "{% set n = namespace(__class__=1) %}",
    "{% set n = namespace() %}{% set n.__init__ = 1 %}",
    "{{ self.__init__.__globals__ }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ (messages | map('attr', '__class__') | list)[0].mro() }}",
    "{% include 'x' %}",
    "{% import 'x' as x %}",
    "{{ messages.append(1) }}",
    "{{ messages.clear() }}",
)


@pytest.mark.parametrize("source", ESCAPES)
def test_the_sandbox_holds(source):
    """What is inside of Python is refused, or does not exist: it is shown as nothing."""
    messages = list(MESSAGES)
    try:
        text = BoundedTemplate(source, name="chat.jinja", purpose="render", hint="").render(messages=messages)
    except EventuneError as error:
        assert error.message.startswith("chat.jinja: cannot render: ")  # noqa: PT017
        text = ""
    assert text == ""
    assert messages == MESSAGES


def test_the_purse_is_full_again_for_each_rendering():
    source = f"{{{{ 'x' * {PURSE // 3} }}}}"
    template = BoundedTemplate(source, name="chat.jinja", purpose="render", hint="")

    for _ in range(4):
        assert len(template.render()) == PURSE // 3
