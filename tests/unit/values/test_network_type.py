"""Which network types fit which engines, nodes and discovery."""

from __future__ import annotations

import pytest

from cdk_redis._core.errors import ConfigurationError, Problems
from cdk_redis._values.engine import Engine
from cdk_redis._values.network_type import IpDiscovery, NetworkType, check_network_type


def _check(
    network_type: object,
    ip_discovery: object = None,
    engine: Engine | None = None,
    node_type: str = "cache.r7g.large",
) -> None:
    problems = Problems("Store")
    check_network_type(problems, network_type, ip_discovery, engine=engine or Engine.valkey("8.1"), node_type=node_type)
    problems.raise_if_any()


@pytest.mark.parametrize(
    ("network_type", "ip_discovery"),
    [
        (NetworkType.IPV4, None),
        (NetworkType.IPV4, IpDiscovery.IPV4),
        (NetworkType.DUAL_STACK, None),
        (NetworkType.DUAL_STACK, IpDiscovery.IPV4),
        (NetworkType.DUAL_STACK, IpDiscovery.IPV6),
        (NetworkType.IPV6, None),
        (NetworkType.IPV6, IpDiscovery.IPV6),
    ],
)
def test_what_fits_passes(network_type: NetworkType, ip_discovery: IpDiscovery | None) -> None:
    _check(network_type, ip_discovery)


def test_old_engines_and_nodes_have_ipv4() -> None:
    _check(NetworkType.IPV4, engine=Engine.redis("5.0.6"), node_type="cache.t2.small")


WRONG = {
    "a text": (
        ("ipv6",),
        "network_type: got 'ipv6', but a network type is a NetworkType, such as NetworkType.DUAL_STACK",
    ),
    "discovery as text": (
        (NetworkType.IPV4, "ipv4"),
        "ip_discovery: got 'ipv4', but it is IpDiscovery.IPV4 or IpDiscovery.IPV6",
    ),
    "IPv6 told of IPv4 nodes": (
        (NetworkType.IPV4, IpDiscovery.IPV6),
        "ip_discovery: got 'ipv6', but the nodes have no such addresses with network_type ipv4; "
        "leave it out, or use NetworkType.DUAL_STACK",
    ),
    "IPv4 told of IPv6 nodes": (
        (NetworkType.IPV6, IpDiscovery.IPV4),
        "ip_discovery: got 'ipv4', but the nodes have no such addresses with network_type ipv6; "
        "leave it out, or use NetworkType.DUAL_STACK",
    ),
    "an old engine": (
        (NetworkType.IPV6, None, Engine.redis("6.0")),
        "network_type: got 'ipv6', but redis 6.0 has no IPv6; use Valkey 7.2, or Redis OSS 6.2, or newer",
    ),
    "an old node": (
        (NetworkType.DUAL_STACK, None, None, "cache.t2.small"),
        "network_type: got 'dual_stack', but cache.t2.small has no IPv6; use a node type of a newer generation",
    ),
}


@pytest.mark.parametrize(("given", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_does_not_fit_is_refused(given: tuple[object, ...], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _check(*given)

    assert str(caught.value) == f"Store: {message}"
