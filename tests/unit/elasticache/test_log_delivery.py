"""Log delivery of replication groups."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Template

from cdk_redis import ConfigurationError, LogDelivery, LogFormat, RedisNetwork, ReplicationGroup
from tests.unit.elasticache.support.replication_groups import network_in_zones, properties_of


@pytest.fixture
def network(stack: cdk.Stack) -> RedisNetwork:
    return network_in_zones(stack)


def test_a_created_log_group_has_the_vendedlogs_prefix(stack: cdk.Stack, network: RedisNetwork) -> None:
    key = kms.Key(stack, "Key")
    ReplicationGroup(
        stack,
        "Cache",
        network=network,
        log_delivery=[LogDelivery.slow_log(retention=logs.RetentionDays.ONE_WEEK, encryption_key=key)],
    )

    properties = properties_of(stack, "AWS::Logs::LogGroup")
    assert properties["RetentionInDays"] == 7
    assert properties["KmsKeyId"] == stack.resolve(key.key_arn)
    (_, (name, uuid)) = properties["LogGroupName"]["Fn::Join"]
    assert name.startswith("/aws/vendedlogs/elasticache/")
    assert uuid == {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
    # CloudWatch Logs may use the key for these log groups only.
    (_, statement) = properties_of(stack, "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    groups = ":logs:eu-west-1:111122223333:log-group:/aws/vendedlogs/elasticache/*"
    condition = {"kms:EncryptionContext:aws:logs:arn": {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, groups]]}}
    assert statement["Principal"] == {"Service": "logs.eu-west-1.amazonaws.com"}
    assert statement["Condition"] == {"ArnLike": condition}
    (delivery,) = properties_of(stack)["LogDeliveryConfigurations"]
    assert (delivery["LogType"], delivery["LogFormat"], delivery["DestinationType"]) == (
        "slow-log",
        "json",
        "cloudwatch-logs",
    )


def test_logs_are_sent_to_existing_destinations(stack: cdk.Stack, network: RedisNetwork) -> None:
    group = logs.LogGroup.from_log_group_arn(stack, "Logs", "arn:aws:logs:eu-west-1:111122223333:log-group:mine:*")
    stream = firehose.DeliveryStream.from_delivery_stream_name(stack, "Stream", "logs")
    deliveries = [
        LogDelivery.slow_log(log_group=group, format=LogFormat.TEXT),
        LogDelivery.engine_log(delivery_stream=stream),
    ]
    ReplicationGroup(stack, "Cache", network=network, log_delivery=deliveries)

    assert properties_of(stack)["LogDeliveryConfigurations"] == [
        {
            "LogType": "slow-log",
            "LogFormat": "text",
            "DestinationType": "cloudwatch-logs",
            "DestinationDetails": {"CloudWatchLogsDetails": {"LogGroup": "mine"}},
        },
        {
            "LogType": "engine-log",
            "LogFormat": "json",
            "DestinationType": "kinesis-firehose",
            "DestinationDetails": {"KinesisFirehoseDetails": {"DeliveryStream": "logs"}},
        },
    ]
    Template.from_stack(stack).resource_count_is("AWS::Logs::LogGroup", 0)


def test_a_log_has_one_destination(stack: cdk.Stack) -> None:
    group = logs.LogGroup(stack, "Logs")
    stream = firehose.DeliveryStream.from_delivery_stream_name(stack, "Stream", "logs")
    with pytest.raises(ConfigurationError) as caught:
        LogDelivery.slow_log(log_group=group, delivery_stream=stream, retention=logs.RetentionDays.ONE_DAY)

    assert str(caught.value) == (
        "LogDelivery.slow_log: 2 problems\n"
        "  - delivery_stream: got 'Stack/Stream', but a log has one destination, and `log_group` is given; choose one\n"
        "  - retention: got 'a value', but it is for a new log group, and a destination is given; "
        "leave it out, or set it on the destination"
    )
