"""The environment variables of the smoke test's function."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template

from cdk_redis import ConfigurationError, Engine, RedisNetwork, ReplicationGroup, SmokeTest
from cdk_redis_runtime._client import environment
from tests.unit.smoke_test.support.smoke_templates import environment_of, function_of


def test_the_environment_has_the_endpoint_and_the_declared_topology(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, engine=Engine.redis("7.1"), shards=3, replicas=2)
    test = SmokeTest(stack, "SmokeTest", target=cache)

    variables = environment_of(Template.from_stack(stack))
    assert test.user is not None
    assert variables | {environment.DIGEST: ""} == {
        environment.SERVICE: "elasticache",
        environment.STORE: {"Ref": "Cache18F6EE16"},
        environment.HOST: {"Fn::GetAtt": ["Cache18F6EE16", "ConfigurationEndPoint.Address"]},
        environment.PORT: {"Fn::GetAtt": ["Cache18F6EE16", "ConfigurationEndPoint.Port"]},
        environment.TLS: "true",
        environment.CLUSTER_MODE: "true",
        environment.AUTHENTICATION: "iam",
        environment.USER: test.user.user_name,
        environment.SECURITY_GROUPS: {"Fn::GetAtt": ["SmokeTestSecurityGroupDDF140D7", "GroupId"]},
        environment.STORE_SECURITY_GROUPS: stack.resolve(cache.security_groups[0].security_group_id),
        environment.ENGINE: "redis",
        environment.ENGINE_VERSION: "7.1",
        environment.SHARDS: "3",
        environment.REPLICAS: "2",
        environment.KEY_PREFIX: "cdk-redis-smoke:",
        environment.BUDGET_SECONDS: "20",
        environment.DIGEST: "",
    }


def test_the_environment_has_the_reader_endpoint_without_cluster_mode(stack: cdk.Stack, network: RedisNetwork) -> None:
    SmokeTest(stack, "SmokeTest", target=ReplicationGroup(stack, "Cache", network=network))

    variables = environment_of(Template.from_stack(stack))
    assert variables[environment.READER_HOST] == {"Fn::GetAtt": ["Cache18F6EE16", "ReaderEndPoint.Address"]}


def test_the_environment_has_no_parameter_but_the_declared_maxmemory_policy(
    stack: cdk.Stack, network: RedisNetwork
) -> None:
    parameters = {"maxmemory-policy": "allkeys-lru", "hash-max-listpack-entries": "64"}
    SmokeTest(stack, "SmokeTest", target=ReplicationGroup(stack, "Cache", network=network, parameters=parameters))

    variables = environment_of(Template.from_stack(stack))
    assert variables[environment.MAXMEMORY_POLICY] == "allkeys-lru"
    assert environment.LATENCY_LIMIT_MS not in variables


def test_the_environment_has_the_latency_limit_in_milliseconds(stack: cdk.Stack, network: RedisNetwork) -> None:
    limit = cdk.Duration.seconds(1)
    SmokeTest(stack, "SmokeTest", target=ReplicationGroup(stack, "Cache", network=network), latency_limit=limit)

    assert environment_of(Template.from_stack(stack))[environment.LATENCY_LIMIT_MS] == "1000"


@pytest.mark.parametrize("given", [0, 0.5, 1.5, 60_001])
def test_a_latency_limit_out_of_range_is_rejected(given: float, stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)

    with pytest.raises(ConfigurationError) as caught:
        SmokeTest(stack, "SmokeTest", target=cache, latency_limit=cdk.Duration.millis(given))

    assert str(caught.value) == (
        f"Stack/SmokeTest: latency_limit: got '{given:g} ms', but a median round trip takes 1 to 60000 whole "
        "milliseconds; use for example Duration.millis(100)"
    )


def test_the_environment_has_the_security_groups_of_both_sides(stack: cdk.Stack, network: RedisNetwork) -> None:
    groups = [ec2.SecurityGroup(stack, name, vpc=network.vpc) for name in ("One", "Two")]
    SmokeTest(stack, "SmokeTest", target=ReplicationGroup(stack, "Cache", network=network, security_groups=groups))

    function = function_of(Template.from_stack(stack))
    variables = environment_of(Template.from_stack(stack))
    assert [variables[environment.SECURITY_GROUPS]] == function["VpcConfig"]["SecurityGroupIds"]  # type: ignore[index]
    ids = [stack.resolve(group.security_group_id) for group in groups]
    assert variables[environment.STORE_SECURITY_GROUPS] == {"Fn::Join": ["", [ids[0], ",", ids[1]]]}
