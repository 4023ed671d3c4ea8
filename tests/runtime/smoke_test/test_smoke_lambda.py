"""The function reports in its answer, in its log, and in the message that CloudFormation shows."""

from __future__ import annotations

import json
import traceback
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from cdk_redis_local import EngineSet, find_engine
from cdk_redis_runtime import SettingsError, SmokeTestFailed
from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime.smoke_lambda import handler
from tests.runtime.support.battery import PASSWORD, PREFIX, assert_no_secret
from tests.runtime.support.environment import bound_environment


def _context(seconds: float = 60) -> Any:
    return SimpleNamespace(get_remaining_time_in_millis=lambda: int(seconds * 1000))


@pytest.fixture
def environment(single: EngineSet, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a function for the store without cluster mode, with the password in a secret."""
    engine = find_engine()
    declared = {"ENGINE": engine.name, "ENGINE_VERSION": engine.major_minor, "SHARDS": "1", "REPLICAS": "1"}
    variables = bound_environment(single, **declared, KEY_PREFIX=PREFIX, BUDGET_SECONDS="5")
    monkeypatch.setenv("SSL_CERT_FILE", single.ca_file)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    secret = json.dumps({"username": "smoke", "password": PASSWORD})
    client = SimpleNamespace(get_secret_value=lambda **_arguments: {"SecretString": secret})
    monkeypatch.setattr("botocore.session.Session.create_client", lambda *_arguments, **_options: client)
    return variables


@pytest.mark.usefixtures("environment")
def test_report_is_returned_and_logged_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    report = handler({}, _context())
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [{"cdk_redis_smoke_test": report}]
    assert report["passed"]
    assert len(report["checks"]) == 17


@pytest.mark.usefixtures("environment")
def test_failure_is_logged_and_raised(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(env.ENGINE_VERSION, "6.2")
    words = r"Smoke test of elasticache orders: 1 of 17 checks failed\. \[topology\]"
    with pytest.raises(SmokeTestFailed, match=words) as failed:
        handler({}, _context())
    written = capsys.readouterr()
    assert not json.loads(written.out)["cdk_redis_smoke_test"]["passed"]
    # As Lambda logs it.
    trace = "".join(traceback.format_exception(failed.value))
    assert_no_secret([*written, trace], {PASSWORD})


@pytest.mark.usefixtures("environment")
def test_failure_is_a_warning_with_a_report_that_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(env.ENGINE_VERSION, "6.2")
    monkeypatch.setenv(env.ON_FAILURE, "warn")
    monkeypatch.setenv(env.METRICS_NAMESPACE, "CdkRedis/SmokeTest")
    report = handler({}, _context())
    logged, metrics, warning = capsys.readouterr().out.splitlines()
    assert json.loads(logged) == {"cdk_redis_smoke_test": report}
    assert report["passed"] is False
    assert json.loads(metrics)["ChecksFailed"] == 1
    assert warning.startswith("[WARNING] Smoke test of elasticache orders: 1 of 17 checks failed. [topology]")


@pytest.mark.usefixtures("environment")
def test_wrong_password_is_reported_without_showing_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = "not-the-password-of-the-user"
    client = SimpleNamespace(get_secret_value=lambda **_arguments: {"SecretString": json.dumps({"password": wrong})})
    monkeypatch.setattr("botocore.session.Session.create_client", lambda *_arguments, **_options: client)
    monkeypatch.setenv(env.BUDGET_SECONDS, "4")
    with pytest.raises(SmokeTestFailed, match="WRONGPASS") as failed:
        handler({}, _context())
    assert_no_secret([*capsys.readouterr(), "".join(traceback.format_exception(failed.value))], {wrong})


@pytest.mark.usefixtures("environment")
def test_smoke_test_ends_before_the_timeout_of_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(env.HOST, "orders.invalid")
    monkeypatch.setenv(env.BUDGET_SECONDS, "300")
    with pytest.raises(SmokeTestFailed) as failed:
        handler({}, _context(seconds=4))
    assert failed.value.report.duration_ms < 2000


def test_environment_without_a_store_is_rejected(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(env.STORE)
    with pytest.raises(SettingsError, match="CDK_REDIS_STORE is not set"):
        handler({}, _context())


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("version", ["", "6.2"])
def test_metrics_are_printed_if_a_namespace_is_set(
    version: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(env.METRICS_NAMESPACE, "CdkRedis/SmokeTest")
    if version:
        monkeypatch.setenv(env.ENGINE_VERSION, version)
    with pytest.raises(SmokeTestFailed) if version else nullcontext():
        handler({}, _context())
    report, metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert set(report) == {"cdk_redis_smoke_test"}
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "CdkRedis/SmokeTest"
    assert metrics["ChecksFailed"] == (1 if version else 0)
