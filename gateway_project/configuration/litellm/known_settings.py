"""The sections and settings that LiteLLM documents and that translate into nothing here, and why."""

from gateway_project.configuration.litellm.reasons import (
    INTERNAL,
    NO_ALERTS,
    NO_CACHE,
    NO_CLOUD_AUTH,
    NO_COOLDOWN,
    NO_DEFAULTS,
    NO_EXPORT,
    NO_GUARDRAILS,
    NO_OWN_DEFAULTS,
    NO_PLUGINS,
    NO_QUEUE,
    NO_RAW_CALLS,
    NO_REWRITE,
    NO_SSO,
    NO_TAGS,
    NO_TARGET_BUDGET,
    NO_TARGET_LIMITS,
    NO_TOOLS,
    OWN_DATABASE,
    OWN_LOGS,
    OWN_RECORDS,
    OWN_REDIS,
    OWN_STORE,
)
from gateway_project.configuration.report import Verdict

TOP = {
    Verdict.WITHOUT_EFFECT: {
        "no other key of this file refers to it": "environment_variables",
        "nothing here logs to these callbacks": "callback_settings",
        "there is no such registry here": "worker_registry public_routes",
    },
    Verdict.UNSUPPORTED: {
        NO_GUARDRAILS: "guardrails policies policy_attachments",
        NO_TOOLS: "mcp_servers mcp_tools agents agent_list search_tools sandbox_tools tools",
        "files, batches, fine-tuning, assistants and vector stores are not served": (
            "assistant_settings files_settings finetune_settings vector_store_registry"
        ),
        "there are no prompt templates": "prompts",
        NO_CLOUD_AUTH: "default_vertex_config",
        NO_RAW_CALLS: "pass_through_endpoints",
        NO_PLUGINS: "plugins classifier_plugin",
        "credentials that no model refers to are not kept": "credential_list",
    },
}

ROUTER = {
    Verdict.WITHOUT_EFFECT: {
        OWN_REDIS: "redis_url redis_host redis_port redis_password redis_db redis_username redis_ssl cache_kwargs",
        OWN_LOGS: "set_verbose debug_level",
        INTERNAL: "client_ttl polling_interval default_priority router_general_settings ignore_invalid_deployments",
        "the provider's own Retry-After is honoured": "retry_after",
        "a route that no target can serve says so itself": "fallback_access_check fallback_budget_check",
    },
    Verdict.UNSUPPORTED: {
        "these errors have no chain of their own; put the routes among fallbacks": (
            "context_window_fallbacks content_policy_fallbacks fallback_on_unsupported_params"
        ),
        "a call is not measured against the context window beforehand": (
            "enable_pre_call_checks enable_pre_call_check optional_pre_call_checks"
        ),
        "attempts are counted alike for every kind of error": "retry_policy model_group_retry_policy max_fallbacks",
        NO_COOLDOWN: "allowed_fails allowed_fails_policy cooldown_time disable_cooldowns",
        NO_TAGS: "enable_tag_filtering tag_filtering_match_any tag_routing_prefix",
        "targets are drawn by order and weight": (
            "routing_strategy_args routing_groups weights enable_weighted_failover auto_router_capability_limit"
        ),
        NO_CACHE: "cache_responses caching_groups",
        NO_DEFAULTS: "default_litellm_params",
        NO_TARGET_BUDGET: "provider_budget_config",
        NO_ALERTS: "alerting_config",
        NO_GUARDRAILS: "guardrail_list",
        NO_TOOLS: "search_tools assistants_config",
        NO_PLUGINS: "plugins",
        "a caller is not kept on one target": (
            "deployment_affinity_ttl_seconds model_group_affinity_config session_affinity_repin_on_failover"
        ),
        "targets are not probed": (
            "enable_health_check_routing health_check_staleness_threshold health_check_ignore_transient_errors "
            "background_health_check_model_groups"
        ),
        "a broken stream is not continued elsewhere": "enable_mid_stream_fallback_continuation",
    },
}

LITELLM = {
    Verdict.WITHOUT_EFFECT: {
        OWN_LOGS: (
            "set_verbose json_logs suppress_debug_info turn_off_message_logging redact_messages_in_exceptions "
            "redact_user_api_key_info log_raw_request_response log_client_error_tracebacks "
            "log_auth_failure_key_identity request_correlation_in_logs disable_streaming_logging error_logs "
            "suppress_startup_output standard_logging_payload_excluded_fields global_disable_no_log_param "
            "allow_dynamic_callback_disabling"
        ),
        "no such export runs here, so there is nothing to tune": (
            "langfuse_default_tags langfuse_enable_update_trace_keys langsmith_batch_size argilla_batch_size "
            "argilla_transformation_object datadog_use_v1 datadog_params datadog_llm_observability_params "
            "gcs_pub_sub_use_v1 generic_api_use_v1 generic_logger_headers newrelic_params pointfive_params "
            "zerobus_params aws_sqs_callback_params s3_callback_params s3_audit_callback_params "
            "cold_storage_custom_logger extra_spend_tag_headers logged_real_time_event_types "
            "disable_add_user_agent_to_request_tags otel_tenant_destination_mode bedrock_request_metadata_fields"
        ),
        "the gateway's metrics have their own names and labels": (
            "prometheus_initialize_budget_metrics prometheus_latency_buckets require_auth_for_metrics_endpoint "
            "prometheus_metrics_config prometheus_exclude_metrics prometheus_exclude_labels custom_prometheus_tags "
            "custom_prometheus_metadata_labels prometheus_emit_stream_label disable_end_user_cost_tracking "
            "disable_end_user_cost_tracking_prometheus_only enable_end_user_cost_tracking_prometheus_only"
        ),
        OWN_REDIS: "force_redis_hash_tag_grouping enable_redis_auth_cache",
        "the gateway has price lists of its own": "model_cost_map_url",
        INTERNAL: (
            "telemetry safe_memory_mode use_aiohttp_transport disable_aiohttp_transport in_memory_llm_clients_cache "
            "disable_hf_tokenizer_download disable_token_counter blog_posts_url anthropic_beta_headers_url "
            "autorouter_presets_url disable_copilot_system_to_assistant http2 default_in_memory_ttl "
            "default_redis_ttl default_redis_batch_cache_expiry enable_preview_features "
            "disable_add_transform_inline_image_block disable_stop_sequence_limit LITELLM_DISABLE_STOP_SEQUENCE_LIMIT "
            "return_response_headers enable_azure_ad_token_refresh disable_vertex_batch_output_transformation "
            "disable_anthropic_gemini_context_caching_transform filter_invalid_headers expose_router_debug_in_errors"
        ),
        "changes are written to the admin's history": "store_audit_logs audit_log_callbacks",
        "key names are free": "enable_key_alias_format_validation key_alias_pattern",
        "the admin needs no key of its own that a budget would hold for": "max_ui_session_budget",
    },
    Verdict.UNSUPPORTED: {
        "these errors have no chain of their own; put the routes among fallbacks": (
            "context_window_fallbacks content_policy_fallbacks max_fallbacks"
        ),
        NO_CACHE: (
            "cache cache_params caching caching_with_models enable_caching_on_provider_specific_optional_params "
            "responses"
        ),
        NO_EXPORT: "success_callback failure_callback callbacks service_callbacks service_callback input_callback",
        NO_REWRITE: (
            "modify_params add_function_to_prompt use_chat_completions_url_for_anthropic_messages "
            "route_all_chat_openai_to_responses openai_system_messages_first custom_prompt_dict "
            "disable_add_prefix_to_prompt include_cost_in_streaming_usage forward_traceparent_to_llm_provider "
            "add_user_information_to_llm_headers enable_json_schema_validation reasoning_auto_summary "
            "enable_anthropic_prompt_caching anthropic_prompt_caching_ttl strip_anthropic_total_tokens "
            "bedrock_neutralize_orphaned_tool_blocks overwrite_user_with_key_hash headers"
        ),
        NO_COOLDOWN: "allowed_fails",
        "budgets tell callers apart by tenant, user, key or route": (
            "max_user_budget default_max_internal_user_budget max_end_user_budget max_end_user_budget_id "
            "tag_budget_config"
        ),
        "declare a budget with hard: false and per: key for this": "default_soft_budget",
        "a call over a budget is refused with status 429": (
            "budget_exceeded_status_code budget_exceeded_throttle_percentage"
        ),
        "what is left of a window is not carried over": "budget_rollover",
        "days, weeks and months begin at midnight": "budget_reset_time",
        NO_ALERTS: "default_key_max_budget_alert_emails",
        "a model without a price is refused where a budget applies, and otherwise served and marked as unpriced": (
            "block_requests_for_models_without_pricing"
        ),
        "prices are charged as they are declared": "cost_discount_config cost_margin_config",
        NO_TARGET_LIMITS: "max_parallel_requests",
        "limits are not shared out by priority": "priority_reservation priority_reservation_settings",
        NO_OWN_DEFAULTS: (
            "key_generation_settings default_key_generate_params upperbound_key_generate_params "
            "default_internal_user_params default_team_settings default_team_params"
        ),
        "a key's allowed routes say what it may use": "personal_key_model_access_from_teams",
        NO_GUARDRAILS: (
            "guardrails guardrail_name_config_map llm_guard_mode llamaguard_model_name output_parse_pii "
            "openai_moderations_model_name presidio_ad_hoc_recognizers google_moderation_confidence_threshold "
            "llamaguard_unsafe_content_categories blocked_user_list banned_keywords_list pre_call_rules "
            "post_call_rules validate_end_user_id_in_db"
        ),
        "there are no prompt templates": (
            "global_prompt_directory global_bitbucket_config global_gitlab_config prompt_name_config_map"
        ),
        NO_TOOLS: (
            "websearch_interception_params code_interpreter_interception_params "
            "mcp_aliases mcp_tool_search mcp_semantic_tool_filter public_mcp_servers public_mcp_hub_strict_whitelist "
            "public_agent_groups agent_search_embedding_model skill_search_embedding_model public_skills_index"
        ),
        "there is no public model page": "public_model_groups public_model_groups_links",
        "files, batches and vector stores are not served": (
            "enable_loadbalancing_on_batch_endpoints require_managed_files vector_store_registry "
            "vector_store_index_registry vector_store_search_failure_mode batch_line_item_callbacks"
        ),
        NO_PLUGINS: "custom_provider_map secret_manager_client",
        "a client's headers are not passed on": "model_group_settings forward_client_headers_by_model_group",
        "TLS is always verified against the system's authorities": (
            "ssl_verify ssl_certificate ssl_security_level ssl_ecdh_curve"
        ),
        "the network is used as the system offers it": "force_ipv4 aiohttp_trust_env disable_aiohttp_trust_env",
        "each provider has its credential in its own row": (
            "api_key openai_key azure_key anthropic_key groq_key openrouter_key togetherai_api_key api_base "
            "api_version organization project vertex_project vertex_location credential_list"
        ),
        "streams carry no keep-alives of the gateway's own": (
            "sse_keepalive_ping_interval_seconds anthropic_sse_ping_interval_seconds"
        ),
    },
}

GENERAL = {
    Verdict.WITHOUT_EFFECT: {
        OWN_DATABASE: (
            "database_url database_type database_args database_connection_pool_limit database_connection_timeout "
            "database_connect_timeout database_socket_timeout database_max_idle_connection_lifetime "
            "database_extra_connection_params database_disable_prepared_statements disable_prisma_schema_update "
            "use_redis_transaction_buffer"
        ),
        OWN_REDIS: "coordination_redis",
        OWN_STORE: "store_model_in_db supported_db_objects proxy_config_reload_interval_seconds",
        OWN_RECORDS: (
            "disable_spend_logs disable_spend_updates proxy_batch_write_at proxy_batch_polling_interval "
            "spend_logs_metadata_fields disable_requester_ip_address_logging accounting_capture accounting_sync_ack "
            "accounting_sync_ack_timeout_seconds accounting_sync_ack_failure_policy spend_capture_rate_check "
            "disable_adding_master_key_hash_to_db scheduled_job_stagger use_spend_logs_partitioning"
        ),
        "GATEWAY_RETENTION_MONTHS says how long records are kept": (
            "maximum_spend_logs_retention_period maximum_spend_logs_retention_interval maximum_spend_logs_size "
            "maximum_spend_logs_cleanup_cron maximum_spend_logs_cleanup_batch_size "
            "maximum_spend_logs_cleanup_max_batches maximum_spend_logs_cleanup_run_budget "
            "maximum_spend_logs_cleanup_batch_timeout "
            "maximum_spend_logs_cleanup_target_size maximum_spend_logs_size_check_interval "
            "maximum_autorouter_session_retention_period maximum_health_check_retention_period "
            "maximum_daily_tag_spend_retention_period"
        ),
        INTERNAL: (
            "user_api_key_cache_ttl user_api_key_cache_max_size use_shared_health_check otel tracing "
            "dangerously_permit_weak_or_unset_master_key"
        ),
        "a key's secret is shown once and only its hash is kept": "disable_master_key_return",
        "a call ends upstream when its caller hangs up": "cancel_on_disconnect",
        "the admin has its own sign-in": (
            "ui_access_mode disable_env_credential_login hide_default_credentials_hint litellm_license "
            "control_plane_url allow_cli_sso_verification_uri_complete"
        ),
        "GATEWAY_MAX_BODY_MB limits the size of a request": "max_request_size_mb",
        "a budget's window ends by itself, with no job to reset it": (
            "proxy_budget_rescheduler_min_time proxy_budget_rescheduler_max_time"
        ),
        "a hard budget that can't be checked refuses, unless GATEWAY_COUNTERS_AWAY is local": (
            "fail_closed_budget_enforcement"
        ),
        "what a limit refused is not tried again on other routes": (
            "disable_retry_on_max_parallel_request_limit_error disable_fallbacks_on_per_model_rate_limits"
        ),
        "a user's budget counts every key of the user": "apply_user_budget_to_team_keys",
        "a wildcard route is listed under its own name": "return_wildcard_routes",
    },
    Verdict.UNSUPPORTED: {
        "a call names its model": "completion_model image_generation_model embedding_model moderation_model",
        "GATEWAY_COUNTERS_AWAY=closed does this": "fail_closed_rate_limit_enforcement",
        "a budget's window always ends; a budget of period lifetime has none": "disable_reset_budget",
        "what a call could cost is always reserved": "disable_budget_reservation",
        "a limit of calls at once holds for all workers together": "max_in_flight_requests_per_worker",
        NO_QUEUE: "max_queued_requests_per_worker admission_queue_timeout_seconds",
        "the size of an answer is not limited": "max_response_size_mb",
        "files and batches are not served": (
            "max_batch_file_size_mb max_batch_file_records max_batch_file_uploads_per_day "
            "max_file_downloads_per_minute max_file_size_mb allowed_file_extensions blocked_file_extensions"
        ),
        "prompts and answers are not stored": "store_prompts_in_spend_logs",
        "a client's headers are not passed on": (
            "forward_client_headers_to_llm_api forward_openai_org_id forward_llm_provider_auth_headers"
        ),
        NO_SSO: (
            "enable_jwt_auth litellm_jwtauth enable_oauth2_auth enable_oauth2_proxy_auth oauth2_config_mappings "
            "custom_sso custom_ui_sso_sign_in_handler disable_password_login_when_sso_enabled allow_user_auth "
            "role_permissions enable_claude_code_gateway claude_code_gateway_managed_settings"
        ),
        NO_PLUGINS: (
            "custom_auth custom_auth_run_common_checks custom_key_generate custom_key_policy custom_key_update "
            "custom_team_metadata_validate team_metadata_validation_timeout team_metadata_validation_error_message "
            "plugins"
        ),
        "paths and addresses are not open or closed one by one": (
            "allowed_routes public_routes admin_only_routes allowed_ips use_x_forwarded_for trusted_proxy_ranges"
        ),
        "requests are not required to carry parameters": (
            "enforce_user_param enforced_params reject_clientside_metadata_tags user_header_name "
            "user_header_mappings request_tag_mappings missing_session_id service_account_settings"
        ),
        "credentials come from the file or the environment": (
            "key_management_system key_management_settings use_google_kms use_azure_key_vault"
        ),
        "a caller whose key can't be checked is refused": "allow_requests_on_db_unavailable",
        "targets are not probed": (
            "background_health_checks health_check_interval health_check_details health_check_concurrency "
            "health_check_skip_disabled_background_models background_health_check_model_groups "
            "model_list_healthy_only enable_health_check_routing health_check_staleness_threshold "
            "health_check_ignore_transient_errors"
        ),
        NO_ALERTS: (
            "alerting alerting_threshold alerting_args alert_types alert_to_webhook_url alert_type_config "
            "spend_report_frequency"
        ),
        NO_RAW_CALLS: (
            "pass_through_endpoints use_client_credentials_pass_through_routes pass_through_request_timeout "
            "responses_websocket_session_limit_seconds enable_openai_websocket_passthrough "
            "vertex_ai_pass_through_drop_anthropic_betas"
        ),
        "the provider is said by the route's targets": "infer_model_from_keys",
        "the caller can't bring credentials of its own": "allow_client_side_credentials",
        "keys come in the headers the official clients use": "litellm_key_header_name",
        NO_TOOLS: (
            "user_mcp_management_mode mcp_internal_ip_ranges mcp_advertised_versions mcp_disabled_capabilities "
            "mcp_allowed_clients mcp_require_explicit_server_scope mcp_client_id_header mcp_trusted_proxy_ranges "
            "mcp_xff_num_trusted_hops mcp_prefer_client_id_metadata_document mcp_required_fields search_tools "
            "search_tool_deny_by_default agent_access_default_deny claude_code_marketplace_auth_required"
        ),
        "tenants, users and their rights are kept in the admin": (
            "default_team_disabled disable_auto_add_proxy_admin_to_teams self_serve_budget_policy team_metadata_schema "
            "use_team_public_model_name disable_key_generate_for_org_admin "
            "enforce_fallback_model_access"
        ),
        "Django's validators rule passwords": (
            "password_policy_min_length password_policy_require_uppercase password_policy_require_lowercase "
            "password_policy_require_numbers password_policy_require_special_characters "
            "max_failed_login_attempts_per_source max_failed_login_attempts_per_source_overrides "
            "failed_login_window_seconds failed_login_block_seconds"
        ),
        "stored responses, files and vector stores are not served": (
            "disable_responses_id_security allow_unmanaged_response_ids vector_store_deny_by_default "
            "transcribe_media_buckets track_unmanaged_batch_cost"
        ),
        "URLs in requests are not fetched or filtered": (
            "user_url_validation user_url_allowed_hosts provider_url_destination_allowed_hosts"
        ),
        "errors have the gateway's own form": "include_call_id_in_error_body expose_fallback_errors_to_caller",
        "there is no public model page": "enable_public_model_hub",
    },
}
