"""IAM tokens are signed like those of AWS; a password is read from its secret and never shown."""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from redis.credentials import CredentialProvider
from redis.exceptions import AuthenticationError
from redis.exceptions import ConnectionError as RedisConnectionError

from cdk_redis_runtime import SettingsError
from cdk_redis_runtime._client.connect import credential_provider
from cdk_redis_runtime._client.credentials import SHARED_FAILURE_SECONDS
from cdk_redis_runtime._client.iam_token import IamTokenProvider, NoAwsCredentialsError
from cdk_redis_runtime._client.secret import SecretProvider, SecretUnavailableError
from cdk_redis_runtime._client.settings import Connection
from tests.runtime.support.secrets_manager import ARN, SecretsManager
from tests.support.concurrency import in_threads


@pytest.fixture
def _new_year_2025(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_args, **_options: moment)


def _aws_credentials(session_token: str | None = None) -> Any:
    return SimpleNamespace(access_key="fakeAccessKeyId", secret_key="fakeSecretKey", token=session_token)


# The first two are test vectors of AWS's sample application; the third detects changes in this package.
@pytest.mark.usefixtures("_new_year_2025")
@pytest.mark.parametrize(
    ("service", "store", "user", "session_token", "signature"),
    [
        (
            "elasticache",
            "my-replication-group-id",
            "my-user-id",
            None,
            "9e361603d85874bce06114c6644725ed113e3b11ae6fa92efdf10c6bcf5de8d7",
        ),
        (
            "elasticache",
            "my-replication-group-id",
            "my-user-id",
            "fakeSessionToken",
            "bbce2bd61bd78461297ecb92e7001ddbeab2d85906c3cbedad6c9b81fb3466dc",
        ),
        (
            "memorydb",
            "my-cluster",
            "my-user",
            None,
            "0deed1255c345cf55d799a29a0fe1472304aeff420e757ffd679e23337e3d66f",
        ),
    ],
)
def test_token_matches_the_test_vectors_of_aws(
    service: str, store: str, user: str, session_token: str | None, signature: str
) -> None:
    provider = IamTokenProvider(
        service=service,
        store=store,
        user=user,
        region="eu-west-1",
        credentials=_aws_credentials(session_token),
    )
    signed_user, token = provider.get_credentials()
    assert signed_user == user
    assert token.startswith(f"{store}/?Action=connect&User={user}&")
    assert parse_qs(urlsplit(f"//{token}").query)["X-Amz-Signature"] == [signature]


def _token(**options: Any) -> str:
    settings: dict[str, Any] = {"service": "elasticache", "store": "orders", "user": "smoke", "region": "eu-west-1"}
    return IamTokenProvider(**(settings | {"credentials": _aws_credentials()} | options)).get_credentials()[1]


@pytest.mark.usefixtures("_new_year_2025")
def test_token_has_the_store_in_lower_case() -> None:
    assert _token(store="Orders") == _token(store="orders")


def test_token_of_a_serverless_cache_has_a_signed_resource_type() -> None:
    query = parse_qs(urlsplit(f"//{_token(serverless=True)}").query)
    assert query["ResourceType"] == ["ServerlessCache"]


@pytest.mark.usefixtures("_new_year_2025")
@pytest.mark.parametrize(
    ("provide", "settings"),
    [
        (IamTokenProvider.for_elasticache, {"service": "elasticache"}),
        (IamTokenProvider.for_serverless, {"service": "elasticache", "serverless": True}),
        (IamTokenProvider.for_memorydb, {"service": "memorydb"}),
    ],
)
def test_each_service_has_its_tokens(provide: Callable[..., IamTokenProvider], settings: dict[str, Any]) -> None:
    provider = provide("orders", user="smoke", region="eu-west-1", credentials=_aws_credentials())
    assert provider.get_credentials() == ("smoke", _token(**settings))
    assert asyncio.run(provider.get_credentials_async()) == ("smoke", _token(**settings))


def test_region_is_that_of_the_environment_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    provider = IamTokenProvider.for_memorydb("orders", user="smoke", credentials=_aws_credentials())
    assert "%2Feu-north-1%2Fmemorydb%2F" in provider.get_credentials()[1]
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(SettingsError, match="region is not given"):
        IamTokenProvider.for_memorydb("orders", user="smoke")


@pytest.mark.parametrize("name", ["", "master.orders.euw1.cache.amazonaws.com", "orders:6379", "arn:aws:x", "a--b"])
def test_endpoint_in_place_of_a_name_is_refused(name: str) -> None:
    for parameter, provide in {
        "replication_group_id": IamTokenProvider.for_elasticache,
        "cache_name": IamTokenProvider.for_serverless,
        "cluster_name": IamTokenProvider.for_memorydb,
    }.items():
        with pytest.raises(SettingsError) as refused:
            provide(name, user="smoke", region="eu-west-1")
        assert refused.value.problems == (
            f"{parameter}: got {name!r}, allowed are letters, digits and hyphens: not an endpoint and not an ARN",
        )


def test_event_loop_continues_while_aws_credentials_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _without_aws_credentials(monkeypatch)
    file = tmp_path / "config"
    keys = '{"Version": 1, "AccessKeyId": "AKIAEXAMPLE", "SecretAccessKey": "an-example"}'
    file.write_text(f"[default]\ncredential_process = sh -c 'sleep 1; echo \"$0\"' '{keys}'\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))

    async def provide() -> int:
        providing = asyncio.ensure_future(_iam_provider().get_credentials_async())
        ticks = 0
        while not providing.done():
            await asyncio.sleep(0.05)
            ticks += 1
        assert "AKIAEXAMPLE" in (await providing)[-1]
        return ticks

    assert asyncio.run(provide()) >= 5


def test_token_is_valid_for_fifteen_minutes() -> None:
    assert "X-Amz-Expires=900" in _token()


def test_every_connection_gets_a_token_with_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(datetime.datetime(2025, 1, 1, hour, tzinfo=datetime.timezone.utc) for hour in (3, 4))
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_args, **_options: next(moments))
    provider = IamTokenProvider(
        service="memorydb", store="orders", user="smoke", region="eu-west-1", credentials=_aws_credentials()
    )
    dates = [re.findall(r"X-Amz-Date=(\w+)", provider.get_credentials()[1]) for _ in range(2)]
    assert dates == [["20250101T030000Z"], ["20250101T040000Z"]]


def _without_aws_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_missing_aws_credentials_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    _without_aws_credentials(monkeypatch)
    with pytest.raises(NoAwsCredentialsError, match="no AWS credentials"):
        _token(credentials=None)


def test_aws_credentials_that_cannot_be_loaded_are_explained(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    _without_aws_credentials(monkeypatch)
    file = tmp_path_factory.mktemp("aws") / "config"
    file.write_text("[default]\ncredential_process = sh -c 'echo no ticket >&2; exit 1'\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    with pytest.raises(NoAwsCredentialsError, match=r"could not be loaded \(CredentialRetrievalError: .*no ticket"):
        _token(credentials=None)


@pytest.fixture
def secrets_manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretsManager]:
    with SecretsManager("smoke", "correct horse") as manager:
        manager.announce(monkeypatch)
        yield manager


def _provider() -> SecretProvider:
    return SecretProvider(secret_arn=ARN, user="smoke", region="eu-west-1")


def test_password_is_read_once_from_the_secret(secrets_manager: SecretsManager) -> None:
    provider = _provider()
    assert [provider.get_credentials() for _ in range(3)] == [("smoke", "correct horse")] * 3
    assert secrets_manager.calls == 1


def test_secret_without_a_user_name_is_accepted(secrets_manager: SecretsManager) -> None:
    secrets_manager.secret = json.dumps({"password": "correct horse"})
    assert _provider().get_credentials() == ("smoke", "correct horse")


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        ("hunter2", "not JSON"),
        ('"hunter2"', "no password"),
        ('{"passwd": "hunter2"}', "no password"),
        ('{"username": "admin", "password": "hunter2"}', "does not belong to user 'smoke'"),
        (None, "the secret is binary"),
    ],
)
def test_unusable_secret_is_explained_without_quoting_it(
    secret: str | None, message: str, secrets_manager: SecretsManager
) -> None:
    secrets_manager.secret = secret
    with pytest.raises(SecretUnavailableError, match=message) as refused:
        _provider().get_credentials()
    assert "hunter2" not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_refusal_of_secrets_manager_is_explained(secrets_manager: SecretsManager) -> None:
    secrets_manager.refusal = "AccessDeniedException"
    with pytest.raises(SecretUnavailableError, match=r"AccessDeniedException.*allow secretsmanager:GetSecretValue"):
        _provider().get_credentials()


def test_secrets_manager_that_cannot_be_reached_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "an-example")
    with pytest.raises(SecretUnavailableError, match=r"could not be reached.*interface endpoint"):
        _provider().get_credentials()


def test_missing_aws_credentials_for_secrets_manager_are_explained(
    secrets_manager: SecretsManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_aws_credentials(monkeypatch)
    with pytest.raises(SecretUnavailableError, match=r"AWS credentials or settings are missing.*NoCredentialsError"):
        _provider().get_credentials()
    assert secrets_manager.calls == 0


@pytest.mark.parametrize("make", [_provider, lambda: _iam_provider(), lambda: _given_provider()])
def test_missing_botocore_is_explained(make: Callable[[], CredentialProvider], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*sys.modules, "boto3", "botocore", "botocore.session"]:
        if name.partition(".")[0] in ("boto3", "botocore"):
            monkeypatch.setitem(sys.modules, name, None)
    needs = r'needs botocore, which is not installed .*; pip install "cdk-redis-runtime\[iam\]"; Lambda has it'
    with pytest.raises(RedisConnectionError, match=needs):
        make().get_credentials()


def _given_provider() -> IamTokenProvider:
    return IamTokenProvider.for_elasticache("orders", user="smoke", region="eu-west-1", credentials=_aws_credentials())


def _iam_provider() -> IamTokenProvider:
    return IamTokenProvider(service="elasticache", store="orders", user="smoke", region="eu-west-1")


@pytest.mark.parametrize("error", [SecretUnavailableError, NoAwsCredentialsError])
def test_errors_are_subclasses_of_redis_pys_errors(error: type[Exception]) -> None:
    # Not a plain ConnectionError: the cluster client would then disconnect from every node.
    assert issubclass(error, AuthenticationError)
    assert issubclass(error, RedisConnectionError)


def test_threads_share_one_failure(secrets_manager: SecretsManager) -> None:
    secrets_manager.failures = 1_000
    provider = _provider()
    failures = in_threads(provider.get_credentials, 10)
    assert secrets_manager.calls == 2  # botocore tries twice
    assert {type(failure) for failure in failures} == {SecretUnavailableError}
    assert len({id(failure) for failure in failures}) == 10


def test_failure_is_shared_for_a_limited_time(secrets_manager: SecretsManager) -> None:
    secrets_manager.failures = 2
    provider = _provider()
    with pytest.raises(SecretUnavailableError):
        provider.get_credentials()
    with pytest.raises(SecretUnavailableError):
        provider.get_credentials()
    time.sleep(SHARED_FAILURE_SECONDS)
    assert provider.get_credentials() == ("smoke", "correct horse")


def test_process_that_is_forked_during_a_read_of_the_secret_reads_it_again(secrets_manager: SecretsManager) -> None:
    provider = _provider()
    secrets_manager.answers.clear()
    reader = threading.Thread(target=provider.get_credentials)
    reader.start()
    assert secrets_manager.called.wait(10)
    child = os.fork()
    if child == 0:
        # Ends by the signal if it hangs.
        signal.alarm(10)
        code = 1
        try:
            code = 0 if provider.get_credentials() == ("smoke", "correct horse") else 1
        finally:
            # Even after an error: otherwise the child would continue as a second pytest.
            os._exit(code)
    secrets_manager.answers.set()
    reader.join()
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize(
    ("authentication", "expected"), [("iam", IamTokenProvider), ("password", SecretProvider), ("none", type(None))]
)
def test_credential_provider_depends_on_the_authentication(authentication: str, expected: type) -> None:
    connection = Connection("memorydb", "orders", "host", 6379, authentication=authentication, user="smoke")
    assert isinstance(credential_provider(connection), expected)
