"""Updates that replace a store, as CloudFormation does, and updates of access that do not."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cdk_redis_local import LocalCloud, find_engines
from tests.local.support.clouds import Cloud, StackFailedError
from tests.local.support.engine_processes import engine_processes
from tests.support.concurrency import wait_until

pytestmark = pytest.mark.long

FIRST, SECOND = "the-first-token-of-16", "the-second-token-of-16"
ENGINES = {program.name: program for program in find_engines()}
ONLINE = {"UpdatePolicy": {"UseOnlineResharding": True}}


def group(cloud: Cloud, **properties: Any) -> dict[str, Any]:
    defaults = {"ReplicationGroupDescription": "g", "TransitEncryptionEnabled": True, "AutomaticFailoverEnabled": False}
    sizes = {"NumNodeGroups": 1, "ReplicasPerNodeGroup": 0}
    properties = {**defaults, **sizes, **cloud.engine, **properties}
    return {"Type": "AWS::ElastiCache::ReplicationGroup", "Properties": properties}


def port(attribute: str) -> dict[str, Any]:
    return {"Port": {"Fn::GetAtt": ["Store", attribute]}, "Id": {"Ref": "Store"}}


def connect(cloud: Cloud, made: dict[str, str], user: str | None = None, password: str | None = None) -> redis.Redis:
    trusted = cloud.local.environment["SSL_CERT_FILE"]
    return redis.Redis(
        host="localhost",
        port=int(made["Port"]),
        username=user,
        password=password,
        ssl=True,
        ssl_ca_certs=trusted,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
    )


def test_shards_change_in_place_only_with_online_resharding(cloud: Cloud) -> None:
    clustered = {"ClusterMode": "enabled", "AutomaticFailoverEnabled": True}
    outputs = port("ConfigurationEndPoint.Port")
    first = cloud.deploy("resharded", {"Store": {**group(cloud, **clustered), **ONLINE}}, outputs)
    connect(cloud, first).set("key", "1")
    online = {"Store": {**group(cloud, **clustered, NumNodeGroups=2), **ONLINE}}
    assert cloud.deploy("resharded", online, outputs) == first
    before = set(engine_processes(cloud))
    assert len(before) == 2
    replaced = cloud.deploy("resharded", {"Store": group(cloud, **clustered)}, outputs)
    assert replaced["Id"] != first["Id"]
    assert connect(cloud, replaced).get("key") is None
    assert len(engine_processes(cloud)) == 1
    assert not before & set(engine_processes(cloud))
    cloud.delete("resharded")


def test_a_group_with_a_name_cannot_be_replaced_but_reshards_online(cloud: Cloud) -> None:
    named = {"ClusterMode": "enabled", "AutomaticFailoverEnabled": True, "ReplicationGroupId": "named"}
    outputs = port("ConfigurationEndPoint.Port")
    first = cloud.deploy("named", {"Store": {**group(cloud, **named), **ONLINE}}, outputs)
    with pytest.raises(StackFailedError, match="cannot update a stack when a custom-named resource requires replacing"):
        cloud.deploy("named", {"Store": group(cloud, **named, NumNodeGroups=2)}, outputs)
    more = {**group(cloud, **named, NumNodeGroups=2), **ONLINE}
    assert cloud.deploy("named", {"Store": more}, outputs) == first
    # The way back of an update changes the shards in place, whatever the policy of the failed update.
    with pytest.raises(StackFailedError):
        cloud.deploy("named", {"Store": {**group(cloud, **named), **ONLINE}, "Broken": broken()}, outputs)
    assert len(engine_processes(cloud)) == 2
    cloud.delete("named")


def broken() -> dict[str, Any]:
    """A resource that fails after the store was updated."""
    properties = {"ReplicationGroupDescription": {"Fn::GetAtt": ["Store", "ConfigurationEndPoint.Port"]}}
    properties |= {"Engine": "valkey", "EngineVersion": "99.9", "TransitEncryptionEnabled": True}
    return {"Type": "AWS::ElastiCache::ReplicationGroup", "Properties": properties}


def test_a_property_that_only_creation_can_set_replaces_the_store(cloud: Cloud) -> None:
    outputs = port("PrimaryEndPoint.Port")
    first = cloud.deploy("moved", {"Store": group(cloud, Port=6379)}, outputs)
    connect(cloud, first).set("key", "1")
    replaced = cloud.deploy("moved", {"Store": group(cloud, Port=7000)}, outputs)
    assert replaced["Id"] != first["Id"]
    assert connect(cloud, replaced).get("key") is None
    assert len(engine_processes(cloud)) == 1
    # Without effect on engines, and in place.
    others = {"CacheNodeType": "cache.r7g.large", "PreferredMaintenanceWindow": "sun:05:00-sun:06:00"}
    connect(cloud, replaced).set("key", "2")
    assert cloud.deploy("moved", {"Store": group(cloud, Port=7000, **others)}, outputs) == replaced
    assert connect(cloud, replaced).get("key") == "2"
    cloud.delete("moved")


def test_auth_tokens_change_in_place_and_user_groups_take_their_place(cloud: Cloud) -> None:
    mode = {"Type": "password", "Passwords": ["a-password-of-sixteen"]}
    engine = cloud.engine["Engine"]
    users = {
        name: {
            "Type": "AWS::ElastiCache::User",
            "Properties": {"UserId": f"{name.lower()}-1", "UserName": user, "Engine": engine, "AccessString": access}
            | {"AuthenticationMode": mode},
        }
        for name, user, access in [("Nobody", "default", "off -@all"), ("App", "app", "on ~* +@all")]
    }
    members = {"UserGroupId": "team", "Engine": engine, "UserIds": [{"Ref": "Nobody"}, {"Ref": "App"}]}
    access = {**users, "Team": {"Type": "AWS::ElastiCache::UserGroup", "Properties": members}}
    outputs = port("PrimaryEndPoint.Port")
    made = cloud.deploy("access", {**access, "Store": group(cloud, AuthToken=FIRST)}, outputs)
    connect(cloud, made, password=FIRST).set("key", "1")
    assert cloud.deploy("access", {**access, "Store": group(cloud, AuthToken=SECOND)}, outputs) == made
    assert [connect(cloud, made, password=token).get("key") for token in (FIRST, SECOND)] == ["1", "1"]

    service = cloud.client("elasticache")
    change = {"ReplicationGroupId": made["Id"], "AuthTokenUpdateStrategy": "DELETE", "ApplyImmediately": True}
    with pytest.raises(service.exceptions.ClientError, match="DELETE is allowed only when transitioning to RBAC"):
        service.modify_replication_group(**change)
    service.modify_replication_group(**change, UserGroupIdsToAdd=["team"])
    wait_until(lambda: signs_in(cloud, made, "app", "a-password-of-sixteen"), ignore=(redis.RedisError,))
    assert connect(cloud, made, "app", "a-password-of-sixteen").get("key") == "1"
    assert not signs_in(cloud, made, None, SECOND)
    # In CloudFormation, the same change replaces the group.
    replaced = cloud.deploy("access", {**access, "Store": group(cloud, UserGroupIds=[{"Ref": "Team"}])}, outputs)
    assert replaced["Id"] != made["Id"]
    assert connect(cloud, replaced, "app", "a-password-of-sixteen").get("key") is None
    cloud.delete("access")


def signs_in(cloud: Cloud, made: dict[str, str], user: str | None, password: str) -> bool:
    try:
        return bool(connect(cloud, made, user, password).ping())
    except redis.AuthenticationError:
        return False


@pytest.mark.skipif(len(ENGINES) < 2, reason="an upgrade needs Redis and Valkey")
def test_memorydb_upgrades_in_place_and_replaces_for_tls(cloud: Cloud) -> None:
    old, new = (
        {"Engine": name, "EngineVersion": ENGINES[name].major_minor, "TLSEnabled": True} for name in ("redis", "valkey")
    )
    size = {"NodeType": "db.t4g.small", "ACLName": "open-access", "NumShards": 2, "NumReplicasPerShard": 0}
    outputs = port("ClusterEndpoint.Port")

    def cluster(**properties: Any) -> dict[str, Any]:
        return {"Store": {"Type": "AWS::MemoryDB::Cluster", "Properties": {**size, **properties}}}

    made = cloud.deploy("ledger", cluster(**old, ClusterName="first"), outputs)
    trusted = cloud.local.environment["SSL_CERT_FILE"]
    options: dict[str, Any] = {"host": "localhost", "decode_responses": True, "ssl": True, "ssl_ca_certs": trusted}
    keys = {f"key:{number}": json.dumps(number) for number in range(200)}
    redis.RedisCluster(port=int(made["Port"]), **options).mset_nonatomic(keys)
    assert cloud.deploy("ledger", cluster(**new, ClusterName="first"), outputs) == made
    client = redis.RedisCluster(port=int(made["Port"]), **options)
    assert client.mget_nonatomic(list(keys)) == list(keys.values())
    version = {node.redis_connection.info("server")["valkey_version"] for node in client.get_primaries()}
    assert version == {ENGINES["valkey"].version}
    # Each write is on disk before it is acknowledged, as before.
    assert all(node.redis_connection.info("persistence")["aof_enabled"] == 1 for node in client.get_primaries())
    with pytest.raises(StackFailedError, match="cannot update a stack when a custom-named resource requires replacing"):
        cloud.deploy("ledger", cluster(**{**new, "TLSEnabled": False}, ClusterName="first"), outputs)
    replaced = cloud.deploy("ledger", cluster(**{**new, "TLSEnabled": False}, ClusterName="second"), outputs)
    plain = redis.RedisCluster(port=int(replaced["Port"]), host="localhost", decode_responses=True)
    assert plain.mget_nonatomic(list(keys)) == [None] * len(keys)
    cloud.delete("ledger")


def test_a_new_version_that_another_engine_stands_in_for_changes_no_node() -> None:
    with LocalCloud(stand_in=True) as local:
        cloud = Cloud(local)
        outputs = port("PrimaryEndPoint.Port")
        made = cloud.deploy("stand-in", {"Store": group(cloud, Engine="valkey", EngineVersion="7.2")}, outputs)
        connect(cloud, made).set("key", "1")
        before = engine_processes(cloud)
        newer = {"Store": group(cloud, Engine="valkey", EngineVersion="8.0")}
        assert cloud.deploy("stand-in", newer, outputs) == made
        assert cloud.has_said("stands in for valkey 8.0, which this machine does not have")
        assert (engine_processes(cloud), connect(cloud, made).get("key")) == (before, "1")
        with pytest.raises(StackFailedError, match=r"Cannot downgrade the engine from version 8\.0 to version 7\.2"):
            cloud.deploy("stand-in", {"Store": group(cloud, Engine="valkey", EngineVersion="7.2")}, outputs)
