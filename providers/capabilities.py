"""What a model can do, worked out of the rows of its family: by the kind of provider and the model's name.

What is known of no family can do anything: the provider knows better than a table that says nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from types import MappingProxyType

from providers.capability_rows import (
    ANTHROPIC,
    COHERE,
    CONVERSE,
    DEEPSEEK,
    GEMINI,
    GROQ,
    MISTRAL,
    NEVER,
    OPENAI,
    PERPLEXITY,
    XAI,
    Row,
)
from providers.dialects.canonical import Capabilities, Feature


@dataclass(frozen=True, slots=True)
class FeatureChanges:
    """What an operator knows better about one target's model."""

    added: frozenset[Feature] = frozenset()
    removed: frozenset[Feature] = frozenset()


NO_CHANGES = FeatureChanges()
ABLE_TO_ALL = Capabilities(features=frozenset(Feature) - NEVER)


@dataclass(frozen=True, slots=True)
class Family:
    """Whose models a kind of provider serves under names of a pattern, and what its way of serving takes from them."""

    rows: tuple[Row, ...]
    pattern: str = "*"
    lacks: frozenset[Feature] = frozenset()


# Claude at a cloud takes pictures inline only (platform.claude.com, "Vision", November 2026). Converse has no place for
# what its other models don't have either.
_CLAUDE_AT_BEDROCK = CONVERSE[-1].lacks
FAMILIES: Mapping[str, tuple[Family, ...]] = MappingProxyType(
    {
        "openai": (Family(OPENAI),),
        "azure": (Family(OPENAI),),
        "anthropic": (Family(ANTHROPIC),),
        "gemini": (Family(GEMINI),),
        "vertex": (Family(ANTHROPIC, "claude*", frozenset({Feature.IMAGE_URLS})), Family(GEMINI)),
        "bedrock": (Family(ANTHROPIC, "*anthropic.claude*", _CLAUDE_AT_BEDROCK), Family(CONVERSE)),
        "mistral": (Family(MISTRAL),),
        "deepseek": (Family(DEEPSEEK),),
        "groq": (Family(GROQ),),
        "xai": (Family(XAI),),
        "perplexity": (Family(PERPLEXITY),),
        "cohere": (Family(COHERE),),
    }
)


@lru_cache(maxsize=4096)
def capabilities_of(kind: str, model: str) -> Capabilities:
    """Return what a model of a provider's kind can do. A fine-tuned model can what its base can."""
    name = model.removeprefix("ft:")
    for family in FAMILIES.get(kind, ()):
        if fnmatchcase(name, family.pattern):
            row = next(row for row in family.rows if fnmatchcase(name, row.pattern))
            features = (frozenset(Feature) - NEVER - row.lacks - family.lacks) | row.demands
            return Capabilities(features=features, max_output_tokens=row.most)
    return ABLE_TO_ALL


def revise(known: Capabilities, changes: FeatureChanges, *, max_output_tokens: int | None) -> Capabilities:
    """Return the capabilities with what the operator says over them."""
    return Capabilities(
        features=(known.features | changes.added) - changes.removed,
        max_output_tokens=max_output_tokens or known.max_output_tokens,
    )
