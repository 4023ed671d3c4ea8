"""Finds the RDB files that a new store is created with: those of a snapshot, or objects in S3."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cdk_redis_local._core.errors import EngineError
from cdk_redis_local._emulator.engine_users import SERVERLESS
from cdk_redis_local._emulator.ministack.objects import bucket_region, s3_object
from cdk_redis_local._emulator.snapshots.snapshots import Snapshot, SnapshotError, Snapshots, snapshot_key
from cdk_redis_local._emulator.store import StoreKey

_S3_ARN = re.compile(r"arn:aws[a-z-]*:s3:::(?P<bucket>[^/]+)/(?P<key>[^,]+)")
_SNAPSHOT_ARN = re.compile(
    r"arn:aws[a-z-]*:elasticache:[^:]*:[^:]*:(?P<kind>snapshot|serverlesscachesnapshot):(?P<name>.+)"
)
_SLOTS = re.compile(r"(\d+)-(\d+)")
_LAST_SLOT = 16383


@contextlib.contextmanager
def restored(
    snapshots: Snapshots, key: StoreKey, properties: Mapping[str, Any], *, cluster_mode: bool
) -> Generator[list[Path]]:
    """The files that a new store is created with, which exist during the block; empty without a restore.

    Reads ``SnapshotName``, ``SnapshotArns`` and ``SnapshotArnsToRestore``. A file that the engine cannot read makes
    the block fail with an `EngineError`, which this changes into a `SnapshotError`.

    Args:
        snapshots: All snapshots.
        key: The new store.
        properties: The store's properties in its template.
        cluster_mode: Whether the new store is in cluster mode.

    Raises:
        SnapshotError: A snapshot or an object does not exist, or cannot be restored into this store.
    """
    sources = _sources(key, properties)
    if not sources:
        yield []
        return
    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        files: list[Path] = []
        for number, source in enumerate(sources):
            if isinstance(source, StoreKey):
                snapshot = stack.enter_context(snapshots.restoring(source))
                _check_mode(snapshot, cluster_mode=cluster_mode)
                files += [shard.path for shard in snapshot.shards]
            else:
                files.append(_download(source, Path(folder) / str(number), key))
        try:
            yield files
        except EngineError as error:
            names = ", ".join(one.name if isinstance(one, StoreKey) else one for one in sources)
            raise SnapshotError(
                "InvalidParameterValueException", f"{key.name} is not restored from {names}: {error}"
            ) from error


def _sources(key: StoreKey, properties: Mapping[str, Any]) -> list[StoreKey | str]:
    """Keys of snapshots, and ARNs of objects in S3."""
    name, arns = properties.get("SnapshotName"), properties.get("SnapshotArns") or []
    if name and arns:
        reason = "SnapshotName and SnapshotArns cannot be used together."
        raise SnapshotError("InvalidParameterCombinationException", reason)
    if name:
        return [snapshot_key(key, str(name))]
    return [_source(key, str(arn)) for arn in [*arns, *(properties.get("SnapshotArnsToRestore") or [])]]


def _source(key: StoreKey, arn: str) -> StoreKey | str:
    if found := _SNAPSHOT_ARN.fullmatch(arn):
        service = "elasticache" if found["kind"] == "snapshot" else SERVERLESS
        return StoreKey(service, key.scope, found["name"])
    if not _S3_ARN.fullmatch(arn):
        raise SnapshotError("InvalidParameterValueException", f"{arn} is not the ARN of a snapshot or of an S3 object.")
    return arn


def _download(arn: str, folder: Path, key: StoreKey) -> Path:
    found = _S3_ARN.fullmatch(arn)
    assert found is not None
    bucket, name = found["bucket"], found["key"]
    region = bucket_region(bucket)
    if region is None:
        raise SnapshotError("InvalidParameterValueException", f"The S3 bucket {bucket} does not exist.")
    if region != key.scope[1]:
        raise SnapshotError("InvalidParameterValueException", f"The S3 bucket {bucket} is outside of the region.")
    content = s3_object(bucket, name)
    if content is None:
        reason = f"The S3 bucket {bucket} has no object with key {name}."
        raise SnapshotError("InvalidParameterValueException", reason)
    folder.mkdir()
    file = folder / Path(name).name
    file.write_bytes(content)
    return file


def _check_mode(snapshot: Snapshot, *, cluster_mode: bool) -> None:
    if snapshot.cluster_mode and not cluster_mode:
        raise SnapshotError(
            "InvalidParameterCombinationException",
            f"You cannot restore {snapshot.key.name}, a backup of a cluster with cluster mode enabled, to a cluster "
            "with cluster mode disabled.",
        )


def declared_slots(properties: Mapping[str, Any], *, cluster_mode: bool) -> Sequence[tuple[int, int]]:
    """First and last slot of each shard in ``NodeGroupConfiguration``; empty if they are not declared.

    Raises:
        SnapshotError: They are missing although files in S3 are restored, or not all slots have one shard.
    """
    groups = properties.get("NodeGroupConfiguration") or []
    texts = [str(group.get("Slots") or "") for group in groups]
    if cluster_mode and properties.get("SnapshotArns") and not all(texts or [""]):
        reason = "Slots must be provided when restoring from snapshot ARNs with cluster mode enabled"
        raise SnapshotError("InvalidParameterCombinationException", reason)
    if not any(texts):
        return ()
    found = [_SLOTS.fullmatch(text.replace(" ", "")) for text in texts]
    slots = [(int(one[1]), int(one[2])) for one in found if one]
    ordered = sorted(slots)
    following = [*(first for first, _ in ordered), _LAST_SLOT + 1]
    complete = [0, *(last + 1 for _, last in ordered)] == following
    if len(slots) != len(texts) or not complete:
        reason = (
            f"the Slots of the node groups must have each slot from 0 to {_LAST_SLOT} once, not {', '.join(texts)}."
        )
        raise SnapshotError("InvalidParameterValueException", reason)
    return slots
