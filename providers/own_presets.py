"""The rows of vendors that have a dialect, a way of signing in, or addresses of their own.

Sources: the vendors' API references and SDKs, November 2026. Their tokenizers are not public; tokens are guessed.
"""

from types import MappingProxyType

from providers.dialects.canonical import Dialect, Operation
from providers.preset import IMAGES, OLDER_CAP, OPENAI_AND_RESPONSES, SOUND, Option, Preset, Speaks, speaking_openai

_ANTHROPIC: Speaks = MappingProxyType(
    {Operation.CHAT: (Dialect.ANTHROPIC,), Operation.TOKEN_COUNT: (Dialect.ANTHROPIC,)}
)
_GEMINI: Speaks = MappingProxyType(
    {
        Operation.CHAT: (Dialect.GEMINI,),
        Operation.EMBEDDING: (Dialect.GEMINI,),
        Operation.TOKEN_COUNT: (Dialect.GEMINI,),
    }
)
_NOTHING: Speaks = MappingProxyType({})
_TITAN_VECTORS: Speaks = MappingProxyType({Operation.EMBEDDING: (Dialect.TITAN,)})
_TITAN_PICTURES: Speaks = MappingProxyType({Operation.IMAGE: (Dialect.TITAN,)})

OWN_ROWS = (
    Preset(
        name="anthropic",
        adapter="anthropic",
        title="Anthropic",
        base_url="https://api.anthropic.com",
        credential_env="ANTHROPIC_API_KEY",
        auth="x-api-key",
        price_vendor="anthropic",
        litellm_prefix="anthropic",
        usual_models=("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"),
        speaks=_ANTHROPIC,
        version_option="api_version",
        options=(
            Option("api_version", "The anthropic-version header. Empty: 2023-06-01.", per_target=True),
            Option(
                "auth",
                "How the credential is sent: in the x-api-key header, or as a bearer token.",
                choices=("x-api-key", "bearer"),
            ),
        ),
    ),
    Preset(
        name="gemini",
        adapter="gemini",
        title="Google Gemini",
        base_url="https://generativelanguage.googleapis.com",
        credential_env="GEMINI_API_KEY",
        auth="x-goog-api-key",
        price_vendor="google",
        litellm_prefix="gemini",
        usual_models=("gemini-3.7-flash", "gemini-3.5-flash-lite", "gemini-2.5-pro", "gemini-embedding-2"),
        speaks=_GEMINI,
        options=(Option("api_version", "The version in the path. Empty: v1beta.", per_target=True),),
    ),
    Preset(
        name="vertex",
        adapter="vertex",
        title="Google Vertex AI",
        derives_address=True,
        auth="google",
        price_vendor="google",
        litellm_prefix="vertex_ai",
        litellm_aliases=("vertex_ai_beta",),
        litellm_secrets=(("vertex_credentials", ""),),
        speaks=_GEMINI,
        # google-genai 3.4 sends only Gemini's embedding models to batchEmbedContents; older ones have another dialect.
        speaks_by_model=(
            ("claude*", _ANTHROPIC),
            ("text-embedding-*", _NOTHING),
            ("text-multilingual-embedding-*", _NOTHING),
            ("multimodalembedding*", _NOTHING),
        ),
        version_option="anthropic_version",
        usual_version="vertex-2023-10-16",
        options=(
            Option(
                "project",
                "The Google Cloud project.",
                required=True,
                per_target=True,
                env="GOOGLE_CLOUD_PROJECT",
                litellm="vertex_project",
            ),
            Option(
                "location",
                "A region, us, eu or global. Empty: global.",
                per_target=True,
                env="GOOGLE_CLOUD_LOCATION",
                litellm="vertex_location",
            ),
            Option("api_version", "The version in the path. Empty: v1.", per_target=True),
            Option("anthropic_version", "The version in Claude's bodies. Empty: vertex-2023-10-16.", per_target=True),
        ),
    ),
    Preset(
        name="bedrock",
        adapter="bedrock",
        title="Amazon Bedrock",
        derives_address=True,
        credential_env="AWS_BEARER_TOKEN_BEDROCK",
        auth="aws",
        price_vendor="aws",
        litellm_prefix="bedrock",
        litellm_aliases=("bedrock_converse",),
        litellm_routes=("converse/", "invoke/"),
        litellm_secrets=(
            ("aws_access_key_id", "aws_access_key_id"),
            ("aws_secret_access_key", "aws_secret_access_key"),
            ("aws_session_token", "aws_session_token"),
            ("aws_role_name", "role_arn"),
            ("aws_profile_name", "profile"),
        ),
        usual_models=("global.anthropic.claude-sonnet-5-5", "amazon.nova-pro-v1:0", "amazon.titan-embed-text-v2:0"),
        speaks=MappingProxyType({Operation.CHAT: (Dialect.CONVERSE,)}),
        speaks_by_model=(
            ("*amazon.titan-embed*", _TITAN_VECTORS),
            ("*cohere.embed*", _TITAN_VECTORS),
            ("*amazon.titan-image*", _TITAN_PICTURES),
            ("*amazon.nova-canvas*", _TITAN_PICTURES),
        ),
        options=(
            Option(
                "region",
                "The AWS region.",
                required=True,
                per_target=True,
                env="AWS_REGION",
                litellm="aws_region_name",
            ),
        ),
    ),
    Preset(
        name="azure",
        adapter="azure",
        title="Azure OpenAI",
        address_env="AZURE_OPENAI_ENDPOINT",
        credential_env="AZURE_OPENAI_API_KEY",
        auth="api-key",
        price_vendor="azure",
        litellm_prefix="azure",
        litellm_aliases=("azure_text",),
        litellm_routes=("responses/", "o_series/", "gpt5_series/"),
        litellm_secrets=(
            ("tenant_id", "tenant_id"),
            ("client_id", "client_id"),
            ("client_secret", "client_secret"),
            ("azure_scope", "scope"),
        ),
        litellm_secrets_auth="entra",
        cap_fields=("max_completion_tokens", "max_tokens"),
        speaks=speaking_openai(*IMAGES, *SOUND, basics=OPENAI_AND_RESPONSES),
        options=(
            Option(
                "surface",
                "v1 names deployments in the body; deployments names them in the path, with an api_version.",
                per_target=True,
                choices=("v1", "deployments"),
            ),
            Option(
                "api_version",
                "For the deployments surface. Empty: 2024-10-21.",
                per_target=True,
                env="OPENAI_API_VERSION",
                litellm="api_version",
            ),
            Option(
                "auth",
                "How to sign in: with an api-key, with Entra ID (entra), or with a bearer token as it is.",
                choices=("api-key", "entra", "bearer"),
            ),
        ),
    ),
    Preset(
        name="cohere",
        adapter="cohere",
        title="Cohere",
        base_url="https://api.cohere.ai/compatibility/v1",
        credential_env="COHERE_API_KEY",
        price_vendor="cohere",
        litellm_prefix="cohere_chat",
        litellm_aliases=("cohere",),
        usual_models=("command-a-03-2025", "embed-v4.0", "rerank-v3.5"),
        cap_fields=OLDER_CAP,
        speaks=MappingProxyType(
            {
                Operation.CHAT: (Dialect.OPENAI,),
                Operation.EMBEDDING: (Dialect.OPENAI,),
                Operation.RERANK: (Dialect.COHERE,),
            }
        ),
    ),
    Preset(
        name="huggingface",
        adapter="huggingface",
        title="Hugging Face",
        base_url="https://router.huggingface.co/v1",
        credential_env="HF_TOKEN",
        price_vendor="huggingface",
        litellm_prefix="huggingface",
        usual_models=("openai/gpt-oss-120b",),
        cap_fields=OLDER_CAP,
        speaks=MappingProxyType({Operation.CHAT: (Dialect.OPENAI,), Operation.EMBEDDING: (Dialect.FEATURES,)}),
    ),
)
