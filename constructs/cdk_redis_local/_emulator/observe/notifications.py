"""Publishes the events of stores to their SNS topics.

The topic is ``NotificationTopicArn`` of a replication group and ``SnsTopicArn`` of a MemoryDB cluster.
The message is a JSON object with the event's name and the name of the node or store, such as
``{"ElastiCache:FailoverComplete": "app"}``. Source of the names: "Event Notifications and Amazon SNS" of both services.
AWS does not document the message of MemoryDB; here it has the shape of ElastiCache's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from cdk_redis_local._emulator.ministack.topics import publish, topic_attributes
from cdk_redis_local._emulator.observe.events import Event, EventKind
from cdk_redis_local._emulator.store import StoreKey
from cdk_redis_local._emulator.stores import Stores

# Whether the event is about each node, or about the store.
_NODES, _STORE = True, False
_Names = dict[EventKind, tuple[tuple[str, bool], ...]]
_ELASTICACHE: _Names = {
    "created": (("CacheClusterProvisioningComplete", _NODES), ("CreateReplicationGroupComplete", _STORE)),
    "parameter-changed": (("CacheClusterParametersChanged", _NODES),),
    "failover-complete": (("FailoverComplete", _STORE),),
    "recovery-started": (("CacheNodeReplaceStarted", _NODES),),
    "recovered": (("CacheNodeReplaceComplete", _NODES),),
    "nodes-added": (("CacheClusterProvisioningComplete", _NODES),),
    "nodes-removed": (("DeleteCacheClusterComplete", _NODES),),
    "snapshot-complete": (("SnapshotComplete", _NODES),),
    "deleted": (("DeleteCacheClusterComplete", _NODES),),
}
_MEMORYDB: _Names = {
    "created": (("ClusterProvisioningComplete", _STORE),),
    "parameter-changed": (("ClusterParametersChanged", _STORE),),
    "failover-complete": (("FailoverComplete", _STORE),),
    "recovery-started": (("NodeReplaceStarted", _NODES),),
    "recovered": (("NodeReplaceComplete", _NODES),),
    "nodes-added": (("AddNodeComplete", _STORE),),
    "nodes-removed": (("RemoveNodeComplete", _STORE),),
    "snapshot-complete": (("SnapshotComplete", _STORE),),
    "deleted": (("DeleteClusterComplete", _STORE),),
}
# Service, prefix of the names, and properties with the topic and its status.
_SERVICES = {
    "elasticache": (_ELASTICACHE, "ElastiCache", "NotificationTopicArn", "NotificationTopicStatus"),
    "memorydb": (_MEMORYDB, "MemoryDB", "SnsTopicArn", "SnsTopicStatus"),
}


class Notifications:
    """Publishes the events of all stores that have a topic."""

    def __init__(self, stores: Stores, say: Callable[[str], object]) -> None:
        """Publish all later events; ``say`` is called with a message when a topic cannot receive them."""
        self._stores = stores
        self._say = say
        self._useless: set[tuple[StoreKey, str]] = set()
        stores.events.listen(self._publish)

    def _publish(self, key: StoreKey, event: Event) -> None:
        if key.service not in _SERVICES:  # a serverless cache has no topic
            return
        _, _, topic_property, status_property = _SERVICES[key.service]
        properties = self._stores.declared.get(key, {})
        topic = str(properties.get(topic_property) or "")
        if not topic or str(properties.get(status_property, "active")).lower() == "inactive":
            return
        if (reason := _problem(topic)) is not None:
            if (key, topic) not in self._useless:
                self._useless.add((key, topic))
                self._say(f"{key.name}: its events are not published: {reason}")
            return
        for message in messages(key.service, key.name, event):
            publish(topic, json.dumps(message))


def messages(service: str, store: str, event: Event) -> Iterator[dict[str, str]]:
    """The messages that a service publishes for an event of a store."""
    names, prefix, _, _ = _SERVICES[service]
    for name, of_nodes in names.get(event.kind, ()):
        for source in event.nodes if of_nodes else (store,):
            yield {f"{prefix}:{name}": source}


def _problem(topic: str) -> str | None:
    attributes = topic_attributes(topic)
    if attributes is None:
        return f"the topic {topic} does not exist"
    if attributes.get("KmsMasterKeyId"):
        return f"the topic {topic} is encrypted, and AWS does not publish events of stores to such a topic"
    return None
