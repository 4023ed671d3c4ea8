"""The rules without a cloud: each mistake is refused in AWS's words, and its legal neighbour is not."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cdk_redis_local._emulator.refusals import facts
from cdk_redis_local._emulator.refusals.registration import early_problems
from cdk_redis_local._emulator.refusals.rule import Case, Known
from cdk_redis_local._emulator.refusals.schema import UNKNOWN, schema_problems
from cdk_redis_local._emulator.refusals.stores import CLUSTER, GROUP
from cdk_redis_local._emulator.refusals.table import DELETIONS, RULES, refusal, refused_deletion, refused_template
from tests.local.emulator.refusals.rows import MISTAKES, Mistake, cluster, group, sharded
from tests.local.support import service_facts

_NAMES = ("UserId", "UserGroupId", "UserName", "ACLName", "ParameterGroupName")


def known(mistake: Mistake) -> Known:
    """What exists when the resource is created."""
    found: dict[str, dict[str, Any]] = {}
    for resource in mistake.beside.values():
        properties = resource["Properties"]
        name = next(properties[name] for name in _NAMES if name in properties)
        found.setdefault(resource["Type"], {})[name] = properties
    return Known(found)


def words(mistake: Mistake, properties: dict[str, Any]) -> str | None:
    """The message of AWS; both forms of what CloudFormation itself refuses."""
    early = [text for _, text in early_problems(mistake.type, properties)]
    name = next((str(properties[name]) for name in _NAMES if name in properties), "")
    late = refusal(Case(mistake.type, name, properties, None, known(mistake)))
    return None if late is None else "\n".join([*early, str(late)])


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.rule)
def test_a_mistake_is_refused_and_its_legal_neighbour_is_not(mistake: Mistake) -> None:
    assert words(mistake, mistake.legal) is None
    assert mistake.words in (words(mistake, mistake.properties) or "accepted")


def test_the_table_has_more_than_fifty_mistakes() -> None:
    assert len(MISTAKES) >= 50
    assert [rule for rule, count in Counter(one.rule for one in MISTAKES).items() if count > 1] == []


def test_each_rule_has_a_source() -> None:
    assert [rule.words for rule in [*RULES, *DELETIONS] if not rule.source] == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            group(Engine="valkey", EngineVersion="8.1"),
            group(Engine="redis", EngineVersion="7.1"),
            "Changing the engine from valkey to redis is not supported.",
        ),
        (
            group(EngineVersion="7.1"),
            group(EngineVersion="7.0"),
            "Cannot downgrade the engine from version 7.1 to version 7.0.",
        ),
        (
            sharded(AutomaticFailoverEnabled=True),
            sharded(AutomaticFailoverEnabled=False),
            "Turning off automatic failover for replication group with cluster mode enabled is not supported.",
        ),
        (
            group(),
            sharded(),
            "Operation is only applicable for cluster mode enabled replication groups",
        ),
    ],
    ids=["to Redis OSS", "downgrade", "failover off", "cluster mode"],
)
def test_a_change_that_the_service_refuses(old: dict[str, Any], new: dict[str, Any], message: str) -> None:
    assert message in str(refusal(Case(GROUP, "orders", new, old)))
    # What is there is legal, and so is the way from it to itself.
    assert refusal(Case(GROUP, "orders", new, new)) is None


def test_changes_that_the_services_accept() -> None:
    upgrade = Case(GROUP, "orders", group(Engine="valkey", EngineVersion="8.1"), group(EngineVersion="7.1"))
    to_clusters = Case(GROUP, "orders", sharded(ClusterMode="enabled"), group(ClusterMode="compatible"))
    newer = Case(CLUSTER, "ledger", cluster(EngineVersion="7.1"), cluster(EngineVersion="7.0"))
    assert [refusal(case) for case in (upgrade, to_clusters, newer)] == [None, None, None]


def test_what_is_in_use_cannot_be_deleted() -> None:
    orders = group(
        CacheParameterGroupName="settings", CacheSubnetGroupName="Subnets", UserGroupIds=["redis-users", "others"]
    )
    everything = Known({GROUP: {"orders": orders}, CLUSTER: {"ledger": cluster(ACLName="theirs")}})
    in_use = {
        "AWS::ElastiCache::ParameterGroup": ("settings", "still members of this parameter group settings"),
        "AWS::ElastiCache::SubnetGroup": ("subnets", "Cache subnet group subnets is currently in use"),
        "AWS::ElastiCache::UserGroup": ("others", "User group others is associated"),
        "AWS::MemoryDB::ACL": ("theirs", "ACL theirs is associated"),
    }
    for resource_type, (name, message) in in_use.items():
        assert message in str(refused_deletion(Case(resource_type, name, {}, {}, everything)))
        assert refused_deletion(Case(resource_type, "free", {}, {}, everything)) is None


def test_a_type_without_snapshots_has_no_deletion_policy_for_them() -> None:
    message = "Template error: resource type {} does not support deletion policy Snapshot"
    for resource_type in (CLUSTER, "AWS::ElastiCache::ServerlessCache"):
        template = {"Resources": {"Store": {"Type": resource_type, "DeletionPolicy": "Snapshot"}}}
        assert refused_template(template) == message.format(resource_type)
    for resource_type in (GROUP, "AWS::ElastiCache::CacheCluster", "AWS::RDS::DBCluster"):
        template = {"Resources": {"Store": {"Type": resource_type, "DeletionPolicy": "Snapshot"}}}
        assert refused_template(template) is None


def test_values_that_are_known_later_are_neither_refused_nor_missed() -> None:
    properties = {"ReplicationGroupDescription": UNKNOWN, "Port": UNKNOWN, "UserGroupIds": [UNKNOWN, UNKNOWN]}
    assert schema_problems(GROUP, properties) == []


@pytest.mark.parametrize(
    "legal",
    [
        group(EngineVersion="7.x"),
        group(Engine="valkey", EngineVersion="99.0"),
        group(CacheNodeType="cache.r9g.2xlarge"),
        group(CacheParameterGroupName="default.valkey8", Engine="valkey", EngineVersion="8.1"),
        group(PreferredMaintenanceWindow="sun:23:00-mon:00:00", SnapshotWindow="00:00-01:00"),
        sharded(ReplicasPerNodeGroup=0, AutomaticFailoverEnabled=True),
        cluster(ParameterGroupName="default.memorydb-redis7"),
        cluster(TLSEnabled="true", NumShards="2"),
    ],
)
def test_what_is_newer_or_at_a_limit_is_accepted(legal: dict[str, Any]) -> None:
    resource_type = CLUSTER if "ClusterName" in legal else GROUP
    assert refusal(Case(resource_type, "", legal)) is None


def test_a_machine_may_have_an_engine_that_aws_does_not_offer() -> None:
    case = Case(GROUP, "", group(EngineVersion="6.9"))
    assert "Cannot find version 6.9 for redis" in str(refusal(case))
    here = Known(machine=frozenset({("redis", "6.9")}))
    assert refusal(Case(GROUP, "", group(EngineVersion="6.9"), None, here)) is None


def test_the_facts_are_those_of_cfn_lint_and_of_the_library() -> None:
    path = Path(facts.__file__).with_name("facts.json")
    assert json.loads(path.read_text()) == service_facts.facts(), service_facts.__doc__
