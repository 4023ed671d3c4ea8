"""Placement: in which availability zones the nodes of each shard stand.

Example:
    >>> ShardPlacement("eu-west-1a", "eu-west-1b", "eu-west-1c").replicas
    ('eu-west-1b', 'eu-west-1c')
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cdk_redis._core.errors import Problems
from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from cdk_redis._network.network import RedisNetwork

_PLACEMENT = "placement"
_MADE_UP = "dummy"


@dataclass(frozen=True, init=False)
class ShardPlacement:
    """The availability zones of one shard's nodes.

    Attributes:
        primary: Zone that the primary is made in; after a failover it stands where a replica was.
        replicas: Zone of each replica.
    """

    primary: str
    replicas: tuple[str, ...]

    def __init__(self, primary: str, *replicas: str) -> None:
        """Name the zones.

        Args:
            primary: Zone of the primary, such as ``"eu-west-1a"``.
            replicas: Zone of each replica, as many as the store has `replicas`.

        Raises:
            ConfigurationError: If one is no name.
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
        """Zone of each node, the primary's first."""
        return (self.primary, *self.replicas)


def check_placement(
    problems: Problems,
    placement: Sequence[ShardPlacement] | None,
    *,
    shards: int,
    replicas: int,
    network: RedisNetwork | None,
) -> None:
    """Note what AWS would refuse of a placement.

    Args:
        problems: Where to note it.
        placement: As given to the store, like all that follows.
        shards: As given.
        replicas: As given.
        network: The network whose subnets the nodes are placed in; None where they are not known.
    """
    if placement is None:
        return
    if isinstance(placement, ShardPlacement) or not all(isinstance(shard, ShardPlacement) for shard in placement):
        problems.add(_PLACEMENT, placement, "it is a list with one ShardPlacement a shard")
        return
    if is_token(shards) or is_token(replicas):
        problems.add(
            _PLACEMENT, len(placement), "it is counted before the deploy, when a token in `shards` or `replicas` is not"
        )
        return
    if len(placement) != shards:
        problems.add(_PLACEMENT, f"{len(placement)} shards", f"the store has {shards}", "place each shard")
    for number, shard in enumerate(placement, start=1):
        _check_shard(problems, f"{_PLACEMENT}[{number - 1}]", shard, replicas)
    _check_zones(problems, placement, network)


def _check_shard(problems: Problems, parameter: str, shard: ShardPlacement, replicas: int) -> None:
    if len(shard.replicas) != replicas:
        problems.add(parameter, shard.zones, f"a shard here is a primary and {replicas} replicas", "name as many zones")
    elif replicas > 0 and len(set(shard.zones)) == 1:
        reason = "automatic failover over several zones needs two at least"
        problems.add(parameter, shard.zones, reason, "place a replica in another zone")


def _check_zones(problems: Problems, placement: Sequence[ShardPlacement], network: RedisNetwork | None) -> None:
    """Nodes stand in the subnets' zones; of others the service says that they are not in the subnet group."""
    known = [subnet.availability_zone for subnet in network.subnets] if network else []
    # Before the CDK CLI has looked the zones of an account up, they are made up.
    if not known or any(is_token(zone) or zone.startswith(_MADE_UP) for zone in known):
        return
    named = {zone for shard in placement for zone in shard.zones if not is_token(zone)}
    for zone in sorted(named.difference(known)):
        problems.add(_PLACEMENT, zone, f"the network's subnets are in {', '.join(sorted(set(known)))}")
