"""Runs the smoke test in tests, and asserts that it ends in time and shows no secret."""

from __future__ import annotations

import dataclasses
import fnmatch
import io
import json
import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from botocore.credentials import Credentials
from redis.credentials import CredentialProvider, UsernamePasswordCredentialProvider
from rich.console import Console

from cdk_redis_local import AclUser, EngineSet, find_engine
from cdk_redis_local._engines.node import Node, wait_until
from cdk_redis_runtime import Address, Connection, Declaration, Report, SmokeTestFailed, render_report, smoke_test
from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.connect import credential_provider
from cdk_redis_runtime._smoke_test.checks.data import TTL_SECONDS
from tests.runtime.support.lost_time import LostTime
from tests.runtime.support.secrets_manager import ARN

PREFIX = "cdk-redis-smoke:"
PASSWORD = "correct-horse-battery-staple"
AWS_CREDENTIALS = Credentials("AKIAEXAMPLE", "an-example-of-a-secret-key", "an/example+of=a-session-token")
COMMANDS = " ".join(f"+{command}" for command in env.SMOKE_TEST_COMMANDS)
ACCESS = f"on ~{PREFIX}* resetchannels &{PREFIX}* -@all {COMMANDS}"
_MADE_UP_BYTES = 24


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
        secret_arn=ARN,
        region="eu-west-1",
    )


def declared_for(engines: EngineSet) -> Declaration:
    engine = find_engine()
    return Declaration(
        engine.name, engine.major_minor, engines.shards, engines.replicas, PREFIX, maxmemory_policy="noeviction"
    )


@dataclasses.dataclass(frozen=True)
class Verdicts:
    """A report, with shortcuts for tests."""

    report: Report
    seconds: float
    lost_seconds: float
    """For how long a busy machine had no processor for the run."""

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

    def assert_are(self, failed: Mapping[str, str], skipped: Mapping[str, str]) -> None:
        """Assert which checks fail or are skipped, each with its reason (``*`` matches anything); all others pass."""
        expected = {check.name: ("passed", "*") for check in self.report.checks}
        expected |= {name: ("failed", words) for name, words in failed.items()}
        expected |= {name: ("skipped", words) for name, words in skipped.items()}
        found = {check.name: (check.outcome.status, _without_tries(self[check.name])) for check in self.report.checks}
        assert found.keys() == expected.keys(), expected.keys() - found.keys()
        differing = {name: verdict for name, verdict in found.items() if not _fits(verdict, expected[name])}
        assert not differing, differing


def _without_tries(reason: str) -> str:
    return re.sub(r" \(after \d+ tries\)$", "", reason)


def _fits(found: tuple[str, str], expected: tuple[str, str]) -> bool:
    return found[0] == expected[0] and fnmatch.fnmatchcase(found[1], expected[1])


class Battery:
    """Runs the smoke test on engines; keywords change the connection or the declaration."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        self._monkeypatch = monkeypatch
        self._caplog = caplog
        self._capfd = capfd
        aws = AWS_CREDENTIALS
        self.secrets: set[str] = {PASSWORD, aws.access_key, aws.secret_key, str(aws.token)}
        """Secrets that no message may contain: passwords, tokens, and the smoke test's random passwords."""
        caplog.set_level(logging.DEBUG)
        # At level DEBUG botocore logs what it signs.
        caplog.set_level(logging.INFO, logger="botocore")
        monkeypatch.setattr(secrets, "token_hex", self._remembering(secrets.token_hex))

    def __call__(
        self,
        engines: EngineSet,
        *,
        password: str = PASSWORD,
        trust: str = "",
        credentials: CredentialProvider | None = None,
        **changes: Any,
    ) -> Verdicts:
        if engines.tls:
            self._monkeypatch.setenv("SSL_CERT_FILE", trust or engines.ca_file)
        connection, declared = connection_to(engines), declared_for(engines)
        for name, value in changes.items():
            if hasattr(connection, name):
                connection = dataclasses.replace(connection, **{name: value})
            else:
                declared = dataclasses.replace(declared, **{name: value})
        self.secrets.add(password)
        if credentials is None and connection.authentication == env.AUTHENTICATION_PASSWORD:
            credentials = UsernamePasswordCredentialProvider(connection.user, password)
        return self._run(connection, declared, credentials or credential_provider(connection))

    def assert_verdicts(
        self,
        engines: EngineSet,
        failed: Mapping[str, str],
        skipped: Mapping[str, str],
        *,
        budget: float,
        **changes: Any,
    ) -> None:
        """Run the smoke test, and assert its verdicts as `Verdicts.assert_are` does.

        A run that had no processor for a tenth of its budget or more is repeated, up to twice: its checks may have run
        out of time before the fault.
        """
        for repetitions_left in (2, 1, 0):
            verdicts = self(engines, budget=budget, **changes)
            try:
                return verdicts.assert_are(failed, skipped)
            except AssertionError:
                if not repetitions_left or verdicts.lost_seconds < budget / 10:
                    raise
        return None

    def _run(self, connection: Connection, declared: Declaration, credentials: CredentialProvider | None) -> Verdicts:
        provider = _Recording(credentials, self.secrets) if credentials else None
        self._capfd.readouterr()
        started = time.monotonic()
        with LostTime() as lost:
            report = smoke_test(connection, declared, credentials=provider)
        seconds = time.monotonic() - started
        allowed = declared.budget + lost.seconds
        assert seconds <= allowed, f"{seconds} s, allowed are {allowed} s, {lost.seconds} s of them for a busy machine"
        assert_no_secret([*_texts(report), self._caplog.text, *self._capfd.readouterr()], self.secrets)
        return Verdicts(report, seconds, lost.seconds)

    def _remembering(self, token_hex: Callable[..., str]) -> Callable[..., str]:
        def make(nbytes: int | None = None) -> str:
            made = token_hex(nbytes)
            # Shorter ones are keys or values.
            if nbytes is not None and nbytes >= _MADE_UP_BYTES:
                self.secrets.add(made)
            return made

        return make


class _Recording(CredentialProvider):
    """Passes on credentials, and records the secrets in them."""

    def __init__(self, provider: CredentialProvider, into: set[str]) -> None:
        self._provider = provider
        self._into = into

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        credentials = self._provider.get_credentials()
        secret = credentials[-1]
        self._into |= {secret, *re.findall(r"X-Amz-(?:Signature|Security-Token)=([^&]+)", secret)}
        return credentials


def _texts(report: Report) -> list[str]:
    table = Console(file=io.StringIO(), width=400, record=True)
    table.print(render_report(report.as_dict()))
    failure = SmokeTestFailed(report)
    return [json.dumps(report.as_dict()), repr(report), str(failure), repr(failure), table.export_text()]


def assert_no_secret(texts: Iterable[str], unspeakable: Iterable[str]) -> None:
    """Assert that no text contains a secret."""
    everything = "\n".join(texts)
    shown = [secret for secret in unspeakable if secret in everything]
    assert not shown, shown


def assert_no_key(engines: EngineSet) -> None:
    """Assert that no node has a key; delete keys for the next test."""
    running = [node for node in engines.nodes if node.running]
    left = {key for node in running if node.role == "primary" for key in _keys(node)}
    for node in running:
        if node.role == "primary":
            node.admin.flushall()
    assert not left, left
    for node in running:
        wait_until(lambda node=node: not _keys(node), "the deletion on the replica", seconds=2)


def drop_keys_that_expire(engines: EngineSet) -> None:
    """Assert that all keys expire soon, which a user without DEL cannot delete, and delete them."""
    for node in engines.primaries:
        for key in _keys(node):
            assert key.startswith(PREFIX)
            assert 0 < node.admin.ttl(key) <= TTL_SECONDS
            node.admin.delete(key)


def _keys(node: Node) -> list[str]:
    return list(node.admin.scan_iter(count=1000))
