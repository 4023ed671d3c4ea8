"""Checks of features that the store is declared without are skipped."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.settings import Connection
from cdk_redis_runtime._smoke_test.checks import CHECKS, Context

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


def _skipped(name: str, connection: Connection) -> str | None:
    (check,) = (check for check in CHECKS if check.name == name)
    # There is no store: the checks read only the declaration.
    return check.not_applicable(Context(connection, *[None] * (len(dataclasses.fields(Context)) - 1)))


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        (
            "plaintext-refused",
            {"plaintext": True},
            "the store is declared to accept clients without TLS, too, while clients migrate to TLS",
        ),
        ("plaintext-refused", {"tls": False}, "the store is declared without TLS"),
        (
            "acl-enforced",
            {},
            "the AUTH token signs in as the user 'default', which can run every command on every key",
        ),
        ("acl-enforced", {"authentication": "none"}, "the store is declared without authentication"),
    ],
)
def test_check_that_does_not_apply_is_skipped(name: str, changes: dict[str, Any], reason: str) -> None:
    assert _skipped(name, dataclasses.replace(CONNECTION, **changes)) == reason


@pytest.mark.parametrize(("given", "plaintext"), [({}, False), ({env.PLAINTEXT: "true"}, True)])
def test_plaintext_is_off_unless_declared(given: dict[str, str], plaintext: bool) -> None:
    assert Connection.from_environment({**ENVIRONMENT, **given}).plaintext is plaintext
