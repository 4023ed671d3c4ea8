"""Placement: the availability zones of the nodes of each shard.

Example:
    >>> ShardPlacement("eu-west-1a", "eu-west-1b", "eu-west-1c").replicas
    ('eu-west-1b', 'eu-west-1c')
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aws_cdk as cdk

from cdk_redis._core.errors import Problems
from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from aws_cdk import aws_elasticache as elasticache
    from constructs import IConstruct

    from cdk_redis._network.network import RedisNetwork
    from cdk_redis._values.restore import Restore

_PLACEMENT = "placement"
_DUMMY_ZONE = "dummy"
_SLOTS = 16384
_ZONE = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]+[a-z]")


@dataclass(frozen=True, init=False)
class ShardPlacement:
    """The availability zones of one shard's nodes.

    Attributes:
        primary: Zone in which the primary is created; a failover moves the primary to the zone of a replica.
        replicas: Zone of each replica.
    """

    primary: str
    replicas: tuple[str, ...]

    def __init__(self, primary: str, *replicas: str) -> None:
        """Set the zones.

        Args:
            primary: Zone of the primary, such as ``"eu-west-1a"``.
            replicas: Zone of each replica, as many as the `replicas` of the store.

        Raises:
            ConfigurationError: If a zone is not text.
        """
        problems = Problems("ShardPlacement")
        for parameter, zone in (("primary", primary), *(("replicas", replica) for replica in replicas)):
            if not isinstance(zone, str) or not zone:
                problems.add(parameter, zone, 'a zone is a name such as "eu-west-1a"')
        problems.raise_if_any()
        object.__setattr__(self, "primary", primary)
        object.__setattr__(self, "replicas", tuple(replicas))

    @property
    def zones(self) -> tuple[str, ...]:
        """Zone of each node, first that of the primary."""
        return (self.primary, *self.replicas)


def check_placement(
    problems: Problems,
    placement: Sequence[ShardPlacement] | None,
    shards: int,
    replicas: int,
    network: RedisNetwork | None,
    *,
    scope: IConstruct,
) -> None:
    """Check that each node has a zone, that the zones are of the store's Region, and that they have subnets.

    Args:
        problems: Where to add problems.
        placement: Zones of each shard.
        shards: Number of shards.
        replicas: Replicas of each shard.
        network: The network whose subnets the nodes are placed in; None if the subnets are not known.
        scope: The store.
    """
    if placement is None:
        return
    if is_token(shards) or is_token(replicas):
        problems.add(
            _PLACEMENT, len(placement), "`shards` and `replicas` must be numbers to compare it with, not tokens"
        )
        return
    if len(placement) != shards:
        problems.add(_PLACEMENT, f"{len(placement)} shards", f"the store has {shards}", "place each shard")
    for number, shard in enumerate(placement, start=1):
        _check_shard(problems, f"{_PLACEMENT}[{number - 1}]", shard, replicas)
    if not _check_region(problems, placement, cdk.Stack.of(scope).region):
        return
    _check_zones(problems, placement, network)


def _check_shard(problems: Problems, parameter: str, shard: ShardPlacement, replicas: int) -> None:
    if len(shard.replicas) != replicas:
        problems.add(parameter, shard.zones, f"a shard has a primary and {replicas} replicas", "set one zone for each")
    elif replicas > 0 and len(set(shard.zones)) == 1:
        reason = "automatic failover needs nodes in two zones or more"
        problems.add(parameter, shard.zones, reason, "place a replica in another zone")


def _check_region(problems: Problems, placement: Sequence[ShardPlacement], region: str) -> bool:
    """The name of a zone begins with that of its Region: ``eu-west-1a``, ``us-west-2-lax-1a``."""
    named = {zone for shard in placement for zone in shard.zones if _ZONE.fullmatch(zone)}
    others = [] if is_token(region) else sorted(zone for zone in named if not zone.startswith(region))
    for zone in others:
        problems.add(_PLACEMENT, zone, f"the store is in {region}", "use a zone of that Region")
    return not others


def _check_zones(problems: Problems, placement: Sequence[ShardPlacement], network: RedisNetwork | None) -> None:
    """Nodes can only be placed in the zones of the subnets; ElastiCache rejects other zones."""
    known = [subnet.availability_zone for subnet in network.subnets] if network else []
    # Until the CDK CLI has looked up the zones of an account, they have dummy names.
    if not known or any(is_token(zone) or zone.startswith(_DUMMY_ZONE) for zone in known):
        return
    named = {zone for shard in placement for zone in shard.zones if not is_token(zone)}
    for zone in sorted(named.difference(known)):
        problems.add(_PLACEMENT, zone, f"the network's subnets are in {', '.join(sorted(set(known)))}")


def node_group_configuration(
    shards: int, replicas: int, placement: Sequence[ShardPlacement] | None, restore: Restore | None
) -> list[elasticache.CfnReplicationGroup.NodeGroupConfigurationProperty] | None:
    """Return a configuration for each shard if zones or slots must be set, else None.

    Args:
        shards: Number of shards.
        replicas: Replicas of each shard.
        placement: Zones of each shard.
        restore: Data that a store in cluster mode is created with; AWS requires slots only for files in S3.
    """
    has_slots = restore is not None and len(restore.object_arns) > 0
    if placement is None and not has_slots:
        return None
    from aws_cdk.aws_elasticache import CfnReplicationGroup

    bounds = [number * _SLOTS // shards for number in range(shards + 1)]
    return [
        CfnReplicationGroup.NodeGroupConfigurationProperty(
            # The default id of AWS. If it is set, an update identifies the shard.
            node_group_id=f"{number + 1:04d}",
            replica_count=replicas,
            primary_availability_zone=placement[number].primary if placement else None,
            replica_availability_zones=list(placement[number].replicas) or None if placement else None,
            slots=f"{bounds[number]}-{bounds[number + 1] - 1}" if has_slots else None,
        )
        for number in range(shards)
    ]
