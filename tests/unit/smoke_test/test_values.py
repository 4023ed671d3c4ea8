"""Wrong kinds of values end in a ConfigurationError, in every parameter of the smoke test and the drill."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events as events
from aws_cdk import aws_sns as sns

from cdk_redis import ConfigurationError, Engine, FailoverDrill, RedisNetwork, ReplicationGroup, SmokeTest

NOTHING_FITS = {
    "None": None,
    "True": True,
    "number": 5,
    "NaN": float("nan"),
    "bytes": b"x",
    "empty": "",
    "text": "5 minutes",
    "list": [5],
    "dict": {"minutes": 5},
    "another value": Engine.valkey("8.1"),
}
DURATION_OF_A_TOKEN = cdk.Duration.seconds(cdk.Token.as_number({"Ref": "Seconds"}))
# Values in the list of wrong ones that are valid for a parameter.
SMOKE_TEST = {
    "target": (),
    "user": ("None",),
    "key_prefix": (),
    "latency_limit": ("None",),
    "rerun_on": ("list",),
    "role": ("None",),
    "log_group": ("None",),
    "log_retention": ("None",),
    "log_kms_key": ("None",),
    "security_groups": ("None",),
    "schedule": (),
    "alarm_topic": ("None",),
    "alarm_period": ("None",),
}
FAILOVER_DRILL = {
    "target": (),
    "user": ("None",),
    "shard": ("text",),
    "duration": ("None",),
    "failover_after": ("None",),
    "key_prefix": (),
    "role": ("None",),
    "log_group": ("None",),
    "log_retention": ("None",),
    "log_kms_key": ("None",),
    "security_groups": ("None",),
}
TABLE = [
    (construct, parameter, name)
    for construct, parameters in ((SmokeTest, SMOKE_TEST), (FailoverDrill, FAILOVER_DRILL))
    for parameter, fitting in parameters.items()
    for name in NOTHING_FITS
    if name not in fitting
]
SCHEDULE = events.Schedule.rate(cdk.Duration.minutes(5))


@pytest.fixture(scope="module")
def cache() -> ReplicationGroup:
    stack = cdk.Stack(cdk.App(), "Stack")
    return ReplicationGroup(stack, "Cache", network=RedisNetwork(stack, "Network"))


@pytest.fixture
def scope(cache: ReplicationGroup, request: pytest.FixtureRequest) -> cdk.Stack:
    return cdk.Stack(cache.node.root, f"Scope{abs(hash(request.node.name))}")


@pytest.mark.parametrize(("construct", "parameter", "wrong"), TABLE)
def test_a_wrong_kind_of_value_is_rejected(
    cache: ReplicationGroup, scope: cdk.Stack, construct: type[Any], parameter: str, wrong: str
) -> None:
    schedule = {"schedule": SCHEDULE} if parameter.startswith("alarm") else {}
    given = {"target": cache, **schedule, parameter: NOTHING_FITS[wrong]}
    if (parameter, wrong) == ("schedule", "None"):
        given["alarm_topic"] = sns.Topic(scope, "Topic")

    with pytest.raises(ConfigurationError) as caught:
        construct(scope, "It", **given)

    assert parameter in str(caught.value) or "schedule" in str(caught.value)


@pytest.mark.parametrize(
    ("construct", "parameter", "given", "message"),
    [
        (SmokeTest, "latency_limit", 5, "latency_limit: got 5, but it takes cdk.Duration"),
        (SmokeTest, "latency_limit", DURATION_OF_A_TOKEN, "latency_limit: got 'a token', but it must be known"),
        (SmokeTest, "schedule", "rate(5 minutes)", "schedule: got text, but it takes events.Schedule; write"),
        (SmokeTest, "target", "orders", "target: got text, but it takes IStore; give a ReplicationGroup"),
        (
            SmokeTest,
            "role",
            "arn:aws:iam::1:role/x",
            "role: got 'arn:aws:iam::1:role/x', but it takes iam.IRole;",
        ),
        (SmokeTest, "security_groups", [], "security_groups: got [], but it is a list of one or more"),
        (FailoverDrill, "duration", DURATION_OF_A_TOKEN, "duration: got 'a token', but it must be known at synth"),
        (FailoverDrill, "duration", cdk.Duration.millis(10_500), "duration: got '10.5 s', but a drill takes"),
        (
            FailoverDrill,
            "failover_after",
            cdk.Duration.millis(1_500),
            "failover_after: got '1.5 s', but the failover begins after 1 second or more, in whole seconds, and within",
        ),
        (FailoverDrill, "shard", " ", "shard: got ' ', but it must be text with at least one character"),
        (FailoverDrill, "key_prefix", "a*", "key_prefix: got 'a*', but a prefix is text without tokens"),
    ],
)
def test_the_message_has_the_parameter_the_value_and_what_is_allowed(
    cache: ReplicationGroup, scope: cdk.Stack, construct: type[Any], parameter: str, given: object, message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        construct(scope, "It", **{"target": cache, parameter: given})

    assert message in str(caught.value)


def test_all_problems_are_reported_at_once(cache: ReplicationGroup, scope: cdk.Stack) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SmokeTest(scope, "It", target=cache, latency_limit=5, key_prefix="", role="x", schedule=4, rerun_on=3)

    assert len(caught.value.problems) == 5
