"""Node types of MemoryDB: the sizes of each family, and the first engine version that runs on it.

AWS refuses others, but only when it creates the cluster. Source, read on 2026-11-21:
https://docs.aws.amazon.com/memorydb/latest/devguide/nodes.supportedtypes.html
Node types that are newer than this table pass as `NodeType.of("db.r9g.large")`.
"""

from __future__ import annotations

from cdk_redis._store.node_types import NodeFamily, NodeTypes

_LARGE = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"

NODE_TYPES = NodeTypes(
    "MemoryDB",
    "db",
    {
        "r7g": NodeFamily(_LARGE, "6.2"),
        "r6g": NodeFamily(_LARGE, "6.2"),
        "r6gd": NodeFamily("xlarge 2xlarge 4xlarge 8xlarge", "6.2"),
        "t4g": NodeFamily("small medium", "6.2"),
    },
)
