"""What models can't do, and how much they write at most: one row a family, first fit first.

A row says what is documented and nothing else: what nobody documents is sent, and the provider decides. Names are of
the makers' models; `providers.capabilities` knows which kinds of provider serve whose.

Sources, all of November 2026: platform.openai.com ("Models", "Reasoning"), platform.claude.com ("Models overview",
"Prefill not supported", "Structured outputs", "What's new in Claude Opus 4.7"), ai.google.dev ("Models", "Thought
signatures"), docs.aws.amazon.com ("Supported models and model features" of Converse), docs.mistral.ai,
api-docs.deepseek.com ("Reasoning model"), console.groq.com ("OpenAI compatibility"), docs.x.ai ("Reasoning"),
docs.perplexity.ai, docs.cohere.com ("Compatibility API").
"""

from dataclasses import dataclass

from providers.dialects.canonical import Feature

F = Feature
MEDIA = frozenset({F.DOCUMENTS, F.AUDIO, F.VIDEO})
SIGHT = frozenset({F.IMAGES, F.IMAGE_URLS})
TOOLS = frozenset({F.TOOLS, F.PARALLEL_TOOLS})
FIXED_SAMPLING = frozenset({F.SAMPLING, F.PENALTIES, F.LOGPROBS})
NEVER = frozenset({F.SIGNED_THINKING})  # no ability but a demand, which only some models make


@dataclass(frozen=True, slots=True)
class Row:
    """A family by the pattern of its names (`*` is anything): what it lacks, and the most tokens it writes."""

    pattern: str
    lacks: frozenset[Feature] = frozenset()
    most: int | None = None
    demands: frozenset[Feature] = frozenset()


_OPENAI = NEVER | {F.VIDEO, F.PREFILL, F.CACHE_MARKS}
_OPENAI_WRITING = _OPENAI | {F.AUDIO}
_OPENAI_REASONING = _OPENAI_WRITING | FIXED_SAMPLING | {F.STOP}
_OPENAI_PLAIN = _OPENAI_WRITING | {F.REASONING}
OPENAI = (
    Row("gpt-4o*audio*", _OPENAI | SIGHT | {F.DOCUMENTS, F.REASONING, F.JSON_SCHEMA}, 16_384),
    Row("gpt-audio*", _OPENAI | SIGHT | {F.DOCUMENTS, F.REASONING, F.JSON_SCHEMA}, 16_384),
    Row("gpt-5*-chat*", _OPENAI_PLAIN, 16_384),
    Row("gpt-5-pro*", _OPENAI_REASONING, 272_000),
    Row("gpt-5*", _OPENAI_REASONING, 128_000),
    Row("gpt-6*", _OPENAI_REASONING, 128_000),
    Row("o1-mini*", _OPENAI_REASONING | SIGHT | TOOLS | {F.DOCUMENTS, F.SYSTEM, F.JSON_OBJECT, F.JSON_SCHEMA}, 65_536),
    Row(
        "o1-preview*", _OPENAI_REASONING | SIGHT | TOOLS | {F.DOCUMENTS, F.SYSTEM, F.JSON_OBJECT, F.JSON_SCHEMA}, 32_768
    ),
    Row("o3-mini*", _OPENAI_REASONING | SIGHT, 100_000),
    Row("o[0-9]*", _OPENAI_REASONING, 100_000),
    Row("gpt-4.1*", _OPENAI_PLAIN, 32_768),
    Row("gpt-4o*", _OPENAI_PLAIN, 16_384),
    Row("gpt-4-turbo*", _OPENAI_PLAIN | {F.DOCUMENTS, F.JSON_SCHEMA}, 4_096),
    Row("gpt-4*", _OPENAI_PLAIN | SIGHT | {F.DOCUMENTS, F.JSON_SCHEMA}, 8_192),
    Row("gpt-3.5*", _OPENAI_PLAIN | SIGHT | {F.DOCUMENTS, F.JSON_SCHEMA}, 4_096),
    Row("*", _OPENAI),
)

_CLAUDE = NEVER | {F.SEED, F.LOGPROBS, F.PENALTIES, F.CHOICES, F.JSON_OBJECT, F.AUDIO, F.VIDEO}
_CLAUDE_NOW = _CLAUDE | {F.PREFILL, F.SAMPLING}
ANTHROPIC = (
    Row("*claude-2*", _CLAUDE | SIGHT | TOOLS | {F.DOCUMENTS, F.REASONING, F.JSON_SCHEMA, F.CACHE_MARKS}, 4_096),
    Row("*claude-3-7*", _CLAUDE | {F.JSON_SCHEMA}, 64_000),
    Row("*claude-3-5*", _CLAUDE | {F.REASONING, F.JSON_SCHEMA}, 8_192),
    Row("*claude-3*", _CLAUDE | {F.DOCUMENTS, F.REASONING, F.JSON_SCHEMA}, 4_096),
    Row("*claude-opus-4-6*", _CLAUDE | {F.PREFILL}, 128_000),
    Row("*claude-opus-4-[78]*", _CLAUDE_NOW, 128_000),
    Row("*claude-sonnet-4-6*", _CLAUDE | {F.PREFILL}, 128_000),
    Row("*claude-*-4-5*", _CLAUDE, 64_000),
    Row("*claude-opus-4-1*", _CLAUDE, 32_000),
    Row("*claude-opus-4*", _CLAUDE | {F.JSON_SCHEMA}, 32_000),
    Row("*claude-sonnet-4*", _CLAUDE | {F.JSON_SCHEMA}, 64_000),
    Row("*", _CLAUDE_NOW, 128_000),
)

_GEMINI = frozenset({F.PREFILL, F.PARALLEL_TOOLS, F.CACHE_MARKS})
_SIGNED = frozenset({F.SIGNED_THINKING})
GEMINI = (
    Row("*gemini-1*", _GEMINI | NEVER | {F.REASONING, F.IMAGE_URLS}, 8_192),
    Row("*gemini-2.0*", _GEMINI | NEVER | {F.REASONING, F.IMAGE_URLS}, 8_192),
    Row("*gemini-2.5*-image*", _GEMINI | NEVER | TOOLS | {F.REASONING}, 32_768),
    Row("*gemini-2*", _GEMINI | NEVER, 65_536),
    Row("*gemini-3*-image*", _GEMINI | TOOLS, 65_536, _SIGNED),
    Row("*gemini-3*", _GEMINI, 65_536, _SIGNED),
    Row("*gemini*-latest*", _GEMINI, 65_536, _SIGNED),
    Row("*gemini-[4-9]*", _GEMINI, None, _SIGNED),
    Row("*gemma*", _GEMINI | NEVER | {F.AUDIO, F.VIDEO, F.DOCUMENTS, F.IMAGE_URLS}, 8_192),
    Row("*", _GEMINI | NEVER),
)

_CONVERSE = NEVER | {F.SEED, F.LOGPROBS, F.PENALTIES, F.CHOICES, F.JSON_OBJECT, F.IMAGE_URLS, F.AUDIO, F.PARALLEL_TOOLS}
_CONVERSE_PLAIN = _CONVERSE | {F.VIDEO, F.PREFILL, F.JSON_SCHEMA, F.REASONING, F.CACHE_MARKS}
CONVERSE = (
    Row("*amazon.nova-micro*", _CONVERSE_PLAIN | SIGHT | {F.DOCUMENTS}, 10_000),
    Row("*amazon.nova-2*", _CONVERSE | {F.PREFILL}, 64_000),
    Row("*amazon.nova*", _CONVERSE | {F.REASONING, F.PREFILL, F.JSON_SCHEMA}, 10_000),
    Row("*amazon.titan-text*", _CONVERSE_PLAIN | SIGHT | TOOLS | {F.SYSTEM}, 8_192),
    Row("*deepseek.r1*", (_CONVERSE_PLAIN - {F.REASONING}) | SIGHT | TOOLS, 32_768),
    Row("*mistral.mistral-7b*", _CONVERSE_PLAIN | SIGHT | TOOLS | {F.SYSTEM}, 8_192),
    Row("*mistral.mixtral*", _CONVERSE_PLAIN | SIGHT | TOOLS | {F.SYSTEM}, 4_096),
    Row("*meta.llama3-2-*b*", _CONVERSE_PLAIN),
    Row("*meta.llama3*", _CONVERSE_PLAIN | SIGHT),
    Row("*", _CONVERSE),
)

_MISTRAL = NEVER | {F.LOGPROBS, F.CACHE_MARKS, F.DOCUMENTS, F.VIDEO, F.PREFILL}
MISTRAL = (
    Row("voxtral*", _MISTRAL | SIGHT | {F.REASONING}),
    Row("codestral*", _MISTRAL | SIGHT | {F.AUDIO, F.REASONING}),
    Row("*", _MISTRAL | {F.AUDIO}),
)
_DEEPSEEK = NEVER | MEDIA | SIGHT | {F.CHOICES, F.SEED, F.JSON_SCHEMA, F.CACHE_MARKS, F.PARALLEL_TOOLS, F.PREFILL}
DEEPSEEK = (
    Row("deepseek-reasoner*", _DEEPSEEK | FIXED_SAMPLING),
    Row("*", _DEEPSEEK),
)
GROQ = (Row("*", NEVER | MEDIA | {F.LOGPROBS, F.CHOICES, F.CACHE_MARKS}),)
_XAI = NEVER | {F.AUDIO, F.VIDEO, F.CACHE_MARKS, F.PREFILL}
XAI = (
    Row("*-non-reasoning*", _XAI | {F.REASONING}),
    Row("grok-[4-9]*", _XAI | {F.PENALTIES, F.STOP}),
    Row("*", _XAI),
)
PERPLEXITY = (
    Row("*", NEVER | TOOLS | {F.AUDIO, F.VIDEO, F.SEED, F.LOGPROBS, F.CHOICES, F.STOP, F.CACHE_MARKS, F.PREFILL}),
)
_COHERE = NEVER | MEDIA | {F.CHOICES, F.PARALLEL_TOOLS, F.CACHE_MARKS, F.PREFILL}
COHERE = (
    Row("*vision*", _COHERE | TOOLS, 8_192),
    Row("*", _COHERE | SIGHT),
)
