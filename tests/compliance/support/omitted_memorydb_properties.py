"""Properties of MemoryDB's resource types that the library does not set, each with the reason."""

from __future__ import annotations

_TAKEN_ONCE = (
    "a snapshot is taken at one moment, not kept in a state: `snapshots` takes them daily, `aws memorydb` by hand"
)

OMITTED: dict[str, dict[str, str]] = {
    "AWS::MemoryDB::Cluster": {
        "SnsTopicStatus": "a topic that is given is told; to stop, take `notification_topic` away",
    },
    "AWS::MemoryDB::Snapshot": {
        "ClusterName": _TAKEN_ONCE,
        "KmsKeyId": _TAKEN_ONCE,
        "SnapshotName": _TAKEN_ONCE,
        "Tags.Key": _TAKEN_ONCE,
        "Tags.Value": _TAKEN_ONCE,
    },
}
"""By resource type, paths as `_schemas.properties` has them."""
