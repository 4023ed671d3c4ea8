"""Stores of the library start with the data of another store, as in the runbooks, and leave final snapshots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import redis

from cdk_redis import MemoryDbCluster, RedisNetwork, ReplicationGroup, Restore, ServerlessCache
from cdk_redis_local import Deploys, LocalCloud
from tests.support.concurrency import wait_until

KEYS = {f"order:{number}": f"item {number}" for number in range(200)}
FILES = ("arn:aws:s3:::orders-export/orders-move-0001.rdb", "arn:aws:s3:::orders-export/orders-move-0002.rdb")
SNAPSHOT = "arn:aws:elasticache:us-east-1:000000000000:snapshot:orders-move"


def orders(directory: Path, *, restored: bool) -> cdk.Stack:
    """A stack with a replication group, and, if ``restored``, with one store of each kind that starts with its data."""
    zones = {"availability-zones:account=000000000000:region=us-east-1": ["us-east-1a", "us-east-1b", "us-east-1c"]}
    stack = cdk.Stack(
        cdk.App(context=zones, outdir=str(directory)),
        "Orders",
        env=cdk.Environment(account="000000000000", region="us-east-1"),
    )
    network = RedisNetwork(stack, "Network")
    options: dict[str, Any] = {"network": network, "unsafe_open_access": True}
    made = {"Cache": ReplicationGroup(stack, "Cache", shards=2, engine="redis:7.0", **options)}
    if restored:
        options["engine"] = "redis:7.0"
        files = Restore.from_s3(*FILES)
        seeded = ReplicationGroup(stack, "Seeded", shards=2, restore=files, **options)
        ledger = MemoryDbCluster(stack, "Ledger", shards=2, restore=files, **options)
        serverless = ServerlessCache(stack, "Serverless", network=network, restore=SNAPSHOT, unsafe_open_access=True)
        made |= {"Seeded": seeded, "Ledger": ledger, "Serverless": serverless}
    for name, store in made.items():
        cdk.CfnOutput(stack, f"{name}Port", value=cdk.Token.as_string(store.endpoint.port))
    cdk.CfnOutput(stack, "Id", value=made["Cache"].resource.ref)
    return stack


def client_of(cloud: LocalCloud, port: str) -> Any:
    trusted = {"ssl": True, "ssl_ca_certs": cloud.environment["SSL_CERT_FILE"], "decode_responses": True}
    return redis.RedisCluster(host="localhost", port=int(port), **trusted)


def test_constructs_start_with_the_data_of_another_store_and_leave_final_snapshots(tmp_path: Path) -> None:
    with LocalCloud(stand_in=True) as cloud:
        deploys = Deploys(cloud)
        deploys.bootstrap()
        first = deploys.deploy(orders(tmp_path / "1", restored=False), cli=False).outputs["Orders"]
        client_of(cloud, first["CachePort"]).mset_nonatomic(KEYS)
        cache, s3 = cloud.client("elasticache"), cloud.client("s3")
        cache.create_snapshot(ReplicationGroupId=first["Id"], SnapshotName="orders-move")
        wait_until(
            lambda: (
                cache.describe_snapshots(SnapshotName="orders-move")["Snapshots"][0]["SnapshotStatus"] == "available"
            )
        )
        s3.create_bucket(Bucket="orders-export")
        cache.copy_snapshot(
            SourceSnapshotName="orders-move", TargetSnapshotName="orders-move", TargetBucket="orders-export"
        )
        ports = deploys.deploy(orders(tmp_path / "2", restored=True), cli=False).outputs["Orders"]
        for name in ("Seeded", "Ledger", "Serverless"):
            client = client_of(cloud, ports[f"{name}Port"])
            assert dict(zip(KEYS, client.mget_nonatomic(list(KEYS)), strict=True)) == KEYS, name
        deploys.destroy("Orders")
        kept = [len(one["NodeSnapshots"]) for one in cache.describe_snapshots()["Snapshots"]]
        assert sorted(kept) == [2, 2, 2]
        [ledger] = cloud.client("memorydb").describe_snapshots()["Snapshots"]
        assert ledger["ClusterConfiguration"]["NumShards"] == 2
        [serverless] = cache.describe_serverless_cache_snapshots()["ServerlessCacheSnapshots"]
        assert int(serverless["BytesUsedForCache"]) > 0
