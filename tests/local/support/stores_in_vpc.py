"""A template with one store of each service in a VPC, for tests that describe them."""

from __future__ import annotations

from typing import Any

from tests.local.support.resources import PASSWORD

GROUP, CLUSTER = "orders", "ledger"
TAGS = [{"Key": "team", "Value": "a = b"}]


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def both_stores(engine: dict[str, str], *, replicas: int = 1, shards: int = 2) -> dict[str, Any]:
    """A replication group without cluster mode, and a cluster of MemoryDB.

    Args:
        engine: Engine and its version.
        replicas: Replicas of the group; the cluster has one for each shard.
        shards: Shards of the cluster.
    """
    return {**_network(), **_group(engine, replicas), **_cluster(engine, shards)}


def _network() -> dict[str, Any]:
    subnets = {
        f"Subnet{number}": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {
                "VpcId": ref("Vpc"),
                "CidrBlock": f"10.0.{number}.0/24",
                "AvailabilityZone": {"Fn::Select": [number, {"Fn::GetAZs": ""}]},
            },
        }
        for number in range(2)
    }
    ids, about = [ref(name) for name in subnets], "Two zones"
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        **subnets,
        "GroupSubnets": {
            "Type": "AWS::ElastiCache::SubnetGroup",
            "Properties": {"CacheSubnetGroupName": "places", "Description": about, "SubnetIds": ids},
        },
        "ClusterSubnets": {
            "Type": "AWS::MemoryDB::SubnetGroup",
            "Properties": {"SubnetGroupName": "places", "Description": about, "SubnetIds": ids, "Tags": TAGS},
        },
    }


def _group(engine: dict[str, str], replicas: int) -> dict[str, Any]:
    name, kind = engine["Engine"], "AWS::ElastiCache"
    off = {"UserId": "nobody", "UserName": "default", "Engine": name, "AccessString": "off -@all"}
    app = {"UserId": "app-id", "UserName": "app", "Engine": name, "AccessString": "on ~* &* +@all"}
    return {
        "Off": {"Type": f"{kind}::User", "Properties": {**off, "Passwords": [PASSWORD, f"{PASSWORD}-2"]}},
        "App": {"Type": f"{kind}::User", "Properties": {**app, "Passwords": [PASSWORD], "Tags": TAGS}},
        "Users": {
            "Type": f"{kind}::UserGroup",
            "Properties": {"UserGroupId": "all-users", "Engine": name, "UserIds": [ref("Off"), ref("App")]},
        },
        "GroupParameters": {
            "Type": f"{kind}::ParameterGroup",
            "Properties": {
                "CacheParameterGroupFamily": f"{name}{engine['EngineVersion'].split('.')[0]}",
                "Description": "Evicts",
                "Properties": {"maxmemory-policy": "allkeys-lru"},
            },
        },
        "Group": {
            "Type": f"{kind}::ReplicationGroup",
            "Properties": {
                "ReplicationGroupId": GROUP,
                "ReplicationGroupDescription": "Orders & more",
                **engine,
                "CacheNodeType": "cache.t4g.small",
                "NumCacheClusters": 1 + replicas,
                "AutomaticFailoverEnabled": True,
                "MultiAZEnabled": True,
                "TransitEncryptionEnabled": True,
                "AtRestEncryptionEnabled": True,
                "CacheSubnetGroupName": ref("GroupSubnets"),
                "CacheParameterGroupName": ref("GroupParameters"),
                "SecurityGroupIds": [{"Fn::GetAtt": ["Vpc", "DefaultSecurityGroup"]}],
                "UserGroupIds": [ref("Users")],
                "SnapshotRetentionLimit": 3,
                "Tags": TAGS,
            },
        },
    }


def _cluster(engine: dict[str, str], shards: int) -> dict[str, Any]:
    kind = "AWS::MemoryDB"
    mode = {"Type": "password", "Passwords": [PASSWORD]}
    return {
        "Writer": {
            "Type": f"{kind}::User",
            "Properties": {"UserName": "writer", "AccessString": "on ~* &* +@all", "AuthenticationMode": mode},
        },
        "Reader": {
            "Type": f"{kind}::User",
            "Properties": {
                "UserName": "reader",
                "AccessString": "on ~* +@read",
                "AuthenticationMode": {"Type": "iam"},
            },
        },
        "Acl": {
            "Type": f"{kind}::ACL",
            "Properties": {"ACLName": "people", "UserNames": [ref("Writer"), ref("Reader")]},
        },
        "ClusterParameters": {
            "Type": f"{kind}::ParameterGroup",
            "Properties": {
                "ParameterGroupName": "settings",
                "Family": f"memorydb_{engine['Engine']}{engine['EngineVersion'].split('.')[0]}",
                "Parameters": {"activedefrag": "no", "maxmemory-policy": "allkeys-lfu"},
            },
        },
        "Cluster": {
            "Type": f"{kind}::Cluster",
            "Properties": {
                "ClusterName": CLUSTER,
                **engine,
                "NodeType": "db.t4g.small",
                "NumShards": shards,
                "NumReplicasPerShard": 1,
                "ACLName": ref("Acl"),
                "SubnetGroupName": ref("ClusterSubnets"),
                "ParameterGroupName": ref("ClusterParameters"),
                "SecurityGroupIds": [{"Fn::GetAtt": ["Vpc", "DefaultSecurityGroup"]}],
                "Tags": TAGS,
            },
        },
    }
