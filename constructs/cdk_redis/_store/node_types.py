"""The shape of a service's table of node types; each service has its own table."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cdk_redis._values.engine import Engine
    from cdk_redis._values.node_type import NodeType


class NodeFamily(NamedTuple):
    """A family of node types.

    Attributes:
        sizes: Its sizes, separated by spaces.
        redis: First version of Redis OSS that runs on it; None if no version does.
        valkey: First version of Valkey that runs on it.
        retired: Whether AWS creates no new clusters on it.
    """

    sizes: str
    redis: str | None
    valkey: str = "7.2"
    retired: bool = False


@dataclass(frozen=True)
class NodeTypes:
    """The node types of a service.

    Attributes:
        service: Name of the service, for messages.
        prefix: How their names begin: ``"cache"`` or ``"db"``.
        families: The families by name.
    """

    service: str
    prefix: str
    families: Mapping[str, NodeFamily]

    def problem_with(self, node_type: NodeType, engine: Engine) -> tuple[str, str] | None:
        """Reason and hint if the service cannot run an engine on a node type; None if it can.

        Args:
            node_type: The node type; one made by `NodeType.of` is not looked up.
            engine: The engine.
        """
        if not node_type.checked:
            return None
        family = self.families.get(node_type.family)
        if family is None:
            return f"{self.service} has no nodes of the family {node_type.family}", self._hint(node_type, self.families)
        if node_type.size not in family.sizes.split():
            reason = f"{node_type.family} nodes have the sizes {', '.join(family.sizes.split())}"
            return reason, self._hint(node_type, [node_type.family])
        if family.retired:
            reason = f"{self.service} creates no new clusters on {node_type.family} nodes, a previous generation"
            hint = (
                f"use one such as {self.prefix}.r7g.large, or NodeType.of({node_type.name!r}) for a store that has them"
            )
            return reason, hint
        if engine.is_at_least(valkey=family.valkey, redis=family.redis):
            return None
        needed = f"Redis OSS {family.redis} or newer, or Valkey" if family.redis else f"Valkey {family.valkey} or newer"
        reason = f"{node_type.family} nodes need {needed}, and the engine is {engine}"
        return reason, "choose a newer engine, or another node type"

    def _hint(self, node_type: NodeType, families: Iterable[str]) -> str:
        name = node_type.name_in(self.prefix)
        names = [
            f"{self.prefix}.{family}.{size}" for family in families for size in self.families[family].sizes.split()
        ]
        closest = difflib.get_close_matches(name, names, n=1)
        meant = f"did you mean {closest[0]!r}? " if closest else ""
        return f"{meant}write NodeType.of({name!r}) if it is newer than this library"
