from typing import Any

import aws_cdk as cdk
import pytest

from cdk_redis._core.errors import ConfigurationError
from cdk_redis._values.engine import Engine

FAMILIES = [
    (Engine.redis, "4.0.10", "redis4.0", None),
    (Engine.redis, "5.0.6", "redis5.0", None),
    (Engine.redis, "6.0", "redis6.x", None),
    (Engine.redis, "6.2", "redis6.x", "memorydb_redis6"),
    (Engine.redis, "7.0", "redis7", "memorydb_redis7"),
    (Engine.redis, "7.1", "redis7", "memorydb_redis7"),
    (Engine.valkey, "7.2", "valkey7", "memorydb_valkey7"),
    (Engine.valkey, "7.3", None, "memorydb_valkey7"),
    (Engine.valkey, "8.0", "valkey8", None),
    (Engine.valkey, "8.1", "valkey8", None),
    (Engine.valkey, "8.2", "valkey8", None),
    (Engine.valkey, "9.0", "valkey9", None),
    (Engine.valkey, "9.1", "valkey9", None),
]


@pytest.mark.parametrize(("make", "version", "elasticache", "memorydb"), FAMILIES)
def test_each_known_version_has_its_families(make: Any, version: Any, elasticache: str | None, memorydb: str | None):
    engine = make(version)
    assert (engine.elasticache_family, engine.memorydb_family) == (elasticache, memorydb)
    assert (engine.check_elasticache() is None) == (elasticache is not None)
    assert (engine.check_memorydb() is None) == (memorydb is not None)


def test_engines_are_immutable_and_compare_by_value():
    assert Engine.valkey("8.1") == Engine.valkey("8.1")
    assert hash(Engine.valkey("8.1")) == hash(Engine.valkey("8.1"))
    assert Engine.valkey("7.2") != Engine.redis("7.1")
    assert str(Engine.valkey("8.1")) == "valkey 8.1"
    with pytest.raises(AttributeError):
        Engine.valkey("8.1").version = "8.2"  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("version", "numbers"), [("8.1", (8, 1)), ("4.0.10", (4, 0)), ("10.12", (10, 12)), ("7", (7, 0))]
)
def test_major_minor_are_numbers(version: Any, numbers: tuple[int, int]):
    assert Engine.of("redis", version).major_minor == numbers


@pytest.mark.parametrize(
    ("engine", "iam", "user_groups", "slow_log", "engine_log"),
    [
        (Engine.redis("5.0.6"), False, False, False, False),
        (Engine.redis("6.0"), False, True, True, False),
        (Engine.redis("6.2"), False, True, True, True),
        (Engine.redis("7.0"), True, True, True, True),
        (Engine.valkey("7.2"), True, True, True, True),
        (Engine.valkey("9.1"), True, True, True, True),
        (Engine.of("redis", "10.0"), True, True, True, True),
    ],
)
def test_features_depend_on_the_version(engine: Engine, iam: bool, user_groups: bool, slow_log: bool, engine_log: bool):
    found = (engine.supports_iam, engine.supports_user_groups, engine.supports_slow_log, engine.supports_engine_log)
    assert found == (iam, user_groups, slow_log, engine_log)


@pytest.mark.parametrize(
    ("engine", "valkey", "redis", "expected"),
    [
        (Engine.valkey("8.1"), "8.1", None, True),
        (Engine.valkey("8.1"), "8.2", "6.0", False),
        (Engine.valkey("9.0"), "8.2", None, True),
        (Engine.redis("6.2"), "7.2", "6.2", True),
        (Engine.redis("6.0"), "7.2", "6.2", False),
        (Engine.redis("4.0.10"), "7.2", "4.0", True),
        (Engine.redis("4.0.10"), "7.2", "5.0.6", False),
        (Engine.redis("5.0.6"), "7.2", "5.0.6", True),
        (Engine.of("redis", "5.0.5"), "7.2", "5.0.6", False),
        (Engine.of("redis", "5.0"), "7.2", "5.0.6", True),
        (Engine.redis("7.1"), "7.2", None, False),
        (Engine.valkey("8"), "8.1", None, True),
        (Engine.valkey("8"), "9.0", None, False),
        (Engine.of("valkey", "10.0"), "9.0", None, True),
        (Engine.valkey(cdk.Fn.ref("Version")), "9.9", None, True),
        (Engine.of(cdk.Fn.ref("Name"), "6.0"), "9.9", None, True),
    ],
)
def test_is_at_least_compares_with_the_version_of_the_engine(
    engine: Engine, valkey: str, redis: str | None, expected: bool
):
    assert engine.is_at_least(valkey=valkey, redis=redis) is expected


@pytest.mark.parametrize(
    ("version", "shown"), [("seven", "'seven'"), ("8.", "'8.'"), ("6.x", "'6.x'"), ("8.1\n", r"'8.1\n'"), ("", "''")]
)
def test_a_malformed_version_is_refused(version: Any, shown: str):
    with pytest.raises(ConfigurationError) as raised:
        Engine.valkey(version)
    assert str(raised.value) == (
        f'Engine: version: got {shown}, but a version has one to three numbers, such as "8", "8.1" or "4.0.10"'
    )


@pytest.mark.parametrize("version", [8.1, 8, None, ("8", "1")])
def test_a_version_that_is_not_text_is_refused(version: Any):
    with pytest.raises(ConfigurationError) as raised:
        Engine.valkey(version)
    assert str(raised.value) == (
        f'Engine: version: got {version!r}, but a version is text such as "8.1"; write it in quotes'
    )


def test_an_unknown_version_is_refused_with_a_hint():
    with pytest.raises(ConfigurationError) as raised:
        Engine.redis("7.2")
    assert str(raised.value) == (
        "Engine.redis: version: got '7.2', but ElastiCache offers redis 4.0.10, 5.0.6, 6.0, 6.2, 7.0, 7.1 "
        "and MemoryDB redis 6.2, 7.0, 7.1; "
        "for a newer one name its family, Engine.of('redis', '7.2', elasticache_family=...)"
    )


@pytest.mark.parametrize(
    ("make", "version", "following"),
    [
        (Engine.redis, "3.2.10", "4.0.10"),
        (Engine.redis, "5.0.5", "5.0.6"),
        (Engine.redis, "6.1", "6.2"),
        (Engine.valkey, "7.1", "7.2"),
        (Engine.valkey, "8.3", "9.0"),
    ],
)
def test_a_version_between_known_ones_is_refused_with_the_next_one(make: Any, version: Any, following: str):
    with pytest.raises(ConfigurationError, match=f"; the next version is '{following}'$"):
        make(version)


def test_all_problems_of_an_engine_are_listed():
    with pytest.raises(ConfigurationError) as raised:
        Engine.of("memcached", "six", elasticache_family="", memorydb_family=" ")
    assert str(raised.value) == (
        "Engine: 4 problems\n"
        '  - name: got \'memcached\', but an engine is "valkey" or "redis"\n'
        '  - version: got \'six\', but a version has one to three numbers, such as "8", "8.1" or "4.0.10"\n'
        "  - elasticache_family: got '', but a family is a name such as \"valkey8\"\n"
        "  - memorydb_family: got ' ', but a family is a name such as \"memorydb_valkey7\""
    )


def test_of_accepts_an_unknown_version_with_its_families():
    engine = Engine.of("valkey", "10.0", elasticache_family="valkey10", memorydb_family="memorydb_valkey10")
    assert (engine.elasticache_family, engine.memorydb_family) == ("valkey10", "memorydb_valkey10")
    assert (engine.check_elasticache(), engine.check_memorydb()) == (None, None)


def test_of_adds_known_families_unless_they_are_given():
    assert Engine.of("valkey", "8.1") == Engine.valkey("8.1")
    assert Engine.of("valkey", "8.1", elasticache_family="other").elasticache_family == "other"


def test_the_problem_of_an_engine_lists_the_versions_that_the_service_offers():
    assert Engine.valkey("8.1").check_memorydb() == (
        "engine: got 'valkey 8.1', but MemoryDB offers valkey 7.2, 7.3 and redis 6.2, 7.0, 7.1; "
        "choose one of these, or name the family of a newer one with Engine.of(..., memorydb_family=...)"
    )
    assert Engine.valkey("7.3").check_elasticache() == (
        "engine: got 'valkey 7.3', but ElastiCache offers valkey 7.2, 8.0, 8.1, 8.2, 9.0, 9.1 "
        "and redis 4.0.10, 5.0.6, 6.0, 6.2, 7.0, 7.1; "
        "choose one of these, or name the family of a newer one with Engine.of(..., elasticache_family=...)"
    )


def test_a_token_passes_and_has_all_features():
    engine = Engine.valkey(cdk.Fn.ref("Version"))
    assert (engine.check_elasticache(), engine.check_memorydb()) == (None, None)
    assert Engine.redis(cdk.Fn.ref("Version")).supports_iam
    assert Engine.of(cdk.Fn.ref("Name"), "6.0").supports_iam
    with pytest.raises(
        ConfigurationError, match="the version number is needed, and the value of a token is not known at synth"
    ):
        _ = engine.major_minor


@pytest.mark.parametrize("engine", [Engine.valkey("7"), Engine.valkey("8"), Engine.valkey("9"), Engine.redis("7")])
def test_serverless_caches_have_major_versions_and_nodes_do_not(engine: Engine):
    assert engine.check_serverless() is None
    assert engine.check_elasticache() is not None
    assert engine.check_memorydb() is not None
    assert engine.supports_iam


@pytest.mark.parametrize(
    ("engine", "hint"),
    [
        (Engine.valkey("8.1"), 'Engine.valkey("8")'),
        (Engine.redis("7.1"), 'Engine.redis("7")'),
        (Engine.redis("6.2"), 'Engine.redis("7")'),
    ],
)
def test_the_problem_of_a_serverless_version_lists_the_offered_ones(engine: Engine, hint: str):
    assert engine.check_serverless() == (
        f"engine: got '{engine}', but a serverless cache runs a major version: redis 7 and valkey 7, 8, 9; write {hint}"
    )


def test_an_unknown_major_version_passes():
    assert Engine.of("valkey", "10").check_serverless() is None
