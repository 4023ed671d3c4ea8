"""Lets the emulator's handlers refuse what AWS refuses, before they create, change or delete anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cdk_redis_local._emulator.handlers.access import AccessLists
from cdk_redis_local._emulator.ministack import (
    HANDLERS,
    Outcome,
    Properties,
    scope,
)
from cdk_redis_local._emulator.ministack.validation import (
    check_properties_with,
    check_templates_with,
    elasticache_resources,
    fail_change_sets,
)
from cdk_redis_local._emulator.refusals import access, groups, stores
from cdk_redis_local._emulator.refusals.facts import schema_types
from cdk_redis_local._emulator.refusals.rule import Case, Known
from cdk_redis_local._emulator.refusals.schema import UNKNOWN, schema_problems
from cdk_redis_local._emulator.refusals.table import refusal, refused_deletion, refused_template
from cdk_redis_local._emulator.stores import Stores

_NAMES = {
    access.USER: "UserId",
    access.USER_GROUP: "UserGroupId",
    access.MEMORYDB_USER: "UserName",
    access.ACL: "ACLName",
    groups.SUBNETS: "CacheSubnetGroupName",
    groups.MEMORYDB_PARAMETERS: "ParameterGroupName",
    groups.MEMORYDB_SUBNETS: "SubnetGroupName",
    stores.GROUP: "ReplicationGroupId",
    stores.SERVERLESS: "ServerlessCacheName",
    stores.CLUSTER: "ClusterName",
}
"""The property with the name of each type that has one."""
_SERVICES = {stores.GROUP: "elasticache", stores.SERVERLESS: "serverless", stores.CLUSTER: "memorydb"}


class Refusals:
    """The refusals of one cloud, and the properties of the resources that they look at."""

    def __init__(self, running: Stores, memorydb: AccessLists) -> None:
        """Begin without resources.

        Args:
            running: The stores of the cloud.
            memorydb: MemoryDB's users and access control lists.
        """
        self._stores = running
        self._memorydb = memorydb
        # Properties by account and Region, type and name.
        self._declared: dict[tuple[str, str], dict[str, dict[str, Properties]]] = {}

    def register(self) -> None:
        """Guard the handlers of both services; call it after they are registered."""
        for resource_type in schema_types():
            if resource_type in HANDLERS:
                HANDLERS[resource_type] = self._guarded(resource_type, HANDLERS[resource_type])
        check_templates_with(refused_template)
        check_properties_with(early_problems, UNKNOWN)
        fail_change_sets()

    def _guarded(self, resource_type: str, handler: dict[str, Any]) -> dict[str, Any]:
        emulated_create: Callable[..., Outcome] = handler["create"]

        def create(logical_id: str, properties: Properties, stack_name: str) -> Outcome:
            self._check(resource_type, self._name(resource_type, properties), logical_id, properties, None)
            outcome = emulated_create(logical_id, properties, stack_name)
            self._of(resource_type)[outcome[0].lower()] = properties
            return outcome

        def update(
            physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
        ) -> Outcome:
            # What is there: after an update that was refused, its way back changes nothing.
            present = self._of(resource_type).get(physical_id.lower(), old)
            self._check(resource_type, physical_id, logical_id or physical_id, new, present)
            identifier = [logical_id] if handler.get("update_with_logical_id") else []
            outcome = handler["update"](physical_id, old, new, stack_name, *identifier)
            self._of(resource_type)[outcome[0].lower()] = new
            return outcome

        def delete(physical_id: str, properties: Properties) -> None:
            case = Case(resource_type, physical_id, properties, properties, self._known(), scope()[1])
            if (refused := refused_deletion(case)) is not None:
                raise refused
            handler["delete"](physical_id, properties)
            self._of(resource_type).pop(physical_id.lower(), None)

        def check(physical_id: str, new: Properties) -> None:
            """For changes through the APIs, which answer before they change anything."""
            self._check(resource_type, physical_id, physical_id, new, self._of(resource_type).get(physical_id.lower()))

        guarded = {**handler, "create": create, "delete": delete, "check": check}
        return {**guarded, "update": update, "update_with_logical_id": True} if "update" in handler else guarded

    def _check(self, resource_type: str, name: str, logical_id: str, new: Properties, old: Properties | None) -> None:
        case = Case(resource_type, name, new, old, self._known(), scope()[1], logical_id)
        if (refused := refusal(case)) is not None:
            raise refused

    @staticmethod
    def _name(resource_type: str, properties: Properties) -> str:
        return str(properties.get(_NAMES.get(resource_type, "")) or "")

    def _of(self, resource_type: str) -> dict[str, Properties]:
        return self._declared.setdefault(scope(), {}).setdefault(resource_type, {})

    def _known(self) -> Known:
        """What exists now, also what was created through the APIs."""
        found: dict[str, dict[str, Properties]] = {
            name: dict(resources) for name, resources in self._declared.get(scope(), {}).items()
        }
        for resource_type, names in elasticache_resources().items():
            found[resource_type] = {**names, **_only(found.get(resource_type, {}), names)}
        users = {name: {"UserName": name} for name in self._memorydb.user_names()}
        found[access.MEMORYDB_USER] = {**users, **_only(found.get(access.MEMORYDB_USER, {}), users)}
        lists: dict[str, Properties] = {name: {} for name in self._memorydb.group_names()}
        found[access.ACL] = {**lists, **_only(found.get(access.ACL, {}), lists)}
        for resource_type, service in _SERVICES.items():
            found[resource_type] = {
                key.name: dict(properties)
                for key, properties in self._stores.declared.items()
                if key.service == service and key.scope == scope()
            }
        machine = frozenset((program.name, program.major_minor) for program in self._stores.programs)
        return Known(found, machine)


def _only(resources: dict[str, Properties], names: dict[str, Any]) -> dict[str, Properties]:
    return {name: properties for name, properties in resources.items() if name in names}


def early_problems(resource_type: str, properties: Properties) -> list[tuple[str, str]]:
    """Path and message of each property that does not fit its type's schema, for the pre-deployment validation."""
    return [(problem.path, problem.early) for problem in schema_problems(resource_type, properties)]
