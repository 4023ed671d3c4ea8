"""Checks of stores: replication groups and serverless caches of ElastiCache, clusters of MemoryDB."""

from __future__ import annotations

from cdk_redis_local._emulator.refusals.access import OPEN_ACCESS, USER_GROUP
from cdk_redis_local._emulator.refusals.facts import families, family_of, numbers
from cdk_redis_local._emulator.refusals.groups import CLUSTER_ENABLED, PARAMETERS
from cdk_redis_local._emulator.refusals.rule import Broken, Case, Properties, flag, number, text

_TOKEN_LENGTH = range(16, 129)
_FORBIDDEN_IN_TOKENS = "/'\"@ "


def _off(case: Case, parameter: str) -> bool:
    """Whether encryption is off; a secondary has that of its global datastore."""
    return "GlobalReplicationGroupId" not in case.new and not flag(case.new.get(parameter))


def _clusters(case: Case) -> int | None:
    return number(case.new.get("NumCacheClusters"))


def _failover(case: Case) -> object:
    return "AutomaticFailoverEnabled" in case.new and flag(case.new["AutomaticFailoverEnabled"])


def failover_of_one(case: Case) -> object:
    return _failover(case) and (_clusters(case) or 2) < 2


def implied_failover_of_one(case: Case) -> object:
    # CloudFormation's handler turns failover on if the template does not tell.
    return "AutomaticFailoverEnabled" not in case.new and _clusters(case) == 1


def clusters_of_shards(case: Case) -> object:
    return _clusters(case) is not None and (number(case.new.get("NumNodeGroups")) or 1) > 1


def _cluster_mode_of(properties: Properties, case: Case) -> bool:
    mode = text(properties.get("ClusterMode")).lower()
    if mode in ("enabled", "compatible") or (number(properties.get("NumNodeGroups")) or 1) > 1:
        return True
    return _enabled_by(text(properties.get("CacheParameterGroupName")), case) is True


def _enabled_by(name: str, case: Case) -> bool | None:
    """Whether a parameter group turns cluster mode on; None if it is not known."""
    if name.startswith("default."):
        return name.endswith(".cluster.on")
    group = case.known.find(PARAMETERS, name)
    return None if group is None else text((group.get("Properties") or {}).get(CLUSTER_ENABLED)).lower() == "yes"


def shards_without_cluster_mode(case: Case) -> object:
    name = text(case.new.get("CacheParameterGroupName"))
    return bool(name) and (number(case.new.get("NumNodeGroups")) or 1) > 1 and _enabled_by(name, case) is False


def groups_without_tls(case: Case) -> object:
    return bool(case.new.get("UserGroupIds")) and _off(case, "TransitEncryptionEnabled")


def token_without_tls(case: Case) -> object:
    return case.new.get("AuthToken") is not None and _off(case, "TransitEncryptionEnabled")


def token(case: Case) -> object:
    given = case.new.get("AuthToken")
    legal = given is None or (len(text(given)) in _TOKEN_LENGTH and not set(text(given)) & set(_FORBIDDEN_IN_TOKENS))
    return not legal


def key_without_encryption(case: Case) -> object:
    return case.new.get("KmsKeyId") is not None and _off(case, "AtRestEncryptionEnabled")


def snapshotting(case: Case) -> object:
    return case.new.get("SnapshottingClusterId") is not None and _cluster_mode_of(case.new, case)


def zones(case: Case) -> object:
    zones = case.new.get("PreferredCacheClusterAZs")
    return zones is not None and _clusters(case) is not None and len(zones) != _clusters(case)


def exact_version(case: Case) -> object:
    version = text(case.new.get("EngineVersion"))
    parts = numbers(version)
    return (version, f"{parts[0]}.{parts[1]}") if len(parts) > 2 and parts[0] >= 6 else None


def missing(parameter: str, resource_type: str, *own: str) -> Broken:
    """Whether a named group does not exist; its name. ``own`` are beginnings of the names of the service's groups."""

    def broken(case: Case) -> object:
        given = case.new.get(parameter)
        names = [text(one) for one in (given if isinstance(given, list) else [given]) if one]
        unknown = [one for one in names if not one.lower().startswith(own or ("\0",))]
        return next((one for one in unknown if case.known.find(resource_type, one) is None), None)

    return broken


def wrong_default(parameter: str, service: str) -> Broken:
    """Whether a parameter group of the service's own does not exist; its name."""

    def broken(case: Case) -> object:
        name = text(case.new.get(parameter))
        legal = {f"default.{family.replace('memorydb_', 'memorydb-')}" for family in families(service)}
        return name if name.startswith("default.") and name.removesuffix(".cluster.on") not in legal else None

    return broken


def wrong_family(service: str, parameter: str, resource_type: str, family: str) -> Broken:
    """Whether a parameter group is of another family than the engine; both."""

    def broken(case: Case) -> object:
        engine, version = text(case.new.get("Engine") or "redis").lower(), text(case.new.get("EngineVersion"))
        expected = family_of(service, engine, version) if version else None
        group = case.known.find(resource_type, case.new.get(parameter))
        if expected is None or group is None:
            return None
        found = text(group.get(family))
        return (expected, found) if found != expected else None

    return broken


def valkey_users(case: Case) -> object:
    users = case.new.get("UserGroupIds") or [case.new.get("UserGroupId")]
    groups = {text(name): case.known.find(USER_GROUP, name) for name in users}
    engine = text(case.new.get("Engine")).lower()
    found = (name for name, group in groups.items() if group and text(group.get("Engine")).lower() == "valkey")
    return next(found, None) if engine == "redis" else None


def valkey_without_tls_property(case: Case) -> object:
    return text(case.new.get("Engine")).lower() == "valkey" and "TransitEncryptionEnabled" not in case.new


def to_redis(case: Case) -> object:
    engines = [text(one.get("Engine") or "redis").lower() for one in (case.old or case.new, case.new)]
    return engines == ["valkey", "redis"]


def older_version(case: Case) -> object:
    old = case.old or case.new
    if text(old.get("Engine")).lower() != text(case.new.get("Engine")).lower():
        return None
    before, after = numbers(text(old.get("EngineVersion"))), numbers(text(case.new.get("EngineVersion")))
    shortest = min(len(before), len(after))
    return (
        (text(old["EngineVersion"]), text(case.new["EngineVersion"])) if after[:shortest] < before[:shortest] else None
    )


def failover_turned_off(case: Case) -> object:
    if case.old is None or not _cluster_mode_of(case.old, case):
        return None
    before, after = (flag(one.get("AutomaticFailoverEnabled", True)) for one in (case.old, case.new))
    return before and not after


def reshards_without_cluster_mode(case: Case) -> object:
    if case.old is None or _cluster_mode_of(case.old, case):
        return None
    return (number(case.new.get("NumNodeGroups")) or 1) > 1


def list_without_tls(case: Case) -> object:
    tls = "TLSEnabled" not in case.new or flag(case.new["TLSEnabled"])
    return not tls and text(case.new.get("ACLName")).lower() != OPEN_ACCESS


def replicas(case: Case) -> object:
    given = number(case.new.get("NumReplicasPerShard"))
    return given is not None and not 0 <= given <= 5
