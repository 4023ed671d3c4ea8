"""Retention and encryption of the log groups of the smoke test and the drill, and the drill's log of executions."""

from __future__ import annotations

from typing import Any, TypeAlias

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Annotations, Match, Template

from cdk_redis import ConfigurationError, FailoverDrill, RedisNetwork, ReplicationGroup, SmokeTest

Kind: TypeAlias = type[SmokeTest] | type[FailoverDrill]
KINDS = pytest.mark.parametrize("kind", [SmokeTest, FailoverDrill])


@pytest.fixture
def cache(stack: cdk.Stack, network: RedisNetwork) -> ReplicationGroup:
    return ReplicationGroup(stack, "Cache", network=network)


def _log_groups(stack: cdk.Stack, scope: str) -> list[dict[str, Any]]:
    found = Template.from_stack(stack).find_resources("AWS::Logs::LogGroup")
    return [resource["Properties"] for name, resource in found.items() if name.startswith(scope)]


@KINDS
def test_new_log_groups_have_the_given_key_and_retention(stack: cdk.Stack, cache: ReplicationGroup, kind: Kind) -> None:
    key = kms.Key(stack, "Key")
    kind(stack, "Test", target=cache, log_retention=logs.RetentionDays.ONE_YEAR, log_kms_key=key)

    groups = _log_groups(stack, "Test")
    assert len(groups) == (2 if kind is FailoverDrill else 1)
    for group in groups:
        assert (group["RetentionInDays"], group["KmsKeyId"]) == (365, stack.resolve(key.key_arn))
    arns = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":logs:eu-west-1:111122223333:log-group:*"]]}
    Template.from_stack(stack).has_resource_properties(
        "AWS::KMS::Key",
        {
            "KeyPolicy": {
                "Statement": [
                    Match.any_value(),
                    {
                        "Action": [
                            "kms:Decrypt",
                            "kms:DescribeKey",
                            "kms:Encrypt",
                            "kms:GenerateDataKey*",
                            "kms:ReEncrypt*",
                        ],
                        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arns}},
                        "Effect": "Allow",
                        "Principal": {"Service": "logs.eu-west-1.amazonaws.com"},
                        "Resource": "*",
                    },
                ]
            }
        },
    )
    Annotations.from_stack(stack).has_no_warning("*", Match.any_value())


@KINDS
def test_new_log_groups_keep_reports_for_a_month_by_default(
    stack: cdk.Stack, cache: ReplicationGroup, kind: Kind
) -> None:
    kind(stack, "Test", target=cache)

    for group in _log_groups(stack, "Test"):
        assert group["RetentionInDays"] == 30
        assert "KmsKeyId" not in group


@KINDS
def test_the_key_of_another_stack_adds_no_dependency_on_the_store(kind: Kind) -> None:
    app = cdk.App()
    keys, stack = cdk.Stack(app, "Keys"), cdk.Stack(app, "Stack")
    key = kms.Key(keys, "Key")
    network = RedisNetwork(stack, "Network", flow_log_kms_key=key)
    kind(stack, "Test", target=ReplicationGroup(stack, "Cache", network=network), log_kms_key=key)

    app.synth()  # raises an error if the stacks depend on each other
    statements = next(iter(Template.from_stack(keys).find_resources("AWS::KMS::Key").values()))["Properties"]
    # Both log groups need the same statement.
    assert len(statements["KeyPolicy"]["Statement"]) == 2


@KINDS
def test_an_imported_key_gives_a_warning(stack: cdk.Stack, cache: ReplicationGroup, kind: Kind) -> None:
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:111122223333:key/1")
    kind(stack, "Test", target=cache, log_kms_key=key)

    Annotations.from_stack(stack).has_warning("/Stack/Test", Match.string_like_regexp("Stack/Key, is imported: unless"))


@KINDS
def test_settings_of_a_new_log_group_are_rejected_with_an_existing_one(
    stack: cdk.Stack, cache: ReplicationGroup, kind: Kind
) -> None:
    given: dict[str, Any] = {"log_retention": logs.RetentionDays.ONE_YEAR, "log_kms_key": kms.Key(stack, "Key")}
    with pytest.raises(ConfigurationError) as refused:
        kind(stack, "Test", target=cache, log_group=logs.LogGroup(stack, "Logs"), **given)

    reason = "but it is for a new log group, and `log_group` is given; leave it out, or set it on the log group"
    assert refused.value.problems == (
        f"log_retention: got 'a retention', {reason}",
        f"log_kms_key: got 'a key', {reason}",
    )


def test_the_state_machine_of_a_drill_logs_and_traces(stack: cdk.Stack, cache: ReplicationGroup) -> None:
    drill = FailoverDrill(stack, "Test", target=cache)

    template = Template.from_stack(stack)
    destination = {"LogGroupArn": stack.resolve(drill.execution_log_group.log_group_arn)}
    template.has_resource_properties(
        "AWS::StepFunctions::StateMachine",
        {
            "LoggingConfiguration": {
                "Destinations": [{"CloudWatchLogsLogGroup": destination}],
                "IncludeExecutionData": True,
                "Level": "ALL",
            },
            "TracingConfiguration": {"Enabled": True},
        },
    )
    names = [group["LogGroupName"] for group in _log_groups(stack, "Test") if "LogGroupName" in group]
    assert len(names) == 1
    assert names[0].startswith("/aws/vendedlogs/states/")


def test_the_state_machine_of_a_drill_logs_to_a_given_log_group(stack: cdk.Stack, cache: ReplicationGroup) -> None:
    given = logs.LogGroup(stack, "Logs")
    drill = FailoverDrill(stack, "Test", target=cache, log_group=given)

    assert (drill.log_group, drill.execution_log_group) == (given, given)
    assert _log_groups(stack, "Test") == []
