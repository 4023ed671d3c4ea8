"""RDB files: a set saves each shard, and another set starts with the keys, or says why it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from cdk_redis_local import OPEN_DEFAULT, EngineError, EngineSet

KEYS = {f"key:{number}": f"value {number}" for number in range(500)}
FUNCTION = """#!lua name=mine
redis.register_function{function_name='one', callback=function() return 1 end, flags={'no-writes'}}"""


def cluster_client(engines: EngineSet) -> redis.RedisCluster:
    host, port = engines.endpoint
    return redis.RedisCluster(host=host, port=port, ssl=True, ssl_ca_certs=engines.ca_file, decode_responses=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files of two shards."""
    folder = tmp_path_factory.mktemp("saved")
    with EngineSet(shards=2, cluster_mode=True, users=[OPEN_DEFAULT]) as engines:
        client = cluster_client(engines)
        client.mset_nonatomic(KEYS)
        client.set("short-lived", "1", ex=1000)
        client.set(b"\xff\x00", "a key that is no text")
        for node in engines.primaries:
            node.admin.function_load(FUNCTION)
        saved = engines.save(folder)
    assert [shard.slots for shard in saved] == [((0, 8191),), ((8192, 16383),)]
    assert all(shard.used_memory > 0 and shard.path.stat().st_mode & 0o077 == 0 for shard in saved)
    return [shard.path for shard in saved]


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The file of a set without cluster mode, with keys in two databases."""
    with EngineSet(users=[OPEN_DEFAULT]) as engines:
        client = engines.nodes[0].client()
        client.execute_command("SET", "in-0", "0")
        with client.client() as other:
            other.execute_command("SELECT", 3)
            other.execute_command("SET", "in-3", "3")
        return [shard.path for shard in engines.save(tmp_path_factory.mktemp("databases"))]


def test_a_set_with_more_shards_starts_with_the_keys_in_the_declared_slots(files: list[Path]) -> None:
    slots = [(0, 99), (100, 9999), (10000, 16383)]
    with EngineSet(shards=3, cluster_mode=True, users=[OPEN_DEFAULT], slots=slots, restore=files) as engines:
        client = cluster_client(engines)
        assert dict(zip(KEYS, client.mget_nonatomic(list(KEYS)), strict=True)) == KEYS
        assert 0 < client.ttl("short-lived") <= 1000
        assert client.get(b"\xff\x00") == "a key that is no text"
        assert all(node.admin.execute_command("FCALL_RO", "one", 0) == 1 for node in engines.primaries)
        owned = sorted(tuple(entry[:2]) for entry in engines.nodes[0].admin.execute_command("CLUSTER", "SLOTS"))
        assert owned == slots
        assert sum(node.admin.dbsize() for node in engines.primaries) == len(KEYS) + 2


def test_a_set_without_cluster_mode_starts_with_all_databases_on_its_replica_too(databases: list[Path]) -> None:
    with EngineSet(replicas=1, users=[OPEN_DEFAULT], restore=databases) as engines:
        for node in engines.nodes:
            found = {name: entry["keys"] for name, entry in node.admin.info("keyspace").items()}
            assert found == {"db0": 1, "db3": 1}


def test_a_file_with_two_databases_is_refused_in_cluster_mode(databases: list[Path]) -> None:
    with pytest.raises(EngineError, match="more than one database"), EngineSet(cluster_mode=True, restore=databases):
        pass


def _edited(files: list[Path], tmp_path: Path, start: bytes, *, keep: int | None = None) -> Path:
    edited = tmp_path / "edited.rdb"
    edited.write_bytes(start + files[0].read_bytes()[len(start) : keep])
    return edited


@pytest.mark.parametrize(
    ("start", "keep", "reason"),
    [
        (b"just text", None, "edited.rdb is not an RDB file"),
        (b"REDIS", 2000, "cannot read edited.rdb: it is damaged"),
        (b"REDIS0999", None, "version 999 of the RDB format, which a newer engine wrote: .* cannot read it"),
        # Valkey 9 begins its files with another word.
        (b"VALKEY999", None, "a newer engine wrote|written by Valkey 9 or newer"),
    ],
    ids=["text", "cut", "newer", "valkey"],
)
def test_a_file_that_the_engine_cannot_read_is_refused_before_the_set_starts(
    files: list[Path], tmp_path: Path, start: bytes, keep: int | None, reason: str
) -> None:
    edited = tmp_path / "edited.rdb"
    edited.write_bytes(start + files[0].read_bytes()[len(start) : keep])
    engines = EngineSet(users=[OPEN_DEFAULT], restore=[edited])
    with pytest.raises(EngineError, match=reason):
        engines.start()
    assert engines.nodes == []
    engines.stop()
