"""Values of the engine parameters that MemoryDB's parameter groups accept; they are the same in all families.

AWS refuses others, but only during the deploy. Sources, read on 2026-11-21:
https://docs.aws.amazon.com/memorydb/latest/devguide/parametergroups.redis.html ("Permitted values")
https://docs.aws.amazon.com/cli/latest/reference/memorydb/describe-parameters.html ("AllowedValues")
A value that is newer than this table passes in `extra_parameters`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from cdk_redis._store.parameter_values import KEYSPACE_EVENTS, SHARED_VALUES, by_name

if TYPE_CHECKING:
    from collections.abc import Mapping

_VALUES = {
    "yes,no": "search-enabled",
    "1-10000": "acllog-max-len",
    "1-60000": "search-query-timeout-ms",
    "1-100000000": "tracking-table-max-keys",
    KEYSPACE_EVENTS: "notify-keyspace-events",
}


@cache
def allowed_values() -> Mapping[str, str]:
    """Allowed values by the name of the parameter."""
    return by_name(SHARED_VALUES, _VALUES)
