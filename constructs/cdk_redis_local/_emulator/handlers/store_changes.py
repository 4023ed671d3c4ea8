"""What ElastiCache and MemoryDB allow to change in a running store, and the words with which they refuse the rest.

https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/modify-cluster-mode.html
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/in-transit-encryption-enable.html
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/VersionManagement.HowTo.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.store import Store, StoreShape
from cdk_redis_local._engines.copying import databases
from cdk_redis_local._engines.program import EngineProgram

ClusterMode = Literal["disabled", "compatible", "enabled"]

_DOWNGRADE = (
    "InvalidParameterCombination: You can upgrade to a newer engine version, but you cannot downgrade to an earlier "
    "engine version ({before} to {after}). If you want to use an earlier engine version, you must delete the existing "
    "{store} and create it anew with the earlier engine version."
)
_COMPATIBLE_FIRST = (
    "InvalidParameterCombination: To modify cluster mode from Disabled to Enabled, you must first set the cluster mode "
    "to Compatible."
)
_NO_WAY_BACK = (
    "InvalidParameterCombination: Cluster mode configuration can only be changed from cluster mode disabled to cluster "
    "mode enabled. Reverting this configuration is not possible."
)
_PREFERRED_FIRST = (
    "InvalidParameterCombination: If you are enabling in-transit encryption for an existing cluster, you must also set "
    "TransitEncryptionMode to preferred."
)
_PREFERRED_BEFORE_OFF = (
    "InvalidParameterCombination: Set TransitEncryptionMode to preferred before you disable in-transit encryption."
)
_ACCESS_CONTROL = (
    "InvalidParameterCombination: Modification of transit encryption is not supported for access control enabled "
    "clusters."
)
_NO_PREFERRED = "InvalidParameterCombination: Transit encryption preferred is not supported with redis access control."
_NOT_A_CLUSTER = (
    "InvalidParameterCombination: Operation is only applicable for cluster mode enabled replication groups."
)
_PARAMETER = (
    "InvalidParameterCombination: The parameter cluster-enabled has a different value in the requested parameter group "
    "than the current parameter group. This parameter value cannot be changed for a cache cluster."
)


def check_program(store: Store, wanted: StoreShape, kind: str) -> None:
    """Check that the wanted engine can read what the running one wrote.

    Args:
        store: The running store.
        wanted: Its shape after the change.
        kind: ``replication group`` or ``cluster``, for the message.

    Raises:
        LocalCloudError: The wanted engine is older.
    """
    before, after = store.engines.program, wanted.program
    older = before.name == after.name and _numbers(after) < _numbers(before)
    if older or (before.name, after.name) == ("valkey", "redis"):
        raise LocalCloudError(_DOWNGRADE.format(before=before, after=after, store=kind))


def kept_program(store: Store, properties: Mapping[str, Any]) -> EngineProgram | None:
    """The running engine, if the properties have no version and do not name another engine."""
    program = store.engines.program
    named = str(properties.get("Engine", "redis")).lower()
    return program if not properties.get("EngineVersion") and named == program.name else None


def running_mode(store: Store) -> ClusterMode:
    """The current cluster mode of a replication group."""
    if not store.engines.cluster_mode:
        return "disabled"
    return "compatible" if store.compatible else "enabled"


def check_change(store: Store, wanted: StoreShape, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Check a change of a running replication group.

    Args:
        store: The replication group.
        wanted: Its shape after the change.
        before: The properties of its last template.
        after: The properties of the update.

    Raises:
        LocalCloudError: ElastiCache would refuse the change.
    """
    _check_cluster_mode(store, wanted, declared=bool(after.get("ClusterMode")))
    running, new = (store.engines.tls, store.rules.plaintext), (wanted.tls, wanted.plaintext)
    if running == new:
        return
    if wanted.plaintext and _has_access_control(after):
        raise LocalCloudError(_NO_PREFERRED)
    if _has_access_control(before):
        raise LocalCloudError(_ACCESS_CONTROL)
    if (running, new) == ((False, False), (True, False)):
        raise LocalCloudError(_PREFERRED_FIRST)
    if (running, new) == ((True, False), (False, False)):
        raise LocalCloudError(_PREFERRED_BEFORE_OFF)


def _has_access_control(properties: Mapping[str, Any]) -> bool:
    return bool(properties.get("UserGroupIds") or properties.get("AuthToken"))


def _check_cluster_mode(store: Store, wanted: StoreShape, *, declared: bool) -> None:
    before = running_mode(store)
    after = "disabled" if not wanted.cluster_mode else "compatible" if wanted.compatible else "enabled"
    if (before != "disabled" and after == "disabled") or (before, after) == ("enabled", "compatible"):
        raise LocalCloudError(_NO_WAY_BACK)
    if (before, after) == ("disabled", "enabled"):
        if declared:
            raise LocalCloudError(_COMPATIBLE_FIRST)
        raise LocalCloudError(_NOT_A_CLUSTER if wanted.shards > 1 else _PARAMETER)
    if (before, after) == ("disabled", "compatible"):
        _check_can_become_compatible(store, wanted)
    elif before == "compatible":
        _check_only_mode(store, wanted)


def _check_can_become_compatible(store: Store, wanted: StoreShape) -> None:
    problems: list[str] = []
    if wanted.shards > 1:
        problems.append("in compatible mode, a single shard is deployed")
    if not store.engines.replicas:
        problems.append("auto-failover must be enabled on the cluster with a minimum of 1 replica")
    if wanted.parameters.get("cluster-enabled") == "no":
        problems.append("provide a parameter group with the cluster-enabled parameter set to yes")
    if any(databases(store.engines.primaries[0])):
        problems.append("the cluster may only have keys in database 0")
    if problems:
        raise LocalCloudError(f"InvalidParameterCombination: cluster mode cannot change: {'; '.join(problems)}")


def _check_only_mode(store: Store, wanted: StoreShape) -> None:
    engines = store.engines
    mode_and_size = (wanted.program, wanted.shards, wanted.replicas, wanted.tls)
    if (engines.program, engines.shards, engines.replicas, engines.tls) != mode_and_size:
        raise LocalCloudError(
            "InvalidParameterCombination: in the compatible mode, other modification operations such as scaling and "
            "engine version are not allowed for the cluster"
        )


def _numbers(program: EngineProgram) -> list[int]:
    return [int(part) for part in program.version.split(".")]
