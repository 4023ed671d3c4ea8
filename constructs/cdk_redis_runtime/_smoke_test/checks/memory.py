"""How full a node's memory is, and how much of it can be evicted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FULL = 0.9
"""Share of ``maxmemory`` from which memory counts as full."""
_MEBIBYTE = 1024 * 1024
_NO_EVICTION = "noeviction"
_VOLATILE = "volatile-"


@dataclass(frozen=True)
class Memory:
    """The memory of a node.

    Attributes:
        used: Bytes in use.
        limit: ``maxmemory`` in bytes; 0 without a limit.
        policy: ``maxmemory-policy``.
        keys: Number of keys.
        expires: Number of keys that have a time to live.
    """

    used: int
    limit: int
    policy: str
    keys: int
    expires: int

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> Memory:
        """Read INFO's sections memory and keyspace."""
        databases = [value for name, value in info.items() if name.startswith("db") and isinstance(value, dict)]
        return cls(
            used=int(info.get("used_memory", 0)),
            limit=int(info.get("maxmemory", 0)),
            policy=str(info.get("maxmemory_policy", "")),
            keys=sum(int(database.get("keys", 0)) for database in databases),
            expires=sum(int(database.get("expires", 0)) for database in databases),
        )

    @property
    def share(self) -> float:
        """Share of the limit that is in use; 0 without a limit."""
        return self.used / self.limit if self.limit else 0.0

    @property
    def lasting_share(self) -> float:
        """Share of the limit that eviction cannot free, if all keys have the same size."""
        if self.policy == _NO_EVICTION or not self.keys:
            return self.share
        kept = self.keys - self.expires if self.policy.startswith(_VOLATILE) else 0
        return self.share * kept / self.keys

    @property
    def evicts(self) -> bool:
        """Whether a new key evicts others, or is evicted itself."""
        return self.share >= FULL and self.policy != _NO_EVICTION

    def __str__(self) -> str:
        """How full it is, and the policy."""
        mebibytes = f"{self.used / _MEBIBYTE:.1f} of {self.limit / _MEBIBYTE:.1f} MiB"
        return f"{mebibytes} are used ({self.share:.0%}) and the maxmemory-policy is {self.policy}"
