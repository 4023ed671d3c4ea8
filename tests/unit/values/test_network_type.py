"""Engines and node types that support a network type."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_redis._core.errors import ConfigurationError, Problems
from cdk_redis._values.engine import Engine
from cdk_redis._values.network_type import NetworkType, check_network_type
from cdk_redis._values.node_type import NodeType


def _check(network_type: NetworkType, engine: Engine | None = None, node_type: str = "cache.r7g.large") -> None:
    problems = Problems("Store")
    check_network_type(problems, network_type, engine=engine or Engine.valkey("8.1"), node_type=NodeType(node_type))
    problems.raise_if_any()


@pytest.mark.parametrize("network_type", NetworkType)
def test_new_engines_and_nodes_support_every_network_type(network_type: NetworkType) -> None:
    _check(network_type)


def test_old_engines_and_nodes_support_ipv4() -> None:
    _check(NetworkType.IPV4, engine=Engine.redis("5.0.6"), node_type="cache.t2.small")


WRONG = {
    "an old engine": (
        (NetworkType.IPV6, Engine.redis("6.0")),
        "network_type: got 'ipv6', but redis 6.0 does not support IPv6; use Valkey 7.2, or Redis OSS 6.2, or newer",
    ),
    "an old node": (
        (NetworkType.DUAL_STACK, None, "cache.t2.small"),
        "network_type: got 'dual_stack', but cache.t2.small does not support IPv6; "
        "use a node type of a newer generation",
    ),
    "an old node without prefix": (
        (NetworkType.DUAL_STACK, None, "t2.small"),
        "network_type: got 'dual_stack', but t2.small does not support IPv6; use a node type of a newer generation",
    ),
}


@pytest.mark.parametrize(("given", "message"), WRONG.values(), ids=WRONG.keys())
def test_an_unsupported_network_type_is_refused(given: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _check(*given)

    assert str(caught.value) == f"Store: {message}"
