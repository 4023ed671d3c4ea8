"""Mistakes that the parameters of a store do not allow, and what the template has instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from cdk_redis import AccessString, Authentication, Engine, LogDelivery, RedisNetwork, ReplicationGroup
from tests.unit.store.support.replication_groups import Make, replication_group, replication_group_with_iam_user

GROUP = "AWS::ElastiCache::ReplicationGroup"

Resource = Mapping[str, Any]
# The mistake, a store, and whether its replication group avoids the mistake.
PREVENTED: list[tuple[str, Make, Callable[[Resource], bool]]] = [
    (
        "data lost in a replacement",
        replication_group(),
        lambda group: group["DeletionPolicy"] == group["UpdateReplacePolicy"] == "Snapshot",
    ),
    (
        "a replacement after a change of shards",
        replication_group(shards=2),
        lambda group: (
            group["UpdatePolicy"] == {"UseOnlineResharding": True}
            and "NodeGroupConfiguration" not in group["Properties"]
        ),
    ),
    (
        "automatic failover of a single node",
        replication_group(replicas=0),
        lambda group: group["Properties"]["AutomaticFailoverEnabled"] is False,
    ),
    (
        "NumCacheClusters together with NumNodeGroups",
        replication_group(shards=3, replicas=2),
        lambda group: "NumCacheClusters" not in group["Properties"],
    ),
    (
        "replicas without automatic failover",
        replication_group(engine=Engine.redis("7.1"), replicas=1),
        lambda group: group["Properties"]["AutomaticFailoverEnabled"] is True,
    ),
    (
        "Multi-AZ with one node",
        replication_group(replicas=0),
        lambda group: group["Properties"]["MultiAZEnabled"] is False,
    ),
    (
        "an AUTH token in the template",
        replication_group(authentication=Authentication.auth_token()),
        lambda group: (
            "{{resolve:secretsmanager:" in str(group["Properties"]["AuthToken"])
            and "UserGroupIds" not in group["Properties"]
        ),
    ),
    (
        "users without TLS",
        replication_group(),
        lambda group: group["Properties"]["TransitEncryptionEnabled"] is True,
    ),
    (
        "a key without encryption",
        replication_group(create_kms_key=True),
        lambda group: group["Properties"]["AtRestEncryptionEnabled"] is True and "KmsKeyId" in group["Properties"],
    ),
    (
        "SnapshottingClusterId in cluster mode",
        replication_group(shards=2),
        lambda group: "SnapshottingClusterId" not in group["Properties"],
    ),
    (
        "a log group's ARN in place of its name",
        replication_group(log_delivery=[LogDelivery.slow_log()]),
        lambda group: (
            "Ref"
            in group["Properties"]["LogDeliveryConfigurations"][0]["DestinationDetails"]["CloudWatchLogsDetails"][
                "LogGroup"
            ]
        ),
    ),
    (
        "a literal name instead of a dependency",
        replication_group(),
        lambda group: (
            all("Ref" in group["Properties"][name] for name in ("CacheSubnetGroupName", "CacheParameterGroupName"))
            and "Ref" in group["Properties"]["UserGroupIds"][0]
        ),
    ),
    (
        "a node type with data tiering but without DataTieringEnabled",
        replication_group(node_type="cache.r6gd.xlarge"),
        lambda group: group["Properties"]["DataTieringEnabled"] is True,
    ),
]


@pytest.mark.parametrize(("make", "is_avoided"), [row[1:] for row in PREVENTED], ids=[row[0] for row in PREVENTED])
def test_the_template_avoids_the_mistake(
    stack: cdk.Stack, network: RedisNetwork, make: Make, is_avoided: Callable[[Resource], bool]
) -> None:
    make(stack, network)

    (group,) = Template.from_stack(stack).find_resources(GROUP).values()
    assert is_avoided(group)


def test_the_parameter_group_has_the_family_and_the_cluster_mode_of_the_store(
    stack: cdk.Stack, network: RedisNetwork
) -> None:
    ReplicationGroup(stack, "Cache", network=network, engine=Engine.redis("6.2"), shards=2)

    Template.from_stack(stack).has_resource_properties(
        "AWS::ElastiCache::ParameterGroup",
        {"CacheParameterGroupFamily": "redis6.x", "Properties": {"cluster-enabled": "yes"}},
    )


def test_an_iam_user_has_the_type_and_the_id_that_the_service_requires(stack: cdk.Stack, network: RedisNetwork) -> None:
    replication_group_with_iam_user()(stack, network)

    (user,) = Template.from_stack(stack).find_resources("AWS::ElastiCache::User").values()
    assert user["Properties"]["AuthenticationMode"] == {"Type": "iam"}
    assert user["Properties"]["UserId"] == user["Properties"]["UserName"]


@pytest.mark.parametrize(("engine", "users"), [(Engine.redis("7.1"), ["default"]), (Engine.valkey("8.1"), [])])
def test_redis_oss_has_a_disabled_default_user_and_valkey_has_none(
    stack: cdk.Stack, network: RedisNetwork, engine: Engine, users: list[str]
) -> None:
    ReplicationGroup(stack, "Cache", network=network, engine=engine)

    template = Template.from_stack(stack)
    found = list(template.find_resources("AWS::ElastiCache::User").values())
    assert [user["Properties"]["UserName"] for user in found] == users
    assert all(user["Properties"]["AccessString"].startswith("off") for user in found)
    (group,) = template.find_resources("AWS::ElastiCache::UserGroup").values()
    assert {resource["Properties"]["Engine"] for resource in (group, *found)} == {engine.name}


def test_users_depend_on_each_other_so_that_they_change_one_at_a_time(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    for name in ("one", "two"):
        cache.add_iam_user(name, AccessString.read_only("*"))

    template = Template.from_stack(stack)
    users = template.find_resources("AWS::ElastiCache::User")
    assert sorted(len(user.get("DependsOn", [])) for user in users.values()) == [0, 1]
    (group,) = template.find_resources("AWS::ElastiCache::UserGroup").values()
    assert {member["Ref"] for member in group["Properties"]["UserIds"]} == set(users)


def test_scaling_uses_the_dimensions_and_metrics_of_elasticache(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, node_type="cache.r7g.large", shards=3, replicas=1)
    cache.scale_shards(minimum=3, maximum=10).track_cpu(50).track_memory(60).track_capacity(70)
    cache.scale_replicas(minimum=1, maximum=5).track_cpu(40)

    template = Template.from_stack(stack)
    targets = template.find_resources("AWS::ApplicationAutoScaling::ScalableTarget").values()
    assert {
        target["Properties"]["ScalableDimension"]: (
            target["Properties"]["MinCapacity"],
            target["Properties"]["MaxCapacity"],
        )
        for target in targets
    } == {
        "elasticache:replication-group:NodeGroups": (3, 10),
        "elasticache:replication-group:Replicas": (1, 5),
    }
    for target in targets:
        assert target["Properties"]["ServiceNamespace"] == "elasticache"
        assert target["Properties"]["ResourceId"] == {
            "Fn::Join": ["", ["replication-group/", {"Ref": "Cache18F6EE16"}]]
        }
    policies = template.find_resources("AWS::ApplicationAutoScaling::ScalingPolicy").values()
    tracked = [policy["Properties"]["TargetTrackingScalingPolicyConfiguration"] for policy in policies]
    assert {
        policy["PredefinedMetricSpecification"]["PredefinedMetricType"]: policy["TargetValue"] for policy in tracked
    } == {
        "ElastiCachePrimaryEngineCPUUtilization": 50,
        "ElastiCacheDatabaseMemoryUsageCountedForEvictPercentage": 60,
        "ElastiCacheDatabaseCapacityUsageCountedForEvictPercentage": 70,
        "ElastiCacheReplicaEngineCPUUtilization": 40,
    }
