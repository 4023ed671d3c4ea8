"""Checks of the names of engine parameters, against the names that a service documents for a family."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Collection

    from cdk_redis._core.errors import Problems

_CLUSTER_MODE = "cluster-enabled"
# The only policies that nodes with data tiering support, in both services.
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/data-tiering.html
# https://docs.aws.amazon.com/memorydb/latest/devguide/data-tiering-prerequisites.html
_DATA_TIERING_POLICIES = ("noeviction", "volatile-lru", "allkeys-lru")


def check_names(
    problems: Problems,
    parameters: Mapping[str, str] | None,
    extra_parameters: Mapping[str, str] | None,
    *,
    family: str | None,
    known: Collection[str] | None,
    data_tiering: bool,
) -> None:
    """Check the names of engine parameters, and the eviction policy of nodes with data tiering.

    Args:
        problems: Where to add problems.
        parameters: Parameters whose names are checked.
        extra_parameters: Parameters whose names are not checked.
        family: Family of the parameter group.
        known: Names that can be set in the family; None if they are unknown, then names are not checked.
        data_tiering: Whether the nodes use data tiering.
    """
    settings = parameters or {}
    for name, value in settings.items():
        if known is not None and name not in known and name != _CLUSTER_MODE and not is_token(name):
            closest = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {closest[0]!r}? " if closest else ""
            hint = f"{hint}a parameter that is newer than this library goes into `extra_parameters`"
            problems.add("parameters", {name: value}, f"family {family} has no such parameter", hint)
        if name == "maxmemory-policy" and data_tiering and value not in _DATA_TIERING_POLICIES:
            reason = f"nodes with data tiering support the policies {', '.join(_DATA_TIERING_POLICIES)}"
            problems.add("parameters", {name: value}, reason)
    for name, value in (extra_parameters or {}).items():
        if name in settings:
            problems.add("extra_parameters", {name: value}, "`parameters` has it too", "leave out one of the two")
        elif name == _CLUSTER_MODE:
            problems.add("extra_parameters", {name: value}, "cluster mode follows from `shards`", "leave it out")
