"""Namespace, name, dimensions and statistic of every metric, in both services."""

from __future__ import annotations

import inspect
import math
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk.assertions import Template

from cdk_redis import ConfigurationError, MemoryDbCluster, RedisNetwork, ReplicationGroup, ServerlessCache, Store

# Method: the CloudWatch name, the statistic, and the function that combines the nodes of a replication group.
METRICS = {
    "metric_cpu": ("CPUUtilization", "Maximum", "MAX"),
    "metric_engine_cpu": ("EngineCPUUtilization", "Maximum", "MAX"),
    "metric_memory_usage": ("DatabaseMemoryUsagePercentage", "Maximum", "MAX"),
    "metric_capacity_usage": ("DatabaseCapacityUsagePercentage", "Maximum", "MAX"),
    "metric_freeable_memory": ("FreeableMemory", "Minimum", "MIN"),
    "metric_swap_usage": ("SwapUsage", "Maximum", "MAX"),
    "metric_replication_lag": ("ReplicationLag", "Maximum", "MAX"),
    "metric_connections": ("CurrConnections", "Maximum", "MAX"),
    "metric_new_connections": ("NewConnections", "Sum", "SUM"),
    "metric_evictions": ("Evictions", "Sum", "SUM"),
    "metric_network_in": ("NetworkBytesIn", "Sum", "SUM"),
    "metric_network_out": ("NetworkBytesOut", "Sum", "SUM"),
    "metric_authentication_failures": ("AuthenticationFailures", "Sum", "SUM"),
    "metric_write_latency": ("SuccessfulWriteRequestLatency", "Average", "AVG"),
    "metric_read_latency": ("SuccessfulReadRequestLatency", "Average", "AVG"),
}


class Stores:
    """One store of each kind, created once for all tests: metrics do not change them."""

    def __init__(self) -> None:
        self.stack = cdk.Stack(cdk.App(), "Stack", env=cdk.Environment(account="111122223333", region="eu-west-1"))
        self.network = network = RedisNetwork(self.stack, "Network")
        self.ledger = MemoryDbCluster(self.stack, "Ledger", network=network, cluster_name="ledger")
        self.plain = ReplicationGroup(self.stack, "Plain", network=network, replication_group_id="plain")
        self.single = ReplicationGroup(self.stack, "Single", network=network, replication_group_id="single", replicas=0)
        self.sharded = self._group("Sharded", shards=2)
        # The most nodes that an alarm's formula can have, and more than that.
        self.largest = self._group("Largest", shards=5)
        self.larger = self._group("Larger", shards=6)

    def _group(self, id: str, *, shards: int) -> ReplicationGroup:
        return ReplicationGroup(
            self.stack, id, network=self.network, replication_group_id=id.lower(), shards=shards, replicas=1
        )


@pytest.fixture(scope="module")
def stores() -> Stores:
    return Stores()


def described(metric: cloudwatch.Metric) -> tuple[str, str, str, dict[str, Any]]:
    return metric.namespace, metric.metric_name, metric.statistic, dict(metric.dimensions or {})


def nodes(stores: Stores, metric: cloudwatch.MathExpression) -> dict[str, tuple[str, str, str, dict[str, Any]]]:
    return {key: described(used) for key, used in metric.using_metrics.items()}  # type: ignore[arg-type]


def test_every_metric_method_is_in_the_table() -> None:
    methods = {name for name, _ in inspect.getmembers(Store, inspect.isfunction) if name.startswith("metric_")}

    assert methods == {*METRICS, "metric_cache_hit_rate"}


@pytest.mark.parametrize(("method", "name", "statistic"), [(m, n, s) for m, (n, s, _) in METRICS.items()])
def test_a_memorydb_metric_has_the_dimension_of_the_cluster(
    stores: Stores, method: str, name: str, statistic: str
) -> None:
    metric = getattr(stores.ledger, method)()

    assert described(metric) == ("AWS/MemoryDB", name, statistic, {"ClusterName": stores.ledger.store_name})


@pytest.mark.parametrize(("method", "expected"), METRICS.items())
def test_a_metric_of_a_replication_group_combines_its_nodes(
    stores: Stores, method: str, expected: tuple[str, str, str]
) -> None:
    name, statistic, combined = expected
    metric = getattr(stores.sharded, method)()

    prefix = name[0].lower() + name[1:]
    numbers = ["0001-001", "0001-002", "0002-001", "0002-002"]
    ids = [f"{prefix}_{number.replace('-', '_')}" for number in numbers]
    assert metric.expression == f"{combined}([{', '.join(ids)}])"
    assert metric.label == name
    group = stores.sharded.store_name
    assert nodes(stores, metric) == {
        key: ("AWS/ElastiCache", name, statistic, {"CacheClusterId": f"{group}-{number}"})
        for key, number in zip(ids, numbers, strict=True)
    }


def test_nodes_have_one_number_without_cluster_mode(stores: Stores) -> None:
    metric = stores.plain.metric_cpu()

    assert isinstance(metric, cloudwatch.MathExpression)
    assert metric.expression == "MAX([cPUUtilization_001, cPUUtilization_002])"
    dimensions = [dimensions for *_, dimensions in nodes(stores, metric).values()]
    group = stores.plain.store_name
    assert dimensions == [{"CacheClusterId": f"{group}-001"}, {"CacheClusterId": f"{group}-002"}]


def test_a_group_of_one_node_needs_no_formula(stores: Stores) -> None:
    metric = stores.single.metric_cpu()

    dimensions = {"CacheClusterId": f"{stores.single.store_name}-001"}
    assert described(metric) == ("AWS/ElastiCache", "CPUUtilization", "Maximum", dimensions)


def test_a_metric_can_be_of_one_node(stores: Stores) -> None:
    cluster, group = stores.ledger.store_name, stores.sharded.store_name
    in_memorydb = {"ClusterName": cluster, "NodeName": f"{cluster}-0001-002"}
    in_elasticache = {"CacheClusterId": f"{group}-0001-002"}
    period = cdk.Duration.minutes(1)

    for store, dimensions in ((stores.ledger, in_memorydb), (stores.sharded, in_elasticache)):
        metric = store.metric("CurrItems", statistic="p99", period=period, node="0001-002", label="Items")
        assert described(metric)[1:] == ("CurrItems", "p99", dimensions)
        assert metric.label == "Items"
        assert metric.period.to_seconds() == 60


@pytest.mark.parametrize("method", [*METRICS, "metric_cache_hit_rate"])
def test_every_metric_has_the_given_node_and_period(stores: Stores, method: str) -> None:
    of_node = getattr(stores.sharded, method)(node="0002-001", period=cdk.Duration.minutes(1))

    assert of_node.period.to_seconds() == 60
    # The hit rate is a formula of two metrics.
    for metric in getattr(of_node, "using_metrics", {"": of_node}).values():
        assert metric.dimensions == {"CacheClusterId": f"{stores.sharded.store_name}-0002-001"}
        assert metric.period.to_seconds() == 60


@pytest.mark.parametrize(
    ("store", "given", "message"),
    [
        ("ledger", {"node": "001"}, "node: got '001', but a node of this store has a number such as '0001-001'"),
        ("plain", {"node": "0001-001"}, "node: got '0001-001', but a node of this store has a number such as '001'"),
        (
            "plain",
            {"statistic": "p99"},
            "statistic: got 'p99', but the statistics that combine nodes are Average, Maximum, Minimum, Sum, "
            "SampleCount; give a `node`",
        ),
        (
            "larger",
            {},
            "node: got None, but 12 nodes need a formula of 12 metrics, and an alarm can have 10; create an alarm for "
            "each `node` and a CompositeAlarm of them; for a graph, set `graph=True`",
        ),
    ],
)
def test_an_unknown_node_or_statistic_is_rejected(
    stores: Stores, store: str, given: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        getattr(stores, store).metric("CurrItems", **given)

    assert str(caught.value) == f"Stack/{store.title()}: {message}"


@pytest.mark.parametrize("wrong", [None, 5, True, b"Sum", [], math.nan, ""])
def test_a_statistic_or_name_must_be_text(stores: Stores, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"statistic: got .*, but it must be text with at least one character"):
        stores.plain.metric("CurrItems", statistic=wrong)
    with pytest.raises(ConfigurationError, match=r"name: got .*, but it must be text with at least one character"):
        stores.plain.metric(wrong)


@pytest.mark.parametrize("option", ["label", "color", "region", "account"])
@pytest.mark.parametrize("wrong", [5, True, b"x", [], math.nan, ""])
def test_options_that_are_text_must_be_text(stores: Stores, option: str, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{option}: got .*, but it must be text with at least one character"):
        stores.plain.metric("CurrItems", **{option: wrong})


@pytest.mark.parametrize("wrong", ["Bytes", 5, True, [], cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD])
def test_a_unit_must_be_a_cloudwatch_unit(stores: Stores, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"unit: got .*, but it takes cloudwatch.Unit"):
        stores.plain.metric("CurrItems", unit=wrong)


@pytest.mark.parametrize(
    ("wrong", "shown"),
    [
        (cdk.Duration.seconds(7), "'7 seconds'"),
        (cdk.Duration.seconds(90), "'90 seconds'"),
        (cdk.Duration.millis(1500), "'1.5 seconds'"),
        (cdk.Duration.seconds(0), "'0 seconds'"),
    ],
    ids=["7-seconds", "90-seconds", "1.5-seconds", "0-seconds"],
)
def test_a_period_that_cloudwatch_does_not_accept_is_rejected(stores: Stores, wrong: Any, shown: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        stores.plain.metric("CurrItems", period=wrong)

    reason = "a period is a Duration of 1, 5, 10 or 30 seconds, or of whole minutes"
    assert str(caught.value) == f"Stack/Plain: period: got {shown}, but {reason}"


@pytest.mark.parametrize("store", ["single", "plain", "ledger"])
@pytest.mark.parametrize("method", [*METRICS, "metric_cache_hit_rate"])
def test_every_metric_accepts_the_metric_options_of_the_cdk(stores: Stores, store: str, method: str) -> None:
    metric = getattr(getattr(stores, store), method)(
        label="Line",
        color="#00ff00",
        unit=cloudwatch.Unit.COUNT,
        region="us-east-1",
        account="444455556666",
        period=cdk.Duration.minutes(1),
    )

    assert (metric.label, metric.color, metric.period.to_seconds()) == ("Line", "#00ff00", 60)
    for single in singles(metric):
        assert (single.unit, single.region, single.account) == (cloudwatch.Unit.COUNT, "us-east-1", "444455556666")


def singles(metric: Any) -> list[cloudwatch.Metric]:
    """Metrics that a formula is made of."""
    if isinstance(metric, cloudwatch.Metric):
        return [metric]
    return [single for used in metric.using_metrics.values() for single in singles(used)]


@pytest.mark.parametrize("wrong", [60, "1m"])
def test_a_period_must_be_a_duration(stores: Stores, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"period: got .*, but it takes cdk.Duration"):
        stores.plain.metric("CurrItems", period=wrong)


def test_an_unknown_option_is_refused(stores: Stores) -> None:
    with pytest.raises(ConfigurationError) as caught:
        stores.plain.metric_cpu(colour="#00ff00")  # pyright: ignore[reportCallIssue]

    message = "colour: StoreMetrics.metric has no such parameter; did you mean 'color'?"
    assert str(caught.value) == f"Stack/Plain: {message}"


def test_the_hit_rate_has_no_statistic(stores: Stores) -> None:
    with pytest.raises(ConfigurationError) as caught:
        stores.plain.metric_cache_hit_rate(statistic="Sum")

    message = "statistic: got 'Sum', but the hit rate is a formula of sums; leave it out"
    assert str(caught.value) == f"Stack/Plain: {message}"


# Alarms


@pytest.mark.parametrize("method", [*METRICS, "metric_cache_hit_rate"])
@pytest.mark.parametrize("store", ["ledger", "plain", "single", "sharded", "largest", "larger"])
def test_a_metric_works_in_an_alarm_or_is_rejected_with_a_hint(stores: Stores, store: str, method: str) -> None:
    nodes = {"ledger": 1, "plain": 2, "single": 1, "sharded": 4, "largest": 10, "larger": 12}[store]
    count = nodes * (2 if method == "metric_cache_hit_rate" else 1)
    measure = getattr(getattr(stores, store), method)
    if count > 10:
        with pytest.raises(ConfigurationError, match="an alarm can have 10; create an alarm for each `node`"):
            measure()
        return
    metric = measure()
    assert len(singles(metric)) == count
    metric.create_alarm(stores.stack, f"{store}-{method}", threshold=80, evaluation_periods=1)
    cloudwatch.Alarm(stores.stack, f"{store}-{method}-2", metric=metric, threshold=80, evaluation_periods=1)


@pytest.mark.parametrize(("method", "count"), [("metric_cpu", 12), ("metric_cache_hit_rate", 24)])
def test_a_graph_can_have_more_nodes_than_an_alarm(stores: Stores, method: str, count: int) -> None:
    metric = getattr(stores.larger, method)(graph=True)

    assert len(singles(metric)) == count
    cloudwatch.GraphWidget(left=[metric]).to_json()


@pytest.mark.parametrize("method", ["metric_cpu", "metric_cache_hit_rate"])
def test_each_node_of_a_large_group_can_have_an_alarm(stores: Stores, method: str) -> None:
    metric = getattr(stores.larger, method)(node="0006-002")

    metric.create_alarm(stores.stack, f"Node-{method}", threshold=80, evaluation_periods=1)


@pytest.mark.parametrize(
    ("store", "hits", "misses"),
    [("ledger", "KeyspaceHits", "KeyspaceMisses"), ("single", "CacheHits", "CacheMisses")],
)
def test_the_hit_rate_is_a_formula_of_hits_and_misses(stores: Stores, store: str, hits: str, misses: str) -> None:
    rate = getattr(stores, store).metric_cache_hit_rate()

    assert rate.expression == "100 * hits / (hits + misses)"
    assert {key: described(metric)[1:3] for key, metric in rate.using_metrics.items()} == {
        "hits": (hits, "Sum"),
        "misses": (misses, "Sum"),
    }


def test_the_hit_rate_of_a_group_sums_its_nodes_before_it_divides() -> None:
    stores = Stores()
    stores.plain.metric_cache_hit_rate().create_alarm(stores.stack, "Cold", threshold=80, evaluation_periods=1)

    (alarm,) = Template.from_stack(stores.stack).find_resources("AWS::CloudWatch::Alarm").values()
    formulas = {metric["Id"]: metric.get("Expression") for metric in alarm["Properties"]["Metrics"]}
    assert formulas["expr_1"] == "100 * hits / (hits + misses)"
    assert formulas["hits"] == "SUM([cacheHits_001, cacheHits_002])"
    assert formulas["misses"] == "SUM([cacheMisses_001, cacheMisses_002])"
    assert {key for key, formula in formulas.items() if formula is None} == {
        "cacheHits_001",
        "cacheHits_002",
        "cacheMisses_001",
        "cacheMisses_002",
    }


def test_an_alarm_depends_on_the_store(stores: Stores) -> None:
    stack = cdk.Stack(cdk.App(), "Stack")
    ledger = MemoryDbCluster(stack, "Ledger", network=RedisNetwork(stack, "Network"))
    ledger.metric_memory_usage().create_alarm(stack, "Full", threshold=80, evaluation_periods=3)

    template = Template.from_stack(stack)
    (alarm,) = template.find_resources("AWS::CloudWatch::Alarm").values()
    (cluster,) = template.find_resources("AWS::MemoryDB::Cluster")
    assert alarm["Properties"]["Dimensions"] == [{"Name": "ClusterName", "Value": {"Ref": cluster}}]
    assert alarm["Properties"]["Namespace"] == "AWS/MemoryDB"
    assert alarm["Properties"]["Statistic"] == "Maximum"


@pytest.fixture(scope="module")
def serverless() -> ServerlessCache:
    stack = cdk.Stack(cdk.App(), "Stack")
    return ServerlessCache(stack, "Serverless", network=RedisNetwork(stack, "Network"), serverless_cache_name="carts")


@pytest.mark.parametrize(
    "method", ["metric_connections", "metric_evictions", "metric_network_in", "metric_authentication_failures"]
)
def test_a_metric_of_a_serverless_cache_has_the_name_of_the_cache(serverless: ServerlessCache, method: str) -> None:
    name, statistic, _ = METRICS[method]

    namespace, metric_name, used, dimensions = described(getattr(serverless, method)())
    assert (namespace, metric_name, used) == ("AWS/ElastiCache", name, statistic)
    assert dimensions == {"clusterId": serverless.store_name}


@pytest.mark.parametrize(
    "method",
    [
        "metric_cpu",
        "metric_engine_cpu",
        "metric_memory_usage",
        "metric_capacity_usage",
        "metric_freeable_memory",
        "metric_swap_usage",
        "metric_replication_lag",
    ],
)
def test_a_metric_of_nodes_is_rejected_for_a_serverless_cache(serverless: ServerlessCache, method: str) -> None:
    with pytest.raises(ConfigurationError, match="publishes it for nodes, and a serverless cache has none"):
        getattr(serverless, method)()


def test_a_node_is_rejected_for_a_serverless_cache(serverless: ServerlessCache) -> None:
    with pytest.raises(ConfigurationError, match="a serverless cache has no nodes"):
        serverless.metric_connections(node="001")
