"""What a causal LM is trained on and asked: messages, the last of which is the response."""

from __future__ import annotations

from dataclasses import dataclass

ROLES = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation.

    Attributes:
        role: `system`, `user` or `assistant`.
        content: Its text.
        is_trained: Whether its loss counts; of the assistant's messages alone.
    """

    role: str
    content: str
    is_trained: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """One row: a prompt with what came before it, and its response.

    Attributes:
        messages: The turns; where there is a response, it is the last of them.
        references: All responses that count as right in evaluation; the row's own among them.
    """

    messages: tuple[Message, ...]
    references: tuple[str, ...] = ()

    @property
    def prompt(self) -> tuple[Message, ...]:
        """The turns before the response."""
        return self.messages[:-1] if self.messages and self.messages[-1].role == "assistant" else self.messages

    @property
    def response(self) -> str:
        """The response; empty where there is none."""
        return self.messages[-1].content if self.messages and self.messages[-1].role == "assistant" else ""
