"""Real engines over TLS, and the battery run against them."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis.credentials import UsernamePasswordCredentialProvider

from cdk_redis_local import AclUser, EngineSet, find_engine
from cdk_redis_runtime import Address, Connection, Declaration, Report, smoke_test
from cdk_redis_runtime import _environment as env

PREFIX = "cdk-redis-smoke:"
PASSWORD = "correct-horse-battery-staple"
ACCESS = f"on ~{PREFIX}* resetchannels &{PREFIX}* -@all " + " ".join(
    f"+{command}" for command in env.SMOKE_TEST_COMMANDS
)


def smoke_user(access: str = ACCESS) -> AclUser:
    return AclUser("smoke", access, passwords=(PASSWORD,))


def connection_to(engines: EngineSet) -> Connection:
    host, port = engines.endpoint
    reader = None if engines.cluster_mode or not engines.replicas else Address(*engines.reader_endpoint)
    return Connection(
        service="elasticache",
        store="orders",
        host=host,
        port=port,
        reader=reader,
        tls=engines.tls,
        cluster_mode=engines.cluster_mode,
        authentication="password",
        user="smoke",
        secret_arn="arn:aws:secretsmanager:eu-west-1:111122223333:secret:smoke",
        region="eu-west-1",
    )


def declared_for(engines: EngineSet) -> Declaration:
    engine = find_engine()
    return Declaration(
        engine.name, engine.major_minor, engines.shards, engines.replicas, PREFIX, maxmemory_policy="noeviction"
    )


@dataclasses.dataclass(frozen=True)
class Verdicts:
    """A report, as tests ask it."""

    report: Report
    seconds: float

    def _names(self, status: str) -> set[str]:
        return {check.name for check in self.report.checks if check.outcome.status == status}

    @property
    def passed(self) -> set[str]:
        return self._names("passed")

    @property
    def failed(self) -> set[str]:
        return self._names("failed")

    @property
    def skipped(self) -> set[str]:
        return self._names("skipped")

    def __getitem__(self, name: str) -> str:
        """The reason of a check's verdict."""
        return next(check.outcome.reason for check in self.report.checks if check.name == name)


Battery = Callable[..., Verdicts]


@pytest.fixture
def battery(monkeypatch: pytest.MonkeyPatch) -> Battery:
    """Runs the battery on engines whose certificates are trusted; keywords change the connection or the declaration."""

    def run(engines: EngineSet, *, password: str = PASSWORD, trust: str = "", **changes: Any) -> Verdicts:
        if engines.tls:
            monkeypatch.setenv("SSL_CERT_FILE", trust or engines.ca_file)
        connection, declared = connection_to(engines), declared_for(engines)
        for name, value in changes.items():
            if hasattr(connection, name):
                connection = dataclasses.replace(connection, **{name: value})
            else:
                declared = dataclasses.replace(declared, **{name: value})
        credentials = UsernamePasswordCredentialProvider("smoke", password) if connection.user else None
        started = time.monotonic()
        report = smoke_test(connection, declared, credentials=credentials)
        return Verdicts(report, time.monotonic() - started)

    return run


@pytest.fixture
def let() -> Callable[..., None]:
    """Gives the smoke test's user another access string, and lets others in."""

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
    """Three shards of one replica each, cluster mode on; a test may change users, and nothing else."""
    yield _session_cluster
    _session_cluster.set_users([smoke_user()])


@pytest.fixture
def single(_session_single: EngineSet) -> Iterator[EngineSet]:
    """A primary and a replica, cluster mode off; a test may change users, and nothing else."""
    yield _session_single
    _session_single.set_users([smoke_user()])


@pytest.fixture
def broken_cluster() -> Iterator[EngineSet]:
    """Two shards of one replica each, for one test to break."""
    with EngineSet(shards=2, replicas=1, cluster_mode=True, users=[smoke_user()]) as engines:
        yield engines
