"""Memory of the node types, for the metrics that are percentages of it."""

from __future__ import annotations

# GiB by size; https://aws.amazon.com/elasticache/pricing/ lists the same numbers for all generations of a family.
_GIB = {
    "t": {"micro": 0.5, "small": 1.37, "medium": 3.09},
    "m": {
        "large": 6.38,
        "xlarge": 12.93,
        "2xlarge": 26.04,
        "4xlarge": 52.26,
        "8xlarge": 103.68,
        "12xlarge": 157.12,
        "16xlarge": 209.55,
        "24xlarge": 314.32,
    },
    "r": {
        "large": 13.07,
        "xlarge": 26.32,
        "2xlarge": 52.82,
        "4xlarge": 105.81,
        "8xlarge": 209.55,
        "12xlarge": 317.77,
        "16xlarge": 419.09,
        "24xlarge": 635.61,
    },
}


def node_memory(node_type: str) -> int | None:
    """Bytes of memory of a node type such as ``cache.r7g.large`` or ``db.t4g.small``; None if it is not known."""
    _, family, size = [*node_type.split("."), "", "", ""][:3]
    found = _GIB.get(family[:1], {}).get(size)
    return None if found is None else int(found * 2**30)
