"""The drill's state machine: its calls and permissions, and that a deployment does not start it."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk.assertions import Match, Template

from cdk_redis import (
    ConfigurationError,
    FailoverDrill,
    MemoryDbCluster,
    RedisNetwork,
    ReplicationGroup,
    ServerlessCache,
    Store,
)
from cdk_redis_runtime._client import environment


@pytest.fixture(params=["elasticache", "memorydb"])
def target(request: pytest.FixtureRequest, stack: cdk.Stack) -> Store:
    network = RedisNetwork(stack, "Network")
    if request.param == "elasticache":
        return ReplicationGroup(stack, "Cache", network=network, shards=2)
    return MemoryDbCluster(stack, "Ledger", network=network, shards=2)


def _definition(template: Template) -> dict[str, Any]:
    (machine,) = template.find_resources("AWS::StepFunctions::StateMachine").values()
    _, parts = machine["Properties"]["DefinitionString"]["Fn::Join"]
    return json.loads("".join(part if isinstance(part, str) else next(iter(part)) for part in parts))


def test_the_function_writes_and_reads_while_the_service_fails_over_a_shard(stack: cdk.Stack, target: Store) -> None:
    FailoverDrill(stack, "Drill", target=target, shard="0002")

    (drill,) = _definition(Template.from_stack(stack))["States"].values()
    watch, failover = (branch["States"] for branch in drill["Branches"])
    assert drill["Type"] == "Parallel"
    assert drill["OutputPath"] == "$[0]"
    (task,) = watch.values()
    assert task["Type"] == "Task"
    # The output is the function's response; the service integration would add Lambda's metadata.
    assert task["Resource"] == "Fn::GetAtt"
    # A retry would report on a store that has already failed over.
    assert "Retry" not in task
    assert task["Parameters"] == {"execution.$": "$$.Execution.Id"}
    wait, call = failover.values()
    assert wait["Seconds"] == 30
    service, action, names = {
        "elasticache": ("elasticache", "testFailover", ("ReplicationGroupId", "NodeGroupId")),
        "memorydb": ("memorydb", "failoverShard", ("ClusterName", "ShardName")),
    }[target.service.name]
    assert call["Resource"].endswith(f":states:::aws-sdk:{service}:{action}")
    assert tuple(call["Parameters"]) == names
    assert call["Parameters"][names[1]] == "0002"
    # The response describes the whole store, which is not part of the report.
    assert call["ResultSelector"] == {"failover": "started"}


def test_the_state_machine_can_fail_over_only_this_store(stack: cdk.Stack, target: Store) -> None:
    FailoverDrill(stack, "Drill", target=target)

    action = {"elasticache": "elasticache:TestFailover", "memorydb": "memorydb:FailoverShard"}[target.service.name]
    policies = Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
    statements = [entry for policy in policies for entry in policy["Properties"]["PolicyDocument"]["Statement"]]
    (statement,) = [entry for entry in statements if entry["Action"] == action]
    assert statement["Resource"] == stack.resolve(target.store_arn)


def test_the_function_has_its_own_user_and_a_longer_timeout_than_the_drill(stack: cdk.Stack, target: Store) -> None:
    FailoverDrill(stack, "Drill", target=target, duration=cdk.Duration.minutes(2))

    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::Lambda::Function",
        {
            "Handler": "cdk_redis_runtime.drill_lambda.handler",
            "Timeout": 210,
            "Environment": {
                "Variables": Match.object_like(
                    {environment.DRILL_SECONDS: "120", environment.KEY_PREFIX: "cdk-redis-drill:"}
                )
            },
        },
    )
    kind = {"elasticache": "AWS::ElastiCache::User", "memorydb": "AWS::MemoryDB::User"}[target.service.name]
    template.has_resource_properties(kind, {"AccessString": Match.string_like_regexp("^on ~cdk-redis-drill:")})


def test_the_default_duration_is_five_minutes(stack: cdk.Stack, target: Store) -> None:
    FailoverDrill(stack, "Drill", target=target)

    template = Template.from_stack(stack)
    variables = Match.object_like({environment.DRILL_SECONDS: "300"})
    template.has_resource_properties("AWS::Lambda::Function", {"Timeout": 390, "Environment": {"Variables": variables}})
    assert _definition(template)["TimeoutSeconds"] == 20 * 60


def test_a_deployment_does_not_start_the_drill(stack: cdk.Stack, target: Store) -> None:
    FailoverDrill(stack, "Drill", target=target)

    template = Template.from_stack(stack)
    for kind in ("Custom::Trigger", "AWS::Events::Rule", "AWS::Scheduler::Schedule"):
        template.resource_count_is(kind, 0)


def test_missing_replicas_and_a_too_long_duration_are_reported_together(stack: cdk.Stack) -> None:
    cache = ReplicationGroup(stack, "Cache", network=RedisNetwork(stack, "Network"), replicas=0)

    with pytest.raises(ConfigurationError, match="a shard without replicas cannot fail over") as refused:
        FailoverDrill(stack, "Drill", target=cache, duration=cdk.Duration.minutes(14))
    assert "a drill takes 10 seconds to 13 minutes" in str(refused.value)


def test_a_serverless_cache_is_rejected(stack: cdk.Stack) -> None:
    cache = ServerlessCache(stack, "Cache", network=RedisNetwork(stack, "Network"))

    with pytest.raises(ConfigurationError) as refused:
        FailoverDrill(stack, "Drill", target=cache)
    assert str(refused.value) == (
        "Stack/Drill: target: got 'Stack/Cache', but only the service can fail over a serverless cache; "
        "use a replication group or a cluster"
    )


@pytest.mark.parametrize(
    ("duration", "after", "waited"), [(300, None, 30), (90, None, 30), (12, None, 4), (10, 9, 9), (780, 600, 600)]
)
def test_the_failover_starts_after_the_given_or_default_time(
    stack: cdk.Stack, duration: int, after: int | None, waited: int
) -> None:
    cache = ReplicationGroup(stack, "Cache", network=RedisNetwork(stack, "Network"), shards=2)
    FailoverDrill(
        stack,
        "Drill",
        target=cache,
        duration=cdk.Duration.seconds(duration),
        failover_after=cdk.Duration.seconds(after) if after else None,
    )

    (drill,) = _definition(Template.from_stack(stack))["States"].values()
    assert next(iter(drill["Branches"][1]["States"].values()))["Seconds"] == waited


@pytest.mark.parametrize(("duration", "after"), [(60, 60), (60, 0), (9, 4)])
def test_a_failover_outside_the_drill_is_rejected(stack: cdk.Stack, duration: int, after: int) -> None:
    cache = ReplicationGroup(stack, "Cache", network=RedisNetwork(stack, "Network"))

    with pytest.raises(ConfigurationError, match=r"failover_after|duration"):
        FailoverDrill(
            stack,
            "Drill",
            target=cache,
            duration=cdk.Duration.seconds(duration),
            failover_after=cdk.Duration.seconds(after),
        )


def _alarm(scope: cdk.Stack, id: str = "Alarm") -> cloudwatch.Alarm:
    metric = cloudwatch.Metric(namespace="Orders", metric_name="Errors")
    return cloudwatch.Alarm(scope, id, metric=metric, threshold=1, evaluation_periods=1)


def _alarm_statements(template: Template) -> list[Any]:
    return [
        statement["Resource"]
        for policy in template.find_resources("AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "cloudwatch:DescribeAlarms"
    ]


def test_the_alarms_are_read_before_the_drill(stack: cdk.Stack, target: Store) -> None:
    alarm = _alarm(stack)
    FailoverDrill(stack, "Drill", target=target, blocking_alarms=[alarm])

    template = Template.from_stack(stack)
    definition = _definition(template)
    states = definition["States"]
    first = states[definition["StartAt"]]
    assert first["Resource"].endswith(":states:::aws-sdk:cloudwatch:describeAlarms")
    assert first["Parameters"] == {"AlarmNames": ["Ref"], "AlarmTypes": ["MetricAlarm"], "MaxRecords": 100}
    (found,) = states[first["Next"]]["Choices"]
    assert (found["Variable"], found["IsPresent"]) == ("$.MetricAlarms[0]", True)
    # A deleted alarm cannot say that all is well.
    assert states[states[first["Next"]]["Default"]]["Error"] == "AlarmMissing"
    second = states[found["Next"]]
    assert second["Parameters"] == {**first["Parameters"], "StateValue": "ALARM"}
    (is_on,) = states[second["Next"]]["Choices"]
    assert (is_on["Variable"], is_on["IsPresent"]) == ("$.MetricAlarms[0]", True)
    assert states[is_on["Next"]]["Type"] == "Fail"
    assert states[states[second["Next"]]["Default"]]["Type"] == "Parallel"
    (resource,) = _alarm_statements(template)[:1]
    assert stack.resolve(alarm.alarm_name) in resource["Fn::Join"][1]


def test_composite_and_imported_alarms_are_read_with_the_permission_that_they_need(
    stack: cdk.Stack, target: Store
) -> None:
    composite = cloudwatch.CompositeAlarm(stack, "Composite", alarm_rule=_alarm(stack))
    imported = cloudwatch.Alarm.from_alarm_name(stack, "Imported", "theirs")
    FailoverDrill(stack, "Drill", target=target, blocking_alarms=[composite, imported])

    template = Template.from_stack(stack)
    states = _definition(template)["States"]
    (found,) = states["Are all alarms there?"]["Choices"]
    # Two alarms, of which none, one or both are composite.
    assert [sorted(one["Variable"] for one in both.get("And", [both])) for both in found["Or"]] == [
        ["$.CompositeAlarms[1]"],
        ["$.CompositeAlarms[0]", "$.MetricAlarms[0]"],
        ["$.MetricAlarms[1]"],
    ]
    on = [choice["Variable"] for choice in states["Is an alarm on?"]["Choices"]]
    assert on == ["$.MetricAlarms[0]", "$.CompositeAlarms[0]"]
    assert set(_alarm_statements(template)) == {"*"}


def test_an_alarm_of_another_stack_does_not_lock_that_stack() -> None:
    app = cdk.App()
    theirs, ours = cdk.Stack(app, "Theirs"), cdk.Stack(app, "Ours")
    cache = ReplicationGroup(ours, "Cache", network=RedisNetwork(ours, "Network"))
    FailoverDrill(ours, "Drill", target=cache, blocking_alarms=[_alarm(theirs)])

    (output,) = Template.from_stack(theirs).find_outputs("*").values()
    assert "Export" not in output
    assert ours.dependencies == [theirs]
