"""Where the emulator's insides are touched, all of them: a new release of it is checked here first."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import asyncio
import contextvars
import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from ministack import app
from ministack.core import lambda_runtime, router
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudformation, elasticache, iam, secretsmanager, stepfunctions
from ministack.services.cloudformation import custom_resource, provisioners, stacks, wait_conditions

_LONGEST_WAIT = 20.0
# Where custom resources and wait conditions are answered. The last part is a random UUID, told only to who answers.
_ANSWER_PATH = re.compile(r"/_ministack/cfn-(response|signal)/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")

Properties = dict[str, Any]
Outcome = tuple[str, dict[str, Any]]
"""What creating or updating a resource gives: its physical id, and its attributes."""

Response = tuple[int, dict[str, str], bytes]
"""Status, headers and body of an answer."""
Action = Callable[[Mapping[str, str]], Response]
"""Answers one call of an API by its parameters; has no time to wait, because it runs on the loop."""

_execution_role: contextvars.ContextVar[str | None] = contextvars.ContextVar("execution_role", default=None)

HANDLERS: dict[str, dict[str, Any]] = provisioners._RESOURCE_HANDLERS
"""From each resource type to its ``create``, ``update`` and ``delete``."""


def scope() -> tuple[str, str]:
    """Account and Region of the stack that is being worked on."""
    return get_account_id(), get_region()


def generated_name(stack_name: str, logical_id: str, longest: int = 40) -> str:
    """The name that CloudFormation gives a resource which has none, the same at every update."""
    return str(provisioners._physical_name(stack_name, logical_id, lowercase=True, max_len=longest))


def replace_on_change(resource_type: str, name: str | None, properties: tuple[str, ...]) -> None:
    """Have a type replaced when one of these properties changes; ``name`` is the one with its name, if it has one."""
    provisioners._REPLACING_PROPERTIES[resource_type] = properties
    if name:
        provisioners._CUSTOM_NAME_REPLACEMENT[resource_type] = {"name": name}


def call_iam(action: str, **parameters: str) -> str:
    """Do one call of IAM's API on behalf of CloudFormation; returns the answer, an XML text.

    Raises:
        ValueError: IAM refused it; the message says why.
    """
    status, _, body = {
        "CreateAccessKey": iam._create_access_key,
        "UpdateAccessKey": iam._update_access_key,
        "DeleteAccessKey": iam._delete_access_key,
    }[action](parameters)
    if status >= 400:
        raise ValueError(f"{action}: {body.decode()}")
    return str(body.decode())


def run_beside_the_loop(resource_types: Iterable[str]) -> None:
    """Have these types' handlers run on threads: they wait for engines, and the loop serves everybody else."""
    emulated = stacks._runs_on_worker_thread
    ours = frozenset(resource_types)
    stacks._runs_on_worker_thread = lambda resource_type: resource_type in ours or emulated(resource_type)


def send_back_failed_updates(resource_types: Iterable[str]) -> None:
    """Have these types updated back to what they were when their own update fails.

    The emulator takes it that an update which fails has changed nothing. Ours changes one engine after the other.
    """
    emulated = stacks._sends_back_failed_update
    ours = frozenset(resource_types)
    stacks._sends_back_failed_update = lambda resource_type: resource_type in ours or emulated(resource_type)


def declared_parameters(parameter_group: str) -> dict[str, str]:
    """What an ElastiCache parameter group sets, without the defaults of its family."""
    known = elasticache._param_group_params.get(parameter_group) or {}
    return {str(name): str(entry["Value"]) for name, entry in known.items() if entry.get("Source") == "user"}


def run_functions_with(python: Path) -> None:
    """Have Python functions run by this program, instead of the emulator's own interpreter."""
    emulated = lambda_runtime._detect_runtime_binary

    def detect(runtime: str) -> tuple[str, str]:
        program, script = emulated(runtime)
        return (str(python) if runtime.startswith("python") else program), script

    lambda_runtime._detect_runtime_binary = detect


def generate_secrets_with(generate: Callable[[Properties], str]) -> None:
    """Have the text of a secret made by this function from its ``GenerateSecretString``."""
    emulated = provisioners._sm_secret_string

    def text(properties: Properties) -> str:
        asked = properties.get("GenerateSecretString")
        return (
            generate(asked) if asked is not None and not properties.get("SecretString") else str(emulated(properties))
        )

    provisioners._sm_secret_string = text


def random_password(request: Mapping[str, Any]) -> Response:
    """The emulator's answer to Secrets Manager's GetRandomPassword."""
    return secretsmanager._get_random_password(request)


def add_elasticache_action(name: str, action: Action) -> None:
    """Have ElastiCache's API answer one more call."""
    emulated = elasticache.handle_request

    async def handle(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        parameters = {key: values[-1] for key, values in parse_qs(body.decode()).items()}
        if parameters.get("Action") == name:
            return action(parameters)
        return await emulated(method, path, headers, body, query_params)

    elasticache.handle_request = handle


def add_memorydb(actions: Mapping[str, Action]) -> None:
    """Have the emulator answer these calls of MemoryDB's API, which it does not know, and state machines make them."""
    prefix = "AmazonMemoryDB"

    async def handle(method: str, path: str, headers: Any, body: bytes | str, query_params: Any) -> Response:
        del method, path, query_params
        name = str(headers.get("x-amz-target", "")).removeprefix(f"{prefix}.")
        if name in actions:
            return actions[name](json.loads(body or "{}"))
        refusal = {"__type": "UnknownOperationException", "message": f"the local cloud does not know {name}"}
        return 400, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(refusal).encode()

    app.SERVICE_HANDLERS["memorydb"] = handle
    router.SERVICE_PATTERNS["memorydb"] = {"target_prefixes": [prefix], "host_patterns": [r"memory-db\."]}
    stepfunctions._AWS_SDK_SERVICE_MAP["memorydb"] = {"target_prefix": prefix, "protocol": "json"}
    stepfunctions._AWS_SDK_ERROR_PREFIX["memorydb"] = "MemoryDb"


def execution_role() -> str | None:
    """ARN of the role of the state machine that makes the call being answered; None for one from outside.

    The emulator checks those from outside itself.
    """
    return _execution_role.get()


def remember_execution_roles() -> None:
    """Have `execution_role` know the role, which the emulator does not ask for what its tasks do."""
    emulated = stepfunctions._run_execution

    def run(execution: str) -> None:
        machine = (stepfunctions._executions.get(execution) or {}).get("stateMachineArn")
        # Goes along to the threads of parallel branches, and to the loop.
        token = _execution_role.set((stepfunctions._state_machines.get(machine) or {}).get("roleArn"))
        try:
            emulated(execution)
        finally:
            _execution_role.reset(token)

    stepfunctions._run_execution = run


def is_awaited(method: str, path: str) -> bool:
    """Whether a request delivers what CloudFormation waits for: the result of a custom resource, or a signal."""
    found = _ANSWER_PATH.fullmatch(path)
    if method != "PUT" or found is None:
        return False
    return found[2] in custom_resource._pending if found[1] == "response" else wait_conditions.has_handle(found[2])


def answer_when_settled() -> None:
    """Have DescribeStacks of a stack that is being worked on answer when that is done.

    The CDK CLI asks once, and again every five seconds: it would spend most of a deploy asleep.
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

    cloudformation.handle_request = handle


def _in_progress(name: str) -> bool:
    # Stacks are kept by name and asked for by name or id.
    stack = cloudformation._stacks.get(name.split("/")[1] if name.startswith("arn:") else name) or {}
    status = str(stack.get("StackStatus", ""))
    return status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS"
