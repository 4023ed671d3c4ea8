"""Snapshots in the local cloud: real RDB files, which outlive their store and which a new store starts with."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from botocore.exceptions import ClientError

from cdk_redis_local._engines.program import find_engines
from tests.local.support.clouds import Cloud, StackFailedError
from tests.support.concurrency import wait_until

KEYS = {f"key:{number}": f"value {number}" for number in range(300)}
SLOTS = [{"Slots": "0-99"}, {"Slots": "100-9999"}, {"Slots": "10000-16383"}]


def group(cloud: Cloud, identifier: str, **properties: Any) -> dict[str, Any]:
    """A stack's resources: a replication group that is open to all."""
    properties = {"ReplicationGroupId": identifier, "ReplicationGroupDescription": "a group", **properties}
    return {
        "Group": {
            "Type": "AWS::ElastiCache::ReplicationGroup",
            "Properties": {"TransitEncryptionEnabled": True, **cloud.engine, **properties},
        }
    }


def cluster(cloud: Cloud, name: str, **properties: Any) -> dict[str, Any]:
    """A stack's resources: a MemoryDB cluster that is open to all."""
    properties = {"ClusterName": name, "ACLName": "open-access", "NodeType": "db.t4g.small", **properties}
    return {
        "Cluster": {
            "Type": "AWS::MemoryDB::Cluster",
            "Properties": {"NumReplicasPerShard": 0, **cloud.engine, **properties},
        }
    }


PORT_OF_GROUP = {"Port": {"Fn::GetAtt": ["Group", "ConfigurationEndPoint.Port"]}}
PORT_OF_PLAIN_GROUP = {"Port": {"Fn::GetAtt": ["Group", "PrimaryEndPoint.Port"]}}
PORT_OF_CLUSTER = {"Port": {"Fn::GetAtt": ["Cluster", "ClusterEndpoint.Port"]}}


def connect(cloud: Cloud, made: dict[str, str], *, cluster_mode: bool = True) -> Any:
    """A client of the store of a stack with these outputs."""
    trusted = {"ssl": True, "ssl_ca_certs": cloud.local.environment["SSL_CERT_FILE"], "decode_responses": True}
    return (redis.RedisCluster if cluster_mode else redis.Redis)(host="localhost", port=int(made["Port"]), **trusted)


def available(cloud: Cloud, name: str) -> dict[str, Any]:
    """The description of a snapshot of ElastiCache, when it is available."""
    cache = cloud.client("elasticache")

    def look() -> dict[str, Any]:
        [found] = cache.describe_snapshots(SnapshotName=name, ShowNodeGroupConfig=True)["Snapshots"]
        assert found["SnapshotStatus"] in ("creating", "available")
        return found if found["SnapshotStatus"] == "available" else {}

    return wait_until(look)


@pytest.fixture(scope="module")
def saved(cloud: Cloud) -> str:
    """The name of a snapshot of a group with two shards that is deleted, also in the bucket ``exported``."""
    made = cloud.deploy("saved", group(cloud, "saved", NumNodeGroups=2, ReplicasPerNodeGroup=0), PORT_OF_GROUP)
    connect(cloud, made).mset_nonatomic(KEYS)
    cache = cloud.client("elasticache")
    begun = cache.create_snapshot(ReplicationGroupId="saved", SnapshotName="kept")["Snapshot"]
    assert (begun["SnapshotStatus"], begun["ReplicationGroupId"]) == ("creating", "saved")
    available(cloud, "kept")
    with pytest.raises(ClientError, match=r"SnapshotAlreadyExistsFault.*Snapshot with specified name already exists"):
        cache.create_snapshot(ReplicationGroupId="saved", SnapshotName="kept")
    cloud.client("s3").create_bucket(Bucket="exported")
    cache.copy_snapshot(SourceSnapshotName="kept", TargetSnapshotName="move", TargetBucket="exported")
    cloud.delete("saved")
    return "kept"


def test_a_snapshot_is_described_after_its_group_is_deleted(cloud: Cloud, saved: str) -> None:
    cache = cloud.client("elasticache")
    described = available(cloud, saved)
    assert described["ARN"] == "arn:aws:elasticache:us-east-1:000000000000:snapshot:kept"
    assert (described["Engine"], described["NumNodeGroups"]) == (cloud.local.engine.name, 2)
    nodes = [(one["CacheClusterId"], one["NodeGroupConfiguration"]["Slots"]) for one in described["NodeSnapshots"]]
    assert nodes == [("saved-0001-001", "0-8191"), ("saved-0002-001", "8192-16383")]
    assert [one["SnapshotName"] for one in cache.describe_snapshots(ReplicationGroupId="saved")["Snapshots"]] == [
        "kept"
    ]
    copied = cache.copy_snapshot(SourceSnapshotName=saved, TargetSnapshotName="copied")["Snapshot"]
    assert copied["SnapshotName"] == "copied"
    assert cache.delete_snapshot(SnapshotName="copied")["Snapshot"]["SnapshotStatus"] == "deleting"
    for missing in (cache.describe_snapshots, cache.delete_snapshot):
        with pytest.raises(ClientError, match=r"SnapshotNotFoundFault.*Snapshot copied not found"):
            missing(SnapshotName="copied")
    for group_id in ("no-such", "saved"):  # the second one is deleted
        with pytest.raises(ClientError, match="ReplicationGroupNotFoundFault"):
            cache.create_snapshot(ReplicationGroupId=group_id, SnapshotName="another")


def test_a_group_with_other_slots_starts_with_the_keys_of_a_snapshot(cloud: Cloud, saved: str) -> None:
    properties = {"SnapshotName": saved, "NodeGroupConfiguration": SLOTS, "ClusterMode": "enabled"}
    client = connect(cloud, cloud.deploy("restored", group(cloud, "restored", **properties), PORT_OF_GROUP))
    assert dict(zip(KEYS, client.mget_nonatomic(list(KEYS)), strict=True)) == KEYS
    owned = sorted(client.execute_command("CLUSTER SLOTS", target_nodes="random"))
    assert owned == [(0, 99), (100, 9999), (10000, 16383)]
    cloud.delete("restored")


def test_a_memorydb_cluster_starts_with_the_exported_files_and_its_final_snapshot_has_its_keys(
    cloud: Cloud, saved: str
) -> None:
    del saved
    names = [one["Key"] for one in cloud.client("s3").list_objects_v2(Bucket="exported")["Contents"]]
    assert names == ["move-0001.rdb", "move-0002.rdb"]
    arns = [f"arn:aws:s3:::exported/{name}" for name in names]
    seeded = cluster(cloud, "seeded", SnapshotArns=arns, FinalSnapshotName="final")
    client = connect(cloud, cloud.deploy("seeded", seeded, PORT_OF_CLUSTER))
    assert client.dbsize() == len(KEYS)
    client.set("another", "1")
    cloud.delete("seeded")
    memorydb = cloud.client("memorydb")
    [final] = memorydb.describe_snapshots(SnapshotName="final", ShowDetail=True)["Snapshots"]
    assert (final["Status"], final["ClusterConfiguration"]["Name"]) == ("available", "seeded")
    assert final["ClusterConfiguration"]["Shards"][0]["Configuration"] == {"Slots": "0-16383", "ReplicaCount": 0}

    again = cluster(cloud, "again", SnapshotName="final", NumShards=2, FinalSnapshotName="final")
    client = connect(cloud, cloud.deploy("again", again, PORT_OF_CLUSTER))
    assert dict(zip(KEYS, client.mget_nonatomic(list(KEYS)), strict=True)) == KEYS
    assert client.get("another") == "1"
    # Its final snapshot has a name that is taken, so it is not deleted.
    with pytest.raises(AssertionError):
        cloud.delete("again")
    assert "SnapshotAlreadyExistsFault: Snapshot with specified name already exists." in cloud.reasons("again")
    assert client.get("another") == "1"
    memorydb.delete_snapshot(SnapshotName="final")
    cloud.delete("again")


def test_a_deleted_and_a_replaced_group_leave_final_snapshots_with_their_keys(cloud: Cloud) -> None:
    template = group(cloud, "x", NumCacheClusters=1)
    del template["Group"]["Properties"]["ReplicationGroupId"]  # CloudFormation names the group
    template["Group"] |= {"DeletionPolicy": "Snapshot", "UpdateReplacePolicy": "Snapshot"}
    outputs = {**PORT_OF_PLAIN_GROUP, "Id": {"Ref": "Group"}}
    first = cloud.deploy("policy", template, outputs)
    connect(cloud, first, cluster_mode=False).set("key", "first")
    template["Group"]["Properties"]["Port"] = 6380
    second = cloud.deploy("policy", template, outputs)
    assert second["Id"] != first["Id"]
    client = connect(cloud, second, cluster_mode=False)
    assert client.get("key") is None
    client.set("key", "second")
    cloud.delete("policy")
    cache = cloud.client("elasticache")
    for made, value in ((first, "first"), (second, "second")):
        [final] = cache.describe_snapshots(ReplicationGroupId=made["Id"])["Snapshots"]
        assert final["SnapshotName"].startswith("policy-snapshot-group-")
        name = f"restored-{value}"
        resources = group(cloud, name, NumCacheClusters=1, SnapshotName=final["SnapshotName"])
        restored = cloud.deploy(name, resources, PORT_OF_PLAIN_GROUP)
        assert connect(cloud, restored, cluster_mode=False).get("key") == value
        cloud.delete(name)


def test_a_group_that_is_rolled_back_leaves_no_final_snapshot(cloud: Cloud) -> None:
    template = group(cloud, "rolled-back", NumCacheClusters=1)
    template["Group"]["DeletionPolicy"] = "Snapshot"
    bad = {"Type": "AWS::MemoryDB::ACL", "DependsOn": "Group", "Properties": {"ACLName": "open-access"}}
    with pytest.raises(StackFailedError, match=r"open-access.* already exists"):
        cloud.deploy("rolled-back", {**template, "Bad": bad})
    snapshots = cloud.client("elasticache").describe_snapshots()["Snapshots"]
    assert "rolled-back" not in {one["ReplicationGroupId"] for one in snapshots}
    cloud.delete("rolled-back")


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"SnapshotName": "no-such"}, "SnapshotNotFoundFault: Snapshot no-such not found."),
        (
            {"SnapshotName": "kept"},
            "You cannot restore kept, .* cluster mode enabled, to a cluster with cluster mode d",
        ),
        ({"SnapshotArns": ["arn:aws:s3:::exported/text.rdb"]}, "text.rdb is not an RDB file"),
        ({"SnapshotArns": ["arn:aws:s3:::exported/none.rdb"]}, "bucket exported has no object with key none.rdb"),
        ({"SnapshotArns": ["arn:aws:s3:::no-such/file.rdb"]}, "The S3 bucket no-such does not exist"),
        (
            {"SnapshotArns": ["arn:aws:s3:::exported/move-0001.rdb"], "NumNodeGroups": 2, "ReplicasPerNodeGroup": 0},
            "Slots must be provided when restoring from snapshot ARNs with cluster mode enabled",
        ),
        (
            {"SnapshotName": "kept", "NodeGroupConfiguration": [{"Slots": "0-99"}, {"Slots": "101-16383"}]},
            "must have each slot from 0 to 16383 once, not 0-99, 101-16383",
        ),
    ],
)
def test_a_restore_that_is_not_possible_fails_the_stack_and_starts_nothing(
    cloud: Cloud, saved: str, properties: dict[str, Any], reason: str
) -> None:
    del saved
    cloud.client("s3").put_object(Bucket="exported", Key="text.rdb", Body=b"just a text")
    with pytest.raises(StackFailedError, match=reason):
        cloud.deploy("refused", group(cloud, "refused", **properties))
    assert not any(said.startswith("refused: ") for said in cloud.local.said)
    cloud.delete("refused")


def test_an_older_engine_refuses_a_snapshot_of_a_newer_one(cloud: Cloud) -> None:
    valkey = next((program for program in find_engines() if program.name == "valkey"), None)
    if valkey is None or cloud.local.engine.name == "valkey":
        pytest.skip("needs Redis and Valkey 9")
    newer = {"Engine": "valkey", "EngineVersion": valkey.major_minor, "NumCacheClusters": 1}
    made = cloud.deploy("newer", group(cloud, "newer", **newer), PORT_OF_PLAIN_GROUP)
    connect(cloud, made, cluster_mode=False).set("key", "1")
    cloud.client("elasticache").create_snapshot(CacheClusterId="newer-001", SnapshotName="of-valkey")
    available(cloud, "of-valkey")
    with pytest.raises(StackFailedError, match=rf"written by Valkey 9 or newer: {cloud.local.engine} cannot read it"):
        cloud.deploy("older", group(cloud, "older", NumCacheClusters=1, SnapshotName="of-valkey"))
    cloud.delete("older")
    cloud.delete("newer")
