"""All names of the emulator that this package uses or replaces, see `insides`.

A test compares them with the names that the source uses, and prints the lines that are missing.
"""

from __future__ import annotations

from collections.abc import Mapping

# Each kind is written as `kind_of` of `insides` writes it.
DECLARED: Mapping[str, Mapping[str, str]] = {
    "ministack.app": {
        "SERVICE_HANDLERS": "dict",
        "app": "async (scope, receive, send)",
    },
    "ministack.core.iam_actions": {
        "SERVICE_TO_IAM_NAMESPACE": "dict",
        "_param": "(body, query_params, *fields)",
        "extract_resource_arn": "(service, method, path, headers, body, query_params, region, account_id)",
    },
    "ministack.core.iam_evaluator": {
        "AmbiguousAccessKeyError": "exception",
        "AuthError": "class (code, message, details=)",
        "CredentialResolutionError": "class (code, message)",
        "EvalContext": (
            "class (principal_arn, principal_type, principal_account, action, resource_arn, region, source_ip=, "
            "secure_transport=, request_tags=, tag_keys=, service_context=, principal_keys=)"
        ),
        "PrincipalInfo": "class (arn, type, account, policies, keys=, limits=)",
        "_gather_role_policies": "(role_name, account_id)",
        "evaluate": "(ctx, policies, *limits)",
        "evaluate_resource_policy": "(doc, ctx, service=, named_only=, direct_only=)",
        "find_iam_access_key_account": "(access_key_id)",
        "is_root_access_key": "(access_key_id)",
        "resolve_credential": "(access_key_id, account_id=, session_token=)",
        "resolve_principal": "(access_key_id, account_id, credential=)",
    },
    "ministack.core.iam_evaluator.PrincipalInfo": {
        "account": "field",
        "arn": "field",
        "keys": "field",
        "limits": "field",
        "policies": "field",
        "type": "field",
    },
    "ministack.core.lambda_runtime": {
        "Worker": "class (func_name, config, code_zip)",
        "_account_region_from_function_config": "(config)",
        "_detect_runtime_binary": "(runtime)",
        "_lock": "lock",
        "_workers": "dict",
        "execution_credentials": "(config)",
        "invalidate_worker": "(func_name, qualifier=, account=, region=)",
        "kill_workers": "(workers)",
        "subprocess": "module",
    },
    "ministack.core.lambda_runtime.Worker": {
        "_drain_stderr_bounded": "(self, first_line_wait=, idle_confirm=, hard_cap=)",
        "_proc": "instance attribute",
        "_read_stderr": "(self)",
        "_stderr_queue": "instance attribute",
        "config": "instance attribute",
        "in_use": "instance attribute",
        "invoke": "(self, event, request_id, trace_id only=, depth only=, durable only=, invoked_function_arn only=)",
        "last_used": "instance attribute",
    },
    "ministack.core.responses": {
        "_account_from_sts_session": "(access_key_id)",
        "get_account_id": "()",
        "get_region": "()",
        "request_scope": "(account_id, region)",
    },
    "ministack.core.router": {
        "SERVICE_PATTERNS": "dict",
    },
    "ministack.services.cloudformation": {
        "_stacks": "AccountRegionScopedDict",
        "handle_request": "async (method, path, headers, body, query_params)",
    },
    "ministack.services.cloudformation.changesets": {
        "_IMPORT_LOOKUPS": "dict",
        "_IMPORT_NOT_FOUND": "str",
        "_find_change_set": "(cs_name, stack_name=)",
    },
    "ministack.services.cloudformation.custom_resource": {
        "_pending": "dict",
        "deliver_response": "(token, response)",
    },
    "ministack.services.cloudformation.engine": {
        "_NO_VALUE": "object",
        "_evaluate_conditions": "(template, params)",
        "_intrinsic_references": "(value)",
        "_resolve_refs": "(value, resources, params, conditions, mappings, stack_name, stack_id)",
        "validate_template_support": "(template, conditions, params=)",
    },
    "ministack.services.cloudformation.provisioners": {
        "_CUSTOM_NAME_REPLACEMENT": "dict",
        "_REPLACING_PROPERTIES": "dict",
        "_RESOURCE_HANDLERS": "dict",
        "_cw_metric_alarm_record": "(name, props)",
        "_delete_resource": "(resource_type, physical_id, props, stack_name=, logical_id=)",
        "_physical_name": "(stack_name, logical_id, lowercase only=, max_len only=, seeded only=)",
        "_replacing_change": "(resource_type, old_props, new_props)",
        "_sm_secret_string": "(props)",
    },
    "ministack.services.cloudformation.stacks": {
        "_operation_event": "(stack_id, operation_id, event_type, operation_type=, **fields)",
        "_resource_policy": "(res_def, attribute, resources, params, conditions, mappings, stack_name, stack_id)",
        "_revert_update": (
            "async (stack_id, stack_name, logical_id, rtype, physical_id, applied_props, previous_props, attrs, "
            "record=)"
        ),
        "_runs_on_worker_thread": "(resource_type)",
        "_sends_back_failed_update": "(resource_type)",
        "_validation_errors": (
            "(resources_defs, ordered, param_values, conditions, mappings, stack_name, stack_id, owned_buckets=)"
        ),
    },
    "ministack.services.cloudformation.wait_conditions": {
        "has_handle": "(token)",
    },
    "ministack.services.cloudwatch": {
        "_alarms": "AccountRegionScopedDict",
        "_calc_stats": "(points)",
        "_composite_alarms": "AccountRegionScopedDict",
        "_delete_alarms": "(params, cbor_data, is_cbor, is_json=)",
        "_dims_key": "(dims)",
        "_dispatch_alarm_actions": "(alarm, old_state, new_state, reason)",
        "_evaluate_alarm": "(alarm)",
        "_evaluate_parent_alarms": "(child, seen=)",
        "_metric_bucket": "(key)",
        "_metrics": "AccountRegionScopedDict",
        "_put_composite_alarm": "(params, cbor_data, is_cbor, is_json=)",
        "_record_history": "(alarm_name, old_state, new_state, reason, alarm_type=, reason_data=)",
        "_stat_value": "(stats, stat_name, points=)",
        "cloudformation_put_metric_alarm": "(alarm)",
        "cloudformation_set_metric_alarm_tags": "(name, tags)",
        "handle_request": "async (method, path, headers, body, query_params)",
    },
    "ministack.services.cloudwatch_logs": {
        "_create_log_group": "(data)",
        "_create_log_stream": "(data)",
        "_log_groups": "AccountRegionScopedDict",
        "_put_log_events": "(data)",
    },
    "ministack.services.ec2": {
        "_subnets": "AccountRegionScopedDict",
        "_DEFAULT_SUBNET_ID": "str",
        "_DEFAULT_VPC_ID": "str",
        "_az_id_for_zone_name": "(zone_name)",
        "_init_defaults": "()",
        "_instances": "AccountRegionScopedDict",
        "_launch_instances_internal": (
            "(image_id, instance_type, subnet_id, count, key_name=, user_data=, sg_ids=, requested_private_ip=, "
            "iam_profile=)"
        ),
        "_tags": "AccountRegionScopedDict",
        "_terminate_instances": "(p)",
        "_vpcs": "AccountRegionScopedDict",
    },
    "ministack.services.ecs": {
        "_get_docker": "()",
    },
    "ministack.services.elasticache": {
        "_param_group_params": "AccountRegionScopedDict",
        "_param_groups": "AccountRegionScopedDict",
        "_seed_default_param_groups": "()",
        "_subnet_groups": "AccountRegionScopedDict",
        "_tags": "AccountScopedDict",
        "_user_groups": "AccountRegionScopedDict",
        "_users": "AccountRegionScopedDict",
        "handle_request": "async (method, path, headers, body, query_params)",
    },
    "ministack.services.iam": {
        "_create_access_key": "(p)",
        "_delete_access_key": "(p)",
        "_update_access_key": "(p)",
    },
    "ministack.services.lambda_svc": {
        "_emit_lambda_logs": "(func, request_id, log_text, error, duration_ms, log_source only=)",
        "_execute_function_with_config_scope": "(func, event)",
        "_execution_record_for_config": "(func, config)",
        "_get_func_record_for_ref": "(function_ref)",
    },
    "ministack.services.s3": {
        "_buckets": "AccountScopedDict",
        "_get_object_data": "(bucket_name, key, version_id=)",
        "_notification_bucket_region": "(bucket_name)",
        "_put_object": "(bucket_name, key, body, headers)",
    },
    "ministack.services.secretsmanager": {
        "_get_random_password": "(data)",
        "_get_secret_value": "(data)",
        "_put_secret_value": "(data)",
        "_resolve": "(secret_id, use_arn_scope only=)",
        "_rotate_secret": "(data)",
        "error_response_json": "(code, message, status=, extra=, message_key only=, content_type only=)",
    },
    "ministack.services.sns": {
        "_fanout": (
            "(topic_arn, msg_id, message, subject, message_structure=, message_attributes=, message_group_id=, "
            "message_dedup_id=)"
        ),
        "_topic_by_arn_any_scope": "(topic_arn)",
    },
    "ministack.services.ssm": {
        "_public_parameter": "(name)",
    },
    "ministack.services.stepfunctions": {
        "_AWS_SDK_ERROR_PREFIX": "dict",
        "_AWS_SDK_SERVICE_MAP": "dict",
        "_executions": "AccountRegionScopedDict",
        "_run_execution": "(exec_arn)",
        "_state_machines": "AccountRegionScopedDict",
    },
    "ministack.services.sts": {
        "register_session": "(access_key, session)",
    },
}

HANDLERS = "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS"
"""The emulator's table of resource types; we wrap its functions."""
HANDLER_ARGUMENTS: Mapping[str, int] = {"create": 3, "update": 4, "delete": 2}
"""The number of arguments with which each function of the table is called."""
WRAPPED_TYPES = (
    "AWS::ElastiCache::ParameterGroup",
    "AWS::ElastiCache::User",
    "AWS::ElastiCache::UserGroup",
    "AWS::Lambda::Function",
    "AWS::Lambda::Version",
    "AWS::SecretsManager::Secret",
)
"""Types that must be in the table."""
