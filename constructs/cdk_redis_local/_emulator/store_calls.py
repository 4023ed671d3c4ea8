"""The actions with which the owner of the local cloud looks into one store, injects faults into it, and repairs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from redis.exceptions import RedisError

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.own_calls import OwnAction
from cdk_redis_local._emulator.store import StoreKey
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines.node import HOST


def store_actions(stores: Stores) -> dict[str, OwnAction]:
    """``BreakStore``, ``RepairStore`` and ``OpenStore``.

    ``Service`` and ``Region`` may be None if no other store has the name ``Store``.
    """

    def break_store(parameters: Mapping[str, Any]) -> None:
        _apply(stores.break_store, _find(stores, parameters), str(parameters["Fault"]))

    def repair_store(parameters: Mapping[str, Any]) -> None:
        # The store may have been deleted in the meantime.
        if keys := _matching(stores, parameters):
            _apply(stores.repair_store, keys[0], str(parameters["Fault"]))

    def open_store(parameters: Mapping[str, Any]) -> dict[str, object]:
        store = stores[_find(stores, parameters)]
        manager = store.engines.security.manager
        return {
            "Host": HOST,
            "Port": store.endpoint,
            "ClusterMode": store.engines.cluster_mode,
            "Tls": store.engines.tls,
            "User": manager.name,
            "Password": manager.passwords[0],
        }

    return {"BreakStore": break_store, "RepairStore": repair_store, "OpenStore": open_store}


def _apply(action: Callable[[StoreKey, str], None], key: StoreKey, fault: str) -> None:
    try:
        action(key, fault)
    except (LocalCloudError, RedisError, OSError) as error:
        raise LocalCloudError(f"{key.name}: {error}") from error


def _matching(stores: Stores, parameters: Mapping[str, Any]) -> list[StoreKey]:
    # The ids of ElastiCache are not case-sensitive.
    name, service, region = str(parameters["Store"]).lower(), parameters.get("Service"), parameters.get("Region")
    return [
        key
        for key in stores.running()
        if key.name.lower() == name and service in (None, key.service) and region in (None, key.scope[1])
    ]


def _find(stores: Stores, parameters: Mapping[str, Any]) -> StoreKey:
    keys = _matching(stores, parameters)
    if len(keys) == 1:
        return keys[0]
    names = ", ".join(sorted(key.name for key in stores.running())) or "none"
    if not keys:
        raise LocalCloudError(f"no store {parameters['Store']} runs; the running stores: {names}")
    where = " and ".join(f"{key.service} in {key.scope[1]}" for key in keys)
    raise LocalCloudError(f"{where} have a store {parameters['Store']}: give the construct, not its name")
