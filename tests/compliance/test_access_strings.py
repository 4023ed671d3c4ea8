"""Access strings on a real engine: what they allow, and that it accepts every text that passes the checks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.cluster import RedisCluster

from cdk_redis import AccessString, ConfigurationError
from cdk_redis_local import EngineSet

PASSWORD = "a-throw-away-password"


@pytest.fixture(scope="module")
def engine() -> Iterator[redis.Redis]:
    """The administrator of a cluster of one node, without TLS."""
    with EngineSet(cluster_mode=True, tls=False) as engines:
        yield engines.nodes[0].admin


def set_user(engine: redis.Redis, access: AccessString, name: str = "user") -> None:
    engine.execute_command("ACL SETUSER", name, "reset", f">{PASSWORD}", *str(access).split())


def allows(engine: redis.Redis, *command: str) -> bool:
    return engine.execute_command("ACL DRYRUN", "user", *command) == "OK"


@pytest.mark.parametrize("access", [AccessString.read_write("app:*"), AccessString.read_only("app:*")])
def test_dangerous_and_administrative_commands_are_denied(engine: redis.Redis, access: AccessString):
    set_user(engine, access)
    commands = {*engine.acl_cat("dangerous"), *engine.acl_cat("admin")}
    commands -= {"info"}  # clients read it when they connect
    assert len(commands) > 50
    for command in sorted(commands):
        assert f"has no permissions to run the '{command}' command" in dry_run(engine, command), command


def dry_run(engine: redis.Redis, command: str) -> str:
    """The result of ACL DRYRUN, with as many arguments as the command needs: it checks no other number."""
    verdicts = (_verdict(engine, [*command.split("|"), *["app:1"] * count]) for count in range(8))
    return next(verdict for verdict in verdicts if "wrong number of arguments" not in verdict)


def _verdict(engine: redis.Redis, command: list[str]) -> str:
    try:
        return str(engine.execute_command("ACL DRYRUN", "user", *command))
    except redis.ResponseError as error:
        return str(error)


@pytest.mark.parametrize("access", [AccessString.read_write("app:*"), AccessString.read_only("app:*")])
def test_cluster_clients_can_send_the_commands_that_they_need(engine: redis.Redis, access: AccessString):
    set_user(engine, access)
    for command in (
        *("PING", "HELLO 3", "AUTH user password", "INFO", "COMMAND", "COMMAND COUNT", "READONLY", "READWRITE"),
        *("CLUSTER SLOTS", "CLUSTER SHARDS", "CLUSTER NODES", "CLIENT SETNAME x", "CLIENT ID", "ASKING"),
        *("GET app:1", "EXISTS app:1", "MULTI", "EXEC", "WATCH app:1"),
    ):
        assert allows(engine, *command.split()), command


def test_read_write_is_limited_to_its_keys(engine: redis.Redis):
    set_user(engine, AccessString.read_write("app:*"))
    assert allows(engine, "SET", "app:1", "x")
    assert allows(engine, "EVAL", "return 1", "1", "app:1")
    assert not allows(engine, "SET", "other", "x")
    assert not allows(engine, "GET", "other")
    assert not allows(engine, "EVAL", "return 1", "1", "other")
    assert not allows(engine, "PUBLISH", "news", "x")


def test_read_only_writes_nothing(engine: redis.Redis):
    set_user(engine, AccessString.read_only("app:*"))
    assert allows(engine, "GET", "app:1")
    assert not allows(engine, "GET", "other")
    for command in ("SET app:1 x", "DEL app:1", "EXPIRE app:1 1", "GETDEL app:1", "EVAL x 1 app:1", "PUBLISH a b"):
        assert not allows(engine, *command.split()), command


def test_channels_are_limited_to_their_patterns(engine: redis.Redis):
    set_user(engine, AccessString.read_write("app:*").channels("news:*"))
    assert allows(engine, "PUBLISH", "news:1", "x")
    assert not allows(engine, "PUBLISH", "other", "x")


def test_all_access_allows_everything_and_off_denies_everything(engine: redis.Redis):
    set_user(engine, AccessString.all_access())
    assert allows(engine, "FLUSHALL")
    assert allows(engine, "CONFIG", "GET", "*")
    set_user(engine, AccessString.off())
    assert not allows(engine, "PING")


def test_the_smoke_test_user_can_send_its_commands_only(engine: redis.Redis):
    access = AccessString.smoke_test("cdk-redis-smoke:")
    assert str(access).startswith("on ~cdk-redis-smoke:* &cdk-redis-smoke:* +")
    set_user(engine, access)
    assert allows(engine, "SET", "cdk-redis-smoke:1", "x", "EX", "60")
    assert allows(engine, "GET", "cdk-redis-smoke:1")
    assert allows(engine, "CLUSTER", "SLOTS")
    assert not allows(engine, "SET", "other", "x")
    assert not allows(engine, "FLUSHALL")
    assert not allows(engine, "CONFIG", "GET", "*")


COMMANDS = st.sampled_from(["get", "@read", "@all", "@", "@set", "", "config|get", "cluster|", "config|get|x"])
PIECES = st.one_of(
    st.sampled_from(["on", "off", "ON", "nopass", "reset", "allkeys", "allchannels", "nocommands", "~*", "&*", "%R~*"]),
    st.builds("{}{}".format, st.sampled_from(["+", "-"]), COMMANDS),
    st.builds("{}{}".format, st.sampled_from(["~", "&", "%R~", "%RW~", "%", "%~", ">", "("]), st.text(max_size=4)),
    st.text(max_size=8),
)
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=6).map(" ".join))


@given(text=st.one_of(TEXTS, TEXTS.map("on {}".format)))
@settings(max_examples=300, deadline=None)
def test_the_engine_accepts_every_text_that_passes_the_checks(engine: redis.Redis, text: str):
    try:
        access = AccessString.from_text(text)
    except ConfigurationError:
        return
    try:
        set_user(engine, access, name="any")
    except redis.ResponseError as error:
        # The commands depend on the version and the modules of the engine: the library does not check them.
        if "Unknown command" not in str(error):
            raise


@pytest.mark.parametrize("access", [AccessString.read_write("app:*"), AccessString.read_only("app:*")])
def test_redis_py_works_with_the_ready_made_access_strings(engine: redis.Redis, access: AccessString):
    set_user(engine, access)
    address = engine.get_connection_kwargs()
    with RedisCluster(host=address["host"], port=address["port"], username="user", password=PASSWORD) as client:
        assert client.get("app:1") is None
        with client.pipeline() as pipeline:
            assert pipeline.get("app:1").exists("app:1").execute() == [None, 0]
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.get("other")
