"""The only room that imports the emulator, ministack.

All other modules use the emulator through the functions of this room. Each name that the room takes from ministack has
a line in `declared`, which the server checks when it starts; each name that it replaces goes through `replace`.
"""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio
import contextvars
import functools
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from ministack import app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime, router
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudformation, ecs, elasticache, iam, lambda_svc, secretsmanager, stepfunctions
from ministack.services.cloudformation import custom_resource, engine, provisioners, stacks, wait_conditions

from cdk_redis_local._emulator.insides import replace

_LONGEST_WAIT = 20.0
# Paths to which custom resources and wait conditions send their answers. Only the responder knows the random UUID.
_ANSWER_PATH = re.compile(r"/_ministack/cfn-(response|signal)/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")

Properties = dict[str, Any]
Outcome = tuple[str, dict[str, Any]]
"""Result of creating or updating a resource: its physical id and its attributes."""

Response = tuple[int, dict[str, str], bytes]
"""Status, headers and body of an answer."""
Action = Callable[[Mapping[str, Any]], Response]
"""Answers one API request with these parameters, on a thread, in the account and Region of the request."""

_execution_role: contextvars.ContextVar[str | None] = contextvars.ContextVar("execution_role", default=None)

_elasticache_actions: dict[str, Action] = {}
_memorydb_actions: dict[str, Action] = {}
_threads = ThreadPoolExecutor(16, thread_name_prefix="api")

HANDLERS: dict[str, dict[str, Any]] = provisioners._RESOURCE_HANDLERS
"""Maps each resource type to its ``create``, ``update`` and ``delete`` functions."""


def scope() -> tuple[str, str]:
    """Account and Region of the current stack."""
    return get_account_id(), get_region()


def generated_name(stack_name: str, logical_id: str, longest: int = 40, *, lowercase: bool = True) -> str:
    """The name that CloudFormation generates for a resource without a name; it is the same at every update."""
    return str(provisioners._physical_name(stack_name, logical_id, lowercase=lowercase, max_len=longest))


def handle(
    resource_type: str,
    create: Callable[[str, Properties, str], Outcome],
    update: Callable[..., Outcome],
    delete: Callable[[str, Properties], None],
) -> None:
    """Use these functions for the resources of a type.

    Args:
        resource_type: Such as ``AWS::MemoryDB::Cluster``.
        create: Called with logical id, properties and name of the stack.
        update: Called with physical id, old and new properties, name of the stack, and logical id.
        delete: Called with physical id and properties.
    """
    HANDLERS[resource_type] = {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}


def replace_on_change(resource_type: str, name: str | None, properties: tuple[str, ...]) -> None:
    """Replace resources of a type when one of these properties changes; ``name`` is the property with the name."""
    provisioners._REPLACING_PROPERTIES[resource_type] = properties
    if name:
        provisioners._CUSTOM_NAME_REPLACEMENT[resource_type] = {"name": name}


def call_iam(action: str, **parameters: str) -> str:
    """Call an action of the IAM API for CloudFormation; returns the XML response.

    Raises:
        ValueError: IAM returned an error; the message contains its response.
    """
    status, _, body = {
        "CreateAccessKey": iam._create_access_key,
        "UpdateAccessKey": iam._update_access_key,
        "DeleteAccessKey": iam._delete_access_key,
    }[action](parameters)
    if status >= 400:
        raise ValueError(f"{action}: {body.decode()}")
    return str(body.decode())


def run_on_threads(resource_types: Iterable[str]) -> None:
    """Run the handlers of these types on threads: they wait for engines, and must not block the event loop."""
    emulated = stacks._runs_on_worker_thread
    chosen = frozenset(resource_types)

    def runs(resource_type: str) -> bool:
        return resource_type in chosen or emulated(resource_type)

    replace(stacks, "_runs_on_worker_thread", runs)


def roll_back_failed_updates(resource_types: Iterable[str]) -> None:
    """Update resources of these types back to their previous properties when an update fails.

    The emulator assumes that a failed update has changed nothing. These types change one engine after the other.
    """
    emulated = stacks._sends_back_failed_update
    chosen = frozenset(resource_types)

    def sends_back(resource_type: str) -> bool:
        return resource_type in chosen or emulated(resource_type)

    replace(stacks, "_sends_back_failed_update", sends_back)


def declared_parameters(parameter_group: str) -> dict[str, str]:
    """The parameters that an ElastiCache parameter group sets, without the defaults of its family."""
    known = elasticache._param_group_params.get(parameter_group) or {}
    return {str(name): str(entry["Value"]) for name, entry in known.items() if entry.get("Source") == "user"}


def run_functions_with(python: Path) -> None:
    """Run Python functions with this interpreter instead of the emulator's."""
    emulated = lambda_runtime._detect_runtime_binary

    def detect(runtime: str) -> tuple[str, str]:
        program, script = emulated(runtime)
        return (str(python) if runtime.startswith("python") else program), script

    replace(lambda_runtime, "_detect_runtime_binary", detect)


def run_no_containers() -> None:
    """Let ECS tasks be records only, on a machine with Docker too: containers could not reach loopback."""
    replace(ecs, "_get_docker", lambda: None)


async def emulator(scope: Any, receive: Any, send: Any) -> None:
    """The emulator's ASGI application."""
    await app.app(scope, receive, send)


def generate_secrets_with(generate: Callable[[Properties], str]) -> None:
    """Use this function to generate the text of a secret from its ``GenerateSecretString``."""
    emulated = provisioners._sm_secret_string

    def text(properties: Properties) -> str:
        asked = properties.get("GenerateSecretString")
        return (
            generate(asked) if asked is not None and not properties.get("SecretString") else str(emulated(properties))
        )

    replace(provisioners, "_sm_secret_string", text)


def random_password(request: Mapping[str, Any]) -> Response:
    """The emulator's response to GetRandomPassword of Secrets Manager."""
    return secretsmanager._get_random_password(request)


def add_elasticache_action(name: str, action: Action) -> None:
    """Add an action to the emulator's ElastiCache API, in place of its own if it has one."""
    if not _elasticache_actions:
        _answer_elasticache()
    _elasticache_actions[name] = action


def _answer_elasticache() -> None:
    emulated = elasticache.handle_request

    async def handle(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        parameters = {key: values[-1] for key, values in parse_qs(body.decode(), keep_blank_values=True).items()}
        if (action := _elasticache_actions.get(parameters.get("Action", ""))) is not None:
            return await _on_thread(action, parameters)
        return await emulated(method, path, headers, body, query_params)

    replace(elasticache, "handle_request", handle)


async def _on_thread(action: Action, parameters: Mapping[str, Any]) -> Response:
    """Run an action on a thread of its own pool: the emulator's functions, which may call it, use the default one."""
    run = functools.partial(contextvars.copy_context().run, action, parameters)
    return await asyncio.get_running_loop().run_in_executor(_threads, run)


def add_memorydb(actions: Mapping[str, Action]) -> None:
    """Add these actions of the MemoryDB API, which the emulator lacks; state machines can call them too."""
    _memorydb_actions.update(actions)
    prefix = "AmazonMemoryDB"

    async def handle(method: str, path: str, headers: Any, body: bytes | str, query_params: Any) -> Response:
        del method, path, query_params
        name = str(headers.get("x-amz-target", "")).removeprefix(f"{prefix}.")
        if name in _memorydb_actions:
            return await _on_thread(_memorydb_actions[name], json.loads(body or "{}"))
        refusal = {"__type": "UnknownOperationException", "message": f"the local cloud does not support {name}"}
        return 400, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(refusal).encode()

    app.SERVICE_HANDLERS["memorydb"] = handle
    router.SERVICE_PATTERNS["memorydb"] = {"target_prefixes": [prefix], "host_patterns": [r"memory-db\."]}
    # Without it, the emulator does not check the permissions of callers.
    iam_actions.SERVICE_TO_IAM_NAMESPACE["memorydb"] = "memorydb"
    stepfunctions._AWS_SDK_SERVICE_MAP["memorydb"] = {"target_prefix": prefix, "protocol": "json"}
    stepfunctions._AWS_SDK_ERROR_PREFIX["memorydb"] = "MemoryDb"


def name_resources_with(resource: Callable[[str, Callable[[str], str]], str | None]) -> None:
    """Name resources that the permissions of callers are checked for, where the emulator takes ``*``.

    Args:
        resource: Called with the service and a function that returns a parameter of the request; returns the last part
            of an ARN, such as ``user:app``, or None for the emulator's own.
    """
    emulated = iam_actions.extract_resource_arn

    def extract(
        service: str, method: str, path: str, headers: Any, body: bytes, query_params: Any, region: str, account: str
    ) -> str:
        named = resource(service, lambda name: iam_actions._param(body, query_params, name))
        if named is not None:
            return f"arn:aws:{service}:{region}:{account}:{named}"
        return str(emulated(service, method, path, headers, body, query_params, region, account))

    replace(iam_actions, "extract_resource_arn", extract)


def find_secret(identifier: str) -> dict[str, Any] | None:
    """The emulator's record of a secret, by its name or ARN."""
    return secretsmanager._resolve(identifier)[1]


def secrets_manager_error(code: str, message: str) -> Response:
    """An error of the Secrets Manager API."""
    return secretsmanager.error_response_json(code, message, 400)


def rotate_secrets_with(rotate: Callable[[Mapping[str, Any]], Response]) -> None:
    """Use this function for RotateSecret. As on AWS, versions without a value are not found."""
    get, put = secretsmanager._get_secret_value, secretsmanager._put_secret_value

    def get_value(request: Mapping[str, Any]) -> Response:
        response = get(request)
        if response[0] == 200 and not json.loads(response[2]).keys() & {"SecretString", "SecretBinary"}:
            message = "Secrets Manager can't find the specified secret value for VersionId: {VersionId}"
            return secrets_manager_error("ResourceNotFoundException", message.format(**{"VersionId": "", **request}))
        return response

    def put_value(request: Mapping[str, Any]) -> Response:
        response = put(request)
        secret = find_secret(str(request.get("SecretId"))) if response[0] == 200 else None
        if secret is not None:
            # With fractions of a second, as on AWS.
            secret["Versions"][json.loads(response[2])["VersionId"]]["CreatedDate"] = time.time()
        return response

    replace(secretsmanager, "_rotate_secret", rotate)
    replace(secretsmanager, "_get_secret_value", get_value)
    replace(secretsmanager, "_put_secret_value", put_value)


def invoke_function(function: str, event: Mapping[str, Any]) -> str | None:
    """Invoke a function and wait for its answer; returns the error, or None.

    Args:
        function: ARN of the function.
        event: The event.
    """
    record, config, name = lambda_svc._get_func_record_for_ref(function)
    if record is None or config is None:
        return f"there is no function {name}"
    result = lambda_svc._execute_function_with_config_scope(
        lambda_svc._execution_record_for_config(record, config), dict(event)
    )
    return json.dumps(result.get("body")) if result.get("error") else None


def may_invoke(service: str, function: str) -> bool:
    """Whether the policy of a function allows a service to invoke it."""
    record, _, _ = lambda_svc._get_func_record_for_ref(function)
    account, region = scope()
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:iam::{account}:role/aws-service-role/{service}",
        principal_type="Service",
        principal_account=account,
        action="lambda:InvokeFunction",
        resource_arn=function,
        region=region,
    )
    statements = [] if record is None else record["policy"]["Statement"]
    # The conditions are about the account that calls, which is this one.
    policy = {"Statement": [{**one, "Condition": {}} for one in statements if _is_of(one, account)]}
    return iam_evaluator.evaluate_resource_policy(policy, context, service=service).decision == "Allow"


def _is_of(statement: Mapping[str, Any], account: str) -> bool:
    condition = statement.get("Condition", {}).get("StringEquals", {})
    return condition.get("AWS:SourceAccount", account) == account


def execution_role() -> str | None:
    """ARN of the role of the state machine that sent the current request; None if a client sent it.

    The emulator checks the permissions of clients.
    """
    return _execution_role.get()


def remember_execution_roles() -> None:
    """Record the role for `execution_role`; the emulator does not check whether the role may do what its tasks do."""
    emulated = stepfunctions._run_execution

    def run(execution: str) -> None:
        machine = (stepfunctions._executions.get(execution) or {}).get("stateMachineArn")
        # The threads of parallel branches and the event loop inherit this context variable.
        token = _execution_role.set((stepfunctions._state_machines.get(machine) or {}).get("roleArn"))
        try:
            emulated(execution)
        finally:
            _execution_role.reset(token)

    replace(stepfunctions, "_run_execution", run)


def is_awaited(method: str, path: str) -> bool:
    """Whether a request is the response of a custom resource, or a signal, that CloudFormation waits for."""
    found = _ANSWER_PATH.fullmatch(path)
    if method != "PUT" or found is None:
        return False
    return found[2] in custom_resource._pending if found[1] == "response" else wait_conditions.has_handle(found[2])


def answer_when_settled() -> None:
    """Delay the response to DescribeStacks until the stack's operation has ended.

    The CDK CLI polls every five seconds, and would spend most of a deploy waiting.
    """
    emulated = cloudformation.handle_request

    async def handle(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        if b"Action=DescribeStacks&" in body:
            name = parse_qs(body.decode()).get("StackName", [""])[0]
            waited = 0.0
            while _in_progress(name) and waited < _LONGEST_WAIT:
                await asyncio.sleep(0.05)
                waited += 0.05
        return await emulated(method, path, headers, body, query_params)

    replace(cloudformation, "handle_request", handle)


def _in_progress(name: str) -> bool:
    # The emulator stores stacks by name; requests have the name or the id.
    stack = cloudformation._stacks.get(name.split("/")[1] if name.startswith("arn:") else name) or {}
    status = str(stack.get("StackStatus", ""))
    return status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS"


def read_outputs_of_other_regions() -> None:
    """Let ``Fn::GetStackOutput`` read the output of a stack in another Region.

    The emulator has the function, but looks for the stack in the Region of the template only.
    """
    emulated = engine._resolve_refs

    def resolve(
        value: Any, resources: Any, params: Any, conditions: Any, mappings: Any, stack_name: Any, stack_id: Any
    ) -> Any:
        reference = value.get("Fn::GetStackOutput") if isinstance(value, dict) else None
        region = reference.get("Region") if isinstance(reference, dict) else None
        if not isinstance(region, str):
            return emulated(value, resources, params, conditions, mappings, stack_name, stack_id)
        with request_scope(get_account_id(), region):
            return emulated(value, resources, params, conditions, mappings, stack_name, stack_id)

    replace(engine, "_resolve_refs", resolve)
