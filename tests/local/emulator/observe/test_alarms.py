"""Alarms of running stores go off, notify their topic, and return to OK."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import aws_cdk as cdk
import pytest
import redis
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from cdk_redis import AlarmOverride, RedisDashboard, ReplicationGroup
from cdk_redis_local import LocalCloud, LocalCloudError
from tests.local.support.clouds import Cloud, StackFailedError
from tests.local.support.topics import TOPIC_AND_QUEUE, eventually, next_messages

NAME = "guarded"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with LocalCloud(metric_minute=0.5) as local:
        yield Cloud(local)


def existing_vpc(cloud: Cloud, stack: cdk.Stack) -> ec2.IVpc:
    """A VPC of the cloud: a new one of the CDK has a custom resource, which takes many seconds."""
    api = cloud.client("ec2")
    vpc = api.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        api.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"] for number in range(2)
    ]
    return ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id=vpc, availability_zones=["us-east-1a", "us-east-1b"], isolated_subnet_ids=subnets
    )


@pytest.fixture(scope="module")
def outputs(cloud: Cloud) -> dict[str, str]:
    """A store of the library with its alarms, some of them with periods for a test, and a dashboard."""
    stack = cdk.Stack(cdk.App(), NAME)
    topic = sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:us-east-1:000000000000:events")
    cache = ReplicationGroup(
        stack,
        "Cache",
        vpc=existing_vpc(cloud, stack),
        replication_group_id=NAME,
        engine=f"{cloud.local.engine.name}:{cloud.local.engine.major_minor}",
    )
    user = cache.add_password_user("app", "on ~* +@all")
    quick = {"connections": AlarmOverride(threshold=20, evaluation_periods=2)}
    cache.add_alarms(topic, overrides=quick)
    cache.metric_cpu().create_alarm(stack, "AnyCpu", threshold=99, evaluation_periods=1)
    RedisDashboard(stack, "Dashboard", stores=[cache])
    cdk.CfnOutput(stack, "Port", value=cache.endpoint.port_text)
    cdk.CfnOutput(stack, "Secret", value=user.secret.secret_arn)
    template = Template.from_stack(stack).to_json()
    queue = cloud.deploy("topic", TOPIC_AND_QUEUE, {"Queue": {"Ref": "Queue"}})
    values = {name: one["Value"] for name, one in template["Outputs"].items()}
    return {**queue, **cloud.deploy(NAME, template["Resources"], values)}


def alarm_of(cloud: Cloud, part: str) -> dict[str, Any]:
    alarms = cloud.client("cloudwatch").describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    (found,) = (one for one in [*alarms["MetricAlarms"], *alarms["CompositeAlarms"]] if part in one["AlarmName"])
    return found


def message_of(cloud: Cloud, queue: str, alarm: str, state: str) -> dict[str, Any]:
    """The next message that an alarm has this state; other messages are dropped."""

    def find() -> dict[str, Any] | None:
        messages = next_messages(cloud, queue, 1)
        return next((one for one in messages if (one["AlarmName"], one["NewStateValue"]) == (alarm, state)), None)

    return eventually(find, f"{state} of {alarm}")


def test_an_alarm_of_the_library_goes_off_and_returns_to_ok(cloud: Cloud, outputs: dict[str, str]) -> None:
    for alarm in ("AlarmsConnections", "Memory", "EngineCpu", "AnyCpu", "Evictions", "NetworkIn"):
        eventually(lambda alarm=alarm: alarm_of(cloud, alarm)["StateValue"] == "OK", f"OK of {alarm}")
    secret = cloud.client("secretsmanager").get_secret_value(SecretId=outputs["Secret"])["SecretString"]
    signed_in = {key: json.loads(secret)[key] for key in ("username", "password")}
    ca_file = cloud.local.environment["SSL_CERT_FILE"]
    name = alarm_of(cloud, "AlarmsConnections")["AlarmName"]
    with ExitStack() as stack:
        for _ in range(25):
            client = redis.Redis(port=int(outputs["Port"]), ssl=True, ssl_ca_certs=ca_file, **signed_in)
            stack.enter_context(client)
            client.ping()
        message = message_of(cloud, outputs["Queue"], name, "ALARM")
        assert message["NewStateReason"].startswith("Threshold Crossed: 2 out of the last 2 datapoints [2")
        expressions = [one for one in message["Trigger"]["Metrics"] if "Expression" in one]
        assert [one["Expression"] for one in expressions] == ["MAX([node_001, node_002])"]
        assert alarm_of(cloud, "AlarmsConnections")["StateValue"] == "ALARM"
    message_of(cloud, outputs["Queue"], name, "OK")
    history = cloud.client("cloudwatch").describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate")
    summaries = [item["HistorySummary"] for item in history["AlarmHistoryItems"]]
    assert {"Alarm updated from OK to ALARM", "Alarm updated from ALARM to OK"} <= {*summaries}


def test_the_state_of_an_alarm_can_be_set(cloud: Cloud, outputs: dict[str, str]) -> None:
    memory = alarm_of(cloud, "Memory")
    assert [one["Id"] for one in memory["Metrics"] if one["ReturnData"]] == ["expr_1"]
    cloud.client("cloudwatch").set_alarm_state(AlarmName=memory["AlarmName"], StateValue="ALARM", StateReason="a drill")
    assert message_of(cloud, outputs["Queue"], memory["AlarmName"], "ALARM")["NewStateReason"] == "a drill"
    # As on AWS, the next evaluation sets it back.
    eventually(lambda: alarm_of(cloud, "Memory")["StateValue"] == "OK", "the next evaluation")


def test_a_composite_alarm_follows_its_alarms(cloud: Cloud) -> None:
    custom = {
        "AlarmName": "orders",
        "MetricName": "Orders",
        "Namespace": "Shop",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    resources = {
        "Orders": {"Type": "AWS::CloudWatch::Alarm", "Properties": custom},
        "Any": {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "DependsOn": "Orders",
            "Properties": {"AlarmName": "any-order", "AlarmRule": "ALARM(orders)"},
        },
    }
    outputs = cloud.deploy("composite", resources, {"Arn": {"Fn::GetAtt": ["Any", "Arn"]}})
    assert outputs["Arn"] == "arn:aws:cloudwatch:us-east-1:000000000000:alarm:any-order"
    assert alarm_of(cloud, "any-order")["StateValue"] == "OK"
    orders = {"MetricName": "Orders", "Value": 9.0}
    cloud.client("cloudwatch").put_metric_data(Namespace="Shop", MetricData=[orders])
    assert alarm_of(cloud, "any-order")["StateValue"] == "ALARM"
    eventually(lambda: alarm_of(cloud, "any-order")["StateValue"] == "OK", "a minute without orders")
    either = {"AlarmRule": "ALARM(orders) OR OK(orders)"}
    cloud.deploy("composite", {**resources, "Any": {**resources["Any"], "Properties": either}})
    # Without its name, it is replaced by one with a generated name.
    assert alarm_of(cloud, "composite-Any-")["StateValue"] == "ALARM"
    cloud.delete("composite")


def test_boto3_can_put_an_alarm_of_metric_math(cloud: Cloud) -> None:
    metric = {"Namespace": "Shop", "MetricName": "Sales", "Dimensions": [{"Name": "City", "Value": "Oslo"}]}
    queries = [
        {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "double", "Expression": "m1 * 2", "Label": "twice"},
    ]
    watch = cloud.client("cloudwatch")
    alarm: dict[str, Any] = {
        "AlarmName": "sales",
        "Metrics": queries,
        "EvaluationPeriods": 1,
        "Threshold": 10,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    watch.put_metric_alarm(**alarm, Tags=[{"Key": "team", "Value": "shop"}])
    # Another city is another metric.
    for city, state in (("Rome", "INSUFFICIENT_DATA"), ("Oslo", "ALARM")):
        dimensions = [{"Name": "City", "Value": city}]
        watch.put_metric_data(
            Namespace="Shop", MetricData=[{"MetricName": "Sales", "Value": 6.0, "Dimensions": dimensions}]
        )
        assert alarm_of(cloud, "sales")["StateValue"] == state
    assert watch.list_tags_for_resource(ResourceARN=alarm_of(cloud, "sales")["AlarmArn"])["Tags"] == [
        {"Key": "team", "Value": "shop"}
    ]
    alarm["Metrics"] = [queries[0], {**queries[1], "Expression": "ANOMALY_DETECTION_BAND(m1)"}]
    watch.put_metric_alarm(**alarm)
    assert cloud.has_said(
        "the alarm sales is not evaluated: the local cloud does not have the function ANOMALY_DETECTION_BAND"
    )


def test_an_alarm_of_two_results_is_refused(cloud: Cloud) -> None:
    metric = {"Metric": {"Namespace": "Shop", "MetricName": "Sales"}, "Period": 60, "Stat": "Sum"}
    properties = {
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Metrics": [{"Id": "m1", "MetricStat": metric}, {"Id": "m2", "MetricStat": metric}],
    }
    with pytest.raises(StackFailedError, match="Exactly one element of the metrics list should return data"):
        cloud.deploy("two", {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}})


@pytest.mark.parametrize("minute", [0.0, 61.0])
def test_a_minute_has_limits(minute: float) -> None:
    with pytest.raises(LocalCloudError, match=r"metric_minute is .*, but must be from 0.5 to 60"):
        LocalCloud(metric_minute=minute)
