"""Default engine and node type of a MemoryDB cluster."""

from __future__ import annotations

from cdk_redis._values.engine import Engine

DEFAULT_ENGINE = Engine.valkey("7.3")
DEFAULT_NODE_TYPE = "db.t4g.small"
