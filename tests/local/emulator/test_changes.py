"""Changes of running stores in place: the engines really change, and keep their keys."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from cdk_redis_local import AclUser, CertificateAuthority, EngineProgram, Workspace
from cdk_redis_local._emulator.store import StoreKey, StoreShape
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines import copying
from tests.local.support.clouds import Cloud, StackFailedError
from tests.local.support.engine_processes import engine_processes
from tests.local.support.two_engines import NEW, OLD, needs_two_engines

pytestmark = pytest.mark.long

KEYS = {f"key:{number}": f"value {number}" for number in range(1_000)}
LIBRARY = "#!lua name=mine\nredis.register_function('answer', function() return 42 end)"
PRIMARY = {"Primary": {"Fn::GetAtt": ["Group", "PrimaryEndPoint.Port"]}}
CONFIGURATION = {"Configuration": {"Fn::GetAtt": ["Group", "ConfigurationEndPoint.Port"]}}


def engine(program: EngineProgram | None) -> dict[str, str]:
    assert program is not None
    return {"Engine": program.name, "EngineVersion": program.major_minor}


class Changing:
    """A stack with one replication group of two nodes a shard."""

    def __init__(self, cloud: Cloud, name: str, **properties: Any) -> None:
        self.cloud, self.name = cloud, name
        self.properties = {
            "ReplicationGroupDescription": "a group",
            "TransitEncryptionEnabled": True,
            "AutomaticFailoverEnabled": True,
            "NumNodeGroups": 1,
            "ReplicasPerNodeGroup": 1,
            **cloud.engine,
            **properties,
        }
        self.policy = {"UseOnlineResharding": True}

    def deploy(self, outputs: dict[str, Any], **changes: Any) -> dict[str, int]:
        """Create or update the stack; returns the ports of its outputs."""
        self.properties |= changes
        made = {
            "Type": "AWS::ElastiCache::ReplicationGroup",
            "Properties": self.properties,
            "UpdatePolicy": self.policy,
        }
        deployed = self.cloud.deploy(self.name, {"Group": made}, outputs)
        return {name: int(port) for name, port in deployed.items()}

    def refuses(self, words: str, **changes: Any) -> None:
        """Check that the service refuses these changes, and that the stack rolls back."""
        before = dict(self.properties)
        with pytest.raises(StackFailedError, match=words):
            self.deploy({}, **changes)
        self.properties = before
        assert self.status() == "UPDATE_ROLLBACK_COMPLETE"

    def status(self) -> str:
        stacks = self.cloud.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        return stacks[0]["StackStatus"]

    def client(self, port: int, *, tls: bool = True) -> redis.Redis:
        return redis.Redis(**self._options(port, tls=tls), retry=Retry(NoBackoff(), 0))

    def cluster(self, port: int, *, tls: bool = True) -> redis.RedisCluster:
        return redis.RedisCluster(**self._options(port, tls=tls))

    def _options(self, port: int, *, tls: bool) -> dict[str, Any]:
        trusted = self.cloud.local.environment["SSL_CERT_FILE"]
        options = {"host": "localhost", "port": port, "decode_responses": True, "socket_timeout": 20}
        return {**options, "ssl": True, "ssl_ca_certs": trusted} if tls else options


@pytest.fixture
def changing(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Changing]:
    made = Changing(cloud, f"changing-{abs(hash(request.node.name)) % 10**6}", **getattr(request, "param", {}))
    yield made
    cloud.delete(made.name)


def fill(client: Any) -> None:
    pipeline = client.pipeline(transaction=False)
    for number, (key, value) in enumerate(KEYS.items()):
        pipeline.set(key, value, ex=10_000 if number % 10 == 0 else None)
    pipeline.execute()


def has_keys(client: Any) -> bool:
    pipeline = client.pipeline(transaction=False)
    for key in KEYS:
        pipeline.get(key)
        pipeline.ttl(key)
    answers = pipeline.execute()
    expire = [0 < seconds <= 10_000 for seconds in answers[1::2]]
    return answers[::2] == list(KEYS.values()) and expire == [number % 10 == 0 for number in range(len(KEYS))]


class Traffic:
    """A client that counts up and reads all the time; ``counted`` is the number of acknowledged increments."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.counted = self.unsure = 0

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                self._client.incr("counter")
                self.counted += 1
            except RedisError:
                self.unsure += 1
            time.sleep(0.002)


@needs_two_engines
@pytest.mark.parametrize("changing", [{"NumNodeGroups": 2, **engine(OLD)}], indirect=True, ids=["two shards"])
def test_an_upgrade_keeps_the_keys_of_a_cluster_while_clients_use_it(changing: Changing) -> None:
    before = changing.deploy(CONFIGURATION)
    client = changing.cluster(before["Configuration"])
    fill(client)
    for node in client.get_primaries():
        node.redis_connection.function_load(LIBRARY)
    with Traffic(changing.cluster(before["Configuration"])) as traffic:
        assert changing.deploy(CONFIGURATION, **engine(NEW)) == before
        after = traffic.counted
        # A client that knew the former nodes goes on.
        deadline = time.monotonic() + 20
        while traffic.counted < after + 20 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert traffic.counted >= after + 20
    assert traffic.counted <= int(client.get("counter") or 0) <= traffic.counted + traffic.unsure
    fresh = changing.cluster(before["Configuration"])
    assert has_keys(fresh)
    assert has_keys(client)
    assert [node.redis_connection.fcall("answer", 0) for node in fresh.get_primaries()] == [42, 42]
    seen = {node.redis_connection.info("server")["valkey_version"] for node in fresh.get_nodes()}
    assert NEW is not None
    assert seen == {NEW.version}
    assert (len(fresh.get_primaries()), len(fresh.get_replicas())) == (2, 2)
    assert set(engine_processes(changing.cloud).values()) == {"valkey"}
    changing.refuses("Changing the engine from valkey to redis is not supported", **engine(OLD))
    assert has_keys(changing.cluster(before["Configuration"]))


def test_cluster_mode_changes_in_two_steps_and_not_back(changing: Changing) -> None:
    before = changing.deploy(PRIMARY, ClusterMode="disabled")
    client = changing.client(before["Primary"])
    fill(client)
    assert client.info("cluster")["cluster_enabled"] == 0
    changing.refuses("you must first set the cluster mode to Compatible", ClusterMode="enabled")
    with changing.client(before["Primary"]) as other:
        other.select(1)
        other.set("elsewhere", "1")
        changing.refuses("the cluster may only have keys in database 0", ClusterMode="compatible")
        other.delete("elsewhere")
    ports = changing.deploy({**PRIMARY, **CONFIGURATION}, ClusterMode="compatible")
    assert ports["Primary"] == before["Primary"]
    assert changing.client(ports["Primary"]).info("cluster")["cluster_enabled"] == 1
    assert has_keys(changing.client(ports["Primary"]))
    assert has_keys(changing.cluster(ports["Configuration"]))
    changing.refuses("scaling and engine version are not allowed", ReplicasPerNodeGroup=2)
    changing.refuses("Reverting this configuration is not possible", ClusterMode="disabled")
    assert changing.deploy(CONFIGURATION, ClusterMode="enabled") == {"Configuration": ports["Configuration"]}
    with pytest.raises(redis.ConnectionError):
        changing.client(ports["Primary"]).ping()
    changing.deploy(CONFIGURATION, NumNodeGroups=2)
    cluster = changing.cluster(ports["Configuration"])
    assert len(cluster.get_primaries()) == 2
    assert has_keys(cluster)


@pytest.mark.parametrize("changing", [{"TransitEncryptionEnabled": False}], indirect=True, ids=["without TLS"])
def test_tls_is_required_after_it_was_preferred(changing: Changing) -> None:
    before = changing.deploy(PRIMARY)
    port = before["Primary"]
    fill(changing.client(port, tls=False))
    assert not speaks_tls(changing, port)
    changing.refuses("you must also set TransitEncryptionMode to preferred", TransitEncryptionEnabled=True)
    changing.deploy(PRIMARY, TransitEncryptionEnabled=True, TransitEncryptionMode="preferred")
    assert has_keys(changing.client(port, tls=False))
    assert has_keys(changing.client(port))
    encrypted = int(changing.client(port).config_get("tls-port").get("tls-port", 0)) > 0
    assert encrypted == ("redis" in engine_processes(changing.cloud).values())
    changing.deploy(PRIMARY, TransitEncryptionMode="required")
    assert has_keys(changing.client(port))
    with pytest.raises(RedisError):
        changing.client(port, tls=False).ping()
    changing.refuses("Set TransitEncryptionMode to preferred before", TransitEncryptionEnabled=False)
    changing.deploy(PRIMARY, TransitEncryptionMode="preferred")
    del changing.properties["TransitEncryptionMode"]
    changing.deploy(PRIMARY, TransitEncryptionEnabled=False)
    assert has_keys(changing.client(port, tls=False))
    assert not speaks_tls(changing, port)


def speaks_tls(changing: Changing, port: int) -> bool:
    trusted = changing.cloud.local.environment["SSL_CERT_FILE"]
    context = ssl.create_default_context(cafile=trusted)
    # A server without TLS waits for the end of a line.
    with socket.create_connection(("localhost", port), timeout=0.5) as connection, contextlib.suppress(OSError):
        context.wrap_socket(connection, server_hostname="localhost").close()
        return True
    return False


@pytest.mark.parametrize(
    ("changing", "changes", "victim"),
    [
        pytest.param(
            {"Engine": "redis"}, {"Engine": "valkey"}, "old", id="engine, old primary", marks=needs_two_engines
        ),
        pytest.param({"Engine": "redis"}, {"Engine": "valkey"}, "new", id="engine, new node", marks=needs_two_engines),
        pytest.param({}, {"ClusterMode": "compatible"}, "new", id="cluster mode, new node"),
        pytest.param(
            {"TransitEncryptionEnabled": False},
            {"TransitEncryptionEnabled": True, "TransitEncryptionMode": "preferred"},
            "old",
            id="TLS, old primary",
        ),
    ],
    indirect=["changing"],
)
def test_a_change_during_which_a_node_dies_is_rolled_back(
    changing: Changing, changes: dict[str, Any], victim: str, kill: Callable[..., None]
) -> None:
    tls = bool(changing.properties["TransitEncryptionEnabled"])
    if "Engine" in changes:
        changing.properties |= engine(OLD)
        changes = {**changes, **engine(NEW)}
    port = changing.deploy(PRIMARY)["Primary"]
    client = changing.client(port, tls=tls)
    fill(client)
    assert client.wait(1, 5000) == 1
    before = engine_processes(changing.cloud)
    kill(changing, client.info("server")["process_id"] if victim == "old" else None)
    changing.refuses("has ended", **changes)
    assert has_keys(changing.client(port, tls=tls))
    after = engine_processes(changing.cloud)
    assert list(after.values()) == list(before.values())
    assert (after.keys() == before.keys()) == (victim == "new")
    assert changing.client(port, tls=tls).info("cluster")["cluster_enabled"] == 0
    changing.deploy(PRIMARY, **changes)
    assert has_keys(changing.client(port, tls=tls))
    assert not engine_processes(changing.cloud).keys() & after.keys()


@pytest.fixture
def kill() -> Iterator[Callable[..., None]]:
    """Returns a function that kills a process as soon as a change has started another; None kills that one."""
    threads: list[threading.Thread] = []

    def start(changing: Changing, process: int | None) -> None:
        before = engine_processes(changing.cloud).keys()

        def work() -> None:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                if new := engine_processes(changing.cloud).keys() - before:
                    os.kill(process or min(new), signal.SIGKILL)
                    return

        threads.append(threading.Thread(target=work, daemon=True))
        threads[-1].start()

    yield start
    for thread in threads:
        thread.join()


@needs_two_engines
def test_users_who_change_during_an_upgrade_change_on_the_new_engines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert OLD is not None
    assert NEW is not None
    key = StoreKey("elasticache", ("000000000000", "us-east-1"), "changing")
    threads: list[threading.Thread] = []
    real = copying.copy_all

    def copy(*arguments: Any, **options: Any) -> int:
        users = [AclUser("app", passwords=("another-password",))]
        threads.append(threading.Thread(target=stores.set_users, args=(key, users)))
        threads[0].start()
        return real(*arguments, **options)

    monkeypatch.setattr(copying, "copy_all", copy)
    with Workspace() as workspace:
        stores = Stores(workspace, CertificateAuthority(tmp_path / "ca"), authorize=lambda *_: None, say=lambda _: None)
        store = stores.create(key, StoreShape(OLD, False, 1, 0), [AclUser("app", passwords=("a-password",))])
        stores.resize(key, StoreShape(NEW, False, 1, 0))
        threads[0].join()
        [user] = [user for user in store.engines.users if user.name == "app"]
        assert user.passwords == ("another-password",)
        assert store.engines.nodes[0].client("app", "another-password", port=store.engines.nodes[0].engine_port).ping()
        stores.delete(key)
