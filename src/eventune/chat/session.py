"""A conversation with a model: streamed, over several turns, with and without its adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from torch import nn
from transformers import PreTrainedTokenizerBase

from eventune.errors import EventuneError, did_you_mean
from eventune.generation.conversation import Conversation, Message
from eventune.generation.encoding import ConversationEncoder
from eventune.generation.generating import GenerationSettings
from eventune.generation.streaming import Tally, stream
from eventune.storage.text_files import is_unicode


@dataclass(frozen=True, slots=True)
class ChatModel:
    """A model that answers.

    Attributes:
        activated: Gives the model that answers, for as long as the block lasts.
        source_prefix: Text that this model was trained to read before each question.
    """

    activated: Callable[[], AbstractContextManager[nn.Module]]
    source_prefix: str = ""

    @classmethod
    def of(cls, model: nn.Module) -> ChatModel:
        """Return a model that needs nothing done before it answers."""
        return cls(lambda: nullcontext(model))


class ChatSession:
    """One conversation.

    Attributes:
        name: Name of the model that answers.
        messages: What was said so far; the system message first, where there is one.
    """

    def __init__(
        self,
        chat_models: Mapping[str, ChatModel],
        tokenizer: PreTrainedTokenizerBase,
        settings: GenerationSettings,
        *,
        max_length: int,
        system: str = "",
    ) -> None:
        """Begin a conversation.

        Args:
            chat_models: Who can answer, by name: the base first, then its adapters, the first of which answers.
            tokenizer: Their tokenizer; without a chat template it gets the plain one.
            settings: How answers are generated.
            max_length: The most tokens that question and answer may have together with all before them.
            system: The system message; none if empty.

        Raises:
            EventuneError: If the answer alone may be longer than that, or the chat template is broken.
        """
        room = max_length - settings.max_new_tokens
        if room < 1:
            raise EventuneError(
                f"max_new_tokens: expected less than the {max_length} tokens that the model reads and writes at once, "
                f"found {settings.max_new_tokens}"
            )
        self._chat_models, self._tokenizer, self._settings = dict(chat_models), tokenizer, settings
        # Where a conversation outgrows the model, its oldest turns are left out.
        self._encoder = ConversationEncoder(
            tokenizer, max_source_length=room, max_target_length=settings.max_new_tokens
        )
        self.name = self.names[min(1, len(self.names) - 1)]
        self.messages: tuple[Message, ...] = ()
        self.system(system)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all that can answer, the base first."""
        return tuple(self._chat_models)

    @property
    def compared(self) -> tuple[str, ...]:
        """Names of those that `compare` asks: the base, and the adapter that answers or else the first one."""
        base, *adapters = self.names
        if not adapters:
            raise EventuneError("compare: expected an adapter beside the base, found none", "give --adapter RUN")
        return base, adapters[0] if self.name == base else self.name

    def switch(self, name: str) -> None:
        """Let another model answer from now on; it knows what was said.

        Raises:
            EventuneError: If there is none of that name.
        """
        if name not in self._chat_models:
            raise EventuneError(
                f"adapter {name!r}: expected one of {', '.join(self.names)}", did_you_mean(name, self.names)
            )
        self.name = name

    def system(self, text: str) -> None:
        """Begin anew with another system message, or with the template's own where it is empty."""
        self.messages = (Message("system", text),) if text else ()

    def reset(self) -> None:
        """Forget all turns but the system message."""
        self.messages = tuple(message for message in self.messages if message.role == "system")

    def ask(self, text: str, tally: Tally | None = None) -> Iterator[str]:
        """Ask; question and answer become the conversation's last turn when the answer is complete.

        Args:
            text: The question.
            tally: Takes what the answer took.

        Yields:
            The answer, piece by piece. Closing the iterator ends it, and leaves the conversation as it was.

        Raises:
            EventuneError: If the question is empty or longer than the model reads, or the template refuses it.
        """
        pieces = []
        for piece in self._answer(text, self.name, tally):
            pieces.append(piece)
            yield piece
        self._keep(text, "".join(pieces))

    def compare(self, text: str) -> Iterator[tuple[str, str]]:
        """Ask base and adapter the same; the answer of the one that answers otherwise is kept.

        Args:
            text: The question.

        Yields:
            Name of a model with a part of its answer, all of the base's first; each begins with an empty piece.

        Raises:
            EventuneError: If there is no adapter; or as `ask`.
        """
        answers: dict[str, list[str]] = {name: [] for name in self.compared}
        for name, pieces in answers.items():
            yield name, ""
            for piece in self._answer(text, name):
                pieces.append(piece)
                yield name, piece
        self._keep(text, "".join(answers[self.name]))

    def _keep(self, text: str, answer: str) -> None:
        self.messages = (*self.messages, Message("user", text), Message("assistant", answer))

    def _answer(self, text: str, name: str, tally: Tally | None = None) -> Iterator[str]:
        if not text.strip():
            raise EventuneError("expected a question, found an empty one")
        if not all(is_unicode(said) for said in (text, *(message.content for message in self.messages))):
            raise EventuneError("expected a question in Unicode, found bytes that are no UTF-8")
        chosen = self._chat_models[name]
        turns = [*self.messages, Message("user", text)]
        prefixed = [
            Message(turn.role, chosen.source_prefix + turn.content) if turn.role == "user" else turn for turn in turns
        ]
        (prompt,), cut = self._encoder.prompts([Conversation(tuple(prefixed))])
        if cut.prompts_cut:
            raise EventuneError(
                f"the question is too long: expected {self._encoder.max_source_length} tokens at most, which leave "
                f"{self._settings.max_new_tokens} for the answer",
                "shorten it, or lower max_new_tokens",
            )
        with chosen.activated() as model:
            number = len(self.messages)
            yield from stream(model, self._tokenizer, prompt, self._settings, number=number, tally=tally)
