"""Network types: the IP versions of a store's nodes, and the IP version that cluster clients discover.

Example:
    >>> NetworkType.DUAL_STACK.allows(IpDiscovery.IPV6)
    True
    >>> NetworkType.IPV4.allows(IpDiscovery.IPV6)
    False
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_redis._core.choice import Choice

if TYPE_CHECKING:
    from cdk_redis._core.errors import Problems
    from cdk_redis._values.engine import Engine
    from cdk_redis._values.node_type import NodeType


class NetworkType(Choice):
    """IP versions of the nodes of a store. Changing it replaces the store.

    IPv6 needs Valkey 7.2, or Redis OSS 6.2, or newer, nodes built on the Nitro system, and subnets with IPv6
    addresses. (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/network-type.html)
    """

    IPV4 = "ipv4"
    DUAL_STACK = "dual_stack"
    IPV6 = "ipv6"

    def allows(self, ip_discovery: IpDiscovery) -> bool:
        """Whether nodes of this type have addresses of the IP version."""
        return self is NetworkType.DUAL_STACK or self.value == ip_discovery.value


class IpDiscovery(Choice):
    """IP version of the node addresses that clients discover. Changing it updates the store in place."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


def check_network_type(problems: Problems, network_type: NetworkType, *, engine: Engine, node_type: NodeType) -> None:
    """Check that the engine and the node type support the network type.

    Args:
        problems: Where to add problems.
        network_type: IP versions of the nodes.
        engine: Engine of the store.
        node_type: Type of its nodes.
    """
    if not isinstance(network_type, NetworkType) or network_type is NetworkType.IPV4:
        return
    if not engine.is_at_least(valkey="7.2", redis="6.2"):
        problems.add(
            "network_type",
            network_type.value,
            f"{engine} does not support IPv6",
            "use Valkey 7.2, or Redis OSS 6.2, or newer",
        )
    # Only nodes that are built on the Nitro system have IPv6 addresses.
    if not node_type.nitro:
        problems.add(
            "network_type",
            network_type.value,
            f"{node_type} does not support IPv6",
            "use a node type of a newer generation",
        )
