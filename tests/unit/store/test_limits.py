"""The limits of AWS: the last value that is allowed, and the first that is not."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events as events

from cdk_redis import (
    ConfigurationError,
    FailoverDrill,
    MemoryDbCluster,
    RedisNetwork,
    ReplicationGroup,
    SmokeTest,
    Snapshots,
)

STORES = pytest.mark.parametrize("store", [ReplicationGroup, MemoryDbCluster])
MINUTE = cdk.Duration.minutes(1)


@STORES
@pytest.mark.parametrize(
    ("allowed", "refused", "message"),
    [
        ({"port": 1150}, {"port": 1149}, "port: got 1149"),
        ({"port": 65_535}, {"port": 65_536}, "port: got 65536"),
        ({"port": 8004}, {"port": 8005}, "port: got 8005"),
        ({"port": 8006}, {"port": 8005}, "port: got 8005"),
        ({"shards": 500, "replicas": 0}, {"shards": 501, "replicas": 0}, "shards: got 501"),
        ({"shards": 250, "replicas": 1}, {"shards": 251, "replicas": 1}, "251 shards of 2 nodes are 502"),
        ({"shards": 166, "replicas": 2}, {"shards": 167, "replicas": 2}, "167 shards of 3 nodes are 501"),
        ({"shards": 100, "replicas": 4}, {"shards": 500, "replicas": 4}, "500 shards of 5 nodes are 2500"),
        ({"shards": 2, "replicas": 5}, {"shards": 2, "replicas": 6}, "replicas: got 6"),
        (
            {"snapshots": Snapshots.daily(35)},
            {"snapshots": Snapshots.daily(35, at="03:00")},
            "only a serverless cache takes snapshots at a fixed time",
        ),
    ],
    ids=lambda given: str(given) if isinstance(given, dict) else "",
)
def test_a_value_at_the_limit_is_accepted_and_one_beyond_it_rejected(
    store: type[ReplicationGroup] | type[MemoryDbCluster],
    allowed: dict[str, Any],
    refused: dict[str, Any],
    message: str,
    stack: cdk.Stack,
    network: RedisNetwork,
) -> None:
    store(stack, "Allowed", network=network, **allowed)

    with pytest.raises(ConfigurationError, match=message):
        store(stack, "Refused", network=network, **refused)


def test_snapshots_are_kept_for_one_to_thirty_five_days() -> None:
    assert [Snapshots.daily(days).retention_days for days in (1, 35)] == [1, 35]
    for days in (0, 36):
        with pytest.raises(ConfigurationError, match=f"retention_days: got {days}, but snapshots are kept 1 to 35"):
            Snapshots.daily(days)


@pytest.mark.parametrize(
    ("allowed", "refused", "message"),
    [
        ({"latency_limit": cdk.Duration.millis(1)}, {"latency_limit": cdk.Duration.millis(0)}, "latency_limit"),
        ({"latency_limit": MINUTE}, {"latency_limit": cdk.Duration.millis(60_001)}, "latency_limit: got '60001 ms'"),
        (
            {"schedule": events.Schedule.rate(MINUTE), "alarm_period": cdk.Duration.days(7)},
            {"schedule": events.Schedule.rate(MINUTE), "alarm_period": cdk.Duration.minutes(7 * 24 * 60 + 1)},
            "alarm_period: got '10081 minutes'",
        ),
        (
            {"schedule": events.Schedule.rate(MINUTE), "alarm_period": MINUTE},
            {"schedule": events.Schedule.rate(MINUTE), "alarm_period": cdk.Duration.seconds(0)},
            "alarm_period: got '0 minutes'",
        ),
    ],
    ids=["shortest latency", "longest latency", "longest period", "shortest period"],
)
def test_a_smoke_test_accepts_only_times_that_aws_accepts(
    allowed: dict[str, Any], refused: dict[str, Any], message: str, stack: cdk.Stack, network: RedisNetwork
) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    SmokeTest(stack, "Allowed", target=cache, **allowed)

    with pytest.raises(ConfigurationError, match=message):
        SmokeTest(stack, "Refused", target=cache, **refused)


@pytest.mark.parametrize(
    ("allowed", "refused", "message"),
    [
        ((10, 1), (9, 1), "duration: got '9 s'"),
        ((780, 1), (781, 1), "duration: got '781 s'"),
        ((60, 59), (60, 60), "failover_after: got '60 s'"),
        ((60, 1), (60, 0), "failover_after: got '0 s'"),
    ],
)
def test_a_drill_accepts_only_times_within_the_timeout_of_its_function(
    allowed: tuple[int, int], refused: tuple[int, int], message: str, stack: cdk.Stack, network: RedisNetwork
) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, replicas=1)

    def drill(id: str, duration: int, after: int) -> FailoverDrill:
        seconds = cdk.Duration.seconds
        return FailoverDrill(stack, id, target=cache, duration=seconds(duration), failover_after=seconds(after))

    drill("Allowed", *allowed)

    with pytest.raises(ConfigurationError, match=message):
        drill("Refused", *refused)
