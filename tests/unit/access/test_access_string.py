import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import aws_cdk as cdk
import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.cluster import RedisCluster

from cdk_redis._access.access_string import AccessString
from cdk_redis._core.errors import ConfigurationError

PASSWORD = "a-throw-away-password"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    """A real engine on loopback: a cluster of one node that has every slot."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    assert program, "these tests need a real engine: apt-get install redis-server"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # The cluster bus listens at port + 10000, which must be a port too.
    port = port if port < 50000 else port - 20000
    folder = tmp_path_factory.mktemp("engine")
    options = f"--bind 127.0.0.1 --port {port} --cluster-enabled yes --save '' --appendonly no".split()
    process = subprocess.Popen([program, *options], cwd=folder, stdout=subprocess.DEVNULL)
    try:
        client = redis.Redis(host="127.0.0.1", port=port, decode_responses=True)
        _wait_for(client)
        client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
        yield client
        client.close()
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for(client: redis.Redis) -> None:
    deadline = time.monotonic() + 10
    while not _answers(client):
        assert time.monotonic() < deadline, "the engine does not answer"
        time.sleep(0.02)


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def set_user(engine: redis.Redis, access: AccessString, name: str = "user") -> None:
    engine.execute_command("ACL SETUSER", name, "reset", f">{PASSWORD}", *str(access).split())


def allows(engine: redis.Redis, *command: str) -> bool:
    return engine.execute_command("ACL DRYRUN", "user", *command) == "OK"


# What the rules are


def test_an_access_string_is_built_rule_by_rule():
    access = AccessString.on().keys("app:*", "shared:*").channels("news:*").allow("@read", "GET").deny("config|set")
    assert str(access) == "on ~app:* ~shared:* &news:* +@read +get -config|set"


def test_building_changes_no_other_value():
    start = AccessString.on()
    assert start.keys("app:*") == AccessString.of("on ~app:*")
    assert str(start) == "on"
    assert hash(start.keys("a")) == hash(AccessString.of("on ~a"))


@pytest.mark.parametrize(
    ("access", "text"),
    [
        (AccessString.on(), "on"),
        (AccessString.off(), "off -@all"),
        (AccessString.all_access(), "on ~* &* +@all"),
        (
            AccessString.read_write("app:*"),
            "on ~app:* +@all -@admin -@dangerous +info +cluster|slots +cluster|shards +cluster|nodes",
        ),
        (
            AccessString.read_only("a:*", "b:*"),
            "on ~a:* ~b:* +@read +@connection +@transaction -@admin -@dangerous "
            "+info +cluster|slots +cluster|shards +cluster|nodes",
        ),
    ],
)
def test_ready_made_access_strings(access: AccessString, text: str):
    assert str(access) == text
    assert AccessString.of(text) == access


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("on ~app:* -@all +@read", "on ~app:* -@all +@read"),
        ("  ON\t~App:*\n+@READ +GET ", "on ~App:* +@read +get"),
        ("off allkeys allchannels allcommands", "off allkeys allchannels allcommands"),
        ("on %R~a %rw~b &c:* +select|0 +json.get +ft._list", "on %R~a %rw~b &c:* +select|0 +json.get +ft._list"),
        ("on ~* allkeys &* allchannels", "on ~* allkeys &* allchannels"),
    ],
)
def test_of_reads_what_aws_takes(text: str, normal: str):
    assert str(AccessString.of(text)) == normal


# What is refused


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "rules: got '', but an access string says either on or off; AWS takes neither as off, so say which"),
        (
            "on off",
            "rules: got 'on off', but an access string says either on or off; AWS takes neither as off, so say which",
        ),
        (
            "on nopass",
            "rule: got 'nopass', but AWS takes no passwords in an access string; "
            "leave it out; the user's authentication says how it signs in",
        ),
        (
            "on resetpass",
            "rule: got 'resetpass', but AWS takes no passwords in an access string; "
            "leave it out; the user's authentication says how it signs in",
        ),
        (
            "on reset",
            "rule: got 'reset', but AWS takes no resets in an access string; "
            "leave it out; every user starts with nothing",
        ),
        (
            "on RESETKEYS",
            "rule: got 'resetkeys', but AWS takes no resets in an access string; "
            "leave it out; every user starts with nothing",
        ),
        (
            "on resetchannels",
            "rule: got 'resetchannels', but AWS takes no resets in an access string; "
            "leave it out; every user starts with nothing",
        ),
        (
            "on +@search",
            "rule: got '+@search', but the categories are admin, all, bitmap, blocking, connection, dangerous, fast, "
            "geo, hash, hyperloglog, keyspace, list, pubsub, read, scripting, set, slow, sortedset, stream, string, "
            "transaction, write",
        ),
        ("on ~", "rule: got '~', but a pattern is not empty and has no white space, such as \"~app:*\""),
        ("on &", "rule: got '&', but a pattern is not empty and has no white space, such as \"~app:*\""),
        (
            "on +",
            'rule: got \'+\', but a command reads "get", a subcommand "cluster|slots", a category "@read"',
        ),
        (
            "on +config|get|x",
            'rule: got \'+config|get|x\', but a command reads "get", a subcommand "cluster|slots", a category "@read"',
        ),
        (
            "on get",
            "rule: got 'get', but a rule is on, off, a ~key or &channel pattern, or +/- with a command or @category; "
            "for rules newer than this library see AccessString.unchecked",
        ),
        (
            "on %X~a",
            "rule: got '%x~a', but a rule is on, off, a ~key or &channel pattern, or +/- with a command or @category; "
            "for rules newer than this library see AccessString.unchecked",
        ),
        ("on ~* ~a", "rule: got '~a', but all keys are allowed before it already; leave out this or ~*"),
        ("on allkeys %R~a", "rule: got '%R~a', but all keys are allowed before it already; leave out this or ~*"),
        ("on &* &a", "rule: got '&a', but all channels are allowed before it already; leave out this or &*"),
    ],
)
def test_of_refuses_what_aws_or_the_engine_refuses(text: str, message: str):
    with pytest.raises(ConfigurationError) as raised:
        AccessString.of(text)
    assert str(raised.value) == f"AccessString: {message}"


@pytest.mark.parametrize("sign", [">", "<", "#", "!"])
def test_a_password_in_the_text_is_refused_and_not_repeated(sign: str):
    with pytest.raises(ConfigurationError) as raised:
        AccessString.of(f"on ~* +@all {sign}{PASSWORD}")
    assert str(raised.value) == (
        f"AccessString: rule: got '{sign}...', but AWS takes no passwords in an access string; "
        "leave it out; the user's authentication says how it signs in"
    )


def test_all_problems_are_told_at_once():
    with pytest.raises(ConfigurationError) as raised:
        AccessString.of("nopass ~ +@x")
    assert len(raised.value.problems) == 4


@pytest.mark.parametrize("pattern", ["", " ", "a b", "a\tb", "a\n", "a\u00a0b", "a\0", None, 5])
@pytest.mark.parametrize(("method", "kind"), [("keys", "key"), ("channels", "channel")])
def test_a_pattern_that_is_not_one_word_is_refused(method: str, kind: str, pattern: Any):
    with pytest.raises(ConfigurationError) as raised:
        getattr(AccessString.on(), method)(pattern)
    assert str(raised.value) == (
        f"AccessString.{method}: patterns: got {pattern!r}, but a {kind} pattern is not empty "
        'and has no white space, such as "app:*"'
    )


def test_ready_made_access_needs_a_pattern():
    with pytest.raises(ConfigurationError) as raised:
        AccessString.read_write()
    assert str(raised.value) == (
        'AccessString.read_write: patterns: got (), but at least one key pattern is needed, "*" for all'
    )


@pytest.mark.parametrize("command", ["", "+get", "get set", "|slots", "a|b|c", "get\n", None, ("get",)])
@pytest.mark.parametrize("method", ["allow", "deny"])
def test_what_is_no_command_is_refused(method: str, command: Any):
    with pytest.raises(ConfigurationError) as raised:
        getattr(AccessString.on(), method)(command)
    assert str(raised.value) == (
        f'AccessString.{method}: commands: got {command!r}, but a command reads "get", '
        'a subcommand "cluster|slots", a category "@read"'
    )


def test_allowing_nothing_is_refused():
    with pytest.raises(ConfigurationError) as raised:
        AccessString.on().allow()
    assert str(raised.value) == "AccessString.allow: commands: got (), but at least one command or category is needed"


@pytest.mark.parametrize("prefix", ["", "a*", "a b", "a[b]", "\\", None])
def test_a_smoke_test_prefix_is_no_pattern(prefix: Any):
    with pytest.raises(ConfigurationError) as raised:
        AccessString.smoke_test(prefix)
    assert str(raised.value) == (
        f"AccessString.smoke_test: key_prefix: got {prefix!r}, but a prefix is known text with no white space "
        r"and none of the characters * ? [ ] \ of patterns"
    )


@pytest.mark.parametrize("text", [None, 5, ["on"]])
def test_of_takes_text(text: Any):
    with pytest.raises(ConfigurationError) as raised:
        AccessString.of(text)
    assert str(raised.value) == (
        f'AccessString.of: text: got {text!r}, but an access string is text, such as "on ~app:* +@read"'
    )


# The ways past


def test_tokens_pass():
    stack = cdk.Stack()
    assert stack.resolve(str(AccessString.of(cdk.Fn.ref("Access")))) == {"Ref": "Access"}
    assert stack.resolve(str(AccessString.on().keys(f"{cdk.Fn.ref('App')}:*").allow("@read"))) == {
        "Fn::Join": ["", ["on ~", {"Ref": "App"}, ":* +@read"]]
    }


def test_unchecked_goes_to_aws_as_it_is():
    assert str(AccessString.unchecked("on ~* +@search (~a +get)").allow("get")) == "on ~* +@search (~a +get) +get"


# What a real engine makes of them


@pytest.mark.parametrize("access", [AccessString.read_write("app:*"), AccessString.read_only("app:*")])
def test_dangerous_and_administrative_commands_are_denied(engine: redis.Redis, access: AccessString):
    set_user(engine, access)
    commands = {*engine.acl_cat("dangerous"), *engine.acl_cat("admin")}
    commands -= {"info"}  # clients read it when they connect
    assert len(commands) > 50
    for command in sorted(commands):
        assert f"has no permissions to run the '{command}' command" in dry_run(engine, command), command


def dry_run(engine: redis.Redis, command: str) -> str:
    """The verdict on a command with as many arguments as it takes: with too few or many there is none."""
    verdicts = (_verdict(engine, [*command.split("|"), *["app:1"] * count]) for count in range(8))
    return next(verdict for verdict in verdicts if "wrong number of arguments" not in verdict)


def _verdict(engine: redis.Redis, command: list[str]) -> str:
    try:
        return str(engine.execute_command("ACL DRYRUN", "user", *command))
    except redis.ResponseError as error:
        return str(error)


@pytest.mark.parametrize("access", [AccessString.read_write("app:*"), AccessString.read_only("app:*")])
def test_cluster_clients_get_what_they_ask_for(engine: redis.Redis, access: AccessString):
    set_user(engine, access)
    for command in (
        *("PING", "HELLO 3", "AUTH user password", "INFO", "COMMAND", "COMMAND COUNT", "READONLY", "READWRITE"),
        *("CLUSTER SLOTS", "CLUSTER SHARDS", "CLUSTER NODES", "CLIENT SETNAME x", "CLIENT ID", "ASKING"),
        *("GET app:1", "EXISTS app:1", "MULTI", "EXEC", "WATCH app:1"),
    ):
        assert allows(engine, *command.split()), command


def test_read_write_reaches_its_keys_only(engine: redis.Redis):
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


def test_all_access_is_everything_and_off_is_nothing(engine: redis.Redis):
    set_user(engine, AccessString.all_access())
    assert allows(engine, "FLUSHALL")
    assert allows(engine, "CONFIG", "GET", "*")
    set_user(engine, AccessString.off())
    assert not allows(engine, "PING")


def test_the_smoke_test_user_may_do_what_it_sends_and_no_more(engine: redis.Redis):
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
def test_whatever_is_not_refused_the_engine_accepts(engine: redis.Redis, text: str):
    try:
        access = AccessString.of(text)
    except ConfigurationError:
        return
    try:
        set_user(engine, access, name="any")
    except redis.ResponseError as error:
        # Which commands there are depends on the engine's version and modules: that is left to it.
        if "Unknown command" not in str(error):
            raise


@pytest.mark.parametrize("access", [AccessString.read_write("app:*"), AccessString.read_only("app:*")])
def test_redis_py_works_as_such_a_user(engine: redis.Redis, access: AccessString):
    set_user(engine, access)
    address = engine.get_connection_kwargs()
    with RedisCluster(host=address["host"], port=address["port"], username="user", password=PASSWORD) as client:
        assert client.get("app:1") is None
        with client.pipeline() as pipeline:
            assert pipeline.get("app:1").exists("app:1").execute() == [None, 0]
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.get("other")
