"""TestFailover and FailoverShard: a replica takes over, and the killed primary returns as its replica."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from botocore.exceptions import ClientError
from redis.exceptions import RedisError

from cdk_redis_local import find_engine
from tests.local.support.clouds import Cloud
from tests.support.concurrency import wait_until

Request = Callable[[Cloud, str, str], object]


def _test_failover(cloud: Cloud, name: str, shard: str) -> object:
    answer = cloud.client("elasticache").test_failover(ReplicationGroupId=name, NodeGroupId=shard)
    return answer["ReplicationGroup"]["ReplicationGroupId"], answer["ReplicationGroup"]["Status"]


def _failover_shard(cloud: Cloud, name: str, shard: str) -> object:
    answer = cloud.client("memorydb").failover_shard(ClusterName=name, ShardName=shard)
    return answer["Cluster"]["Name"], answer["Cluster"]["Status"]


def _group(cloud: Cloud, **properties: Any) -> dict[str, Any]:
    common = {"ReplicationGroupDescription": "a group", "TransitEncryptionEnabled": True, **cloud.engine}
    return {"Type": "AWS::ElastiCache::ReplicationGroup", "Properties": {**common, **properties}}


def _cluster(cloud: Cloud) -> dict[str, Any]:
    common = {"NodeType": "db.t4g.small", "ACLName": "open-access", **cloud.engine}
    return {
        "Type": "AWS::MemoryDB::Cluster",
        "Properties": {"ClusterName": "ledger", "NumReplicasPerShard": 1, **common},
    }


@pytest.fixture(scope="module")
def ports(cloud: Cloud) -> dict[str, str]:
    """A store of each kind. One has two replicas, so that the other replica must follow the new primary."""
    resources = {
        "Single": _group(cloud, ReplicationGroupId="single", NumCacheClusters=3),
        "Sharded": _group(cloud, ReplicationGroupId="sharded", NumNodeGroups=2, ReplicasPerNodeGroup=1),
        "Alone": _group(cloud, ReplicationGroupId="alone", NumCacheClusters=1),
        "Ledger": _cluster(cloud),
    }
    outputs = {
        "single": {"Fn::GetAtt": ["Single", "PrimaryEndPoint.Port"]},
        "sharded": {"Fn::GetAtt": ["Sharded", "ConfigurationEndPoint.Port"]},
        "ledger": {"Fn::GetAtt": ["Ledger", "ClusterEndpoint.Port"]},
    }
    return cloud.deploy("failover", resources, outputs)


def _client(cloud: Cloud, port: str, *, cluster: bool) -> Any:
    options: dict[str, Any] = {
        "host": "localhost",
        "port": int(port),
        "ssl": True,
        "ssl_ca_certs": cloud.local.environment["SSL_CERT_FILE"],
        "decode_responses": True,
    }
    return redis.RedisCluster(**options) if cluster else redis.Redis(**options)


def _shape(client: Any, *, cluster: bool) -> tuple[str, int]:
    """The run id of the key's primary, and the number of its replicas in sync."""
    node = {"target_nodes": client.get_node_from_key("{2}")} if cluster else {}
    replication = client.info("replication", **node)
    in_sync = sum(value.get("state") == "online" for value in replication.values() if isinstance(value, dict))
    return client.info("server", **node)["run_id"], in_sync


@pytest.mark.parametrize(
    ("name", "cluster", "request_failover", "status"),
    [
        ("single", False, _test_failover, "modifying"),
        ("sharded", True, _test_failover, "modifying"),
        ("ledger", True, _failover_shard, "updating"),
    ],
)
def test_a_replica_takes_over_with_the_keys_and_the_old_primary_becomes_its_replica(
    cloud: Cloud, ports: dict[str, str], name: str, cluster: bool, request_failover: Request, status: str
) -> None:
    # The hash tag {2} is in the first of two shards.
    client = _client(cloud, ports[name], cluster=cluster)
    client.set("{2}before", "kept")
    served_by, replicas = _shape(client, cluster=cluster)
    assert replicas == (1 if cluster else 2)
    assert client.execute_command("WAIT", replicas, 5000, **_on(client, cluster=cluster)) == replicas

    assert request_failover(cloud, name, "0001") == (name, status)
    wait_until(lambda: cloud.has_said(f"{name}: shard 0001 failed over"), 15)
    client = _client(cloud, ports[name], cluster=cluster)
    assert client.get("{2}before") == "kept"
    assert client.set("{2}after", "taken")
    wait_until(lambda: _shape(client, cluster=cluster)[1] == replicas, 15, ignore=(RedisError,))
    assert _shape(client, cluster=cluster)[0] != served_by


def _on(client: Any, *, cluster: bool) -> dict[str, Any]:
    return {"target_nodes": client.get_node_from_key("{2}")} if cluster else {}


@pytest.mark.parametrize("resource", ["cluster/ledger", "cluster/another"])
def test_a_state_machine_needs_permission_to_fail_a_shard_over(
    cloud: Cloud, ports: dict[str, str], resource: str
) -> None:
    iam, machines = cloud.client("iam"), cloud.client("stepfunctions")
    name = resource.replace("/", "-")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    arn = f"arn:aws:memorydb:us-east-1:000000000000:{resource}"
    statement = {"Effect": "Allow", "Action": "memorydb:FailoverShard", "Resource": arn}
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps({"Statement": [statement]}))
    # The shard does not exist, so ShardNotFoundFault shows that the permission check passed.
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:memorydb:failoverShard",
        "Parameters": {"ClusterName": "ledger", "ShardName": "0009"},
        "End": True,
    }
    definition = json.dumps({"StartAt": "Task", "States": {"Task": task}})
    machine = machines.create_state_machine(name=name, definition=definition, roleArn=role)["stateMachineArn"]
    execution = machines.start_execution(stateMachineArn=machine)["executionArn"]
    wait_until(lambda: machines.describe_execution(executionArn=execution)["status"] == "FAILED", 15)
    ended = machines.describe_execution(executionArn=execution)
    allowed = resource == "cluster/ledger"
    assert ended["error"] == f"MemoryDb.{'ShardNotFoundFault' if allowed else 'AccessDeniedException'}"


@pytest.mark.parametrize(
    ("request_failover", "name", "shard", "code"),
    [
        (_test_failover, "nothing", "0001", "ReplicationGroupNotFoundFault"),
        (_test_failover, "sharded", "0003", "NodeGroupNotFoundFault"),
        (_test_failover, "alone", "0001", "TestFailoverNotAvailableFault"),
        (_failover_shard, "nothing", "0001", "ClusterNotFoundFault"),
        (_failover_shard, "ledger", "1", "ShardNotFoundFault"),
    ],
)
def test_a_failover_that_is_not_possible_returns_the_service_s_error_code(
    cloud: Cloud, ports: dict[str, str], request_failover: Request, name: str, shard: str, code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        request_failover(cloud, name, shard)
    assert refused.value.response["Error"]["Code"] == code


def test_failing_over_twice_in_a_row_loses_no_confirmed_write(repository: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.failing_over", "--engine", find_engine().name, "--times", "2"]
    outcome = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "2 failovers, 0 failed; lost: 0 of" in outcome.stdout
