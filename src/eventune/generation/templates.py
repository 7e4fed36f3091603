"""From messages to the text that a causal LM reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eventune.errors import EventuneError
from eventune.generation.bounded import BoundedTemplate
from eventune.generation.conversation import Message
from eventune.storage.paths import is_file
from eventune.storage.text_files import read_text

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_PLAIN = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}{{ message['content'] + eos_token }}"
    "{% else %}{{ message['content'] + '\\n' }}{% endif %}"
    "{% endfor %}"
)
"""A turn a line; the model's end token, and nothing else, is behind a response."""
_PLAIN_TEXT = "{% for message in messages %}{{ message['content'] + '\\n' }}{% endfor %}"
"""The same for tokenizers that read no special token in a text."""

_QUESTION, _ANSWER = "qvxzquestion", "qvxzanswer"
_HINT = "mend the template, or set chat_template: plain"


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a rendered conversation.

    Attributes:
        text: What stands there.
        is_trained: Whether it is a response, to be followed by the end token, whose loss counts.
    """

    text: str
    is_trained: bool


class Template:
    """A chat template with a tokenizer, known to work; the tokenizer's own template may be another."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, text: str, *, source: str) -> None:
        self.text = text
        self._tokenizer = tokenizer
        self._source = source
        if not tokenizer.eos_token or tokenizer.eos_token_id is None:
            raise EventuneError(
                "the tokenizer has no end token (eos_token), so no response could be learned to end",
                "set eos_token in its tokenizer_config.json",
            )
        self._eos = str(tokenizer.eos_token)
        # Not by the tokenizer's own method: nothing would stop a template that makes too much.
        self._template = BoundedTemplate(text, name=source, purpose="render a conversation", hint=_HINT)
        self._before, self._ending = self._probe()
        self.shows_eos = self._eos in self._ending
        """Whether the end token is part of the template's text of a response."""
        self.prefix = _first_ids(tokenizer) if _reads_no_specials(tokenizer) else []
        """Ids before the text of a conversation that no template can spell; empty for most tokenizers."""

    def render(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        """Render messages.

        Args:
            messages: The turns.
            add_generation_prompt: Whether to end with what a response begins behind.

        Returns:
            The text, with all special tokens that the model reads but those in `prefix`.

        Raises:
            EventuneError: If the template is broken or refuses the messages, e.g. a system message.
        """
        turns = [{"role": message.role, "content": message.content} for message in messages]
        return self._template.render(
            messages=turns,
            tools=None,
            documents=None,
            add_generation_prompt=add_generation_prompt,
            **self._tokenizer.special_tokens_map,
        )

    def segments(self, messages: Sequence[Message]) -> list[Segment]:
        """Render a conversation in pieces, so that responses can be told from what is not trained.

        Args:
            messages: The turns, one of which at least is trained.

        Returns:
            Untrained and trained pieces in turn, up to the last trained one. The first is the prompt just as it is
            rendered for generation. A trained piece lacks the end token that follows it; the piece behind it begins
            behind that token where the template shows one.

        Raises:
            EventuneError: If the text of the conversation does not begin with that of its prompt.
        """
        trained = [index for index, message in enumerate(messages) if message.is_trained]
        whole = self.render(messages[: trained[-1] + 1], add_generation_prompt=False)
        segments: list[Segment] = []
        start = 0
        for index in trained:
            prompt = self.render(messages[:index], add_generation_prompt=True)
            if not whole.startswith(prompt) or len(prompt) < start:
                raise self._mismatch()
            alone = whole
            if index != trained[-1]:
                alone = self.render(messages[: index + 1], add_generation_prompt=False)
            response = self._response(alone, prompt)
            # Some templates show a part of the last response only, such as an empty thought.
            if not whole.startswith(response, len(prompt)):
                response = response.removeprefix(self._before)
            end = len(prompt) + len(response)
            if not whole.startswith(response, len(prompt)):
                raise self._mismatch()
            segments += [Segment(whole[start : len(prompt)], False), Segment(response, True)]
            start = end
            if self.shows_eos:
                if not whole.startswith(self._eos, end):
                    raise self._mismatch()
                start += len(self._eos)
        return segments

    def _response(self, rendered: str, prompt: str) -> str:
        """Return what a rendered conversation has beyond its prompt, up to the end token."""
        if not rendered.startswith(prompt) or not rendered.endswith(self._ending):
            raise self._mismatch()
        rest = rendered[len(prompt) : len(rendered) - len(self._ending)]
        return rest + (self._ending.partition(self._eos)[0] if self.shows_eos else self._ending.rstrip())

    def _probe(self) -> tuple[str, str]:
        """Return what the template puts before and behind a response."""
        asked = (Message("user", _QUESTION),)
        prompt = self.render(asked, add_generation_prompt=True)
        whole = self.render((*asked, Message("assistant", _ANSWER)), add_generation_prompt=False)
        if not whole.startswith(prompt):
            raise self._mismatch()
        if _QUESTION not in prompt or _ANSWER not in whole[len(prompt) :]:
            found = "the prompt lacks it" if _QUESTION not in prompt else "the response is not behind the prompt"
            raise EventuneError(
                f"{self._source}: expected a template that shows each message's content, {found}", _HINT
            )
        before, _, ending = whole[len(prompt) :].partition(_ANSWER)
        return before, ending

    def _mismatch(self) -> EventuneError:
        return EventuneError(
            f"{self._source}: expected the text of a conversation to begin with that of its prompt, as a model that is "
            "trained must see what it is asked with later; found another beginning",
            _HINT,
        )


def choose_template(tokenizer: PreTrainedTokenizerBase, setting: str = "auto") -> Template:
    """Return the chat template that a setting names.

    Args:
        tokenizer: The model's tokenizer; it is not changed.
        setting: `auto` for the tokenizer's own template, or the plain one where it has none; `plain`; or the path of a
            jinja file.

    Returns:
        The template.

    Raises:
        EventuneError: If there is no such file, if the template is broken, or if the tokenizer has no end token.
    """
    if setting == "plain" or (setting == "auto" and not tokenizer.chat_template):
        return Template(tokenizer, _plain(tokenizer), source="the plain chat template")
    if setting == "auto":
        try:
            return Template(tokenizer, tokenizer.get_chat_template(), source="the model's chat template")
        except ValueError as error:
            raise EventuneError(f"the model's chat template: {error}", "set chat_template: plain") from None
    if not is_file(setting):
        raise EventuneError(f"chat_template: expected auto, plain or a jinja file, found {setting!r}")
    path = Path(setting)
    return Template(tokenizer, read_text(path), source=str(path))


def set_template(tokenizer: PreTrainedTokenizerBase, setting: str = "auto") -> None:
    """Give a tokenizer the chat template that a setting names, to be saved with it; see `choose_template`."""
    tokenizer.chat_template = choose_template(tokenizer, setting).text


def _plain(tokenizer: PreTrainedTokenizerBase) -> str:
    """Return the plain template; it begins with the tokens that the tokenizer puts before a text, such as bos."""
    if _reads_no_specials(tokenizer):
        return _PLAIN_TEXT
    first = "".join(tokenizer.convert_ids_to_tokens(_first_ids(tokenizer)))
    return f"{{{{ {first!r} }}}}{_PLAIN}" if first else _PLAIN


def _reads_no_specials(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Tell whether special tokens that are spelled in a text are read as any other characters."""
    return bool(getattr(tokenizer, "split_special_tokens", False))


def _first_ids(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return the ids that a tokenizer puts before a text."""
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    complete: list[int] = tokenizer("a", add_special_tokens=True)["input_ids"]
    count = next((at for at in range(len(complete)) if complete[at : at + len(bare)] == bare), 0)
    return complete[:count]
