"""Writes the RDB files of a snapshot to a bucket, as CopySnapshot with ``TargetBucket``.

https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CopySnapshot.html
"""

from __future__ import annotations

from dataclasses import replace

from cdk_redis_local._emulator.ministack.objects import bucket_region, put_s3_object, s3_object
from cdk_redis_local._emulator.snapshots.snapshots import Snapshot, SnapshotError


def export(snapshot: Snapshot, name: str, bucket: str) -> Snapshot:
    """Write a file for each shard: ``<name>-0001.rdb`` and so on; returns the snapshot as CopySnapshot does.

    Raises:
        SnapshotError: The bucket does not exist, is in another Region, or has such an object already.
    """
    region = bucket_region(bucket)
    if region is None:
        raise SnapshotError("InvalidParameterValueException", f"The S3 bucket {bucket} does not exist.")
    if region != snapshot.key.scope[1]:
        raise SnapshotError("InvalidParameterValueException", f"The S3 bucket {bucket} is outside of the region.")
    keys = [f"{name}-{shard.path.stem}.rdb" for shard in snapshot.shards]
    for key in keys:
        if s3_object(bucket, key) is not None:
            reason = f"The S3 bucket {bucket} already contains an object with key {key}."
            raise SnapshotError("InvalidParameterValueException", reason)
    for shard, key in zip(snapshot.shards, keys, strict=True):
        put_s3_object(bucket, key, shard.path.read_bytes())
    return replace(snapshot, key=replace(snapshot.key, name=name), status="copying")
