"""The smoke tests and drills that ``drill`` and ``report`` name: by a stack, or by the ARN of one of its parts."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from cdk_redis_runtime._command.aws import Aws, AwsRefusedError
from cdk_redis_runtime._command.options import UsageError, region_of

_ARN = re.compile(r"arn:[a-z-]+:(?P<service>[a-z]+):(?P<region>[a-z0-9-]+):[0-9]{12}:(?P<resource>\S+)")
_MACHINE, _EXECUTION, _FUNCTION = "stateMachine:", "execution:", "function:"
# The actions that fail a shard over, as the definition of a state machine names them.
_FAILOVER = re.compile(r":aws-sdk:(elasticache:testFailover|memorydb:failoverShard)\"")
_HANDLERS = {
    "cdk_redis_runtime.smoke_lambda.handler": "smoke test",
    "cdk_redis_runtime.drill_lambda.handler": "failover drill",
}


@dataclass(frozen=True)
class Function:
    """The function of a smoke test or of a drill.

    Attributes:
        name: Its name.
        kind: ``smoke test`` or ``failover drill``.
        log_group: Its log group.
    """

    name: str
    kind: str
    log_group: str


@dataclass(frozen=True)
class Machine:
    """The state machine of a drill.

    Attributes:
        arn: Its ARN.
        function: ARN of its function.
        before: Seconds before the failover.
        execution: ARN of the execution that was named; None if none was.
    """

    arn: str
    function: str
    before: int | None
    execution: str | None = None


def add_target(parser: argparse.ArgumentParser, arns: str) -> None:
    """Add the options that name a stack or an ARN."""
    parser.add_argument("target", nargs="?", metavar="STACK|ARN", help=f"name of a stack, or ARN of {arns}")
    parser.add_argument("--stack", help="name of a stack, as for the other commands")
    parser.add_argument("--region", help="AWS Region of the stack; default: that of the ARN, or AWS_REGION")


def target_of(options: argparse.Namespace) -> tuple[str, str, Aws]:
    """The stack or ARN, its service, and the clients of its Region.

    Returns:
        The text; ``states``, ``lambda`` or ``cloudformation``; the clients.

    Raises:
        UsageError: None or two are given, or the ARN is not one of these services.
    """
    given = [text for text in (options.target, options.stack) if text is not None]
    if len(given) != 1:
        raise UsageError("give either the name of a stack or an ARN" + ("" if not given else ", not two of them"))
    (text,) = given
    if not text.startswith("arn:"):
        return text, "cloudformation", Aws(region_of(options))
    arn = _ARN.fullmatch(text)
    if arn is None or arn["service"] not in ("states", "lambda", "cloudformation"):
        raise UsageError(f"got {text!r}, allowed are ARNs of a stack, a state machine, an execution or a function")
    return text, arn["service"], Aws(options.region or arn["region"])


def find_machine(options: argparse.Namespace) -> tuple[Machine, Aws]:
    """The state machine of the drill that the options name.

    Raises:
        UsageError: There is none or several, or it is the state machine of something else.
    """
    text, service, aws = target_of(options)
    if service == "lambda":
        raise UsageError(
            "this is the ARN of a function, which writes and reads but fails nothing over; give the ARN of the "
            "drill's state machine, or the name of its stack"
        )
    if service == "states":
        machine = machine_of(aws, text)
        if machine is None:
            raise UsageError(f"{text} is not the state machine of a failover drill, and was not started")
        return machine, aws
    arns = [str(found["PhysicalResourceId"]) for found in _resources(aws, text, "AWS::StepFunctions::StateMachine")]
    machines = [machine for arn in arns if (machine := machine_of(aws, arn)) is not None]
    if len(machines) != 1:
        found = ", ".join(machine.arn for machine in machines) or "none"
        raise UsageError(f"the stack {text} has {len(machines)} drills, and one is needed; give its ARN: {found}")
    return machines[0], aws


def machine_of(aws: Aws, arn: str) -> Machine | None:
    """The state machine with an ARN, or of an execution with it; None if it is not that of a drill."""
    execution = arn if _EXECUTION in arn else None
    if execution is not None:
        arn = arn.replace(f":{_EXECUTION}", f":{_MACHINE}").rpartition(":")[0]
    what = f"the state machine {arn}"
    definition = str(aws.call("stepfunctions", "describe_state_machine", what, stateMachineArn=arn)["definition"])
    function = next((text for text in _texts(json.loads(definition), "Resource") if f":{_FUNCTION}" in text), None)
    if function is None or not _FAILOVER.search(definition):
        return None
    before = re.search(r'"Seconds": ?(\d+)', definition)
    return Machine(arn, function, int(before[1]) if before else None, execution)


def find_functions(options: argparse.Namespace) -> tuple[list[Function], Aws]:
    """The functions of the smoke tests and drills that the options name.

    Returns:
        The functions that exist: none after the rollback of a new stack.

    Raises:
        UsageError: The options name something else.
    """
    text, service, aws = target_of(options)
    if service == "states":
        machine = machine_of(aws, text)
        if machine is None:
            raise UsageError(f"{text} is not the state machine of a failover drill")
        names = [machine.function]
    elif service == "lambda":
        names = [text]
    else:
        names = [str(found["PhysicalResourceId"]) for found in _resources(aws, text, "AWS::Lambda::Function")]
    found: list[Function] = []
    for name in names:
        try:
            function = function_of(aws, name)
        except AwsRefusedError as refused:
            # A stack that was rolled back lists the functions that it had.
            if service != "cloudformation" or not refused.not_found:
                raise
            continue
        if function is None and service != "cloudformation":
            raise UsageError(f"{name} is not the function of a smoke test or a failover drill")
        found += [function] if function else []
    return found, aws


def function_of(aws: Aws, name: str) -> Function | None:
    """The function with a name or an ARN; None if it is not that of a smoke test or a drill."""
    what = f"the function {name}"
    found = aws.call("lambda", "get_function_configuration", what, FunctionName=name)
    kind = _HANDLERS.get(str(found.get("Handler")))
    if kind is None:
        return None
    own = str(found["FunctionName"])
    return Function(own, kind, str(found.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{own}"))


def _resources(aws: Aws, stack: str, kind: str) -> Iterator[dict[str, Any]]:
    """The resources of one type in a stack and in those nested in it."""
    method, what = "list_stack_resources", f"the stack {stack}"
    for page in aws.pages("cloudformation", method, what, "NextToken", StackName=stack):
        for found in page["StackResourceSummaries"]:
            if found["ResourceType"] == kind and found.get("PhysicalResourceId"):
                yield found
            elif found["ResourceType"] == "AWS::CloudFormation::Stack" and found.get("PhysicalResourceId"):
                yield from _resources(aws, str(found["PhysicalResourceId"]), kind)


def _texts(value: object, key: str) -> Iterator[str]:
    """Each text under a key, at any depth."""
    if isinstance(value, dict):
        for name, item in cast("dict[str, object]", value).items():
            if name == key and isinstance(item, str):
                yield item
            yield from _texts(item, key)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _texts(item, key)
