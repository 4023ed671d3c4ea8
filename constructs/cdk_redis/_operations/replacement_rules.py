"""Which changes of properties replace a resource, interrupt it, or look like a replacement and are none.

CloudFormation's schemas name the properties that always replace a resource. Of some properties only certain changes do,
which the schemas do not say: those rules are here, with their sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from cdk_redis._operations.stateful_types import MEMORYDB_CLUSTER, REPLICATION_GROUP, StatefulType

# "When UseOnlineResharding is set to false, or is not specified, updating NumNodeGroups results in replacement."
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatepolicy.html
_RESHARDING = ("NumNodeGroups", "NodeGroupConfiguration")
_NO_RESHARDING = (
    "without the update policy UseOnlineResharding, another number of shards replaces the replication group"
)
# Both services replace nodes one by one and fail over, which interrupts connections for seconds.
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/VersionManagement.HowTo.html
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/redis-cluster-vertical-scaling.html
# https://docs.aws.amazon.com/memorydb/latest/devguide/cluster-vertical-scaling.html
_INTERRUPTING = {
    REPLICATION_GROUP: ("CacheNodeType", "Engine", "EngineVersion"),
    MEMORYDB_CLUSTER: ("Engine", "EngineVersion", "NodeType"),
}
_DIFFERS = {
    "Engine": "AWS upgrades Redis OSS to Valkey in place, and CloudFormation has no create-only property of this name",
    "ReplicasPerNodeGroup": "AWS adds and removes replicas in place, and CloudFormation has no create-only "
    "property of this name",
}


class Effect(str, Enum):
    """What CloudFormation does with a resource."""

    IN_PLACE = "in place"
    INTERRUPTION = "in place, with a short interruption"
    REPLACEMENT = "replacement"
    REMOVAL = "removal"

    @property
    def ends_resource(self) -> bool:
        """Whether the resource is deleted, or leaves the stack."""
        return self in (Effect.REPLACEMENT, Effect.REMOVAL)


@dataclass
class Judgement:
    """What a change of properties does, and why.

    Attributes:
        effect: What CloudFormation does.
        properties: The properties that decide it, sorted; of a change in place, all that change.
        notes: What else to know: where ``cdk diff`` says something else, what to deploy alone.
    """

    effect: Effect
    properties: tuple[str, ...]
    notes: list[str] = field(default_factory=list[str])


def judge(
    resource_type: str,
    known: StatefulType,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    changed: frozenset[str],
) -> Judgement:
    """Judge the change of a resource.

    Args:
        resource_type: Its type.
        known: What CloudFormation's schema says of the type.
        before: The resource in the old template.
        after: The resource in the new template.
        changed: Names of the properties that change.
    """
    notes: list[str] = []
    replacing = set(changed & known.create_only)
    for name in sorted(changed & known.conditional):
        if _replaces(resource_type, name, before, after):
            replacing.add(name)
    if resource_type == REPLICATION_GROUP and "NumNodeGroups" in changed and not _reshards_online(after):
        replacing.add("NumNodeGroups")
    if resource_type == REPLICATION_GROUP and replacing & set(_RESHARDING) and not _reshards_online(after):
        notes.append(_NO_RESHARDING)
    if replacing:
        return Judgement(Effect.REPLACEMENT, tuple(sorted(replacing)), notes)
    notes += [
        f"cdk diff calls a change of {name} a replacement, which it is not: {_DIFFERS[name]}"
        for name in sorted(changed & known.only_in_cdk_diff)
    ]
    if resource_type == REPLICATION_GROUP and changed & set(_RESHARDING) and changed - set(_RESHARDING):
        notes.append("AWS advises to change the number of shards in a deployment of its own")
    interrupting = changed & set(_INTERRUPTING.get(resource_type, ()))
    effect = Effect.INTERRUPTION if interrupting else Effect.IN_PLACE
    return Judgement(effect, tuple(sorted(changed)), notes)


def _replaces(resource_type: str, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a change of a conditionally create-only property replaces the resource; if no rule is known, it does."""
    old, new = _property(before, name), _property(after, name)
    if (resource_type, name) == (REPLICATION_GROUP, "AuthToken"):
        # "If ADDING the AuthToken, update requires Replacement": https://docs.aws.amazon.com/AWSCloudFormation/latest/
        # TemplateReference/aws-resource-elasticache-replicationgroup.html. Change sets also show one where it is
        # removed (aws-cloudformation/cloudformation-coverage-roadmap issue 2356). A new value is set in place.
        return (old is None) is not (new is None)
    if (resource_type, name) == (REPLICATION_GROUP, "NodeGroupConfiguration"):
        # "For online scaling, use ReplicasPerNodeGroup alone" (schema of the type).
        replicas_change = _property(before, "ReplicasPerNodeGroup") != _property(after, "ReplicasPerNodeGroup")
        return replicas_change or not _reshards_online(after)
    if name == "InstanceTenancy":
        # "Updating InstanceTenancy requires no replacement only if you are updating its value from dedicated to
        # default." https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-vpc.html
        return (old, new) not in (("dedicated", "default"), ("dedicated", None))
    return True


def _reshards_online(resource: Mapping[str, Any]) -> bool:
    return str(resource.get("UpdatePolicy", {}).get("UseOnlineResharding", False)).lower() == "true"


def _property(resource: Mapping[str, Any], name: str) -> Any:
    return resource.get("Properties", {}).get(name)
