"""Serverless caches in the local cloud: one host with two ports, TLS, users, IAM tokens, and changes in place."""

from __future__ import annotations

import json
from typing import Any

import botocore.exceptions
import pytest
import redis
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cdk_redis_local._engines.program import find_engines
from tests.local.support.clouds import Cloud
from tests.local.support.resources import connect, connect_cluster, elasticache_users

# Valkey, to which AWS upgrades a cache of Redis OSS in place, if this machine has it.
PROGRAM = min(find_engines(), key=lambda program: program.name != "valkey")
UPGRADED = {"Engine": PROGRAM.name, "MajorEngineVersion": PROGRAM.version.split(".")[0]}
OUTPUTS = {
    name.replace(".", ""): {"Fn::GetAtt": ["Cache", name]}
    for name in (
        *("ARN", "CreateTime", "Endpoint.Address", "Endpoint.Port", "FullEngineVersion"),
        *("ReaderEndpoint.Address", "ReaderEndpoint.Port", "Status"),
    )
}


def cache(cloud: Cloud, **properties: Any) -> dict[str, Any]:
    engine = {"Engine": cloud.engine["Engine"], "MajorEngineVersion": cloud.engine["EngineVersion"].split(".")[0]}
    named = {"ServerlessCacheName": "Carts", "UserGroupId": {"Ref": "Users"}}
    return {"Type": "AWS::ElastiCache::ServerlessCache", "Properties": {**named, **engine, **properties}}


def limits(gigabytes: int) -> dict[str, Any]:
    return {"CacheUsageLimits": {"DataStorage": {"Maximum": gigabytes, "Unit": "GB"}}}


@pytest.fixture(scope="module")
def made(cloud: Cloud) -> dict[str, str]:
    resources = {**elasticache_users(cloud.engine["Engine"]), "Cache": cache(cloud, **limits(2))}
    return cloud.deploy("serverless", resources, {**OUTPUTS, "Name": {"Ref": "Cache"}})


def test_the_cache_has_the_attributes_of_the_service(cloud: Cloud, made: dict[str, str]) -> None:
    assert made["Name"] == "carts"
    assert made["ARN"] == "arn:aws:elasticache:us-east-1:000000000000:serverlesscache:carts"
    assert (made["EndpointAddress"], made["ReaderEndpointAddress"]) == ("localhost", "localhost")
    assert made["EndpointPort"] != made["ReaderEndpointPort"]
    assert (made["FullEngineVersion"], made["Status"]) == (cloud.local.engine.version, "available")
    assert made["CreateTime"].startswith("20")
    described = cloud.client("elasticache").describe_serverless_caches(ServerlessCacheName="Carts")
    (found,) = described["ServerlessCaches"]
    assert found["CreateTime"].isoformat(timespec="milliseconds") == made["CreateTime"]
    assert (found["ServerlessCacheName"], found["Status"], found["ARN"]) == ("carts", "available", made["ARN"])
    assert found["Endpoint"] == {"Address": "localhost", "Port": int(made["EndpointPort"])}
    assert found["ReaderEndpoint"] == {"Address": "localhost", "Port": int(made["ReaderEndpointPort"])}
    assert found["CacheUsageLimits"] == {"DataStorage": {"Maximum": 2, "Unit": "GB"}}
    assert (found["UserGroupId"], found["FullEngineVersion"]) == ("app-users", cloud.local.engine.version)
    client = cloud.client("elasticache")
    with pytest.raises(client.exceptions.ServerlessCacheNotFoundFault):
        client.describe_serverless_caches(ServerlessCacheName="none")
    with pytest.raises(botocore.exceptions.ClientError, match="the local cloud does not support DeleteServerlessCache"):
        client.delete_serverless_cache(ServerlessCacheName="carts")


def test_all_slots_are_at_one_host_and_reads_go_to_the_reader_port(cloud: Cloud, made: dict[str, str]) -> None:
    port, reader = int(made["EndpointPort"]), int(made["ReaderEndpointPort"])
    slots: Any = connect(cloud, port).execute_command("CLUSTER", "SLOTS")
    ((first, last, *nodes),) = slots
    assert (first, last) == (0, 16383)
    assert [(node[0], node[1]) for node in nodes] == [("localhost", port), ("localhost", reader)]
    with connect_cluster(cloud, port) as client:
        for number in range(20):
            client.set(f"key-{number}", number)
        assert client.get_node(host="localhost", port=reader).server_type == "replica"
    with connect(cloud, reader).client() as replica:
        assert connect(cloud, port).execute_command("WAIT", 1, 10_000) == 1
        with pytest.raises(redis.exceptions.MovedError):
            replica.get("key-7")
        replica.execute_command("READONLY")
        assert [replica.get(f"key-{number}") for number in range(20)] == [str(number) for number in range(20)]
        assert replica.info("replication")["role"] == "slave"


def test_commands_that_the_service_reserves_are_refused(cloud: Cloud, made: dict[str, str]) -> None:
    client = connect(cloud, made["EndpointPort"])
    for command in ["CONFIG GET maxmemory", "ACL SETUSER app", "REPLICAOF NO ONE", "CLUSTER DELSLOTS 1"]:
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.execute_command(*command.split())


def token(credentials: Credentials, *, resource_type: str = "&ResourceType=ServerlessCache") -> str:
    request = AWSRequest(method="GET", url=f"https://iam/?Action=connect&User=reader{resource_type}")
    SigV4QueryAuth(credentials, "elasticache", "us-east-1", expires=900).add_auth(request)
    return str(request.url).removeprefix("https://")


def caller(cloud: Cloud, name: str, resources: list[str]) -> Credentials:
    iam = cloud.client("iam")
    iam.create_user(UserName=name)
    arns = [f"arn:aws:elasticache:us-east-1:000000000000:{resource}" for resource in resources]
    statement = {"Effect": "Allow", "Action": "elasticache:Connect", "Resource": arns}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="connect", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def test_iam_tokens_are_for_a_serverless_cache_and_its_arn(cloud: Cloud) -> None:
    resources = {**elasticache_users(cloud.engine["Engine"], "on ~* +@read +acl|whoami", "reader")}
    resources["User"]["Properties"]["AuthenticationMode"] = {"Type": "iam"}
    resources["Cache"] = cache(cloud, ServerlessCacheName="iam")
    port = cloud.deploy("iam", resources, OUTPUTS)["EndpointPort"]

    def sign_in(password: str) -> str:
        return str(connect(cloud, port, "reader", password).execute_command("ACL", "WHOAMI"))

    allowed = caller(cloud, "allowed", ["serverlesscache:iam", "user:reader"])
    assert sign_in(token(allowed)) == "reader"
    group = caller(cloud, "group", ["replicationgroup:iam", "user:reader"])
    for password in [token(allowed, resource_type=""), token(group)]:
        with pytest.raises(redis.AuthenticationError):
            sign_in(password)
    assert cloud.has_said("the resource type is '', not 'ServerlessCache'")


def test_limits_user_group_and_engine_change_in_place(cloud: Cloud) -> None:
    engine = cloud.engine["Engine"]
    others = {f"Other{key}": value for key, value in elasticache_users(engine, user="other").items()}
    others["OtherUsers"]["Properties"]["UserIds"] = [{"Ref": "OtherDefault"}, {"Ref": "OtherUser"}]
    resources = {**elasticache_users(engine, user="first"), **others}
    resources["Cache"] = cache(cloud, ServerlessCacheName="changed", **limits(1))
    before = cloud.deploy("changed", resources, OUTPUTS)
    client = connect(cloud, before["EndpointPort"], "first")
    client.set("kept", "1")
    assert client.info("memory")["maxmemory"] == 1024**3

    resources["Cache"] = cache(cloud, ServerlessCacheName="changed", UserGroupId={"Ref": "OtherUsers"}, **limits(3))
    assert cloud.deploy("changed", resources, OUTPUTS) == before
    client = connect(cloud, before["EndpointPort"], "other")
    assert client.get("kept") == "1"
    memory = client.info("memory")
    assert (memory["maxmemory"], memory["maxmemory_policy"]) == (3 * 1024**3, "volatile-lru")
    with pytest.raises(redis.AuthenticationError):
        connect(cloud, before["EndpointPort"], "first").ping()
    del resources["Cache"]["Properties"]["CacheUsageLimits"]
    cloud.deploy("changed", resources)
    assert client.info("memory")["maxmemory"] == 0

    resources["Cache"]["Properties"] |= {**UPGRADED, "FinalSnapshotName": "last"}
    after = cloud.deploy("changed", resources, OUTPUTS)
    assert after == {**before, "FullEngineVersion": PROGRAM.version}
    client = connect(cloud, after["EndpointPort"], "other")
    assert client.get("kept") == "1"
    slots: Any = client.execute_command("CLUSTER", "SLOTS")
    assert [int(node[1]) for node in slots[0][2:]] == [
        int(after[key]) for key in ("EndpointPort", "ReaderEndpointPort")
    ]
    cloud.delete("changed")
    with pytest.raises(redis.ConnectionError):
        connect(cloud, before["EndpointPort"], "other").ping()


def test_a_cache_is_restored_from_the_final_snapshot_of_another(cloud: Cloud) -> None:
    users = elasticache_users(cloud.engine["Engine"], user="again")
    arn = "arn:aws:elasticache:us-east-1:000000000000:serverlesscachesnapshot:last"
    restored = cache(cloud, ServerlessCacheName="again", SnapshotArnsToRestore=[arn], **UPGRADED)
    port = cloud.deploy("again", {**users, "Cache": restored}, OUTPUTS)["EndpointPort"]
    assert connect(cloud, port, "again").get("kept") == "1"
