"""Alarms of a store: thresholds, overrides and notifications."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from cdk_redis import (
    AlarmOverride,
    ConfigurationError,
    Endpoint,
    GlobalDatastore,
    IStore,
    MemoryDbCluster,
    RedisNetwork,
    ReplicationGroup,
    SecondaryReplicationGroup,
    ServerlessCache,
    SmokeTest,
    UsageLimits,
)

ENV = cdk.Environment(account="111122223333", region="eu-west-1")
Rows = dict[str, dict[str, Any]]
# Name of the alarm: the metric, the statistic, the threshold, and the minutes.
NODES = {
    "engine_cpu": ("EngineCPUUtilization", "Average", 90, "5 of 5"),
    "memory": ("DatabaseMemoryUsagePercentage", "Average", 80, "5 of 5"),
    "evictions": ("Evictions", "Sum", 20, "10 of 15"),
    "connections": ("CurrConnections", "Average", 52_000, "10 of 10"),
    "replication_lag": ("ReplicationLag", "Average", 1, "15 of 15"),
    "network_in": ("NetworkBandwidthInAllowanceExceeded", "Sum", 0, "5 of 5"),
    "network_out": ("NetworkBandwidthOutAllowanceExceeded", "Sum", 0, "5 of 5"),
    "network_packets": ("NetworkPacketsPerSecondAllowanceExceeded", "Sum", 0, "5 of 5"),
    "network_connections": ("NetworkConntrackAllowanceExceeded", "Sum", 0, "5 of 5"),
    "authentication_failures": ("AuthenticationFailures", "Sum", 10, "1 of 1"),
    "command_failures": ("CommandAuthorizationFailures", "Sum", 10, "1 of 1"),
    "key_failures": ("KeyAuthorizationFailures", "Sum", 10, "1 of 1"),
    "read_latency": ("SuccessfulReadRequestLatency", "Average", 5_000, "3 of 5"),
    "write_latency": ("SuccessfulWriteRequestLatency", "Average", 5_000, "3 of 5"),
}
CPU = {"cpu": ("CPUUtilization", "Average", 45, "5 of 5")}
CLUSTER = {
    **{
        name: (metric, "Average" if "Latency" in metric else "Maximum", *rest)
        for name, (metric, _, *rest) in NODES.items()
    },
    "cpu": ("CPUUtilization", "Maximum", 45, "5 of 5"),
    "log_throughput": ("MaxReplicationThroughput", "Maximum", 80_000_000, "3 of 5"),
    "log_delays": ("ReplicationDelayedWriteCommands", "Maximum", 0, "5 of 5"),
    "write_latency": ("SuccessfulWriteRequestLatency", "Average", 10_000, "3 of 5"),
}
SERVERLESS = {
    "data": ("BytesUsedForCache", "Maximum", 8_000_000_000, "5 of 5"),
    "ecpu": ("ElastiCacheProcessingUnits", "Sum", 240_000, "5 of 5"),
    "throttled": ("ThrottledCmds", "Sum", 0, "3 of 5"),
    **{
        name: NODES[name]
        for name in NODES
        if name.endswith(("failures", "latency")) or name in ("evictions", "connections")
    },
}


class Stores:
    """A store of each kind, synthesized once."""

    def __init__(self) -> None:
        app = cdk.App()
        self.stack = cdk.Stack(app, "Stack", env=ENV)
        self.topics = cdk.Stack(app, "Topics", env=ENV)
        self.topic = sns.Topic(self.topics, "Topic")
        self.network = network = RedisNetwork(self.stack, "Network")
        self.group = ReplicationGroup(self.stack, "Group", network=network, node_type="cache.r7g.xlarge", shards=2)
        self.small = ReplicationGroup(self.stack, "Small", network=network, replicas=0, engine="redis:7.1")
        self.tiered = ReplicationGroup(self.stack, "Tiered", network=network, node_type="cache.r6gd.xlarge")
        self.large = ReplicationGroup(self.stack, "Large", network=network, shards=6)
        self.cluster = MemoryDbCluster(self.stack, "Cluster", network=network)
        limits = UsageLimits.at_most(data_storage_gb=10, ecpu_per_second=5_000)
        self.serverless = ServerlessCache(self.stack, "Serverless", network=network, usage_limits=limits)
        self.group.add_alarms(cast("sns.ITopic", self.topic))
        self.small.add_alarms(
            overrides={
                "memory": 95,
                "evictions": False,
                "connections": AlarmOverride(period=cdk.Duration.minutes(5), evaluation_periods=2),
            }
        )
        self.tiered.add_alarms()
        self.large.add_alarms(cast("sns.ITopic", self.topic), overrides={"memory": 70})
        self.cluster.add_alarms()
        self.serverless.add_alarms()
        self.template = Template.from_stack(self.stack)

    def rows(self, store: IStore) -> Rows:
        """The alarms of a store as the template has them, by name."""
        resources = self.template.to_json()["Resources"]
        return {name: resources[self._id(alarm)]["Properties"] for name, alarm in store.alarms.items()}

    def _id(self, alarm: Any) -> str:
        return str(self.stack.get_logical_id(alarm.node.default_child))


@pytest.fixture(scope="module")
def stores() -> Stores:
    return Stores()


def _metrics(alarm: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for one in alarm.get("Metrics", ()):
        if "MetricStat" in one:
            yield {**one["MetricStat"]["Metric"], "Statistic": one["MetricStat"]["Stat"]}
    if "MetricName" in alarm:
        yield dict(alarm)


def _table(rows: Rows) -> dict[str, tuple[str, str, float, str]]:
    found: dict[str, tuple[str, str, float, str]] = {}
    for name, alarm in rows.items():
        ((metric, statistic),) = {(one["MetricName"], one["Statistic"]) for one in _metrics(alarm)}
        minutes = f"{alarm['DatapointsToAlarm']} of {alarm['EvaluationPeriods']}"
        found[name] = (metric, statistic, alarm["Threshold"], minutes)
        assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    return found


def test_a_replication_group_has_an_alarm_for_each_problem(stores: Stores) -> None:
    assert _table(stores.rows(stores.group)) == NODES


def test_small_nodes_have_an_alarm_for_the_cpu_of_the_host(stores: Stores) -> None:
    assert _table(stores.rows(stores.small))["cpu"] == CPU["cpu"]


def test_a_group_without_replicas_has_no_alarm_for_their_lag(stores: Stores) -> None:
    assert "replication_lag" not in stores.small.alarms


def test_latencies_of_redis_oss_are_those_of_its_commands(stores: Stores) -> None:
    table = _table(stores.rows(stores.small))

    assert (table["read_latency"][0], table["write_latency"][0]) == ("GetTypeCmdsLatency", "SetTypeCmdsLatency")


def test_with_data_tiering_memory_and_disk_count(stores: Stores) -> None:
    assert _table(stores.rows(stores.tiered))["memory"][0] == "DatabaseCapacityUsagePercentage"


def test_a_memorydb_cluster_has_alarms_for_its_log_and_one_metric_an_alarm(stores: Stores) -> None:
    rows = stores.rows(stores.cluster)

    assert _table(rows) == CLUSTER
    assert all("Metrics" not in alarm for alarm in rows.values())


def test_a_serverless_cache_has_alarms_at_eighty_percent_of_its_limits(stores: Stores) -> None:
    assert _table(stores.rows(stores.serverless)) == SERVERLESS


def test_the_highest_value_of_all_nodes_counts(stores: Stores) -> None:
    formulas = {
        one["Expression"]
        for alarm in stores.rows(stores.group).values()
        for one in alarm["Metrics"]
        if "Expression" in one
    }

    assert formulas == {"MAX([node_0001_001, node_0001_002, node_0002_001, node_0002_002])"}


def test_a_number_is_another_threshold_and_false_leaves_an_alarm_out(stores: Stores) -> None:
    table = _table(stores.rows(stores.small))

    assert table["memory"] == ("DatabaseMemoryUsagePercentage", "Average", 95, "5 of 5")
    assert "evictions" not in table


def test_an_override_changes_the_period_and_the_number_of_periods(stores: Stores) -> None:
    alarm = stores.rows(stores.small)["connections"]

    assert (alarm["Period"], alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (300, 2, 2)


def test_no_events_are_no_problem_and_no_measurements_are_unknown(stores: Stores) -> None:
    missing = {name: alarm["TreatMissingData"] for name, alarm in stores.rows(stores.group).items()}

    unknown = {"engine_cpu", "memory", "connections"}
    assert missing == {name: "missing" if name in unknown else "notBreaching" for name in NODES}


def test_a_topic_of_another_stack_gets_each_alarm_and_its_end_without_an_export(stores: Stores) -> None:
    for alarm in (*stores.rows(stores.group).values(), *stores.rows(stores.large).values()):
        assert alarm["AlarmActions"] == alarm["OKActions"]
        assert list(alarm["AlarmActions"][0]) == ["Fn::GetStackOutput"]

    assert "Export" not in json.dumps(Template.from_stack(stores.topics).to_json())


def test_without_a_topic_an_alarm_notifies_nobody(stores: Stores) -> None:
    assert all("AlarmActions" not in alarm for alarm in stores.rows(stores.cluster).values())


def test_an_alarm_of_more_than_ten_nodes_is_a_composite_that_alone_notifies(stores: Stores) -> None:
    parts = {
        name: resource["Properties"]
        for name, resource in stores.template.to_json()["Resources"].items()
        if name.startswith("LargeAlarmsMemoryShard")
    }

    assert [len(list(_metrics(part))) for part in parts.values()] == [10, 2]
    assert {(part["Threshold"], "AlarmActions" in part) for part in parts.values()} == {(70, False)}
    composite = stores.rows(stores.large)["memory"]
    assert [name for name in parts if name in json.dumps(composite["AlarmRule"])] == list(parts)
    assert "AlarmActions" in composite


def test_the_description_says_what_it_means_what_to_do_and_where(stores: Stores) -> None:
    assert stores.rows(stores.group)["memory"]["AlarmDescription"] == (
        "A node is nearly full: at 100 percent it evicts keys, or rejects writes. What to do: add shards, choose a "
        "larger node type, or give keys a time to live. Store: Stack/Group"
    )


def test_a_topic_of_the_same_stack_needs_no_import_and_its_key_lets_cloudwatch_publish(
    stack: cdk.Stack, network: RedisNetwork
) -> None:
    topic = sns.Topic(stack, "Topic", master_key=cast("kms.IKey", kms.Key(stack, "Key")))
    cache = ServerlessCache(stack, "Cache", network=network)

    cache.add_alarms(cast("sns.ITopic", topic), overrides=dict.fromkeys(("ecpu", "data"), False))

    template = Template.from_stack(stack)
    template.all_resources_properties("AWS::CloudWatch::Alarm", {"AlarmActions": [stack.resolve(topic.topic_arn)]})
    (key,) = template.find_resources("AWS::KMS::Key").values()
    allowed = [one for one in key["Properties"]["KeyPolicy"]["Statement"] if "Service" in one["Principal"]]
    assert [one["Principal"]["Service"] for one in allowed] == ["cloudwatch.amazonaws.com"]


def test_a_secondary_has_an_alarm_for_its_lag_behind_the_primary(app: cdk.App, stack: cdk.Stack) -> None:
    network = RedisNetwork(stack, "Network")
    primary = ReplicationGroup(stack, "Primary", network=network, node_type="cache.r7g.large")
    everywhere = GlobalDatastore(stack, "Global", primary=primary)
    other = cdk.Stack(app, "Other", env=cdk.Environment(account="111122223333", region="us-east-1"))
    secondary = SecondaryReplicationGroup(
        other, "Secondary", network=RedisNetwork(other, "Network"), global_datastore=everywhere
    )

    assert [*secondary.add_alarms()] == [*NODES, "global_replication_lag"]


def test_nodes_that_auto_scaling_may_add_are_watched(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, node_type="cache.r7g.xlarge", shards=1)
    cache.scale_shards(minimum=1, maximum=3)

    alarm = cache.add_alarms(overrides={name: False for name in NODES if name != "memory"})["memory"]

    metrics = stack.resolve(cast("Any", alarm.node.default_child).metrics)
    assert json.dumps(metrics).count("CacheClusterId") == 6


def test_an_imported_store_has_alarms_but_its_cpu_needs_a_threshold(stack: cdk.Stack) -> None:
    cache = ReplicationGroup.from_replication_group_attributes(
        stack, "Cache", replication_group_id="cache", endpoint=Endpoint("a.example.com", 6379), security_groups=[]
    )

    assert [*cache.add_alarms(overrides={"cpu": 45})] == ["cpu", *NODES]


def test_alarms_do_not_run_the_smoke_test_again(app: cdk.App) -> None:
    def digest(*, alarms: bool) -> str:
        stack = cdk.Stack(cdk.App(), "Stack", env=ENV)
        cache = ServerlessCache(stack, "Cache", network=RedisNetwork(stack, "Network"))
        test = SmokeTest(stack, "SmokeTest", target=cache)
        if alarms:
            cache.add_alarms()
        variables: Any = stack.resolve(cast("Any", test.function.node.default_child).environment)
        return json.dumps(variables)

    assert digest(alarms=True) == digest(alarms=False)


def test_alarms_are_defined_once(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ServerlessCache(stack, "Cache", network=network)
    alarms = cache.add_alarms()

    with pytest.raises(ConfigurationError, match=r"^Stack/Cache: add_alarms: the store has alarms already"):
        cache.add_alarms()
    assert cache.alarms is alarms
