"""Other price lists' names of vendors, as the bundled list calls them."""

from collections.abc import Mapping

_NAMES: Mapping[str, str] = {
    "gemini": "google",
    "vertex_ai": "google",
    "vertex": "google",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "bedrock_mantle": "aws",
    "azure_ai": "azure",
    "azure_text": "azure",
    "azure_openai": "azure",
    "cohere_chat": "cohere",
    "codestral": "mistral",
    "fireworks_ai": "fireworks",
    "github_copilot": "github-copilot",
    "meta_llama": "meta",
    "moonshot": "moonshotai",
    "text-completion-codestral": "mistral",
    "text-completion-openai": "openai",
    "together_ai": "together",
    "voyage": "voyageai",
    "xai": "x-ai",
}


def vendor_of(name: str) -> str:
    """Return the vendor that a list means: `vertex_ai-anthropic_models` is `google`; unknown names stay."""
    family = name.partition("-")[0] if name.startswith(("vertex_ai-", "fireworks_ai-")) else name
    return _NAMES.get(family, family)
