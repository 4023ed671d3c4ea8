"""Templates and errors of serverless caches."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Annotations, Match, Template

from cdk_redis import (
    AccessString,
    ConfigurationError,
    ElastiCacheUser,
    Endpoint,
    Engine,
    NetworkType,
    RedisNetwork,
    Restore,
    ServerlessCache,
    SmokeTest,
    Snapshots,
    SnapshotWindow,
    UsageLimits,
)
from cdk_redis_runtime._client import environment

CACHE = "AWS::ElastiCache::ServerlessCache"
SNAPSHOT_ARN = "arn:aws:elasticache:eu-west-1:111122223333:serverlesscachesnapshot:nightly"


def _properties(stack: cdk.Stack, resource_type: str = CACHE) -> dict[str, Any]:
    (resource,) = Template.from_stack(stack).find_resources(resource_type).values()
    return resource["Properties"]


def test_the_defaults_are_secure_and_durable(stack: cdk.Stack, network: RedisNetwork) -> None:
    ServerlessCache(stack, "Cache", network=network)

    Template.from_stack(stack).has_resource(
        CACHE,
        {
            "Properties": {
                "ServerlessCacheName": Match.string_like_regexp(r"^stack-cache-[0-9a-f]{8}-[0-9a-f]{8}$"),
                "Description": "Stack/Cache",
                "Engine": "valkey",
                "MajorEngineVersion": "8",
                "SnapshotRetentionLimit": 7,
                "SubnetIds": Match.any_value(),
                "SecurityGroupIds": [Match.any_value()],
                "UserGroupId": {"Ref": Match.string_like_regexp("UserGroup")},
                "FinalSnapshotName": Match.any_value(),
            },
            # The resource type does not support the policy Snapshot: it has the property FinalSnapshotName.
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
        },
    )


@pytest.mark.parametrize(
    ("policy", "deletion"), [(cdk.RemovalPolicy.RETAIN, "Retain"), (cdk.RemovalPolicy.DESTROY, "Delete")]
)
def test_there_is_no_final_snapshot_with_another_removal_policy(
    stack: cdk.Stack, network: RedisNetwork, policy: cdk.RemovalPolicy, deletion: str
) -> None:
    ServerlessCache(stack, "Cache", network=network, removal_policy=policy)

    Template.from_stack(stack).has_resource(
        CACHE, {"DeletionPolicy": deletion, "Properties": Match.object_like({"FinalSnapshotName": Match.absent()})}
    )


def test_every_parameter_reaches_the_template(stack: cdk.Stack) -> None:
    ServerlessCache(
        stack,
        "Cache",
        network=RedisNetwork(stack, "Network", dual_stack=True),
        engine=Engine.redis("7"),
        usage_limits=UsageLimits(data_storage_gb=(2, 10), ecpu_per_second=(None, 5_000)),
        kms_key=kms.Key(stack, "Key"),
        snapshots=Snapshots.daily(retention_days=15, at="22:00"),
        restore=Restore.from_snapshot(SNAPSHOT_ARN),
        network_type=NetworkType.DUAL_STACK,
        serverless_cache_name="sessions",
        description="Sessions",
    )

    Template.from_stack(stack).has_resource_properties(
        CACHE,
        {
            "ServerlessCacheName": "sessions",
            "Description": "Sessions",
            "Engine": "redis",
            "MajorEngineVersion": "7",
            "CacheUsageLimits": {
                "DataStorage": {"Unit": "GB", "Minimum": 2, "Maximum": 10},
                "ECPUPerSecond": {"Minimum": Match.absent(), "Maximum": 5_000},
            },
            "KmsKeyId": {"Fn::GetAtt": [Match.string_like_regexp("^Key"), "Arn"]},
            "SnapshotRetentionLimit": 15,
            "DailySnapshotTime": "22:00",
            "SnapshotArnsToRestore": [SNAPSHOT_ARN],
            "NetworkType": "dual_stack",
        },
    )


def test_a_cache_can_be_restored_from_files_in_s3(stack: cdk.Stack, network: RedisNetwork) -> None:
    files = ("arn:aws:s3:::backups/one.rdb", "arn:aws:s3:::backups/two.rdb")
    ServerlessCache(stack, "Cache", network=network, restore=Restore.from_s3(*files))

    assert _properties(stack)["SnapshotArnsToRestore"] == [*files]


def test_a_key_can_be_created(stack: cdk.Stack, network: RedisNetwork) -> None:
    ServerlessCache(stack, "Cache", network=network, create_kms_key=True)

    assert _properties(stack)["KmsKeyId"]["Fn::GetAtt"][0].startswith("CacheKey")


def test_a_cache_uses_one_subnet_in_each_of_three_zones(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["eu-west-1a", "eu-west-1b", "eu-west-1c"],
        isolated_subnet_ids=[f"subnet-{number}" for number in range(6)],
    )
    ServerlessCache(stack, "Cache", network=RedisNetwork(stack, "Network", vpc=vpc))

    assert _properties(stack)["SubnetIds"] == ["subnet-0", "subnet-1", "subnet-2"]


def test_clients_can_connect_to_both_ports(stack: cdk.Stack, network: RedisNetwork) -> None:
    ServerlessCache(stack, "Cache", network=network)

    rule = {"IpProtocol": "tcp", "FromPort": 6379, "ToPort": 6380}
    template = Template.from_stack(stack)
    template.has_resource_properties("AWS::EC2::SecurityGroupIngress", rule)
    template.has_resource_properties("AWS::EC2::SecurityGroupEgress", rule)


def test_a_cache_has_two_endpoints(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ServerlessCache(stack, "Cache", network=network)

    assert cache.reader_endpoint is not None
    name = stack.get_logical_id(cache.resource)
    assert [stack.resolve(value) for value in (cache.endpoint.address, cache.endpoint.port_text)] == [
        {"Fn::GetAtt": [name, "Endpoint.Address"]},
        {"Fn::GetAtt": [name, "Endpoint.Port"]},
    ]
    assert stack.resolve(cache.reader_endpoint.address) == {"Fn::GetAtt": [name, "ReaderEndpoint.Address"]}
    assert cache.port == 6379


def _generated_name(**given: Any) -> str:
    stack = cdk.Stack(cdk.App(), "Stack")
    network = RedisNetwork(stack, "Network", dual_stack=True)
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:111122223333:key/0")
    ServerlessCache(stack, "Cache", network=network, **(given if "kms_key" not in given else {"kms_key": key}))
    return _properties(stack)["ServerlessCacheName"]


@pytest.mark.parametrize(
    "given",
    [
        {"usage_limits": UsageLimits.at_most(data_storage_gb=3)},
        {"engine": Engine.valkey("7")},
        {"snapshots": Snapshots.off()},
        {"description": "Sessions"},
    ],
)
def test_the_generated_name_stays_if_the_cache_is_not_replaced(given: dict[str, Any]) -> None:
    assert _generated_name(**given) == _generated_name()


@pytest.mark.parametrize(
    "given",
    [
        {"kms_key": "given"},
        {"create_kms_key": True},
        {"network_type": NetworkType.IPV6},
        {"restore": Restore.from_snapshot(SNAPSHOT_ARN)},
    ],
)
def test_the_generated_name_changes_if_the_cache_is_replaced(given: dict[str, Any]) -> None:
    assert _generated_name(**given) != _generated_name()


def test_the_generated_name_is_valid(stack: cdk.Stack, network: RedisNetwork) -> None:
    ServerlessCache(stack, "ACacheWithAVeryLongNameThatGoesOnAndOnAndOnAndOn", network=network)

    name = _properties(stack)["ServerlessCacheName"]
    assert len(name) <= 40
    assert name == name.lower()
    assert "--" not in name


def test_a_given_name_is_used_with_a_warning(stack: cdk.Stack, network: RedisNetwork) -> None:
    ServerlessCache(stack, "Cache", network=network, serverless_cache_name="sessions")

    Annotations.from_stack(stack).has_warning("/Stack/Cache", Match.string_like_regexp("serverless_cache_name"))


def test_open_access_causes_a_warning(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ServerlessCache(stack, "Cache", network=network, unsafe_open_access=True)

    assert "UserGroupId" not in _properties(stack)
    Annotations.from_stack(stack).has_warning("/Stack/Cache", Match.string_like_regexp("anyone"))
    with pytest.raises(ConfigurationError, match="a store with open access has no users"):
        cache.add_iam_user("app", AccessString.read_only("*"))


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "engine of nodes": (
        {"engine": Engine.valkey("8.1")},
        "engine: got 'valkey 8.1', but a serverless cache runs a major version: redis 7 and valkey 7, 8, 9; "
        'write Engine.valkey("8")',
    ),
    "name in upper case": (
        {"serverless_cache_name": "Sessions"},
        "serverless_cache_name: got 'Sessions', but a name has 1 to 40 lower-case letters, digits and single hyphens, "
        "begins with a letter and does not end with a hyphen",
    ),
    "window": (
        {"snapshots": Snapshots.daily(window=SnapshotWindow("03:00-04:00"))},
        "snapshots: got '03:00-04:00', but a serverless cache takes its snapshots at a time, not in a window; "
        'write Snapshots.daily(at="03:00")',
    ),
    "name of a snapshot": (
        {"restore": Restore.from_snapshot("nightly")},
        "restore: got 'nightly', but a serverless cache is restored by the ARN of a snapshot, not by its name; "
        'write Restore.from_snapshot("arn:aws:elasticache:...")',
    ),
    "network type": (
        {"network_type": "ipv5"},
        "network_type: got 'ipv5', but it must be one of 'ipv4', 'dual_stack', 'ipv6'",
    ),
    "long description": (
        {"description": "d" * 256},
        "description: got 256 characters, but it may have up to 255",
    ),
}


@pytest.mark.parametrize(("given", "message"), WRONG.values(), ids=WRONG.keys())
def test_invalid_parameters_are_refused(
    stack: cdk.Stack, network: RedisNetwork, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ServerlessCache(stack, "Cache", network=network, **given)

    assert str(caught.value) == f"Stack/Cache: {message}"


def test_a_key_of_another_region_is_refused(stack: cdk.Stack, network: RedisNetwork) -> None:
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:us-east-1:111122223333:key/0")
    with pytest.raises(ConfigurationError, match="the store is in eu-west-1; use a key of that Region"):
        ServerlessCache(stack, "Cache", network=network, kms_key=key)


def test_grant_connect_allows_both_arns_and_opens_both_ports(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ServerlessCache(stack, "Cache", network=network)
    user = cache.add_iam_user("app", AccessString.read_write("app:*"))
    instance = ec2.Instance(
        stack,
        "Client",
        vpc=network.vpc,
        vpc_subnets=network.subnet_selection,
        instance_type=ec2.InstanceType("t4g.nano"),
        machine_image=ec2.MachineImage.generic_linux({"eu-west-1": "ami-0"}),
    )
    cache.grant_connect(instance, user=user)

    template = Template.from_stack(stack)
    (statement,) = [
        statement
        for policy in template.find_resources("AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "elasticache:Connect"
    ]
    store, of_user = (resource["Fn::Join"][1] for resource in statement["Resource"])
    name = {"Ref": stack.get_logical_id(cache.resource)}
    assert store[-2:] == [":elasticache:eu-west-1:111122223333:serverlesscache:", name]
    assert of_user[-1] == f":elasticache:eu-west-1:111122223333:user:{user.user_name}"
    rules = template.find_resources("AWS::EC2::SecurityGroupIngress").values()
    assert {(rule["Properties"]["FromPort"], rule["Properties"]["ToPort"]) for rule in rules} == {(6379, 6380)}
    assert len(rules) == 2


def test_only_a_redis_cache_has_a_disabled_default_user(network: RedisNetwork) -> None:
    for engine, expected in ((Engine.redis("7"), ["default"]), (Engine.valkey("8"), [])):
        stack = cdk.Stack(cdk.App(), "Stack")
        ServerlessCache(stack, "Cache", network=RedisNetwork(stack, "Network"), engine=engine)
        users = Template.from_stack(stack).find_resources("AWS::ElastiCache::User").values()
        assert [user["Properties"]["UserName"] for user in users] == expected


def test_the_smoke_test_gets_the_topology_of_the_cache(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ServerlessCache(stack, "Cache", network=network)
    SmokeTest(stack, "SmokeTest", target=cache)

    functions = Template.from_stack(stack).find_resources("AWS::Lambda::Function").values()
    (variables,) = [
        function["Properties"]["Environment"]["Variables"]
        for function in functions
        if function["Properties"]["Handler"].startswith("cdk_redis_runtime")
    ]
    assert variables[environment.SERVERLESS] == "true"
    assert variables[environment.SERVICE] == "elasticache"
    assert variables[environment.CLUSTER_MODE] == "true"
    assert variables[environment.ENGINE_VERSION] == "8"
    unknown = {environment.SHARDS, environment.REPLICAS, environment.READER_HOST, environment.READER_PORT}
    assert not unknown & set(variables)


def test_an_imported_cache_grants_connections(stack: cdk.Stack, network: RedisNetwork) -> None:
    app = ElastiCacheUser.from_user_attributes(stack, "App", user_name="app")
    cache = ServerlessCache.from_serverless_cache_attributes(
        stack,
        "Cache",
        serverless_cache_name="sessions",
        endpoint=Endpoint("sessions-abc.serverless.euw1.cache.amazonaws.com", 6379),
        security_groups=[ec2.SecurityGroup.from_security_group_id(stack, "Existing", "sg-0123456789abcdef0")],
        users=[app],
        network=network,
    )
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    cache.grant_connect(role, user=app)

    assert "serverlesscache:sessions" in str(Template.from_stack(stack).find_resources("AWS::IAM::Policy"))
    assert cache.reader_endpoint == Endpoint("sessions-abc.serverless.euw1.cache.amazonaws.com", 6380)
    SmokeTest(stack, "SmokeTest", target=cache, user=app)


def test_snapshots_can_be_turned_off(stack: cdk.Stack, network: RedisNetwork) -> None:
    ServerlessCache(stack, "Cache", network=network, snapshots=Snapshots.off())

    assert _properties(stack)["SnapshotRetentionLimit"] == 0
