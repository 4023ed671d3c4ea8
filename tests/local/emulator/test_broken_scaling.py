"""Scaling a stack's store while an engine fails or a key cannot move: the stack rolls back, or reports the failure."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from botocore.exceptions import ClientError
from redis.crc import key_slot

from tests.local.support.clouds import Cloud
from tests.support.concurrency import wait_until

pytestmark = pytest.mark.long

KEYS = {f"key:{number}": f"value {number}" for number in range(8_000)}
# From two shards to three, the first shard keeps the slots up to this one and moves the slots above it first.
LAST_KEPT = 5_460


class Scaled:
    """A stack with one replication group, in cluster mode."""

    def __init__(self, cloud: Cloud, name: str, replicas: int, parameters: dict[str, str]) -> None:
        self.cloud = cloud
        self.name = name
        self._formation = cloud.client("cloudformation")
        settings = {"cluster-enabled": "yes", **parameters}
        group = {"CacheParameterGroupFamily": cloud.family, "Description": "p", "Properties": settings}
        self._resources: dict[str, Any] = {
            "Parameters": {"Type": "AWS::ElastiCache::ParameterGroup", "Properties": group},
            "Group": {
                "Type": "AWS::ElastiCache::ReplicationGroup",
                "UpdatePolicy": {"UseOnlineResharding": True},
                "Properties": {
                    "ReplicationGroupDescription": "a group",
                    "TransitEncryptionEnabled": True,
                    "NumNodeGroups": 2,
                    "ReplicasPerNodeGroup": replicas,
                    "CacheParameterGroupName": {"Ref": "Parameters"},
                    **cloud.engine,
                },
            },
        }
        outputs = {"Port": {"Fn::GetAtt": ["Group", "ConfigurationEndPoint.Port"]}}
        self.port = int(cloud.deploy(name, self._resources, outputs)["Port"])
        self._outputs = {"Port": {"Value": outputs["Port"]}}
        self.client = redis.RedisCluster(**self._options(self.port))

    def _options(self, port: int) -> dict[str, Any]:
        trusted = self.cloud.local.environment["SSL_CERT_FILE"]
        return {"host": "localhost", "port": port, "ssl": True, "ssl_ca_certs": trusted, "decode_responses": True}

    def node(self, port: int | None = None) -> redis.Redis:
        """A client of the node at this port. Default: any running node."""
        return redis.Redis(**self._options(port or self.port))

    def update(self, shards: int) -> None:
        """Start a stack update to this number of shards."""
        self._resources["Group"]["Properties"]["NumNodeGroups"] = shards
        template = json.dumps({"Resources": self._resources, "Outputs": self._outputs})
        self._formation.update_stack(StackName=self.name, TemplateBody=template)

    def settle(self) -> str:
        """Wait for the end of the stack's operation; returns the stack's status."""
        wait_until(lambda: not self._status().endswith("_IN_PROGRESS"), 100)
        return self._status()

    def _status(self) -> str:
        return self._formation.describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"]

    def continue_rollback(self) -> None:
        self._formation.continue_update_rollback(StackName=self.name)

    def first_source(self) -> redis.Redis:
        """The primary whose slots move first; returns while they move."""
        slots = self.node().execute_command("CLUSTER", "SLOTS")
        source = self.node(next(primary[1] for first, _, primary, *_ in slots if first == 0))
        for _ in range(20_000):
            own = next(line for line in source.execute_command("CLUSTER NODES").values() if "myself" in line["flags"])
            if own["migrations"]:
                return source
        raise AssertionError("no slot was moved")

    def check(self, shards: int, keys: dict[str, str]) -> None:
        """Check that clients find every key, that all slots have owners, and that no other nodes run."""
        fresh = redis.RedisCluster(**self._options(self.port))
        pipeline = fresh.pipeline()
        for key in keys:
            pipeline.get(key)
        assert dict(zip(keys, pipeline.execute(), strict=True)) == keys
        slots = fresh.execute_command("CLUSTER SLOTS", target_nodes="random")
        assert len({owned["primary"] for owned in slots.values()}) == shards
        assert sum(last - first + 1 for first, last in slots) == 16384
        replicas = int(self._resources["Group"]["Properties"]["ReplicasPerNodeGroup"])
        assert len(fresh.get_nodes()) == len(self.processes()) == shards * (replicas + 1)

    def processes(self) -> list[Path]:
        """The working directories of the cloud's engine processes."""
        folders: list[Path] = []
        for entry in Path("/proc").glob("[0-9]*/cwd"):
            # The process may have ended, or belong to another user.
            with contextlib.suppress(OSError):
                folders.append(entry.readlink())
        return [folder for folder in folders if folder.match(f"{self.cloud.local.workspace.path}/engines-*/node-*")]


@pytest.fixture
def scaled(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Scaled]:
    replicas, parameters = request.param
    made = Scaled(cloud, f"scaled-{next(_numbers)}", replicas, parameters)
    pipeline = made.client.pipeline()
    for key, value in KEYS.items():
        pipeline.set(key, value)
    pipeline.execute()
    # A new replica gets no writes during its first second.
    assert all(node.redis_connection.wait(replicas, 5000) == replicas for node in made.client.get_primaries())
    yield made
    cloud.delete(made.name)


_numbers = itertools.count()


def key_that_moves(name: str) -> str:
    return next(key for key in (f"{name}:{n}" for n in range(1000)) if LAST_KEPT < key_slot(key.encode()) < 8192)


@pytest.mark.parametrize("scaled", [(0, {"proto-max-bulk-len": "1048576"})], indirect=True, ids=["1 MB"])
def test_a_key_that_cannot_be_moved_rolls_the_stack_back(scaled: Scaled) -> None:
    large = key_that_moves("large")
    # Each field fits into a request, but the whole key does not.
    for field in range(3):
        scaled.client.hset(large, str(field), os.urandom(900_000).hex()[:900_000])
    scaled.update(shards=3)
    assert scaled.settle() == "UPDATE_ROLLBACK_COMPLETE"
    assert "refuses MIGRATE: " in scaled.cloud.reasons(scaled.name)
    scaled.check(2, KEYS)
    assert scaled.client.hlen(large) == 3
    scaled.client.delete(large)
    scaled.update(shards=3)
    assert scaled.settle() == "UPDATE_COMPLETE"
    scaled.check(3, KEYS)


@pytest.mark.parametrize("scaled", [(1, {})], indirect=True, ids=["one replica"])
def test_a_primary_that_dies_during_scaling_is_replaced_and_the_stack_rolls_back(scaled: Scaled) -> None:
    scaled.update(shards=3)
    os.kill(scaled.first_source().info("server")["process_id"], signal.SIGKILL)
    assert scaled.settle() == "UPDATE_ROLLBACK_COMPLETE", scaled.cloud.reasons(scaled.name)
    assert "has ended" in scaled.cloud.reasons(scaled.name)
    scaled.check(2, KEYS)
    scaled.update(shards=3)
    assert scaled.settle() == "UPDATE_COMPLETE"
    scaled.check(3, KEYS)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("scaled", [(0, {})], indirect=True, ids=["no replica"])
def test_a_primary_that_hangs_fails_the_rollback_until_it_answers(scaled: Scaled) -> None:
    scaled.update(shards=3)
    process = scaled.first_source().info("server")["process_id"]
    os.kill(process, signal.SIGSTOP)
    assert scaled.settle() == "UPDATE_ROLLBACK_FAILED"
    assert "does not answer" in scaled.cloud.reasons(scaled.name)
    with pytest.raises(ClientError, match="UPDATE_ROLLBACK_FAILED state and cannot be updated"):
        scaled.update(shards=3)
    os.kill(process, signal.SIGCONT)
    scaled.continue_rollback()
    assert scaled.settle() == "UPDATE_ROLLBACK_COMPLETE", scaled.cloud.reasons(scaled.name)
    scaled.check(2, KEYS)


@pytest.mark.parametrize("scaled", [(0, {})], indirect=True, ids=["no replica"])
def test_lost_slots_fail_the_rollback_at_once(scaled: Scaled) -> None:
    scaled.update(shards=3)
    os.kill(scaled.first_source().info("server")["process_id"], signal.SIGKILL)
    assert scaled.settle() == "UPDATE_ROLLBACK_FAILED"
    assert "slots are lost, because these nodes ended: the node at localhost:" in scaled.cloud.reasons(scaled.name)
    started = time.monotonic()
    scaled.continue_rollback()
    assert scaled.settle() == "UPDATE_ROLLBACK_FAILED"
    assert time.monotonic() - started < 5
