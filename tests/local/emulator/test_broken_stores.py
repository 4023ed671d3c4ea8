"""Faults of one running store: each is seen by clients over TLS, and gone at the end of the ``with`` block."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    NoPermissionError,
    OutOfMemoryError,
    RedisClusterException,
    RedisError,
    ResponseError,
)
from redis.retry import Retry

from cdk_redis_local import FAULTS, STORE_FAULTS, Deploys, LocalCloudError
from cdk_redis_local.__main__ import main
from cdk_redis_local._emulator import own_calls
from cdk_redis_local._emulator.faults import _KINDS
from tests.local.support.clouds import Cloud

PASSWORD = "a-password-of-a-test"
KEYS = [f"app:{number}" for number in range(20)]


class Stores:
    """A MemoryDB cluster of two shards, ``ledger``, and an ElastiCache primary with a replica, ``cache``."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        user = {"Type": "password", "Passwords": [PASSWORD]}
        outputs = cloud.deploy(
            "Stores",
            {
                "App": {
                    "Type": "AWS::MemoryDB::User",
                    "Properties": {
                        "UserName": "app",
                        "AccessString": "on ~app:* +@all",
                        "AuthenticationMode": user,
                    },
                },
                "Acl": {"Type": "AWS::MemoryDB::ACL", "Properties": {"ACLName": "acl", "UserNames": [{"Ref": "App"}]}},
                "Ledger": {
                    "Type": "AWS::MemoryDB::Cluster",
                    "Properties": {
                        "ClusterName": "ledger",
                        "NodeType": "db.t4g.small",
                        "ACLName": {"Ref": "Acl"},
                        "NumShards": 2,
                        "NumReplicasPerShard": 0,
                        "TLSEnabled": True,
                        **cloud.engine,
                    },
                },
                "Cache": {
                    "Type": "AWS::ElastiCache::ReplicationGroup",
                    "Properties": {
                        "ReplicationGroupId": "cache",
                        "ReplicationGroupDescription": "a cache",
                        "NumCacheClusters": 2,
                        "AutomaticFailoverEnabled": True,
                        "TransitEncryptionEnabled": True,
                        "AuthToken": PASSWORD,
                        "CacheNodeType": "cache.t4g.micro",
                        **cloud.engine,
                    },
                },
            },
            {
                "Ledger": {"Fn::GetAtt": ["Ledger", "ClusterEndpoint.Port"]},
                "Cache": {"Fn::GetAtt": ["Cache", "PrimaryEndPoint.Port"]},
            },
        )
        self._ports = {name: int(port) for name, port in outputs.items()}
        self._made: list[Any] = []

    def ledger(self) -> Any:
        return self._keep(redis.RedisCluster(username="app", **self._options("Ledger")))

    def cache(self) -> Any:
        return self._keep(redis.Redis(**self._options("Cache")))

    def _options(self, store: str) -> dict[str, Any]:
        return {
            "host": "localhost",
            "port": self._ports[store],
            "password": PASSWORD,
            "ssl": True,
            "ssl_ca_certs": self._cloud.local.environment["SSL_CERT_FILE"],
            "decode_responses": True,
            "protocol": 2,
            "socket_timeout": 0.5,
            "retry": Retry(NoBackoff(), 0),
        }

    def _keep(self, client: Any) -> Any:
        self._made.append(client)
        return client

    def close(self) -> None:
        for client in self._made:
            client.close()


@pytest.fixture(scope="module")
def stores(cloud: Cloud) -> Iterator[Stores]:
    made = Stores(cloud)
    client = made.ledger()
    for key in KEYS:
        client.set(key, "a value")
    yield made
    made.close()


@pytest.fixture
def break_store(cloud: Cloud) -> Callable[..., Any]:
    return Deploys(cloud.local).break_store


def test_users_of_a_broken_store_may_do_more_until_it_is_repaired(stores: Stores, break_store: Any) -> None:
    client = stores.ledger()
    with break_store("ledger", "acl-without-prefix"):
        assert client.set("other", "a value")
        with pytest.raises(ResponseError, match="permissions"):
            client.execute_command("CONFIG", "GET", "save", target_nodes="random")
    with pytest.raises(NoPermissionError):
        client.set("other", "a value")
    with break_store("ledger", "managed-commands-allowed"):
        assert client.execute_command("CONFIG", "GET", "save", target_nodes="random")
    with pytest.raises(ResponseError, match="permissions"):
        client.execute_command("CONFIG", "GET", "save", target_nodes="random")


def test_a_client_with_all_permissions_sees_the_keys_of_a_store(cloud: Cloud, stores: Stores) -> None:
    open_store = Deploys(cloud.local).store_client
    with open_store("ledger") as ledger:
        assert sorted(ledger.scan_iter("app:*")) == sorted(KEYS)
    with open_store("cache") as cache:
        assert cache.set("from the test", "a value")
        assert cache.acl_whoami() == "cdk-redis-local"
    assert stores.cache().get("from the test") == "a value"


def test_slots_are_missing_and_come_back_with_their_keys(stores: Stores, break_store: Any) -> None:
    client = stores.ledger()
    with break_store("ledger", "slots-missing"), pytest.raises(RedisClusterException, match=r"slots are not covered"):
        _ = [client.get(key) for key in KEYS]
    client = stores.ledger()
    assert [client.get(key) for key in KEYS] == ["a value"] * len(KEYS)


@pytest.mark.parametrize("name", ["ledger", "cache"])
def test_stopped_engines_refuse_connections_and_start_again_on_their_ports(
    name: str, stores: Stores, break_store: Any
) -> None:
    connect = getattr(stores, name)
    open_before = connect()
    assert open_before.ping()
    with break_store(name, "engine-stopped"):
        with pytest.raises((RedisError, RedisClusterException)):
            open_before.get("app:1")
        with pytest.raises((RedisError, RedisClusterException), match="refused"):
            connect().get("app:1")
    client = connect()
    if name == "ledger":  # MemoryDB is durable
        assert [client.get(key) for key in KEYS] == ["a value"] * len(KEYS)
    else:
        assert client.set("app:1", "a value")
        assert client.get("app:1") == "a value"
        assert client.info("replication")["connected_slaves"] == 1


def test_a_certificate_is_not_trusted_until_it_is_repaired(stores: Stores, break_store: Any) -> None:
    open_before = stores.cache()
    assert open_before.ping()
    with break_store("CACHE", "wrong-ca"):
        with pytest.raises(redis.ConnectionError):  # its connection was closed, and a new one does not trust the store
            open_before.ping()
        with pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED") as refused:
            stores.cache().ping()
        assert isinstance(refused.value.__context__, ssl.SSLCertVerificationError)
    assert open_before.ping()


def test_a_primary_hangs_and_a_store_is_slow_or_full(stores: Stores, break_store: Any) -> None:
    client = stores.cache()
    assert client.set("key", "a value")
    for fault in ("node-hangs", "slow-answers"):
        with break_store("cache", fault), pytest.raises(redis.TimeoutError):
            client.get("key")
        assert stores.cache().get("key") == "a value"
    with break_store("cache", "out-of-memory"):
        with pytest.raises(OutOfMemoryError):
            client.set("another", "a value")
        assert client.get("key") == "a value"
    assert client.set("another", "a value")


def test_a_store_is_broken_and_repaired_from_a_shell(
    cloud: Cloud, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in cloud.local.environment.items():
        monkeypatch.setenv(name, value)
    client = stores.cache()
    assert main(["break", "cache", "out-of-memory"]) == 0
    with pytest.raises(OutOfMemoryError):
        client.set("key", "a value")
    assert main(["repair", "cache", "out-of-memory"]) == 0
    assert client.set("key", "a value")


def test_a_fault_ends_with_a_failed_block_and_wrong_ones_are_refused(
    cloud: Cloud, stores: Stores, break_store: Any
) -> None:
    def fail() -> None:
        with break_store("cache", "out-of-memory"):
            with (
                pytest.raises(LocalCloudError, match=r"cache: cannot inject .*out-of-memory: the store has it already"),
                break_store("cache", "out-of-memory"),
            ):
                pass
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert stores.cache().set("key", "a value")
    for store, fault, message in (
        ("cache", "no-such", f"unknown fault no-such; the faults are {', '.join(STORE_FAULTS)}"),
        ("cache", "managed-commands-allowed", "only MemoryDB reserves commands"),
        ("cache", "slots-missing", "it has no cluster mode"),
        ("other", "wrong-ca", "no store other runs; the running stores: cache, ledger"),
    ):
        with pytest.raises(LocalCloudError, match=message), break_store(store, fault):
            pass


def test_only_the_root_user_of_the_cloud_may_inject_faults(cloud: Cloud, stores: Stores) -> None:
    user = {"Type": "AWS::IAM::User", "Properties": {"UserName": "admin"}}
    key = {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": {"Ref": "User"}}}
    made = cloud.deploy(
        "Admin",
        {"User": user, "Key": key},
        {"Id": {"Ref": "Key"}, "Secret": {"Fn::GetAtt": ["Key", "SecretAccessKey"]}},
    )
    other = {
        **cloud.local.environment,
        "AWS_ACCESS_KEY_ID": made["Id"],
        "AWS_SECRET_ACCESS_KEY": made["Secret"],
    }
    for environment, message in (
        (other, "only the root user may call it"),
        ({**other, "AWS_SECRET_ACCESS_KEY": "wrong"}, "refused the request"),
    ):
        with pytest.raises(LocalCloudError, match=message):
            own_calls.call(environment, "BreakStore", Store="cache", Fault="slow-answers")
    with pytest.raises(LocalCloudError, match="there is no action"):
        own_calls.call(cloud.local.environment, "NoSuchAction")
    assert stores.cache().ping()


def test_every_fault_has_a_text_and_code() -> None:
    assert FAULTS.keys() <= STORE_FAULTS.keys() == _KINDS.keys()
