"""What a store is declared to allow is not held against it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.settings import Connection
from cdk_redis_runtime._smoke_test.checks import CHECKS, Context
from cdk_redis_runtime._smoke_test.report import SKIPPED

CONNECTION = Connection("elasticache", "cache", "cache.example.com", 6379, authentication="password", user="default")
ENVIRONMENT = {
    env.SERVICE: "elasticache",
    env.STORE: "cache",
    env.HOST: "cache.example.com",
    env.PORT: "6379",
    env.TLS: "true",
    env.CLUSTER_MODE: "false",
    env.AUTHENTICATION: "none",
}


def _skipped(name: str, connection: Connection) -> str:
    (check,) = (check for check in CHECKS if check.name == name)
    # No store is asked: what is declared settles it.
    outcome = check.run(Context(connection, *[None] * (len(dataclasses.fields(Context)) - 1)))
    assert outcome.status == SKIPPED
    return outcome.reason


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        (
            "plaintext-refused",
            {"plaintext": True},
            "the store is declared to let in clients without TLS, too, while they move to it",
        ),
        ("plaintext-refused", {"tls": False}, "the store is declared without TLS"),
        (
            "acl-enforced",
            {},
            "whoever signs in with the store's AUTH token is the default user, who has every right",
        ),
        ("acl-enforced", {"authentication": "none"}, "the store is declared without authentication"),
    ],
)
def test_a_check_of_what_is_declared_away_is_skipped(name: str, changes: dict[str, Any], reason: str) -> None:
    assert _skipped(name, dataclasses.replace(CONNECTION, **changes)) == reason


@pytest.mark.parametrize(("given", "plaintext"), [({}, False), ({env.PLAINTEXT: "true"}, True)])
def test_plaintext_is_allowed_only_when_it_is_said(given: dict[str, str], plaintext: bool) -> None:
    assert Connection.from_environment({**ENVIRONMENT, **given}).plaintext is plaintext
