"""A smoke test with a schedule: the rule, the alarm, and their limits."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events as events
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Match, Template

from cdk_redis import ConfigurationError, Preset, RedisNetwork, ReplicationGroup, SmokeTest
from cdk_redis_runtime._client import environment
from tests.unit.smoke_test.support.smoke_templates import FUNCTION, environment_of, function_of


def _canary(schedule: events.Schedule, **given: object) -> Template:
    stack = cdk.Stack(cdk.App(), "Stack")
    cache = ReplicationGroup(stack, "Cache", network=RedisNetwork(stack, "Network"))
    SmokeTest(
        stack,
        "SmokeTest",
        target=cache,
        schedule=schedule,
        alarm_topic=sns.Topic(stack, "Operators"),
        **given,  # type: ignore[arg-type]
    )
    return Template.from_stack(stack)


@pytest.fixture(scope="module")
def canary() -> Template:
    return _canary(events.Schedule.rate(cdk.Duration.minutes(5)))


def test_a_canary_is_the_same_function_on_a_schedule(canary: Template) -> None:
    (function,) = canary.find_resources(FUNCTION, {"Properties": {"Handler": "cdk_redis_runtime.smoke_lambda.handler"}})
    canary.has_resource_properties(
        "AWS::Events::Rule",
        {
            "ScheduleExpression": "rate(5 minutes)",
            "State": "ENABLED",
            "Targets": [
                Match.object_like(
                    {
                        "Arn": {"Fn::GetAtt": [function, "Arn"]},
                        "RetryPolicy": {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0},
                    }
                )
            ],
        },
    )
    assert environment_of(canary)[environment.METRICS_NAMESPACE] == "CdkRedis/SmokeTest"


def test_runs_of_a_canary_never_overlap_and_are_not_retried(canary: Template) -> None:
    assert function_of(canary)["ReservedConcurrentExecutions"] == 1
    canary.has_resource_properties(
        "AWS::Lambda::EventInvokeConfig", {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
    )


def test_the_alarm_goes_off_for_failed_checks_and_missing_runs(canary: Template) -> None:
    (topic,) = canary.find_resources("AWS::SNS::Topic")
    canary.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "Namespace": "CdkRedis/SmokeTest",
            "MetricName": "ChecksFailed",
            "Dimensions": [
                {"Name": "Service", "Value": "elasticache"},
                {"Name": "Store", "Value": {"Ref": "Cache18F6EE16"}},
            ],
            "Statistic": "Sum",
            "Period": 600,
            "EvaluationPeriods": 1,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "breaching",
            "AlarmActions": [{"Ref": topic}],
            "OKActions": [{"Ref": topic}],
        },
    )


def test_a_canary_starts_after_the_run_of_the_deployment(canary: Template) -> None:
    (trigger,) = canary.find_resources("Custom::Trigger")
    for kind in ("AWS::Events::Rule", "AWS::CloudWatch::Alarm"):
        (resource,) = canary.find_resources(kind).values()
        assert trigger in resource["DependsOn"]


def test_there_is_no_canary_without_a_schedule(stack: cdk.Stack, network: RedisNetwork) -> None:
    test = SmokeTest(stack, "SmokeTest", target=ReplicationGroup(stack, "Cache", network=network))

    template = Template.from_stack(stack)
    assert test.alarm is None
    for kind in ("AWS::Events::Rule", "AWS::CloudWatch::Alarm", "AWS::Lambda::EventInvokeConfig"):
        template.resource_count_is(kind, 0)
    assert "ReservedConcurrentExecutions" not in function_of(template)
    assert environment.METRICS_NAMESPACE not in environment_of(template)


def test_the_alarm_of_a_cron_schedule_has_the_given_period() -> None:
    template = _canary(events.Schedule.cron(hour="4", minute="0"), alarm_period=cdk.Duration.days(2))

    template.has_resource_properties("AWS::CloudWatch::Alarm", {"Period": 2 * 24 * 60 * 60})


@pytest.mark.parametrize(
    ("schedule", "given", "message"),
    [
        (events.Schedule.cron(hour="4"), {}, "it is required if the schedule is not a rate"),
        (events.Schedule.rate(cdk.Duration.days(4)), {}, "11520 minutes.* CloudWatch takes whole minutes"),
        (
            events.Schedule.rate(cdk.Duration.minutes(1)),
            {"alarm_period": cdk.Duration.seconds(90)},
            "1.5 minutes.* CloudWatch takes whole minutes",
        ),
    ],
)
def test_an_alarm_period_that_cloudwatch_rejects_is_rejected(
    schedule: events.Schedule, given: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        _canary(schedule, **given)


def test_an_alarm_without_a_schedule_is_rejected(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)

    with pytest.raises(
        ConfigurationError, match=r"alarm_topic: given without a schedule, but only a scheduled test has an alarm"
    ):
        SmokeTest(stack, "SmokeTest", target=cache, alarm_topic=sns.Topic(stack, "Operators"))


@pytest.mark.parametrize("by_preset", [False, True])
def test_a_warning_is_an_alarm_that_stays_until_the_next_run(by_preset: bool) -> None:
    stack = cdk.Stack(cdk.App(), "Stack")
    cache = ReplicationGroup(stack, "Cache", network=RedisNetwork(stack, "Network"))
    topic = sns.Topic(stack, "Operators")
    if by_preset:
        test = SmokeTest(stack, "SmokeTest", target=cache, preset=Preset.prod(alarm_topic=topic), on_failure="warn")
    else:
        test = SmokeTest(stack, "SmokeTest", target=cache, alarm_topic=topic, on_failure="warn")

    template = Template.from_stack(stack)
    assert environment_of(template)[environment.ON_FAILURE] == "warn"
    assert environment_of(template)[environment.METRICS_NAMESPACE] == "CdkRedis/SmokeTest"
    template.resource_count_is("AWS::Events::Rule", 0)
    template.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {"TreatMissingData": "ignore", "Threshold": 0, "AlarmActions": [stack.resolve(topic.topic_arn)]},
    )
    # The deployment's run sets the alarm.
    (trigger,) = template.find_resources("Custom::Trigger").values()
    assert test.alarm is not None
    assert stack.resolve(test.alarm.alarm_name)["Ref"] in trigger["DependsOn"]


def test_warnings_of_a_canary_use_its_alarm() -> None:
    template = _canary(events.Schedule.rate(cdk.Duration.minutes(5)), on_failure="warn")
    assert environment_of(template)[environment.ON_FAILURE] == "warn"
    template.resource_count_is("AWS::CloudWatch::Alarm", 1)
    template.has_resource_properties("AWS::CloudWatch::Alarm", {"TreatMissingData": "breaching"})


def test_a_failure_fails_the_deployment_by_default(canary: Template) -> None:
    assert environment.ON_FAILURE not in environment_of(canary)
