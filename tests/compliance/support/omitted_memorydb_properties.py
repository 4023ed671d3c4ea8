"""Properties of MemoryDB resource types that the library does not set, each with the reason."""

from __future__ import annotations

_MANUAL = "the library has no construct for manual snapshots: `snapshots` takes them daily, `aws memorydb` at any time"

OMITTED: dict[str, dict[str, str]] = {
    "AWS::MemoryDB::Cluster": {
        "SnsTopicStatus": "MemoryDB publishes to every topic that is given; to stop it, remove `notification_topic`",
    },
    "AWS::MemoryDB::Snapshot": {
        "ClusterName": _MANUAL,
        "KmsKeyId": _MANUAL,
        "SnapshotName": _MANUAL,
        "Tags.Key": _MANUAL,
        "Tags.Value": _MANUAL,
    },
}
"""By resource type: paths as `schemas.properties` returns them, with reasons."""
