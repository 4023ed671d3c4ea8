"""Templates and errors of replication groups."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Annotations, Match, Template

from cdk_redis import (
    ConfigurationError,
    Engine,
    MaintenanceWindow,
    RedisNetwork,
    ReplicationGroup,
    Snapshots,
    SnapshotWindow,
)
from tests.unit.elasticache.support.replication_groups import GROUP, properties_of


def test_the_defaults_are_secure_durable_and_multi_az(stack: cdk.Stack, network: RedisNetwork) -> None:
    ReplicationGroup(stack, "Cache", network=network)

    template = Template.from_stack(stack)
    template.has_resource(
        GROUP,
        {
            "Properties": Match.object_like(
                {
                    "Engine": "valkey",
                    "EngineVersion": "8.1",
                    "TransitEncryptionEnabled": True,
                    "AtRestEncryptionEnabled": True,
                    "AutomaticFailoverEnabled": True,
                    "MultiAZEnabled": True,
                    "NumNodeGroups": 1,
                    "ReplicasPerNodeGroup": 1,
                    "SnapshotRetentionLimit": 7,
                    "AutoMinorVersionUpgrade": True,
                    "UserGroupIds": [{"Ref": Match.any_value()}],
                    "NumCacheClusters": Match.absent(),
                    "ReplicationGroupId": Match.absent(),
                    "AuthToken": Match.absent(),
                }
            ),
            "DeletionPolicy": "Snapshot",
            "UpdateReplacePolicy": "Snapshot",
            "UpdatePolicy": {"UseOnlineResharding": True},
        },
    )


def test_without_shards_cluster_mode_is_off(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, replicas=2)

    assert not cache.cluster_mode
    assert stack.resolve(cache.endpoint.address) == {"Fn::GetAtt": ["Cache18F6EE16", "PrimaryEndPoint.Address"]}
    assert cache.reader_endpoint is not None
    assert stack.resolve(cache.reader_endpoint.address) == {"Fn::GetAtt": ["Cache18F6EE16", "ReaderEndPoint.Address"]}
    assert "cluster-enabled" not in str(properties_of(stack, "AWS::ElastiCache::ParameterGroup").get("Properties"))


def test_any_number_of_shards_turns_cluster_mode_on(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, shards=1)

    assert cache.cluster_mode
    assert cache.reader_endpoint is None
    assert stack.resolve(cache.endpoint.address) == {"Fn::GetAtt": ["Cache18F6EE16", "ConfigurationEndPoint.Address"]}
    group = properties_of(stack, "AWS::ElastiCache::ParameterGroup")
    assert group["Properties"] == {"cluster-enabled": "yes"}
    assert group["CacheParameterGroupFamily"] == "valkey8"


def test_the_endpoint_of_the_other_mode_is_refused(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, shards=3)

    with pytest.raises(ConfigurationError, match="cluster mode is on; use `endpoint`"):
        _ = cache.primary_endpoint


def test_failover_is_off_for_a_single_node(stack: cdk.Stack, network: RedisNetwork) -> None:
    ReplicationGroup(stack, "Cache", network=network, replicas=0)

    properties = properties_of(stack)
    assert properties["AutomaticFailoverEnabled"] is False
    assert properties["MultiAZEnabled"] is False


def test_failover_is_on_in_cluster_mode_without_replicas(stack: cdk.Stack, network: RedisNetwork) -> None:
    ReplicationGroup(stack, "Cache", network=network, shards=2, replicas=0)

    properties = properties_of(stack)
    assert properties["AutomaticFailoverEnabled"] is True
    assert properties["MultiAZEnabled"] is False


def test_every_parameter_reaches_the_template(stack: cdk.Stack, network: RedisNetwork) -> None:
    key = kms.Key(stack, "Key")
    ReplicationGroup(
        stack,
        "Cache",
        network=network,
        engine=Engine.redis("7.1"),
        node_type="cache.r6gd.xlarge",
        shards=3,
        replicas=2,
        port=6380,
        kms_key=key,
        parameters={"maxmemory-policy": "allkeys-lru"},
        snapshots=Snapshots.daily(retention_days=15, window=SnapshotWindow("03:00-04:00")),
        maintenance_window=MaintenanceWindow("sun:05:00-sun:06:00"),
        auto_minor_version_upgrade=False,
        replication_group_id="orders",
        description="Orders",
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )

    Template.from_stack(stack).has_resource(
        GROUP,
        {
            "Properties": Match.object_like(
                {
                    "ReplicationGroupId": "orders",
                    "ReplicationGroupDescription": "Orders",
                    "Engine": "redis",
                    "EngineVersion": "7.1",
                    "CacheNodeType": "cache.r6gd.xlarge",
                    "DataTieringEnabled": True,
                    "NumNodeGroups": 3,
                    "ReplicasPerNodeGroup": 2,
                    "Port": 6380,
                    "KmsKeyId": {"Fn::GetAtt": [Match.string_like_regexp("^Key"), "Arn"]},
                    "SnapshotRetentionLimit": 15,
                    "SnapshotWindow": "03:00-04:00",
                    "PreferredMaintenanceWindow": "sun:05:00-sun:06:00",
                    "AutoMinorVersionUpgrade": False,
                }
            ),
            "DeletionPolicy": "Retain",
        },
    )
    Template.from_stack(stack).has_resource_properties(
        "AWS::ElastiCache::ParameterGroup",
        {"Properties": {"cluster-enabled": "yes", "maxmemory-policy": "allkeys-lru"}},
    )


def test_existing_security_and_subnet_groups_are_used(stack: cdk.Stack, network: RedisNetwork) -> None:
    from cdk_redis import ElastiCacheSubnetGroup

    group = ec2.SecurityGroup.from_security_group_id(stack, "Existing", "sg-0123456789abcdef0")
    subnets = ElastiCacheSubnetGroup.from_subnet_group_name(stack, "ExistingSubnets", "cache-subnets")
    ReplicationGroup(stack, "Cache", network=network, security_groups=[group], subnet_group=subnets)

    properties = properties_of(stack)
    assert properties["SecurityGroupIds"] == ["sg-0123456789abcdef0"]
    assert properties["CacheSubnetGroupName"] == "cache-subnets"
    Template.from_stack(stack).resource_count_is("AWS::ElastiCache::SubnetGroup", 0)


def test_tokens_pass_the_checks(stack: cdk.Stack, network: RedisNetwork) -> None:
    replicas = cdk.CfnParameter(stack, "Replicas", type="Number").value_as_number
    ReplicationGroup(
        stack,
        "Cache",
        network=network,
        node_type=cdk.CfnParameter(stack, "NodeType").value_as_string,
        replicas=replicas,  # type: ignore[arg-type]
        replication_group_id=cdk.CfnParameter(stack, "Name").value_as_string,
    )

    assert properties_of(stack)["ReplicasPerNodeGroup"] == {"Ref": "Replicas"}


WRONG = {
    "shards too few": ({"shards": 0}, "shards: got 0, but a store has 1 to 500 shards"),
    "shards too many": ({"shards": 501, "replicas": 0}, "shards: got 501, but a store has 1 to 500 shards"),
    "nodes too many": (
        {"shards": 300, "replicas": 1},
        "shards: got 300, but 300 shards of 2 nodes are 600 nodes, and the maximum is 500",
    ),
    "replicas too many": (
        {"replicas": 6},
        "replicas: got 6, but a shard has 0 to 5 replicas; add shards to spread the load",
    ),
    "replicas as text": (
        {"replicas": "1"},
        "replicas: got '1', but it must be a whole number; write 1",
    ),
    "port too low": ({"port": 80}, "port: got 80, but the services listen on 1150 to 65535, 8005 excepted"),
    "port reserved": ({"port": 8005}, "port: got 8005, but the services listen on 1150 to 65535, 8005 excepted"),
    "node type of the other service": (
        {"node_type": "db.r7g.large"},
        "node_type: got 'db.r7g.large', but node types of this service are named like 'cache.r7g.large'",
    ),
    "name in upper case": (
        {"replication_group_id": "Orders"},
        "replication_group_id: got 'Orders', but a name has 1 to 40 lower-case letters, digits and single hyphens, "
        "begins with a letter and does not end with a hyphen",
    ),
    "windows that overlap": (
        {
            "maintenance_window": MaintenanceWindow("sun:03:00-sun:04:00"),
            "snapshots": Snapshots.daily(window=SnapshotWindow("03:30-04:30")),
        },
        "maintenance_window: got 'sun:03:00-sun:04:00', but it must not overlap the snapshot window 03:30-04:30; "
        "move one of the two",
    ),
    "cluster-enabled in parameters": (
        {"parameters": {"cluster-enabled": "yes"}},
        "parameters: got {'cluster-enabled': 'yes'}, but cluster mode follows from `shards`; leave it out",
    ),
    "a parameter that is not text": (
        {"parameters": {"timeout": 300}},
        "parameters['timeout']: got 300, but it must be text; write '300'",
    ),
    "an engine without users": (
        {"engine": Engine.redis("5.0.6")},
        "engine: got 'redis 5.0.6', but users need Redis OSS 6.0 or newer, or Valkey; choose a newer version, "
        "or authentication=Authentication.auth_token()",
    ),
}


@pytest.mark.parametrize(("given", "message"), WRONG.values(), ids=WRONG.keys())
def test_invalid_parameters_are_refused(
    stack: cdk.Stack, network: RedisNetwork, given: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ReplicationGroup(stack, "Cache", network=network, **given)  # type: ignore[arg-type]

    assert str(caught.value) == f"Stack/Cache: {message}"


def test_an_engine_of_the_other_service_is_refused(stack: cdk.Stack, network: RedisNetwork) -> None:
    with pytest.raises(ConfigurationError, match="ElastiCache offers"):
        ReplicationGroup(stack, "Cache", network=network, engine=Engine.valkey("7.3"))


def test_all_problems_are_listed(stack: cdk.Stack, network: RedisNetwork) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ReplicationGroup(stack, "Cache", network=network, shards=0, replicas=9, port=80, node_type="large")

    assert len(caught.value.problems) == 4


def test_a_key_of_another_region_is_refused(stack: cdk.Stack, network: RedisNetwork) -> None:
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:us-east-1:111122223333:key/1234abcd")

    with pytest.raises(ConfigurationError, match="a key in us-east-1"):
        ReplicationGroup(stack, "Cache", network=network, kms_key=key)


def test_the_defaults_give_no_warning(stack: cdk.Stack, network: RedisNetwork) -> None:
    ReplicationGroup(stack, "Cache", network=network)

    assert Annotations.from_stack(stack).find_warning("*", Match.any_value()) == []
