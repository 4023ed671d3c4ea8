"""Each connection signs in with a token of its own; a token for another store is refused, and that is explained."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.credentials import Credentials

from cdk_redis_local import AclUser, CertificateAuthority, Workspace, find_engine
from cdk_redis_local._stores import StoreKey, Stores, StoreShape
from cdk_redis_local._token_check import TokenTarget, check_token
from cdk_redis_runtime import Connection, Declaration, smoke_test
from cdk_redis_runtime import _environment as env

KEY_ID, SECRET_KEY, SESSION_TOKEN = "AKIAEXAMPLE", "an-example-of-a-secret-key", "an/example+of=a-session-token"
KEY = StoreKey("memorydb", ("111122223333", "eu-west-1"), "orders")


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    """Port and trusted file of a cluster behind gates that check tokens."""

    def authorize(token: str, user: str, target: TokenTarget) -> object:
        return check_token(
            token,
            user=user,
            target=target,
            find_credentials=lambda _key, _token: Credentials(KEY_ID, SECRET_KEY, SESSION_TOKEN),
            now=dt.datetime.now(dt.timezone.utc),
        )

    commands = " ".join(f"+{name}" for name in env.SMOKE_TEST_COMMANDS)
    access = f"on ~cdk-redis-smoke:* resetchannels &cdk-redis-smoke:* -@all {commands}"
    authority = CertificateAuthority(tmp_path_factory.mktemp("authority"))
    workspace = Workspace()
    stores = Stores(workspace, authority, authorize=authorize, say=lambda _text: None)
    try:
        store = stores.create(KEY, StoreShape(find_engine(), True, 2, 1), [AclUser("smoke", access, iam=True)])
        yield store.endpoint, str(authority.ca_file)
    finally:
        stores.delete(KEY)
        workspace.close()


def _run(endpoint: tuple[int, str], monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Any:
    port, ca_file = endpoint
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_SESSION_TOKEN", SESSION_TOKEN)
    settings = {"service": "memorydb", "store": "Orders", "region": "eu-west-1"} | changes
    connection = Connection(host="localhost", port=port, user="smoke", **settings)
    engine = find_engine()
    declared = Declaration(engine.name, engine.major_minor, 2, 1, budget=6, maxmemory_policy="noeviction")
    return smoke_test(connection, declared)


def test_every_check_passes_with_iam_tokens(endpoint: tuple[int, str], monkeypatch: pytest.MonkeyPatch) -> None:
    report = _run(endpoint, monkeypatch)
    verdicts = {check.name: check.outcome.status for check in report.checks}
    # MemoryDB's log is durable without replicas.
    assert verdicts.pop("durability") == "skipped"
    assert set(verdicts.values()) == {"passed"}, report


@pytest.mark.parametrize("change", [{"store": "invoices"}, {"region": "eu-central-1"}, {"service": "elasticache"}])
def test_token_for_something_else_is_refused_and_explained(
    change: dict[str, str], endpoint: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    report = _run(endpoint, monkeypatch, **change)
    assert [check.name for check in report.failed] == ["auth"]
    reason = report.failed[0].outcome.reason
    assert "WRONGPASS" in reason
    assert ":Connect on both the store's and the user's ARN" in reason
    text = json.dumps(report.as_dict())
    assert not any(secret in text for secret in (KEY_ID, SECRET_KEY, SESSION_TOKEN, "X-Amz-Signature"))


def test_absent_aws_credentials_are_the_reason(endpoint: tuple[int, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr("botocore.credentials.EnvProvider.load", lambda _self: None)
    report = _run(endpoint, monkeypatch)
    assert [check.name for check in report.failed] == ["auth"]
    assert "no AWS credentials were found" in report.failed[0].outcome.reason
