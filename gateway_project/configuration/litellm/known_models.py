"""The keys of a `model_list` entry that LiteLLM documents and that translate into nothing here, and why."""

from gateway_project.configuration.litellm.reasons import (
    INFORMATION,
    INTERNAL,
    NO_CLOUD_AUTH,
    NO_COOLDOWN,
    NO_DEFAULTS,
    NO_REWRITE,
    NO_TAGS,
    NO_TARGET_BUDGET,
    NO_TARGET_LIMITS,
)
from gateway_project.configuration.report import Verdict

PARAMS = {
    Verdict.WITHOUT_EFFECT: {
        INTERNAL: (
            "litellm_trace_id use_in_pass_through use_litellm_proxy merge_reasoning_content_in_choices "
            "thought_signature_in_tool_call_id provider_affinity_header client_ttl"
        ),
        "the gateway's API is the same whatever the version": "responses_api_version",
    },
    Verdict.UNSUPPORTED: {
        NO_TARGET_LIMITS: "itpm otpm tpd rpd daily_reset_time",
        "files are not served": "max_file_size_mb",
        NO_TARGET_BUDGET: "max_budget budget_duration soft_budget",
        NO_TAGS: "tags tag_regex",
        NO_COOLDOWN: "cooldown_time allowed_fails",
        NO_DEFAULTS: (
            "temperature top_p n stop max_tokens max_completion_tokens presence_penalty frequency_penalty logit_bias "
            "user seed tools tool_choice functions function_call logprobs top_logprobs parallel_tool_calls "
            "response_format reasoning_effort verbosity thinking modalities audio prediction stream stream_options "
            "service_tier store metadata extra_body extra_query dimensions encoding_format input_type num_ctx "
            "keep_alive top_k repetition_penalty safe_prompt web_search_options safety_settings allowed_openai_params "
            "additional_drop_params voice size quality style language prompt messages headers default_headers "
            "cache_control_injection_points guardrails"
        ),
        NO_REWRITE: (
            "modify_params prompt_id prompt_variables initial_prompt_value roles "
            "final_prompt_value bos_token eos_token hf_model_name supports_system_message use_chat_completions_api "
            "custom_prompt_dict add_function_to_prompt"
        ),
        NO_CLOUD_AUTH: (
            "azure_ad_token azure_ad_token_provider azure_username azure_password region_name gcs_bucket_name "
            "bucket_name aws_session_name aws_web_identity_token aws_sts_endpoint aws_external_id aws_session_tags "
            "aws_bedrock_runtime_endpoint aws_bedrock_control_plane_endpoint aws_bedrock_project_id aws_batch_role_arn "
            "bedrock_tags model_id s3_bucket_name s3_endpoint_url s3_region_name s3_access_key_id "
            "s3_secret_access_key s3_encryption_key_id s3_bucket_owner s3_output_bucket_name watsonx_region_name "
            "project_id space_id use_xai_oauth chatgpt_auth_file token_exchange_endpoint token_exchange_profile "
            "token_exchange_scope token_exchange_audience deployment_id"
        ),
        "the kind of provider is said by the model's prefix": "api_type",
        "the caller can't bring credentials of its own": "configurable_clientside_auth_params",
        "timeouts don't depend on the service tier": "timeout_by_service_tier stream_timeout_by_service_tier",
        "streams carry no keep-alives of the gateway's own": "keepalive_seconds allow_client_keepalive_override",
        "a route does not choose its targets by content": (
            "auto_router_config_path auto_router_config auto_router_default_model auto_router_embedding_model "
            "auto_router_max_input_chars auto_router_routing_compression auto_router_model_compression "
            "complexity_router_config complexity_router_default_model adaptive_router_default_model "
            "adaptive_router_config quality_router_config quality_router_default_model"
        ),
        "use the built-in mock provider for canned answers": "mock_response mock_timeout mock_tool_calls",
        "vector stores are not served": (
            "vector_store_id vector_bucket_name index_name embedding_model milvus_text_field milvus_db_name "
            "milvus_partition_names valkey_host valkey_port valkey_password valkey_ssl valkey_text_field "
            "valkey_embedding_field"
        ),
        "calls are not copied to a second model": "silent_model",
        "TLS is always verified against the system's authorities": "ssl_verify ssl_certificate",
        "targets are not discovered": "kubernetes_pod_discovery",
        "the provider's own caching can't be forced": "fireworks_forward_user_id",
    },
}

INFO = {
    Verdict.WITHOUT_EFFECT: {
        INFORMATION: (
            "id db_model updated_at updated_by created_at created_by mode key max_tokens max_input_tokens "
            "max_output_tokens description litellm_provider supported_endpoints version provider metadata author "
            "supported_openai_params tier internal_router_model output_vector_size pricing_provider "
            "use_openai_responses_path token_count_framing token_count_model token_count_tokenizer "
            "health_check_model health_check_timeout health_check_voice disable_background_health_check "
            "supported_audio_formats default_reasoning_effort reasoning_effort_levels reasoning_modes "
            "deprecation_date source team_public_model_name uses_embed_content provider_specific_entry"
        ),
        "every enabled route is listed": "discoverable",
    },
    Verdict.UNSUPPORTED: {
        "who may use a route is said by its tenant and by each key's allowed routes": (
            "access_groups team_id member_auto_router access_windows enforce_supported_endpoints"
        ),
        NO_TAGS: "allow_fail_open enable_tag_filtering",
        "environments have files of their own": "supported_environments",
        "prices are by token, image and request": (
            "ptu_count cost_per_ptu_per_hour ptu_effective_from ptu_effective_to ptu_shares tiered_pricing "
            "off_peak_pricing"
        ),
        "embedding requests are not split": "max_embedding_batch_size",
    },
}
