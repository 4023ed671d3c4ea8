"""The state machine of a failover drill: alarms that stop it, the function, and the call that fails a shard over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import aws_cdk as cdk

from cdk_redis._core.acknowledgements import INLINE_POLICY, acknowledge
from cdk_redis._core.location import check_location
from cdk_redis._core.weak_reference import deploy_after, outer_stack, read_weakly
from cdk_redis_runtime._client import environment

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_stepfunctions as stepfunctions
    from constructs import Construct

    from cdk_redis._core.errors import Problems
    from cdk_redis._store.interface import IStore

# "Array Members: Maximum number of 100 items", AlarmNames of DescribeAlarms.
_MOST_ALARMS = 100
_TYPES = {"MetricAlarm": "MetricAlarms", "CompositeAlarm": "CompositeAlarms"}


def check_alarms(problems: Problems, scope: Construct, alarms: Sequence[cloudwatch.IAlarm]) -> None:
    """Check that one call of a state machine can read all of the alarms."""
    if len(alarms) > _MOST_ALARMS:
        reason = f"CloudWatch reads {_MOST_ALARMS} alarms at once"
        problems.add("blocking_alarms", f"{len(alarms)} alarms", reason, "give a composite alarm of them")
    paths = [alarm.node.path for alarm in alarms]
    for number, alarm in enumerate(alarms):
        name = f"blocking_alarms[{number}]"
        if paths[number] in paths[:number]:
            problems.add(name, paths[number], "it is in the list already", "list each alarm once")
        arn = alarm.alarm_arn
        check_location(problems, name, alarm, "an alarm", scope=scope, user="the drill", account=True, arn=arn)


def drill_chain(
    scope: Construct,
    target: IStore,
    store_name: str,
    function: lambda_.Function,
    *,
    shard: str,
    before: cdk.Duration,
    alarms: Sequence[cloudwatch.IAlarm],
) -> stepfunctions.IChainable:
    """The states of the state machine.

    Args:
        scope: The drill.
        target: Its store.
        store_name: Name of the store, which may be read from another stack.
        function: Writes and reads.
        shard: Shard that fails over.
        before: Time before the failover.
        alarms: Alarms that stop the drill before it starts.
    """
    from aws_cdk import aws_stepfunctions as stepfunctions
    from aws_cdk import aws_stepfunctions_tasks as tasks

    watch = tasks.LambdaInvoke(
        scope,
        "Write and read",
        lambda_function=cast("lambda_.IFunction", function),
        # The lines of progress in the function's log name the execution.
        payload=stepfunctions.TaskInput.from_object({"execution": stepfunctions.JsonPath.execution_id}),
        payload_response_only=True,
        # A retry would report on a store that has already failed over.
        retry_on_service_exceptions=False,
    )
    wait = stepfunctions.Wait(scope, "Let all be well", time=stepfunctions.WaitTime.duration(before))
    both = stepfunctions.Parallel(scope, "Drill", output_path="$[0]")
    both.branch(cast("stepfunctions.IChainable", watch))
    both.branch(wait.next(_create_failover(scope, target, store_name, shard)))
    if not alarms:
        return cast("stepfunctions.IChainable", both)
    return _unless_alarm(scope, alarms, cast("stepfunctions.IChainable", both))


def create_machine(
    scope: Construct, comment: str, chain: stepfunctions.IChainable, log_group: logs.ILogGroup
) -> stepfunctions.StateMachine:
    """The state machine with these states."""
    from aws_cdk import aws_stepfunctions as stepfunctions

    return stepfunctions.StateMachine(
        scope,
        "StateMachine",
        comment=comment,
        definition_body=stepfunctions.DefinitionBody.from_chainable(chain),
        timeout=cdk.Duration.minutes(20),
        logs=stepfunctions.LogOptions(
            destination=log_group, level=stepfunctions.LogLevel.ALL, include_execution_data=True
        ),
        tracing_enabled=True,
    )


def acknowledge_findings(machine: stepfunctions.StateMachine, function: lambda_.Function) -> None:
    """Accept what scanners find in the policy that the CDK defines for the role of a state machine."""
    policy = cast("Construct", machine.role.node.find_child("DefaultPolicy"))
    resource = cdk.Stack.of(function).get_logical_id(cast("cdk.CfnElement", function.node.default_child))
    rules = {
        "AwsSolutions-IAM5[Resource::*]": "delivery of logs, tracing and reading alarms have no resource",
        f"AwsSolutions-IAM5[Resource::<{resource}.Arn>:*]": "the CDK allows the versions of the drill's function, too",
        **INLINE_POLICY,
    }
    acknowledge(policy, rules)


def _create_failover(scope: Construct, target: IStore, store_name: str, shard: str) -> Any:
    from aws_cdk import aws_stepfunctions_tasks as tasks

    service = target.service
    action, parameters = {
        environment.ELASTICACHE: ("testFailover", {"ReplicationGroupId": store_name, "NodeGroupId": shard}),
        environment.MEMORYDB: ("failoverShard", {"ClusterName": store_name, "ShardName": shard}),
    }[service.name]
    return tasks.CallAwsService(
        scope,
        "Fail over",
        service=service.name,
        action=action,
        parameters=parameters,
        iam_action=f"{service.name}:{action[0].upper()}{action[1:]}",
        # The Service Authorization Reference has no other resource for TestFailover and FailoverShard.
        iam_resources=[service.store_arn(target, store_name)],
        # The response describes the whole store, which is not part of the report.
        result_selector={"failover": "started"},
    )


def _unless_alarm(
    scope: Construct, alarms: Sequence[cloudwatch.IAlarm], drill: stepfunctions.IChainable
) -> stepfunctions.IChainable:
    """The drill, unless an alarm is on or cannot be read.

    The state machine reads the alarms: the function's subnets may be isolated, and a drill that a schedule starts is
    refused, too.
    """
    from aws_cdk import aws_stepfunctions as stepfunctions

    types = _types_of(alarms)
    names = [_name_of(scope, alarm) for alarm in alarms]
    resources = _resources(scope, names, types)
    read = _read_alarms(scope, "Find the alarms", names, types, resources)
    read_on = _read_alarms(scope, "Find the alarms that are on", names, types, resources, StateValue="ALARM")

    missing = stepfunctions.Fail(
        scope,
        "An alarm is missing",
        error="AlarmMissing",
        cause=f"The drill did not start: CloudWatch does not have all of its {len(names)} alarms",
    )
    some_on = stepfunctions.Choice(scope, "Is an alarm on?")
    for alarm_type in types:
        field = _TYPES[alarm_type]
        is_on = stepfunctions.Fail(
            scope,
            f"A {'metric' if alarm_type == 'MetricAlarm' else 'composite'} alarm is on",
            error="AlarmOn",
            cause_path=(
                "States.Format('The drill did not start, because these alarms are on: {}', "
                f"States.JsonToString($.{field}[*].AlarmName))"
            ),
        )
        some_on.when(stepfunctions.Condition.is_present(f"$.{field}[0]"), cast("stepfunctions.IChainable", is_on))
    some_on.otherwise(drill)
    all_found = stepfunctions.Choice(scope, "Are all alarms there?")
    all_found.when(_all_found(len(names), types), read_on.next(cast("stepfunctions.IChainable", some_on)))
    all_found.otherwise(cast("stepfunctions.IChainable", missing))
    return read.next(cast("stepfunctions.IChainable", all_found))


def _types_of(alarms: Sequence[cloudwatch.IAlarm]) -> list[str]:
    """The types that alarms can have; an imported one may be composite."""
    from aws_cdk import aws_cloudwatch as cloudwatch

    return ["MetricAlarm"] if all(isinstance(alarm, cloudwatch.Alarm) for alarm in alarms) else list(_TYPES)


def _name_of(scope: Construct, alarm: cloudwatch.IAlarm) -> str:
    owner = cast("Construct", alarm)
    if outer_stack(owner) is outer_stack(scope):
        return alarm.alarm_name
    deploy_after(scope, owner)
    return read_weakly(scope, owner, "AlarmName", alarm.alarm_name)


def _resources(scope: Construct, names: Sequence[str], types: Sequence[str]) -> list[str]:
    # "You can't return information about composite alarms if your cloudwatch:DescribeAlarms permission has a narrower
    # scope" than *. (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html)
    if "CompositeAlarm" in types:
        return ["*"]
    stack, colon = cdk.Stack.of(scope), cdk.ArnFormat.COLON_RESOURCE_NAME
    return [
        stack.format_arn(service="cloudwatch", resource="alarm", resource_name=name, arn_format=colon) for name in names
    ]


def _read_alarms(
    scope: Construct,
    id: str,
    names: Sequence[str],
    types: Sequence[str],
    resources: Sequence[str],
    **state: str,
) -> Any:
    from aws_cdk import aws_stepfunctions_tasks as tasks

    return tasks.CallAwsService(
        scope,
        id,
        service="cloudwatch",
        action="describeAlarms",
        parameters={"AlarmNames": list(names), "AlarmTypes": list(types), "MaxRecords": _MOST_ALARMS, **state},
        iam_action="cloudwatch:DescribeAlarms",
        iam_resources=list(resources),
    )


def _all_found(count: int, types: Sequence[str]) -> stepfunctions.Condition:
    """Whether the answer has as many alarms as were asked for: some metric alarms, and the rest composite ones."""
    from aws_cdk import aws_stepfunctions as stepfunctions

    def at_least(number: int, field: str) -> list[stepfunctions.Condition]:
        return [stepfunctions.Condition.is_present(f"$.{field}[{number - 1}]")] if number else []

    if len(types) == 1:
        (found,) = at_least(count, _TYPES[types[0]])
        return found
    splits = [
        [*at_least(number, "MetricAlarms"), *at_least(count - number, "CompositeAlarms")] for number in range(count + 1)
    ]
    return stepfunctions.Condition.or_(
        *(both[0] if len(both) == 1 else stepfunctions.Condition.and_(*both) for both in splits)
    )
