"""Real engines over TLS, and the smoke test on them."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cdk_redis_local import AclUser, CertificateAuthority, EngineSet, Workspace, find_engine
from cdk_redis_local._emulator.store import StoreKey, StoreShape
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._gates.token_check import TokenTarget, check_token
from cdk_redis_runtime._smoke_test.clock import side_by_side
from tests.runtime.support.battery import ACCESS, AWS_CREDENTIALS, Battery, assert_no_key, smoke_user
from tests.runtime.support.bound_cluster import BoundCluster, start_bound_cluster
from tests.runtime.support.fault_lab import Lab


@pytest.fixture
def battery(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> Battery:
    """Runs the smoke test, and asserts that it ends in time and shows no secret."""
    return Battery(monkeypatch, caplog, capfd)


@pytest.fixture
def let() -> Callable[..., None]:
    """Gives the smoke test's user another access string, and adds other users."""

    def change(engines: EngineSet, access: str = ACCESS, *others: AclUser) -> None:
        engines.set_users([smoke_user(access), *others])

    return change


@pytest.fixture(scope="session")
def _session_cluster() -> Iterator[EngineSet]:
    with EngineSet(shards=3, replicas=1, cluster_mode=True, users=[smoke_user()]) as engines:
        yield engines


@pytest.fixture(scope="session")
def _session_single() -> Iterator[EngineSet]:
    with EngineSet(replicas=1, users=[smoke_user()]) as engines:
        yield engines


@pytest.fixture
def cluster(_session_cluster: EngineSet) -> Iterator[EngineSet]:
    """Three shards with one replica each, cluster mode on; a test may change only users."""
    yield _session_cluster
    _session_cluster.set_users([smoke_user()])
    assert_no_key(_session_cluster)


@pytest.fixture
def single(_session_single: EngineSet) -> Iterator[EngineSet]:
    """A primary and a replica, cluster mode off; a test may change only users."""
    yield _session_single
    _session_single.set_users([smoke_user()])
    assert_no_key(_session_single)


@pytest.fixture
def start() -> Iterator[Callable[..., EngineSet]]:
    """Starts engines for one test."""
    with contextlib.ExitStack() as stack:

        def enter(**options: Any) -> EngineSet:
            engines = stack.enter_context(EngineSet(**options))
            stack.callback(assert_no_key, engines)
            return engines

        yield enter


@pytest.fixture(scope="session")
def _session_iam_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineSet]:
    def authorize(token: str, user: str, target: TokenTarget) -> object:
        return check_token(
            token,
            user=user,
            target=target,
            find_credentials=lambda _key, _token: AWS_CREDENTIALS,
            now=dt.datetime.now(dt.timezone.utc),
        )

    key = StoreKey("memorydb", ("111122223333", "eu-west-1"), "orders")
    authority = CertificateAuthority(tmp_path_factory.mktemp("authority"))
    workspace = Workspace()
    stores = Stores(workspace, authority, authorize=authorize, say=lambda _text: None)
    try:
        user = AclUser("smoke", ACCESS, iam=True)
        yield stores.create(key, StoreShape(find_engine(), True, 2, 1), [user]).engines
    finally:
        stores.delete(key)
        workspace.close()


@pytest.fixture
def iam_store(_session_iam_store: EngineSet) -> Iterator[EngineSet]:
    """Two shards with one replica each, behind TLS proxies that check IAM tokens as MemoryDB does for ``orders``."""
    yield _session_iam_store
    assert_no_key(_session_iam_store)


@pytest.fixture(scope="session")
def _session_bound_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoundCluster]:
    with start_bound_cluster(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def bound_cluster(_session_bound_cluster: BoundCluster) -> BoundCluster:
    """Three shards behind gates that check IAM tokens, without keys, with a password user and an IAM user."""
    _session_bound_cluster.reset()
    return _session_bound_cluster


@pytest.fixture(scope="module")
def spares() -> Iterator[dict[str, EngineSet]]:
    """Clusters for faults that cannot be undone. Their node timeout is long, so that no node counts as failed."""
    options: dict[str, Any] = {"shards": 3, "replicas": 1, "cluster_mode": True, "users": [smoke_user()]}
    spares = {name: EngineSet(**options, node_timeout=60) for name in ("node-down", "shard-down", "slots-missing")}
    try:
        # A start is mostly waiting, so all start at the same time.
        for done in side_by_side(EngineSet.start, list(spares.values()), 60):
            if done.error:
                raise done.error
        yield spares
        for engines in spares.values():
            assert_no_key(engines)
    finally:
        for engines in spares.values():
            engines.stop()


@pytest.fixture
def lab(cluster: EngineSet, single: EngineSet, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    with contextlib.ExitStack() as undo:
        yield Lab(cluster, single, tmp_path, undo, request.getfixturevalue)
