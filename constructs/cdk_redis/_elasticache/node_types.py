"""Node types of ElastiCache: the sizes of each family, and the first engine version that runs on it.

AWS refuses others, but only when it creates the store. Sources, read on 2026-11-21:
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheNodes.SupportedTypes.html
https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html (previous generations)
Node types that are newer than this table pass as `NodeType.of("cache.r9g.large")`.
"""

from __future__ import annotations

from cdk_redis._store.node_types import NodeFamily, NodeTypes

_LARGE = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"
_LARGE_INTEL = "large xlarge 2xlarge 4xlarge 12xlarge 24xlarge"
_BURSTABLE = "micro small medium"
# Every version that ElastiCache offers runs on the families that are older than these versions.
_ANY = "4.0.10"

NODE_TYPES = NodeTypes(
    "ElastiCache",
    "cache",
    {
        "m8g": NodeFamily(_LARGE, None),
        "r8g": NodeFamily(_LARGE, None),
        "c8gn": NodeFamily(_LARGE, None),
        "m7g": NodeFamily(_LARGE, "6.2"),
        "r7g": NodeFamily(_LARGE, "6.2"),
        "c7gn": NodeFamily(_LARGE, "6.2"),
        "m6g": NodeFamily(_LARGE, "5.0.6"),
        "r6g": NodeFamily(_LARGE, "5.0.6"),
        "r6gd": NodeFamily("xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge", "6.2"),
        # The table of the user guide lets t4g.micro run Redis OSS 4.0.10; its text and the API reference name 5.0.6.
        "t4g": NodeFamily(_BURSTABLE, "5.0.6"),
        "m5": NodeFamily(_LARGE_INTEL, _ANY),
        "r5": NodeFamily(_LARGE_INTEL, _ANY),
        "m4": NodeFamily("large xlarge 2xlarge 4xlarge 10xlarge", _ANY),
        "r4": NodeFamily("large xlarge 2xlarge 4xlarge 8xlarge 16xlarge", _ANY),
        "t3": NodeFamily(_BURSTABLE, _ANY),
        # One page of AWS's says that no new clusters are created on t2, another lists it as a current generation.
        "t2": NodeFamily(_BURSTABLE, _ANY),
        # "Existing clusters are still supported but creation of new clusters is not supported for these types."
        "t1": NodeFamily("micro", _ANY, retired=True),
        "m1": NodeFamily("small medium large xlarge", _ANY, retired=True),
        "m2": NodeFamily("xlarge 2xlarge 4xlarge", _ANY, retired=True),
        "m3": NodeFamily("medium large xlarge 2xlarge", _ANY, retired=True),
        "c1": NodeFamily("xlarge", _ANY, retired=True),
        "r3": NodeFamily("large xlarge 2xlarge 4xlarge 8xlarge", _ANY, retired=True),
    },
)
