"""boto3 reads of both services what their engines and templates are."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.support.clouds import Cloud
from tests.local.support.resources import PASSWORD, connect, connect_cluster
from tests.local.support.stores_in_vpc import CLUSTER, GROUP, TAGS, both_stores
from tests.support.concurrency import wait_until

_FAST = {"Delay": 1, "MaxAttempts": 60}


@pytest.fixture(scope="module", autouse=True)
def stores(cloud: Cloud) -> None:
    cloud.deploy("stores", both_stores(cloud.engine))


def _group(cloud: Cloud) -> Any:
    (group,) = cloud.client("elasticache").describe_replication_groups(ReplicationGroupId=GROUP)["ReplicationGroups"]
    return group


def _cluster(cloud: Cloud) -> Any:
    (cluster,) = cloud.client("memorydb").describe_clusters(ClusterName=CLUSTER, ShowShardDetails=True)["Clusters"]
    return cluster


def _roles(group: Any) -> dict[str, str | None]:
    return {one["CacheClusterId"]: one.get("CurrentRole") for one in group["NodeGroups"][0]["NodeGroupMembers"]}


@contextmanager
def _frozen(cloud: Cloud, port: int, user: str) -> Generator[None]:
    """The engine behind a port of the local cloud does not answer."""
    with connect(cloud, port, user) as client:
        process = int(client.info("server")["process_id"])
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def test_groups_have_the_endpoints_roles_and_versions_of_their_engines(cloud: Cloud) -> None:
    group, elasticache = _group(cloud), cloud.client("elasticache")
    assert group["Status"] == "available"
    assert group["ARN"] == f"arn:aws:elasticache:us-east-1:000000000000:replicationgroup:{GROUP}"
    assert (group["Description"], group["CacheNodeType"]) == ("Orders & more", "cache.t4g.small")
    assert (group["AutomaticFailover"], group["MultiAZ"], group["ClusterMode"]) == ("enabled", "enabled", "disabled")
    assert (group["TransitEncryptionEnabled"], group["AtRestEncryptionEnabled"]) == (True, True)
    assert (group["UserGroupIds"], group["SnapshotRetentionLimit"]) == (["all-users"], 3)
    assert group["MemberClusters"] == [f"{GROUP}-001", f"{GROUP}-002"]
    (shard,) = group["NodeGroups"]
    zones = {one["PreferredAvailabilityZone"] for one in shard["NodeGroupMembers"]}
    assert zones == {"us-east-1a", "us-east-1b"}
    with connect(cloud, shard["PrimaryEndpoint"]["Port"]) as primary:
        primary.set("key", "value")
        version = primary.info("server")["redis_version"]
    with connect(cloud, shard["ReaderEndpoint"]["Port"]) as reader:
        wait_until(lambda: reader.get("key") == "value", 10)

    nodes = elasticache.describe_cache_clusters(ShowCacheNodeInfo=True)["CacheClusters"]
    assert [node["CacheClusterId"] for node in nodes] == group["MemberClusters"]
    for node in nodes:
        assert (node["ReplicationGroupId"], node["CacheClusterStatus"]) == (GROUP, "available")
        assert (node["Engine"], node["CacheSubnetGroupName"]) == (cloud.engine["Engine"], "places")
        if cloud.engine["Engine"] == "redis":
            assert node["EngineVersion"] == version
        (inner,) = node["CacheNodes"]
        with connect(cloud, inner["Endpoint"]["Port"]) as client:
            role = {"master": "primary", "slave": "replica"}[client.info("replication")["role"]]
        assert role == _roles(group)[node["CacheClusterId"]]
    assert elasticache.describe_cache_clusters(ShowCacheClustersNotInReplicationGroups=True)["CacheClusters"] == []


def test_clusters_have_the_slots_and_nodes_of_their_engines(cloud: Cloud) -> None:
    cluster = _cluster(cloud)
    assert (cluster["Status"], cluster["NumberOfShards"], cluster["ACLName"]) == ("available", 2, "people")
    assert [shard["Slots"] for shard in cluster["Shards"]] == ["0-8191", "8192-16383"]
    names = [node["Name"] for shard in cluster["Shards"] for node in shard["Nodes"]]
    assert names == [f"{CLUSTER}-{shard}-{node}" for shard in ("0001", "0002") for node in ("001", "002")]
    with connect_cluster(cloud, cluster["ClusterEndpoint"]["Port"], username="writer") as client:
        ports = {node.port for node in client.get_nodes()}
        assert ports == {node["Endpoint"]["Port"] for shard in cluster["Shards"] for node in shard["Nodes"]}
    assert cluster["EnginePatchVersion"].startswith(f"{cluster['EngineVersion']}.")
    assert "Shards" not in cloud.client("memorydb").describe_clusters()["Clusters"][0]


def test_a_failover_changes_the_roles_and_waiters_wait_for_it(cloud: Cloud) -> None:
    elasticache = cloud.client("elasticache")
    assert _roles(_group(cloud)) == {f"{GROUP}-001": "primary", f"{GROUP}-002": "replica"}
    answer = elasticache.test_failover(ReplicationGroupId=GROUP, NodeGroupId="0001")["ReplicationGroup"]
    assert (answer["ReplicationGroupId"], answer["Status"]) == (GROUP, "modifying")
    # The failover takes longer than a second.
    with pytest.raises(elasticache.exceptions.InvalidReplicationGroupStateFault, match="is not available"):
        elasticache.modify_replication_group(ReplicationGroupId=GROUP, SnapshotRetentionLimit=9)
    elasticache.get_waiter("replication_group_available").wait(ReplicationGroupId=GROUP, WaiterConfig=_FAST)
    assert _roles(_group(cloud)) == {f"{GROUP}-001": "replica", f"{GROUP}-002": "primary"}
    node = f"{GROUP}-001"
    elasticache.get_waiter("cache_cluster_available").wait(CacheClusterId=node, WaiterConfig=_FAST)
    messages = [event["Message"] for event in elasticache.describe_events(SourceIdentifier=GROUP)["Events"]]
    assert messages[0] == f"Failover from primary node {GROUP}-001 to replica node {GROUP}-002 completed"
    kinds = elasticache.describe_events(SourceType="cache-cluster", Duration=5)["Events"]
    assert {event["SourceIdentifier"] for event in kinds} == {f"{GROUP}-001", f"{GROUP}-002"}
    cluster = cloud.client("memorydb").failover_shard(ClusterName=CLUSTER, ShardName="0002")["Cluster"]
    assert cluster["Status"] == "updating"
    wait_until(lambda: _cluster(cloud)["Status"] == "available", 30)


def test_a_frozen_node_is_not_available(cloud: Cloud) -> None:
    elasticache, port = cloud.client("elasticache"), _group(cloud)["NodeGroups"][0]["ReaderEndpoint"]["Port"]
    with _frozen(cloud, port, "app"):
        group, replica = _group(cloud), f"{GROUP}-001"
        assert (group["Status"], group["NodeGroups"][0]["Status"]) == ("modifying", "modifying")
        # It does not tell its role.
        assert _roles(group) == {replica: None, f"{GROUP}-002": "primary"}
        nodes = elasticache.describe_cache_clusters()["CacheClusters"]
        assert {node["CacheClusterId"]: node["CacheClusterStatus"] for node in nodes} == {
            replica: "modifying",
            f"{GROUP}-002": "available",
        }
    wait_until(lambda: _group(cloud)["Status"] == "available", 20)


def test_scaling_changes_the_members_and_the_slots(cloud: Cloud) -> None:
    cloud.deploy("stores", both_stores(cloud.engine, replicas=2, shards=3))
    group, cluster = _group(cloud), _cluster(cloud)
    assert group["MemberClusters"] == [f"{GROUP}-00{number}" for number in (1, 2, 3)]
    assert sorted(_roles(group).values()) == ["primary", "replica", "replica"]
    sizes = [
        sum(int(last) - int(first) + 1 for first, last in (one.split("-") for one in shard["Slots"].split(",")))
        for shard in cluster["Shards"]
    ]
    assert sum(sizes) == 16384
    assert min(sizes) >= 16384 // 3 - 1
    assert cluster["NumberOfShards"] == 3


def test_users_groups_and_acls(cloud: Cloud) -> None:
    elasticache, memorydb = cloud.client("elasticache"), cloud.client("memorydb")
    users = {user["UserId"]: user for user in elasticache.describe_users()["Users"]}
    assert set(users) == {"app-id", "default", "nobody"}
    assert users["app-id"]["UserGroupIds"] == ["all-users"]
    assert users["app-id"]["AccessString"] == "on ~* &* +@all"
    assert users["nobody"]["Authentication"] == {"Type": "password", "PasswordCount": 2}
    filters = [{"Name": "user-name", "Values": ["app"]}]
    assert [user["UserId"] for user in elasticache.describe_users(Filters=filters)["Users"]] == ["app-id"]
    (group,) = elasticache.describe_user_groups(UserGroupId="all-users")["UserGroups"]
    assert (group["UserIds"], group["ReplicationGroups"]) == (["nobody", "app-id"], [GROUP])
    kinds = {user["Name"]: user["Authentication"]["Type"] for user in memorydb.describe_users()["Users"]}
    assert kinds == {"default": "no-password", "reader": "iam", "writer": "password"}
    acls = {acl["Name"]: (acl["UserNames"], acl["Clusters"]) for acl in memorydb.describe_acls()["ACLs"]}
    assert acls == {"open-access": (["default"], []), "people": (["writer", "reader"], [CLUSTER])}


def test_parameters_are_those_of_the_group_and_of_the_engines(cloud: Cloud) -> None:
    elasticache, memorydb = cloud.client("elasticache"), cloud.client("memorydb")
    group = elasticache.describe_cache_clusters()["CacheClusters"][0]["CacheParameterGroup"]["CacheParameterGroupName"]
    (described,) = elasticache.describe_cache_parameter_groups(CacheParameterGroupName=group)["CacheParameterGroups"]
    assert described["Description"] == "Evicts"
    pages = list(
        elasticache.get_paginator("describe_cache_parameters").paginate(
            CacheParameterGroupName=group, PaginationConfig={"PageSize": 20}
        )
    )
    assert len(pages) > 1
    found = {one["ParameterName"]: one for page in pages for one in page["Parameters"]}
    assert (found["maxmemory-policy"]["ParameterValue"], found["maxmemory-policy"]["Source"]) == ("allkeys-lru", "user")
    with connect(cloud, _group(cloud)["NodeGroups"][0]["PrimaryEndpoint"]["Port"]) as client:
        settings = client.config_get("*")
    for name in ("slowlog-max-len", "databases", "maxclients"):
        assert (found[name]["ParameterValue"], found[name]["Source"]) == (settings[name], "system")
    own = elasticache.describe_cache_parameters(CacheParameterGroupName=group, Source="user")["Parameters"]
    assert [one["ParameterName"] for one in own] == ["maxmemory-policy"]
    values = memorydb.describe_parameters(ParameterGroupName="settings", MaxResults=100)["Parameters"]
    assert {one["Name"]: one["Value"] for one in values}["maxmemory-policy"] == "allkeys-lfu"
    names = {one["Name"] for one in memorydb.describe_parameter_groups()["ParameterGroups"]}
    assert "settings" in names


def test_subnet_groups_tags_and_versions(cloud: Cloud) -> None:
    elasticache, memorydb = cloud.client("elasticache"), cloud.client("memorydb")
    (one,) = elasticache.describe_cache_subnet_groups()["CacheSubnetGroups"]
    (other,) = memorydb.describe_subnet_groups(SubnetGroupName="places")["SubnetGroups"]
    assert one["VpcId"] == other["VpcId"] == cloud.client("ec2").describe_subnets()["Subnets"][-1]["VpcId"]
    assert [subnet["SubnetIdentifier"] for subnet in one["Subnets"]] == [x["Identifier"] for x in other["Subnets"]]
    versions = elasticache.describe_cache_engine_versions(Engine=cloud.engine["Engine"])["CacheEngineVersions"]
    assert cloud.engine["EngineVersion"] in [version["EngineVersion"] for version in versions]
    for arn in (_group(cloud)["ARN"], f"{one['ARN'].rpartition('subnetgroup')[0]}cluster:{GROUP}-002"):
        assert elasticache.list_tags_for_resource(ResourceName=arn)["TagList"] == TAGS
    added = {"Key": "stage", "Value": "test"}
    assert memorydb.tag_resource(ResourceArn=_cluster(cloud)["ARN"], Tags=[added])["TagList"] == [*TAGS, added]
    assert memorydb.untag_resource(ResourceArn=_cluster(cloud)["ARN"], TagKeys=["team"])["TagList"] == [added]
    assert memorydb.list_tags(ResourceArn=other["ARN"])["TagList"] == TAGS


_MISSING: list[tuple[str, str, dict[str, Any], str]] = [
    ("elasticache", "describe_replication_groups", {"ReplicationGroupId": "no"}, "ReplicationGroupNotFoundFault"),
    ("elasticache", "describe_cache_clusters", {"CacheClusterId": "no"}, "CacheClusterNotFoundFault"),
    ("elasticache", "describe_users", {"UserId": "no"}, "UserNotFoundFault"),
    ("elasticache", "describe_user_groups", {"UserGroupId": "no"}, "UserGroupNotFoundFault"),
    ("elasticache", "describe_cache_subnet_groups", {"CacheSubnetGroupName": "no"}, "CacheSubnetGroupNotFoundFault"),
    (
        "elasticache",
        "describe_cache_parameters",
        {"CacheParameterGroupName": "no"},
        "CacheParameterGroupNotFoundFault",
    ),
    ("elasticache", "list_tags_for_resource", {"ResourceName": "arn:aws:s3:::no"}, "InvalidARNFault"),
    ("memorydb", "describe_clusters", {"ClusterName": "no"}, "ClusterNotFoundFault"),
    ("memorydb", "describe_users", {"UserName": "no"}, "UserNotFoundFault"),
    ("memorydb", "describe_acls", {"ACLName": "no"}, "ACLNotFoundFault"),
    ("memorydb", "describe_subnet_groups", {"SubnetGroupName": "no"}, "SubnetGroupNotFoundFault"),
    ("memorydb", "describe_parameters", {"ParameterGroupName": "no"}, "ParameterGroupNotFoundFault"),
]


def test_what_does_not_exist_is_not_found(cloud: Cloud) -> None:
    for service, action, asked, code in _MISSING:
        client = cloud.client(service)
        with pytest.raises(getattr(client.exceptions, code)):
            getattr(client, action)(**asked)


def test_the_permissions_of_callers_are_checked_on_the_resource(cloud: Cloud) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="watcher")
    arn = "arn:aws:memorydb:us-east-1:000000000000"
    statement = {"Effect": "Allow", "Action": "memorydb:Describe*", "Resource": f"{arn}:cluster/{CLUSTER}"}
    document = f'{{"Version": "2012-10-17", "Statement": [{statement}]}}'.replace("'", '"')
    iam.put_user_policy(UserName="watcher", PolicyName="Describe", PolicyDocument=document)
    key = iam.create_access_key(UserName="watcher")["AccessKey"]
    own = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    memorydb = cloud.client("memorydb", **own)
    assert memorydb.describe_clusters(ClusterName=CLUSTER)["Clusters"]
    for action in (memorydb.describe_clusters, memorydb.describe_acls, memorydb.describe_users):
        with pytest.raises(ClientError, match="not authorized"):
            action()


@pytest.mark.parametrize("store", ["--replication-group", "--cluster"])
def test_the_adopt_command_prints_the_code_of_a_store(cloud: Cloud, store: str) -> None:
    name = GROUP if store == "--replication-group" else CLUSTER
    adopt = [sys.executable, "-m", "cdk_redis_runtime", "adopt", store, name]
    done = subprocess.run(adopt, env=dict(cloud.local.environment), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ast.parse(done.stdout)
    assert f'"{name}"' in done.stdout
    assert "adopt=ExistingResource()" in done.stdout
    assert 'cdk.Tags.of(store).add("team", "a = b")' in done.stdout or store == "--cluster"


def test_the_blocks_in_the_documentation_reach_a_store(cloud: Cloud, repository: Path) -> None:
    secret = {"username": "app", "password": PASSWORD}
    properties = {"Name": f"{GROUP}/app", "SecretString": json.dumps(secret)}
    cloud.deploy("secret", {"Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": properties}})
    page = (repository / "docs" / "local-cloud.md").read_text().partition("## Reach a store")[2].partition("\n## ")[0]
    (python,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    # The first block reads the port and the secret with the AWS CLI, which the tests do not install.
    shell = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)[1]
    environment = dict(cloud.local.environment)
    subprocess.run([sys.executable, "-c", python], env=environment, check=True)
    port = str(_group(cloud)["NodeGroups"][0]["PrimaryEndpoint"]["Port"])
    with connect(cloud, port) as client:
        assert client.get("greeting") == "hello"
    if shutil.which("redis-cli") is None:
        pytest.skip("this machine has no redis-cli for the second block")
    environment |= {"port": port, "secret": json.dumps(secret)}
    done = subprocess.run(["sh", "-ec", shell], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr
