"""Settings of the app: read, overridden, and rejected with one clear message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import RemovalPolicy

from cdk_redis import Engine, Preset, Snapshots
from stacks import Settings, SettingsError

STORE = {"engine": "valkey:7.2", "node_type": "t", "shards": 1, "replicas": 1}


def environment(**changes: Any) -> dict[str, Any]:
    return {"termination_protection": False, "elasticache": STORE, "memorydb": STORE} | changes


def store(**changes: Any) -> dict[str, Any]:
    return environment(elasticache=STORE | changes)


def without(key: str) -> dict[str, Any]:
    return environment(elasticache={name: value for name, value in STORE.items() if name != key})


def read(settings: object, engine: str | None = None) -> Settings:
    return Settings.read({"dev": settings}, "dev", engine=engine)


def test_settings_are_converted_to_construct_parameters() -> None:
    settings = read(store(engine="redis:7.1", removal_policy="retain", snapshot_retention_days=3)).elasticache
    assert settings.cdk_engine == Engine.redis("7.1")
    assert settings.cdk_removal_policy is RemovalPolicy.RETAIN
    assert settings.snapshots == Snapshots.daily(retention_days=3)


def test_settings_that_are_left_out_have_safe_defaults() -> None:
    settings = read(environment())
    assert settings.zones == 3
    assert settings.elasticache.cdk_removal_policy is RemovalPolicy.SNAPSHOT
    assert settings.elasticache.snapshots.retention_days == 7


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        pytest.param(
            environment(zone=2),
            "zone: unknown key, given 2; allowed are: account, elasticache, memorydb, preset, region, ",
            id="key",
        ),
        pytest.param(
            store(shard=3),
            "elasticache.shard: unknown key, given 3; allowed are: customer_managed_key, engine, node_type, "
            "removal_policy, replicas, shards, snapshot_retention_days, unlisted_engine",
            id="key of a store",
        ),
        pytest.param(without("shards"), "elasticache.shards: missing; it has no default", id="missing"),
        pytest.param(
            store(shards="3"),
            "elasticache.shards: got '3', but a whole number is needed, without quotes",
            id="quoted number",
        ),
        pytest.param(store(shards=True), "elasticache.shards: got True, but a whole number is needed", id="truth"),
        pytest.param(store(node_type=4), "elasticache.node_type: got 4, but text is needed", id="text"),
        pytest.param(
            environment(termination_protection="no"),
            "termination_protection: got 'no', but true or false is needed, without quotes",
            id="quoted truth",
        ),
        pytest.param(
            store(removal_policy="keep"),
            "elasticache.removal_policy: got 'keep', but allowed are: snapshot, retain, destroy",
            id="word",
        ),
        pytest.param(
            store(engine="valkey"),
            "elasticache.engine: got 'valkey', but an engine is \"NAME:VERSION\", such as",
            id="engine without version",
        ),
        pytest.param(environment(preset="stage"), "preset: got 'stage', but allowed are: dev, prod", id="preset"),
        pytest.param(store(engine="memcached:1.6"), 'an engine is "valkey" or "redis"', id="other engine"),
        pytest.param(store(engine=7.1), "elasticache.engine: got 7.1, but an engine is", id="engine as a number"),
        pytest.param(
            environment(memorydb=3), "memorydb: got 3, but an object of keys and values is needed", id="object"
        ),
        pytest.param("small", "the environment: got 'small', but an object", id="environment"),
    ],
)
def test_a_wrong_setting_is_reported_with_its_name(settings: object, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(settings)
    assert "the environment 'dev' in cdk.json" in str(caught.value)
    assert sentence in str(caught.value)


def test_all_wrong_settings_are_reported_together() -> None:
    with pytest.raises(SettingsError) as caught:
        read(environment(zones="2", elasticache=STORE | {"shards": None}))
    assert str(caught.value).count("\n  - ") == 2


@pytest.mark.parametrize("environments", [{"dev": {}, "prod": {}}, None, []])
def test_an_unknown_environment_is_reported_with_the_known_ones(environments: object) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.read(environments, "stage")
    known = ", ".join(environments) if environments else "none"
    assert str(caught.value) == f"env: got 'stage', but the environments of cdk.json are: {known}"


def test_an_environment_begins_from_its_preset_and_keys_that_are_given_win() -> None:
    store = {name: value for name, value in STORE.items() if name != "replicas"}
    settings = read({"preset": "prod", "elasticache": store, "memorydb": store | {"replicas": 1}})
    assert (settings.zones, settings.termination_protection) == (3, True)
    assert (settings.elasticache.replicas, settings.memorydb.replicas) == (2, 1)
    assert settings.elasticache.snapshots.retention_days == 15
    assert settings.cdk_preset == Preset.prod()


def test_without_a_preset_there_is_none() -> None:
    assert read(environment()).cdk_preset is None


def test_one_engine_can_be_given_for_both_stores() -> None:
    settings = read(environment(), engine="redis:7.0")
    assert settings.elasticache.engine == settings.memorydb.engine == Engine.redis("7.0")


def test_a_wrong_engine_on_the_command_line_is_reported() -> None:
    with pytest.raises(SettingsError) as caught:
        read(environment(), engine="redis-7")
    assert str(caught.value).startswith("engine: got 'redis-7', but an engine is \"NAME:VERSION\"")


def test_the_local_cloud_accepts_engines_that_no_service_offers() -> None:
    engine = read(store(unlisted_engine=True), engine="redis:99.1").elasticache.cdk_engine
    assert (engine.elasticache_family, engine.memorydb_family) == ("redis99", "memorydb_redis99")


def test_a_known_engine_keeps_its_families() -> None:
    assert read(store(unlisted_engine=True), engine="redis:7.0").elasticache.cdk_engine == Engine.redis("7.0")


@pytest.mark.parametrize("name", ["dev", "prod", "local"])
def test_the_settings_in_cdk_json_are_valid(repository: Path, name: str) -> None:
    environments = json.loads((repository / "cdk.json").read_text())["context"]["environments"]
    assert Settings.read(environments, name).elasticache.replicas >= 1
