"""What a MemoryDB cluster is if its engine and its node type are left out."""

from __future__ import annotations

from cdk_redis._values.engine import Engine

DEFAULT_ENGINE = Engine.valkey("7.3")
DEFAULT_NODE_TYPE = "db.t4g.small"
