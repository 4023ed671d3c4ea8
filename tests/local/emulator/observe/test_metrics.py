"""CloudWatch's metrics of real engines: what boto3 reads changes with what the engines do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
import redis
from botocore.config import Config
from redis.backoff import NoBackoff
from redis.retry import Retry

from cdk_redis_local import LocalCloud
from tests.local.support.clouds import Cloud
from tests.local.support.topics import eventually


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with LocalCloud(metric_minute=0.5) as local:
        yield Cloud(local)


def group(cloud: Cloud, **properties: object) -> dict[str, Any]:
    return {
        "Type": "AWS::ElastiCache::ReplicationGroup",
        "Properties": {
            "ReplicationGroupId": "app",
            "ReplicationGroupDescription": "cache",
            "CacheNodeType": "cache.t4g.small",
            "NumCacheClusters": 2,
            "TransitEncryptionEnabled": True,
            "AuthToken": "a-token-of-the-tests",
            **cloud.engine,
            **properties,
        },
    }


def client_of(cloud: Cloud, port: str) -> redis.Redis:
    ca_file = cloud.local.environment["SSL_CERT_FILE"]
    once = Retry(NoBackoff(), 0)
    return redis.Redis(port=int(port), password="a-token-of-the-tests", ssl=True, ssl_ca_certs=ca_file, retry=once)


def values(cloud: Cloud, *queries: dict[str, Any], **options: Any) -> dict[str, list[float]]:
    """The values of the last minutes by id and label, the newest first."""
    now = datetime.now(timezone.utc)
    answer = cloud.client("cloudwatch", **options).get_metric_data(
        MetricDataQueries=list(queries), StartTime=now - timedelta(minutes=5), EndTime=now + timedelta(minutes=1)
    )
    return {result["Label"]: result["Values"] for result in answer["MetricDataResults"]}


def stat(name: str, statistic: str, dimensions: dict[str, str], namespace: str = "AWS/ElastiCache") -> dict[str, Any]:
    listed = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": listed}
    return {
        "Id": name[0].lower() + name[1:],
        "MetricStat": {"Metric": metric, "Period": 60, "Stat": statistic},
    }


def test_metrics_follow_what_the_engines_do(cloud: Cloud) -> None:
    outputs = cloud.deploy(
        "measured", {"Group": group(cloud)}, {"Port": {"Fn::GetAtt": ["Group", "PrimaryEndPoint.Port"]}}
    )
    primary, replica = {"CacheClusterId": "app-001", "CacheNodeId": "0001"}, {"CacheClusterId": "app-002"}
    items = stat("CurrItems", "Maximum", primary)
    eventually(lambda: values(cloud, items)["CurrItems"][:1] == [0.0], "a measurement of the empty store")
    with client_of(cloud, outputs["Port"]) as client:
        client.mset({f"key:{number}": "value" for number in range(50)})
        client.mget("key:1", "no-such-key")
        with pytest.raises(redis.AuthenticationError):
            client.execute_command("AUTH", "default", "wrong")
        queries = [
            items,
            stat("CacheHits", "Sum", primary),
            stat("CacheMisses", "Sum", primary),
            stat("AuthenticationFailures", "Sum", primary),
            stat("SuccessfulWriteRequestLatency", "Average", primary),
            stat("StringBasedCmds", "Sum", primary),
        ]
        # The last command: a measurement has those before it, too.
        eventually(lambda: sum(values(cloud, queries[3])["AuthenticationFailures"]), "the failure")
        found = {name: sum(several) for name, several in values(cloud, *queries).items()}
    assert values(cloud, items)["CurrItems"][0] == 50
    assert found["CacheHits"] == 1
    assert found["CacheMisses"] == 1
    assert found["AuthenticationFailures"] == 1
    assert found["SuccessfulWriteRequestLatency"] > 0
    assert found["StringBasedCmds"] == 2
    of_replica = values(cloud, stat("ReplicationLag", "Average", replica), stat("IsMaster", "Average", replica))
    assert 0 <= of_replica["ReplicationLag"][0] < 10
    assert of_replica["IsMaster"][0] == 0
    of_node = {
        name: values(cloud, stat(name, "Maximum", primary))[name][0]
        for name in ("CPUUtilization", "EngineCPUUtilization", "DatabaseMemoryUsagePercentage", "CurrConnections")
    }
    assert 0 < of_node["EngineCPUUtilization"] < 100
    assert 0 < of_node["CPUUtilization"] < 100
    # The engine uses about a megabyte of the 1.37 GiB of the node type.
    assert 0.01 < of_node["DatabaseMemoryUsagePercentage"] < 1
    assert 1 <= of_node["CurrConnections"] < 20


def test_expressions_combine_metrics(cloud: Cloud) -> None:
    first = {**stat("CurrItems", "Maximum", {"CacheClusterId": "app-001"}), "Id": "a", "ReturnData": False}
    second = {**stat("CurrItems", "Maximum", {"CacheClusterId": "app-002"}), "Id": "b", "ReturnData": False}
    total = {"Id": "total", "Expression": "SUM([a, b]) / 2", "Label": "half"}
    # A measurement stores one metric after the other.
    eventually(lambda: values(cloud, first, second, total)["half"][0] == 50, "both nodes")
    search = "SEARCH('{AWS/ElastiCache,CacheClusterId} MetricName=\"CurrItems\" AND app', 'Average', 60)"
    found = values(cloud, {"Id": "all", "Expression": search})
    assert {name: max(several) for name, several in found.items()} == {"app-001 CurrItems": 50, "app-002 CurrItems": 50}
    with pytest.raises(cloud.client("cloudwatch").exceptions.ClientError, match="no metric with the id gone"):
        values(cloud, {"Id": "broken", "Expression": "gone + 1"})


@pytest.mark.parametrize("protocol", ["smithy-rpc-v2-cbor", "json", "query"])
def test_every_protocol_of_cloudwatch_reads_the_metrics(cloud: Cloud, protocol: str) -> None:
    session: boto3.Session = cloud.session
    loader: Any = session._session.get_component("data_loader")  # pyright: ignore[reportPrivateUsage]
    model = loader.load_service_model("cloudwatch", "service-2")
    before = dict(model["metadata"])
    try:
        model["metadata"]["protocols"] = [protocol]
        model["metadata"]["protocol"] = protocol
        client = cloud.client("cloudwatch", config=Config(parameter_validation=True))
        assert client.meta.service_model.resolved_protocol == protocol
        now = datetime.now(timezone.utc)
        listed = client.list_metrics(
            Namespace="AWS/ElastiCache",
            MetricName="CurrItems",
            Dimensions=[{"Name": "CacheClusterId", "Value": "app-001"}, {"Name": "CacheNodeId"}],
        )["Metrics"]
        assert [metric["Dimensions"] for metric in listed] == [
            [{"Name": "CacheClusterId", "Value": "app-001"}, {"Name": "CacheNodeId", "Value": "0001"}]
        ]
        statistics = client.get_metric_statistics(
            Namespace="AWS/ElastiCache",
            MetricName="CurrItems",
            Dimensions=[{"Name": "CacheClusterId", "Value": "app-001"}],
            StartTime=now - timedelta(minutes=5),
            EndTime=now,
            Period=60,
            Statistics=["Maximum"],
        )["Datapoints"]
        newest = max(statistics, key=lambda point: point["Timestamp"])
        assert newest["Maximum"] == 50
        assert now - timedelta(seconds=10) < newest["Timestamp"] < now
        with pytest.raises(client.exceptions.ResourceNotFound):
            client.set_alarm_state(AlarmName="no-such-alarm", StateValue="OK", StateReason="test")
    finally:
        model["metadata"].clear()
        model["metadata"].update(before)


def test_a_memorydb_cluster_has_metrics_of_nodes_and_as_a_whole(cloud: Cloud) -> None:
    cluster = {
        "Type": "AWS::MemoryDB::Cluster",
        "Properties": {
            "ClusterName": "ledger",
            "NodeType": "db.t4g.small",
            "ACLName": "open-access",
            "NumReplicasPerShard": 1,
            **cloud.engine,
        },
    }
    cloud.deploy("ledger", {"Cluster": cluster})
    whole = stat("BytesUsedForMemoryDB", "SampleCount", {"ClusterName": "ledger"}, "AWS/MemoryDB")
    # Two nodes, so two samples a minute.
    eventually(lambda: values(cloud, whole)["BytesUsedForMemoryDB"][1:2] == [2.0], "a minute of both nodes")
    node = stat("IsPrimary", "Maximum", {"ClusterName": "ledger", "NodeName": "ledger-0001-001"}, "AWS/MemoryDB")
    assert values(cloud, node)["IsPrimary"][0] == 1


def test_a_node_that_is_gone_has_no_more_metrics(cloud: Cloud) -> None:
    cloud.delete("ledger")
    now = time.time()
    eventually(lambda: time.time() > now + 1.5, "some measurements")
    cpu = {**stat("EngineCPUUtilization", "Maximum", {"ClusterName": "ledger"}, "AWS/MemoryDB")}
    later = cloud.client("cloudwatch").get_metric_data(
        MetricDataQueries=[cpu],
        StartTime=datetime.fromtimestamp(now + 0.5, timezone.utc),
        EndTime=datetime.fromtimestamp(now + 60, timezone.utc),
    )["MetricDataResults"]
    assert later[0]["Values"] == []
