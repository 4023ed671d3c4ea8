"""CloudFormation stacks in the local cloud: each resource gets its declared properties, or fails with the reason."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.local.support.clouds import Cloud, StackFailedError

PASSWORD = "a-password-of-sixteen"
GET_ENDPOINT = {
    "Address": {"Fn::GetAtt": ["Group", "PrimaryEndPoint.Address"]},
    "Port": {"Fn::GetAtt": ["Group", "PrimaryEndPoint.Port"]},
    "ReaderPort": {"Fn::GetAtt": ["Group", "ReaderEndPoint.Port"]},
}


def access(cloud: Cloud, access_string: str) -> dict[str, Any]:
    """A password user and its user group."""
    engine = cloud.local.engine.name
    default = {"UserId": "nobody", "UserName": "default", "Engine": engine, "AccessString": "off -@all"}
    mode = {"Type": "password", "Passwords": ["{{resolve:secretsmanager:app-password:SecretString}}"]}
    user = {"UserId": "app", "UserName": "app", "Engine": engine, "AccessString": access_string}
    return {
        "Secret": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"Name": "app-password", "SecretString": PASSWORD},
        },
        "Default": {
            "Type": "AWS::ElastiCache::User",
            "Properties": {**default, "AuthenticationMode": {"Type": "password", "Passwords": [PASSWORD]}},
        },
        "User": {
            "Type": "AWS::ElastiCache::User",
            "DependsOn": "Secret",
            "Properties": {**user, "AuthenticationMode": mode},
        },
        "Users": {
            "Type": "AWS::ElastiCache::UserGroup",
            "Properties": {
                "UserGroupId": "users",
                "Engine": engine,
                "UserIds": [{"Ref": "Default"}, {"Ref": "User"}],
            },
        },
    }


def group(cloud: Cloud, **properties: Any) -> dict[str, Any]:
    """A replication group."""
    return {
        "Type": "AWS::ElastiCache::ReplicationGroup",
        "Properties": {
            "ReplicationGroupDescription": "a group",
            "TransitEncryptionEnabled": True,
            **cloud.engine,
            **properties,
        },
    }


def connect(cloud: Cloud, port: str, user: str = "app", password: str = PASSWORD) -> redis.Redis:
    return redis.Redis(
        host="localhost",
        port=int(port),
        username=user,
        password=password,
        ssl=True,
        ssl_ca_certs=cloud.local.environment["SSL_CERT_FILE"],
        decode_responses=True,
        protocol=2,
        # redis-py treats a refused password as a lost connection, and retries for seconds.
        retry=Retry(NoBackoff(), 0),
    )


def test_a_group_without_cluster_mode_is_created_updated_in_place_and_deleted(cloud: Cloud) -> None:
    parameters = {
        "CacheParameterGroupFamily": cloud.family,
        "Description": "p",
        "Properties": {"maxmemory-policy": "noeviction"},
    }
    resources = {
        **access(cloud, "on ~app:* -@all +@read +@write +info +config"),
        "Parameters": {"Type": "AWS::ElastiCache::ParameterGroup", "Properties": parameters},
        "Group": group(
            cloud,
            ReplicationGroupId="Plain",
            NumCacheClusters=2,
            UserGroupIds=[{"Ref": "Users"}],
            CacheParameterGroupName={"Ref": "Parameters"},
        ),
    }
    made = cloud.deploy("plain", resources, {**GET_ENDPOINT, "Id": {"Ref": "Group"}})
    assert (made["Id"], made["Address"]) == ("plain", "localhost")
    client = connect(cloud, made["Port"])
    assert client.set("app:a", "1")
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert connect(cloud, made["ReaderPort"]).info("replication")["role"] == "slave"
    for name, password in [("default", PASSWORD), ("app", "another-password-16")]:
        with pytest.raises(redis.AuthenticationError):
            connect(cloud, made["Port"], name, password).ping()

    resources["User"]["Properties"]["AccessString"] = "on ~app:* ~new:* -@all +@all"
    resources["Parameters"]["Properties"]["Properties"] = {"maxmemory-policy": "allkeys-lru"}
    resources["Group"]["Properties"]["NumCacheClusters"] = 3
    assert cloud.deploy("plain", resources, {**GET_ENDPOINT, "Id": {"Ref": "Group"}}) == made
    client = connect(cloud, made["Port"])
    assert client.set("new:a", "1")
    assert client.get("app:a") == "1"
    assert client.info("replication")["connected_slaves"] == 2
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}

    cloud.delete("plain")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("localhost", int(made["Port"])), timeout=2)


def test_a_group_with_cluster_mode_has_a_configuration_endpoint_and_reshards(cloud: Cloud) -> None:
    outputs = {"Port": {"Fn::GetAtt": ["Group", "ConfigurationEndPoint.Port"]}}
    online = {"UpdatePolicy": {"UseOnlineResharding": True}}
    resources = {"Group": {**group(cloud, NumNodeGroups=2, ReplicasPerNodeGroup=0), **online}}
    made = cloud.deploy("clustered", resources, outputs)
    client = redis.RedisCluster(
        host="localhost", port=int(made["Port"]), ssl=True, ssl_ca_certs=cloud.local.environment["SSL_CERT_FILE"]
    )
    client.set("a", "1")
    resources["Group"]["Properties"]["NumNodeGroups"] = 3
    assert cloud.deploy("clustered", resources, outputs) == made
    assert client.get("a") == b"1"
    slots = client.cluster_slots(target_nodes=client.get_random_node())
    assert len({shard["primary"] for shard in slots.values()}) == 3
    cloud.delete("clustered")


def test_one_shard_is_a_cluster_when_cluster_mode_is_on(cloud: Cloud) -> None:
    resources = {"Group": group(cloud, NumNodeGroups=1, ReplicasPerNodeGroup=0, ClusterMode="enabled")}
    made = cloud.deploy("one", resources, {"Port": {"Fn::GetAtt": ["Group", "ConfigurationEndPoint.Port"]}})
    assert connect(cloud, made["Port"], "default", "").info("cluster")["cluster_enabled"] == 1
    cloud.delete("one")


def test_an_auth_token_is_the_password_of_the_default_user(cloud: Cloud) -> None:
    made = cloud.deploy("token", {"Group": group(cloud, NumCacheClusters=1, AuthToken=PASSWORD)}, GET_ENDPOINT)
    assert connect(cloud, made["Port"], "default").ping()
    with pytest.raises(redis.AuthenticationError):
        connect(cloud, made["Port"], "default", "another-password-16").ping()
    cloud.delete("token")


def test_memorydb_applies_changes_of_its_acl_and_parameters(cloud: Cloud) -> None:
    mode = {"Type": "password", "Passwords": [PASSWORD]}
    resources: dict[str, Any] = {
        "User": {
            "Type": "AWS::MemoryDB::User",
            "Properties": {"UserName": "app", "AccessString": "on ~app:* +@all", "AuthenticationMode": mode},
        },
        "Acl": {"Type": "AWS::MemoryDB::ACL", "Properties": {"ACLName": "acl", "UserNames": [{"Ref": "User"}]}},
        "Parameters": {
            "Type": "AWS::MemoryDB::ParameterGroup",
            "Properties": {
                "ParameterGroupName": "p",
                "Family": "memorydb_redis7",
                "Parameters": {"maxmemory-policy": "noeviction", "search-query-timeout-ms": "1000"},
            },
        },
        "Cluster": {
            "Type": "AWS::MemoryDB::Cluster",
            "Properties": {
                "ClusterName": "cluster",
                "NodeType": "db.t4g.small",
                "ACLName": {"Ref": "Acl"},
                "ParameterGroupName": {"Ref": "Parameters"},
                "NumReplicasPerShard": 0,
                **cloud.engine,
            },
        },
    }
    outputs = {
        "Port": {"Fn::GetAtt": ["Cluster", "ClusterEndpoint.Port"]},
        "Address": {"Fn::GetAtt": ["Cluster", "ClusterEndpoint.Address"]},
        "Arn": {"Fn::GetAtt": ["Cluster", "ARN"]},
        "AclArn": {"Fn::GetAtt": ["Acl", "Arn"]},
    }
    made = cloud.deploy("memorydb", resources, outputs)
    assert made["Arn"] == "arn:aws:memorydb:us-east-1:000000000000:cluster/cluster"
    assert made["AclArn"] == "arn:aws:memorydb:us-east-1:000000000000:acl/acl"
    assert connect(cloud, made["Port"]).set("app:a", "1")
    assert cloud.has_said(f"these parameters have no effect on {cloud.local.engine}: search-query-timeout-ms")
    resources["User"]["Properties"]["AccessString"] = "on ~other:* +@all"
    resources["Parameters"]["Properties"]["Parameters"] = {"maxmemory-policy": "allkeys-lru"}
    cloud.deploy("memorydb", resources, outputs)
    client = connect(cloud, made["Port"])
    # MemoryDB reserves CONFIG for itself, so the test reads INFO.
    assert client.info("memory")["maxmemory_policy"] == "allkeys-lru"
    with pytest.raises(redis.exceptions.NoPermissionError):
        client.get("app:a")
    resources["Cluster"]["Properties"]["ACLName"] = "open-access"
    cloud.deploy("memorydb", resources, outputs)
    assert connect(cloud, made["Port"], "default", "").get("app:a") == "1"
    cloud.delete("memorydb")


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"Engine": "valkey", "EngineVersion": "99.9"}, "declares valkey 99.9.*deploy with -c engine="),
        ({"UserGroupIds": ["no-such-group"]}, "User group no-such-group not found."),
        ({"NodeGroupConfiguration": [{"ReplicaCount": 1}, {"ReplicaCount": 2}]}, "the same number of replicas"),
    ],
)
def test_a_group_with_invalid_properties_fails_its_stack_with_the_reason(
    cloud: Cloud, properties: dict[str, Any], reason: str
) -> None:
    with pytest.raises(StackFailedError, match=reason):
        cloud.deploy("refused", {"Group": group(cloud, **properties)})
    cloud.delete("refused")


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"AccessString": "on +no-such-command"}, "the engine|Unknown command or category"),
        (
            {"AuthenticationMode": {"Type": "password", "Passwords": ["short"]}},
            "Passwords length must be between 16-128 characters.",
        ),
        ({"AuthenticationMode": {"Type": "iam"}, "UserName": "another"}, "User Id and User name must be same"),
    ],
)
def test_a_user_with_invalid_properties_fails_its_stack_with_the_reason(
    cloud: Cloud, properties: dict[str, Any], reason: str
) -> None:
    resources = {**access(cloud, "on ~* +@all"), "Group": group(cloud, UserGroupIds=[{"Ref": "Users"}])}
    resources["User"]["Properties"] |= properties
    with pytest.raises(StackFailedError, match=reason):
        cloud.deploy("refused", resources)
    cloud.delete("refused")


def test_the_configuration_endpoint_of_a_group_without_cluster_mode_is_an_error(cloud: Cloud) -> None:
    outputs = {"Port": {"Fn::GetAtt": ["Group", "ConfigurationEndPoint.Port"]}}
    with pytest.raises(StackFailedError, match="ConfigurationEndPoint"):
        cloud.deploy("wrong", {"Group": group(cloud, NumCacheClusters=1)}, outputs)
    cloud.delete("wrong")


def test_ref_of_a_secret_is_its_arn_also_after_an_update(cloud: Cloud) -> None:
    secret = {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "a-secret", "SecretString": "one"}}
    made = cloud.deploy("secret", {"Secret": secret}, {"Ref": {"Ref": "Secret"}})
    assert made["Ref"].startswith("arn:aws:secretsmanager:us-east-1:000000000000:secret:a-secret-")
    secret["Properties"] = {"Name": "a-secret", "SecretString": "two"}
    assert cloud.deploy("secret", {"Secret": secret}, {"Ref": {"Ref": "Secret"}}) == made
    secrets = cloud.client("secretsmanager")
    assert secrets.get_secret_value(SecretId=made["Ref"])["SecretString"] == "two"
    cloud.delete("secret")
    assert secrets.list_secrets()["SecretList"] == []


def test_a_resource_type_without_effect_is_reported_once(cloud: Cloud) -> None:
    rule = {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {"IpProtocol": "tcp", "GroupId": "sg-1"}}
    log = {"Type": "AWS::EC2::FlowLog", "Properties": {"ResourceId": "vpc-1", "ResourceType": "VPC"}}
    cloud.deploy("inert", {"One": rule, "Two": rule, "Log": log})
    assert cloud.has_said("AWS::EC2::FlowLog has no effect")
    said = [text for text in cloud.local.said if "connections on loopback are not filtered" in text]
    assert len(said) == 1
    cloud.delete("inert")


def memorydb(cloud: Cloud, acl: dict[str, Any]) -> dict[str, Any]:
    """A MemoryDB cluster of one node, and a user with all permissions."""
    mode = {"Type": "password", "Passwords": [PASSWORD]}
    user = {"UserName": "admin", "AccessString": "on ~* &* +@all", "AuthenticationMode": mode}
    cluster = {"ClusterName": "ledger", "NodeType": "db.t4g.small", "NumShards": 1, "NumReplicasPerShard": 0}
    return {
        "User": {"Type": "AWS::MemoryDB::User", "Properties": user},
        "Acl": {"Type": "AWS::MemoryDB::ACL", "Properties": {"ACLName": "acl", "UserNames": [{"Ref": "User"}]}},
        "Ledger": {"Type": "AWS::MemoryDB::Cluster", "Properties": {**cluster, **acl, **cloud.engine}},
    }


@pytest.mark.parametrize("acl", [{"ACLName": {"Ref": "Acl"}}, {"ACLName": "open-access"}], ids=["users", "open access"])
def test_memorydb_refuses_its_managed_commands_to_all_users(cloud: Cloud, acl: dict[str, Any]) -> None:
    port = {"Port": {"Fn::GetAtt": ["Ledger", "ClusterEndpoint.Port"]}}
    outputs = cloud.deploy("managed", memorydb(cloud, acl), port)
    user = ("default", "") if acl["ACLName"] == "open-access" else ("admin", PASSWORD)
    client = connect(cloud, outputs["Port"], *user)
    assert client.set("key", "value")
    commands = ["CONFIG GET maxmemory", "ACL SETUSER other on", "MODULE LIST", "REPLICAOF NO ONE", "BGSAVE"]
    allowed = [command for command in commands if not is_refused(client, command)]
    cloud.delete("managed")
    assert allowed == []


def is_refused(client: redis.Redis, command: str) -> bool:
    try:
        client.execute_command(*command.split())
    except redis.exceptions.NoPermissionError:
        return True
    return False
