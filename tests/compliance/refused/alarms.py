"""Alarms of stores, and changes of them, that CloudWatch would reject or that would never go off."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_sns as sns

from cdk_redis import AlarmOverride, Endpoint, RedisDashboard, ReplicationGroup
from tests.compliance.refused.calls import Call, Rule, row
from tests.compliance.refused.rows import Accepted, Refused, Scene

_PUT = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"
_NAMES = Rule("`overrides` names alarms that the store has.", "the library")
_VALUES = Rule("A threshold is a number, 0 or more.", "the library")
_PERIODS = Rule(
    "An alarm evaluates periods of whole minutes, up to a day, and up to seven with periods of an hour.", _PUT
)
_OF_GROUPS = (
    "cpu, engine_cpu, memory, evictions, connections, replication_lag, network_in, network_out, network_packets, "
    "network_connections, authentication_failures, command_failures, key_failures, read_latency, write_latency"
)


def _with(override: Any, name: str = "memory", **given: Any) -> Call:
    return lambda it: it.group(**given).add_alarms(overrides={name: override})


def _elsewhere(it: Scene) -> object:
    return it.group().add_alarms(sns.Topic(it.other_stack(), "Topic"))


def _later(it: Scene) -> object:
    later = cdk.Stack(it.scope, "Later")
    cache = it.group()
    later.add_dependency(it.stack)
    return cache.add_alarms(sns.Topic(later, "Topic"))


def _twice(it: Scene) -> object:
    cache = it.serverless()
    cache.add_alarms()
    return cache.add_alarms()


def _scaled_later(it: Scene) -> object:
    cache = it.group(node_type="cache.r7g.large", shards=1)
    cache.add_alarms()
    return cache.scale_shards(minimum=1, maximum=3)


def _dashboard(*sizes: tuple[int, int]) -> Call:
    """A dashboard of imported groups, with the number of shards and of replicas of each."""

    def make(it: Scene) -> object:
        groups = [
            ReplicationGroup.from_replication_group_attributes(
                it.scope,
                f"Cache{index}",
                replication_group_id=f"cache{index}",
                endpoint=Endpoint("cache.example.com", 6379),
                security_groups=[],
                shards=shards,
                replicas=replicas,
            )
            for index, (shards, replicas) in enumerate(sizes)
        ]
        return RedisDashboard(it.scope, "Dashboard", stores=groups)

    return make


def _twice_on_a_dashboard(it: Scene) -> object:
    cache = it.serverless()
    return RedisDashboard(it.scope, "Dashboard", stores=[cache, cache])


def _dashboard_elsewhere(it: Scene) -> object:
    return RedisDashboard(it.other_stack(), "Dashboard", stores=[it.serverless()])


_DASHBOARDS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html"

REFUSED = [
    Refused(
        _NAMES.text,
        _with(90, "memroy"),
        f"overrides: got 'memroy', but the alarms of this store are {_OF_GROUPS}",
        _NAMES.source,
    ),
    Refused(
        _NAMES.text,
        _with(5, "replication_lag", replicas=0),
        "overrides['replication_lag']: this store has no such alarm: it has no replicas; leave it out",
        _NAMES.source,
    ),
    Refused(
        "An alarm for the CPU of larger nodes needs a threshold.",
        _with(AlarmOverride(evaluation_periods=3), "cpu", node_type="cache.r7g.xlarge"),
        "overrides['cpu']: its nodes have more than 2 vCPUs, or it is not known how many; give a threshold as well",
        "the library",
    ),
    row(_VALUES, _with(-1), "overrides['memory']: threshold", -1, "it must be a number, 0 or more", ""),
    row(
        _PERIODS,
        lambda _: AlarmOverride(period=cdk.Duration.seconds(90)),
        "period",
        "90 seconds",
        "a period is a Duration of whole minutes, 1 minute to 1 day",
        "",
    ),
    row(
        _PERIODS,
        lambda _: AlarmOverride(evaluation_periods=0),
        "evaluation_periods",
        0,
        "an alarm evaluates 1 to 1440 periods",
        "",
    ),
    Refused(
        _PERIODS.text,
        _with(AlarmOverride(period=cdk.Duration.minutes(30), evaluation_periods=49)),
        "overrides['memory']: an alarm looks back 1 day at most with periods of 30 minutes; choose fewer or shorter "
        "periods",
        _PUT,
    ),
    row(
        Rule("An alarm that is off has no other settings.", "the library"),
        lambda _: AlarmOverride(off=True, threshold=5),
        "off",
        True,
        "an alarm that is off has no other settings",
        "leave out one of the two",
    ),
    row(
        Rule("A topic of alarms is in the Region of the store.", _PUT),
        _elsewhere,
        "topic",
        "a topic in us-east-1",
        "the alarm is in eu-west-1",
        "use a topic of that Region",
    ),
    Refused(
        "A store has its alarms once.",
        _twice,
        "add_alarms: the store has alarms already, in `alarms`; call it once",
        "the library",
    ),
    row(
        Rule("Alarms are added after auto scaling, whose nodes they watch.", "the library"),
        _scaled_later,
        "maximum",
        3,
        "the store has alarms already, which would not watch the shards that scaling adds",
        "call `add_alarms` after the scaling",
    ),
    Refused(
        "The nodes that alarms watch are known at synth.",
        lambda it: it.group(shards=cdk.Token.as_number({"Ref": "Shards"})).add_alarms(),
        "shards: got a token, but the nodes that alarms watch must be known at synth; create alarms with `metric_...` "
        "methods and `node`",
        "the library",
    ),
    row(
        Rule("The stack of a topic of alarms is deployed before the store's.", "the library"),
        _later,
        "topic",
        ".../Later/Topic",
        "stack .../Later is deployed after stack Stack and would have to be deployed before it as well",
        "define it in stack Stack, or in a third stack",
    ),
    Refused(
        "A dashboard shows a store or more.",
        _dashboard(),
        "stores: got an empty list, but a dashboard shows one store or more",
        "the library",
    ),
    row(
        Rule("A dashboard shows a store once.", "the library"),
        _twice_on_a_dashboard,
        "stores[1]",
        ".../Cache",
        "it is given twice",
        "give it once",
    ),
    row(
        Rule("A dashboard shows stores of its Region and account.", "the library"),
        _dashboard_elsewhere,
        "stores[0]",
        "a store in eu-west-1",
        "the dashboard is in us-east-1",
        "use a store of that Region",
    ),
    row(
        Rule(
            "The name of a dashboard has letters, digits, hyphens and underscores.",
            "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html",
        ),
        lambda it: RedisDashboard(it.scope, "Dashboard", stores=[it.serverless()], dashboard_name="my caches"),
        "dashboard_name",
        "my caches",
        "a name has 1 to 255 letters, digits, hyphens and underscores",
        "",
    ),
    Refused(
        "A dashboard has up to 2,500 metrics.",
        _dashboard((500, 0), (500, 0)),
        "stores: got 2 stores, but a dashboard shows 2,500 metrics, too few for 3 graphs of 1,000 nodes; define "
        "several dashboards",
        _DASHBOARDS,
    ),
]

ACCEPTED = [
    Accepted(
        "An alarm looks back seven days with periods of an hour.",
        _with(AlarmOverride(period=cdk.Duration.hours(1), evaluation_periods=7 * 24)),
    ),
    Accepted(
        "An alarm looks back one day with periods of a minute.",
        lambda it: it.cluster().add_alarms(overrides={"memory": AlarmOverride(evaluation_periods=24 * 60)}),
    ),
    Accepted("A larger node has an alarm for its CPU on request.", _with(50, "cpu", node_type="cache.r7g.4xlarge")),
    Accepted("A dashboard shows a group of 500 nodes.", _dashboard((500, 0))),
    Accepted("A group of more than ten nodes has composite alarms.", lambda it: it.group(shards=6).add_alarms()),
]
