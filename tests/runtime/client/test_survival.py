"""A pool survives expired tokens, rotated AWS credentials, the end of its connections' lives, and a fork.

The gates of the local cloud check each token. Lives that last minutes or hours on AWS last seconds here.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import secrets
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials
from redis.exceptions import AuthenticationError, RedisClusterException

from cdk_redis_local import AclUser, CertificateAuthority, Workspace, find_engine
from cdk_redis_local._emulator.store import Store, StoreKey, StoreShape
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._gates.node_gate import CONNECTION_SECONDS
from cdk_redis_local._gates.token_check import TokenRefusedError, TokenTarget, check_token
from cdk_redis_runtime import ClientTimeouts
from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.iam_token import IamTokenProvider
from tests.runtime.support.application import Application
from tests.runtime.support.blocking import KINDS, open_client

pytestmark = pytest.mark.long

LIFE = 4.0
REFUSED = (AuthenticationError, RedisClusterException)
# What an application does that tries each command twice; it does not depend on how busy the machine is.
RETRYING_ONCE = ClientTimeouts(connect=5, answer=5, retries=1, first_answer=5)


class Aws:
    """The AWS credentials of this machine, and the tokens that were accepted and refused."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._valid: list[Credentials] = []
        self.accepted: list[str] = []
        self.refusals: list[str] = []
        self.rotate()

    def rotate(self) -> None:
        """Replace the credentials in the file. The previous ones are valid until the next rotation, as on AWS."""
        new = Credentials(f"AKIA{secrets.token_hex(8).upper()}", secrets.token_hex(20), secrets.token_hex(30))
        temporary = self._file.with_suffix(".new")
        temporary.write_text(
            f"[default]\naws_access_key_id = {new.access_key}\naws_secret_access_key = {new.secret_key}\n"
            f"aws_session_token = {new.token}\n"
        )
        temporary.replace(self._file)
        self._valid = [*self._valid[-1:], new]

    def authorize(self, token: str, user: str, target: TokenTarget) -> object:
        try:
            checked = check_token(
                token,
                user=user,
                target=target,
                find_credentials=self._find,
                now=dt.datetime.now(dt.timezone.utc),
            )
        except TokenRefusedError as refusal:
            self.refusals.append(str(refusal))
            raise
        self.accepted.append(token)
        return checked

    def _find(self, access_key_id: str, _session_token: str | None) -> Credentials:
        for credentials in self._valid:
            if credentials.access_key == access_key_id:
                return credentials
        raise TokenRefusedError("the credentials do not exist")


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Aws:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return Aws(tmp_path / "credentials")


@pytest.fixture(scope="module", params=["elasticache", "memorydb"])
def _store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Store, CertificateAuthority, list[Aws]]]:
    """Behind gates: one node without cluster mode, or a cluster of two shards. The last `Aws` checks the tokens."""
    cluster_mode = request.param == "memorydb"
    key = StoreKey(request.param, ("111122223333", "eu-west-1"), "orders")
    authority = CertificateAuthority(tmp_path_factory.mktemp("authority"))
    workspace = Workspace()
    clouds: list[Aws] = []
    stores = Stores(workspace, authority, authorize=lambda *given: clouds[-1].authorize(*given), say=lambda _text: None)
    try:
        users = [AclUser("app", "on ~* &* +@all", iam=True)]
        shape = StoreShape(find_engine(), cluster_mode, 2 if cluster_mode else 1, 0)
        yield stores.create(key, shape, users), authority, clouds
    finally:
        stores.delete(key)
        workspace.close()


@pytest.fixture
def store(
    _store: tuple[Store, CertificateAuthority, list[Aws]], aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    store, authority, clouds = _store
    clouds.append(aws)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    yield store
    store.rules.connection_seconds = CONNECTION_SECONDS


def _environment(store: Store, **changes: str) -> dict[str, str]:
    cluster_mode = store.engines.cluster_mode
    return {
        env.SERVICE: "memorydb" if cluster_mode else "elasticache",
        env.STORE: "orders",
        env.HOST: "localhost",
        env.PORT: str(store.endpoint),
        env.TLS: "true",
        env.CLUSTER_MODE: str(cluster_mode).lower(),
        env.AUTHENTICATION: env.AUTHENTICATION_IAM,
        env.USER: "app",
        env.REGION: "eu-west-1",
        **changes,
    }


@pytest.fixture(params=KINDS)
def client(store: Store, request: pytest.FixtureRequest) -> Iterator[Any]:
    made = open_client(request.param, environment=_environment(store), timeouts=RETRYING_ONCE)
    yield made
    made.close()


@pytest.fixture
def short_lives(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens expire after three seconds, and AWS closes connections after `LIFE`."""
    monkeypatch.setattr("cdk_redis_runtime._client.iam_token.TOKEN_LIFETIME_SECONDS", 3)
    monkeypatch.setattr(IamTokenProvider, "connection_seconds", LIFE)
    store.rules.connection_seconds = LIFE


@pytest.mark.usefixtures("short_lives")
def test_no_command_fails_while_tokens_expire_credentials_rotate_and_connections_end(client: Any, aws: Aws) -> None:
    with Application(client) as application:
        for _ in range(3):
            time.sleep(LIFE * 0.9)
            aws.rotate()
    assert application.failures == []
    assert application.commands > 100
    # Tokens of the same second are equal.
    assert len(set(aws.accepted)) >= 3
    assert len({re.findall(r"X-Amz-Credential=(\w+)", token)[0] for token in aws.accepted}) >= 3
    assert aws.refusals == []


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the time by which connections are replaced forward, in hours."""
    passed = [0.0]
    now = time.time
    monkeypatch.setattr("cdk_redis_runtime._client.sign_in.time.time", lambda: now() + passed[0] * 3600)

    def wait(hours: float) -> None:
        passed[0] += hours

    return wait


def test_connection_is_replaced_before_aws_closes_it(client: Any, aws: Aws, clock: Callable[[float], None]) -> None:
    client.get("key")
    signed_in = len(aws.accepted)
    clock(8)
    client.get("key")
    client.get("key")
    assert len(aws.accepted) == signed_in
    clock(3)
    client.get("key")
    client.get("key")
    assert len(aws.accepted) > signed_in


def test_connections_are_not_replaced_all_at_once(store: Store, clock: Callable[[float], None]) -> None:
    del clock
    ages: set[float] = set()
    for _ in range(10):
        client = open_client("threads", environment=_environment(store))
        client.get("key")
        pool = (
            client.get_default_node().redis_connection.connection_pool
            if store.engines.cluster_mode
            else client.connection_pool
        )
        ages.update(connection._replaced_at - time.time() for connection in pool._available_connections)
        client.close()
    assert all(8 * 3600 < age < 11 * 3600 for age in ages)
    assert max(ages) - min(ages) > 600


@pytest.mark.usefixtures("short_lives")
def test_subscription_that_is_polled_survives_the_end_of_its_connection(store: Store) -> None:
    client = open_client("threads", environment=_environment(store), timeouts=RETRYING_ONCE)
    subscriber = client.pubsub()
    subscriber.subscribe("news")
    received: list[str] = []
    deadline = time.monotonic() + LIFE * 2
    while time.monotonic() < deadline:
        client.publish("news", str(len(received)))
        message = subscriber.get_message(ignore_subscribe_messages=True, timeout=0.1)
        received += [message["data"]] if message else []
    assert len(received) > 10
    subscriber.close()
    client.close()


def _open_once(environment: dict[str, str]) -> None:
    open_client("threads", environment=environment, timeouts=ClientTimeouts(retries=0)).get("key")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({env.REGION: "us-east-1"}, "the Region is 'us-east-1'"),
        ({env.STORE: "invoices"}, "the store .* is 'invoices'"),
        ({env.SERVICE: "other"}, "the service is '(elasticache|memorydb)'"),
        ({env.SERVERLESS: "true"}, "the resource type is 'ServerlessCache'"),
    ],
)
def test_token_for_something_else_is_refused(change: dict[str, str], reason: str, store: Store, aws: Aws) -> None:
    if env.SERVICE in change:
        change = {env.SERVICE: "elasticache" if store.engines.cluster_mode else "memorydb"}
    environment = _environment(store, **change)
    with pytest.raises(REFUSED, match="username-password"):
        _open_once(environment)
    assert re.search(reason, aws.refusals[-1])


def _sign(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    moment = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=seconds)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_args, **_options: moment)


@pytest.mark.parametrize("skew", [-890, -60, 60, 290])
def test_clock_skew_within_the_limits_is_accepted(skew: float, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    _sign(monkeypatch, skew)
    client = open_client("threads", environment=_environment(store))
    assert client.set("key", "1") is True
    client.close()


@pytest.mark.parametrize(("skew", "reason"), [(-910, "expired"), (310, "in the future")])
def test_clock_skew_beyond_the_limits_is_refused(
    skew: float, reason: str, store: Store, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    _sign(monkeypatch, skew)
    with pytest.raises(REFUSED, match="username-password"):
        _open_once(_environment(store))
    assert reason in aws.refusals[-1]


def test_token_of_another_user_is_refused(store: Store, aws: Aws) -> None:
    with pytest.raises(REFUSED, match="username-password"):
        open_client(
            "threads", environment=_environment(store, **{env.USER: "admin"}), timeouts=ClientTimeouts(retries=0)
        ).get("key")
    assert aws.accepted == []


def _in_child(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        # Ends by the signal if it hangs.
        signal.alarm(20)
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            # pytest shows what is written here if the test fails.
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            # Even after an error: otherwise the child would continue as a second pytest.
            os._exit(code)
    return os.waitpid(child, 0)[1]


def test_forked_process_connects_although_another_thread_took_a_connection_at_that_moment(store: Store) -> None:
    client = open_client("threads", environment=_environment(store), timeouts=RETRYING_ONCE)
    client.set("key", "parent")
    nodes = client.get_nodes() if store.engines.cluster_mode else []
    pools = [node.redis_connection.connection_pool for node in nodes] or [client.connection_pool]
    taken, forked = threading.Event(), threading.Event()

    def take() -> None:
        with contextlib.ExitStack() as locks:
            for pool in pools:
                locks.enter_context(pool._lock)
            taken.set()
            forked.wait(30)

    thread = threading.Thread(target=take)
    thread.start()
    taken.wait()
    try:
        assert _in_child(lambda: client.get("key")) == 0
    finally:
        forked.set()
        thread.join()
    client.close()


def test_forked_process_and_its_parent_use_one_client(store: Store) -> None:
    client = open_client("threads", environment=_environment(store), timeouts=RETRYING_ONCE)
    client.set("key", "parent")

    def work() -> None:
        for number in range(20):
            assert client.set("child", number) is True
            assert client.get("key") == "parent"

    with Application(client) as application:
        codes = [_in_child(work) for _ in range(3)]
    assert codes == [0, 0, 0]
    assert application.failures == []
    assert client.get("child") == "19"
    client.close()
