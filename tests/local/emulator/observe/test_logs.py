"""Slow logs and engine logs of real engines arrive in the log groups that a template names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from cdk_redis_local import LocalCloud
from cdk_redis_local._emulator.observe.log_formats import EngineLine, SlowEntry
from tests.local.support.clouds import Cloud, StackFailedError
from tests.local.support.topics import eventually


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with LocalCloud(metric_minute=0.5) as local:
        yield Cloud(local)


def delivery(kind: str, form: str, group: object) -> dict[str, Any]:
    details = {"CloudWatchLogsDetails": {"LogGroup": group}}
    return {
        "LogType": kind,
        "LogFormat": form,
        "DestinationType": "cloudwatch-logs",
        "DestinationDetails": details,
    }


def resources(cloud: Cloud, *deliveries: dict[str, Any]) -> dict[str, Any]:
    family = f"{cloud.engine['Engine']}{cloud.engine['EngineVersion'].partition('.')[0]}"
    return {
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/aws/elasticache/app"}},
        "All": {
            "Type": "AWS::ElastiCache::ParameterGroup",
            "Properties": {
                "CacheParameterGroupFamily": family,
                "Description": "logs every command",
                "Properties": {"slowlog-log-slower-than": "0"},
            },
        },
        "Group": {
            "Type": "AWS::ElastiCache::ReplicationGroup",
            "DependsOn": "Logs",
            "Properties": {
                "ReplicationGroupId": "app",
                "ReplicationGroupDescription": "cache",
                "CacheNodeType": "cache.t4g.small",
                "NumCacheClusters": 2,
                "TransitEncryptionEnabled": True,
                "AuthToken": "a-token-of-the-tests",
                "CacheParameterGroupName": {"Ref": "All"},
                "LogDeliveryConfigurations": [*deliveries],
                **cloud.engine,
            },
        },
    }


def lines(cloud: Cloud, stream: str) -> list[str]:
    logs = cloud.client("logs")
    try:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName="/aws/elasticache/app", logStreamNames=[stream]
        )
        return [event["message"] for page in pages for event in page["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []


def commands(cloud: Cloud, node: str) -> list[str]:
    """The write commands in the slow log of a node."""
    stream = f"elasticache/{cloud.engine['Engine']}/{node}/0001/slow-log"
    found = [json.loads(line) for line in lines(cloud, stream)]
    assert {entry["CacheClusterId"] for entry in found} <= {node}
    return [entry["Command"] for entry in found if entry["Command"].startswith(("SET ", "HSET "))]


def starts(cloud: Cloud, node: str) -> int:
    """How often the engine log of a node says that it accepts connections."""
    found = lines(cloud, f"elasticache/{cloud.engine['Engine']}/{node}/0001/engine-log")
    assert all(line.startswith(f"{node}/0001:") for line in found)
    return sum(" * Ready to accept connections" in line for line in found)


def test_logs_are_delivered_once_also_after_a_failover(cloud: Cloud) -> None:
    group = {"Ref": "Logs"}
    template = resources(cloud, delivery("slow-log", "json", group), delivery("engine-log", "text", group))
    outputs = cloud.deploy("logged", template, {"Port": {"Fn::GetAtt": ["Group", "PrimaryEndPoint.Port"]}})
    ca_file = cloud.local.environment["SSL_CERT_FILE"]

    def run(*command: str) -> None:
        with redis.Redis(
            port=int(outputs["Port"]), password="a-token-of-the-tests", ssl=True, ssl_ca_certs=ca_file
        ) as client:
            client.execute_command(*command)

    run("SET", "key", "a-secret-value")
    eventually(lambda: commands(cloud, "app-001"), "the slow log of the primary")
    eventually(lambda: starts(cloud, "app-001") == starts(cloud, "app-002") == 1, "the engine logs")
    cloud.client("elasticache").test_failover(ReplicationGroupId="app", NodeGroupId="0001")
    eventually(lambda: starts(cloud, "app-001") == 2, "the engine log of the node that started again")
    run("HSET", "hash", "field", "value")
    eventually(lambda: "HSET ... (3 more arguments)" in commands(cloud, "app-002"), "the slow log of the new primary")
    # Once each; keys and values are not shown. The replicas' own commands come from the primary.
    assert commands(cloud, "app-001").count("SET ... (2 more arguments)") == 1
    assert commands(cloud, "app-002").count("HSET ... (3 more arguments)") == 1
    assert starts(cloud, "app-002") == 1


def test_delivery_can_stop_and_begin_on_a_running_store(cloud: Cloud) -> None:
    cloud.deploy("logged", resources(cloud))
    before = len(lines(cloud, f"elasticache/{cloud.engine['Engine']}/app-002/0001/slow-log"))
    cloud.deploy("logged", resources(cloud, delivery("slow-log", "text", {"Ref": "Logs"})))
    stream = f"elasticache/{cloud.engine['Engine']}/app-002/0001/slow-log"
    eventually(lambda: len(lines(cloud, stream)) > before, "entries in the other format")
    assert lines(cloud, stream)[-1].startswith("app-002,0001,")
    firehose = {
        "LogType": "slow-log",
        "LogFormat": "json",
        "DestinationType": "kinesis-firehose",
        "DestinationDetails": {"KinesisFirehoseDetails": {"DeliveryStream": "stream"}},
    }
    cloud.deploy("logged", resources(cloud, firehose))
    assert cloud.has_said(
        "app: its logs are not delivered to the Firehose stream stream: the local cloud delivers to log groups only"
    )


def test_a_log_group_that_does_not_exist_is_refused(cloud: Cloud) -> None:
    with pytest.raises(StackFailedError, match="InvalidParameterValue: The specified log group does not exist: /gone"):
        cloud.deploy("logged", resources(cloud, delivery("slow-log", "json", "/gone")))


def test_lines_have_the_formats_of_aws() -> None:
    entry = SlowEntry.of(
        {
            "id": 296,
            "start_time": 1605631822,
            "duration": 30,
            "command": b"GET key",
            "client_address": b"192.168.12.104:55452",
            "client_name": b"web",
        }
    )
    assert entry.line("app-001", "text") == (
        "app-001,0001,1605631822,30,GET ... (1 more arguments),192.168.12.104:55452,web"
    )
    assert json.loads(entry.line("app-001", "json")) == {
        "CacheClusterId": "app-001",
        "CacheNodeId": "0001",
        "Id": 296,
        "Timestamp": 1605631822,
        "Duration (us)": 30,
        "Command": "GET ... (1 more arguments)",
        "ClientAddress": "192.168.12.104:55452",
        "ClientName": "web",
    }
    line = EngineLine.read("31434:M 22 Nov 2026 05:30:42.123 * Ready to accept connections")
    assert line is not None
    assert json.loads(line.line("app-001", "json")) == {
        "CacheClusterId": "app-001",
        "CacheNodeId": "0001",
        "LogLevel": "NOTICE",
        "Role": "M",
        "Time": f"{line.time:%d %b %Y %H:%M:%S}.123 UTC",
        "Message": "Ready to accept connections",
    }
    assert line.line("app-001", "text").startswith(f"app-001/0001:M {line.time:%d %b %Y %H:%M:%S}.123 UTC * Ready")
    assert EngineLine.read("                _._") is None
