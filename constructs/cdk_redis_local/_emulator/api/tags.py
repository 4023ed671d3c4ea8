"""The actions for tags: those of the templates, with the changes of the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.names import in_scope
from cdk_redis_local._emulator.api.service import ELASTICACHE, MEMORYDB, Answer, Parameters
from cdk_redis_local._emulator.engine_users import SERVERLESS
from cdk_redis_local._emulator.ministack import scope
from cdk_redis_local._emulator.ministack.records import (
    parameter_group_records,
    subnet_group_records,
    tag_records,
    user_group_record,
    user_record,
)
from cdk_redis_local._emulator.store import CACHE_CLUSTER, Scope, StoreKey
from cdk_redis_local._emulator.stores import Stores

_Tags = dict[str, str]
# Maps the kind in an ARN to the error if there is no such resource.
_NOT_FOUND = {
    "elasticache": {
        "cluster": "CacheClusterNotFoundFault",
        "parametergroup": "CacheParameterGroupNotFoundFault",
        "replicationgroup": "ReplicationGroupNotFoundFault",
        "serverlesscache": "ServerlessCacheNotFoundFault",
        "subnetgroup": "CacheSubnetGroupNotFoundFault",
        "user": "UserNotFoundFault",
        "usergroup": "UserGroupNotFoundFault",
    },
    "memorydb": {
        "acl": "ACLNotFoundFault",
        "cluster": "ClusterNotFoundFault",
        "parametergroup": "ParameterGroupNotFoundFault",
        "subnetgroup": "SubnetGroupNotFoundFault",
        "user": "UserNotFoundFault",
    },
}


class Tags:
    """``ListTagsForResource``, ``AddTagsToResource``, ``RemoveTagsFromResource``, and those of MemoryDB."""

    def __init__(self, stores: Stores, memorydb: Mapping[tuple[str, Scope, str], Mapping[str, Any]]) -> None:
        """Prepare the actions.

        Args:
            stores: The running stores.
            memorydb: The template properties of MemoryDB's resources.
        """
        self._stores = stores
        self._memorydb = memorydb
        # What the API has changed since, by ARN; None for tags that it has removed.
        self._changes: dict[str, dict[str, str | None]] = {}

    def register(self) -> None:
        """Add the actions to the emulator."""
        for service, name, actions in (
            (ELASTICACHE, "ResourceName", ("ListTagsForResource", "AddTagsToResource", "RemoveTagsFromResource")),
            (MEMORYDB, "ResourceArn", ("ListTags", "TagResource", "UntagResource")),
        ):
            steps: tuple[Callable[[str, Parameters], object], ...] = (_unchanged, self._add, self._remove)
            service.add(
                {action: self._action(service.name, name, step) for action, step in zip(actions, steps, strict=True)}
            )

    def _action(
        self, service: str, name: str, step: Callable[[str, Parameters], object]
    ) -> Callable[[Parameters], Answer]:
        def act(parameters: Parameters) -> Answer:
            arn = str(parameters[name])
            declared = self._declared(service, arn)
            step(arn, parameters)
            tags = {**declared, **self._changes.get(arn, {})}
            return {"TagList": [{"Key": key, "Value": value} for key, value in tags.items() if value is not None]}

        return act

    def _add(self, arn: str, parameters: Parameters) -> None:
        added = {str(tag["Key"]): str(tag.get("Value", "")) for tag in parameters["Tags"]}
        self._changes.setdefault(arn, {}).update(added)

    def _remove(self, arn: str, parameters: Parameters) -> None:
        self._changes.setdefault(arn, {}).update(dict.fromkeys(parameters["TagKeys"]))

    def _declared(self, service: str, arn: str) -> _Tags:
        """The tags of a resource in its template.

        Raises:
            ApiError: There is no such resource.
        """
        account, region = scope()
        start = f"arn:aws:{service}:{region}:{account}:"
        kind, _, name = arn.removeprefix(start).partition("/" if service == "memorydb" else ":")
        if not arn.startswith(start) or kind not in _NOT_FOUND[service]:
            raise ApiError("InvalidARNFault", f"{arn} is not the ARN of a resource that has tags.")
        read = self._of_elasticache if service == "elasticache" else self._of_memorydb
        tags = read(kind, name, arn)
        if tags is None:
            raise ApiError(_NOT_FOUND[service][kind], f"{arn} not found.")
        return tags

    def _of_elasticache(self, kind: str, name: str, arn: str) -> _Tags | None:
        if kind == "cluster":
            groups = [
                key
                for key in self._stores.running()
                if (key.service, key.scope) == ("elasticache", scope()) and name in self._stores[key].node_names
            ]
            # As on AWS, nodes have the tags of their group.
            return self._of_store("elasticache", groups[0].name) if groups else self._of_store(CACHE_CLUSTER, name)
        if kind in ("replicationgroup", "serverlesscache"):
            return self._of_store("elasticache" if kind == "replicationgroup" else SERVERLESS, name)
        exists = {
            "parametergroup": lambda: name in parameter_group_records(),
            "subnetgroup": lambda: name in subnet_group_records(),
            "user": lambda: bool(user_record(name)),
            "usergroup": lambda: bool(user_group_record(name)),
        }
        return tag_records(arn) if exists[kind]() else None

    def _of_memorydb(self, kind: str, name: str, arn: str) -> _Tags | None:
        del arn
        if kind == "cluster":
            return self._of_store("memorydb", name)
        properties = in_scope(self._memorydb, kind).get(name)
        return None if properties is None else _tags(properties.get("Tags") or [])

    def _of_store(self, service: str, name: str) -> _Tags | None:
        properties = self._stores.declared.get(StoreKey(service, scope(), name))
        return None if properties is None else _tags(properties.get("Tags") or [])


def _tags(declared: Iterable[Mapping[str, Any]]) -> _Tags:
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in declared}


def _unchanged(arn: str, parameters: Parameters) -> None:
    del arn, parameters
