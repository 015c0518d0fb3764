"""What accounting needs of an answer that was read in full, whichever hub it belongs to."""

from typing import TypeAlias

from providers.dialects.canonical import Usage
from providers.dialects.codec import Facts
from providers.dialects.conversation import Answer, Refusal, Text, Thinking, ToolCall
from providers.dialects.embedding import EmbeddingAnswer
from providers.dialects.picture import PictureAnswer
from providers.dialects.ranking import RankingAnswer

AnyAnswer: TypeAlias = Answer | EmbeddingAnswer | PictureAnswer | RankingAnswer | int  # of tokens counted


def facts_of(answer: AnyAnswer) -> Facts:
    """Return the usage, the reason it ended, and where no usage is reported, how much text there is."""
    if isinstance(answer, int):
        return Facts(usage=Usage())
    if not isinstance(answer, Answer):
        return Facts(usage=answer.usage)
    finish = answer.choices[0].finish.value if answer.choices else ""
    return Facts(
        usage=answer.usage, finish_reason=finish, output_bytes=0 if answer.usage is not None else _text_bytes(answer)
    )


def _text_bytes(answer: Answer) -> int:
    total = 0
    for choice in answer.choices:
        for part in choice.parts:
            if isinstance(part, Text | Refusal | Thinking):
                total += len(part.text.encode(errors="surrogatepass"))
            elif isinstance(part, ToolCall):
                total += len(part.arguments.encode(errors="surrogatepass"))
    return total
