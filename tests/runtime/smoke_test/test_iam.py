"""Each connection signs in with its own token; a token for another store is refused, with an explanation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cdk_redis_local import EngineSet
from tests.runtime.support.battery import AWS_CREDENTIALS, Battery, Verdicts

# MemoryDB's log is durable without replicas.
SKIPPED = {"durability": "MemoryDB acknowledges a write once it is in its log *"}


@pytest.fixture
def run(iam_store: EngineSet, battery: Battery, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Verdicts]:
    """Runs the battery with tokens that are signed with the AWS credentials of the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", AWS_CREDENTIALS.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", AWS_CREDENTIALS.secret_key)
    monkeypatch.setenv("AWS_SESSION_TOKEN", str(AWS_CREDENTIALS.token))

    def run_on_store(budget: float = 3.0, **changes: str) -> Verdicts:
        settings = {"authentication": "iam", "service": "memorydb", "store": "Orders"} | changes
        return battery(iam_store, budget=budget, **settings)

    return run_on_store


def test_every_check_passes_with_iam_tokens(run: Callable[..., Verdicts]) -> None:
    # The TLS proxies that check tokens run in this process, which is slow on a busy machine.
    run(budget=20.0).assert_are({}, SKIPPED)


@pytest.mark.parametrize("change", [{"store": "invoices"}, {"region": "eu-central-1"}, {"service": "elasticache"}])
def test_token_for_another_store_is_refused_and_explained(change: dict[str, str], run: Callable[..., Verdicts]) -> None:
    verdicts = run(**change)
    assert verdicts.failed == {"auth"}
    assert "WRONGPASS" in verdicts["auth"]
    assert ":Connect on both the store's and the user's ARN" in verdicts["auth"]


def test_missing_aws_credentials_are_reported_by_the_check(
    run: Callable[..., Verdicts], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr("botocore.credentials.EnvProvider.load", lambda _self: None)
    verdicts = run()
    assert verdicts.failed == {"auth"}
    assert "no AWS credentials were found" in verdicts["auth"]
