"""IAM tokens are those that AWS would sign; a secret's password is read, and never shown."""

from __future__ import annotations

import datetime
import json
import re
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from cdk_redis_runtime._connect import credential_provider
from cdk_redis_runtime._iam_token import IamTokenProvider, NoAwsCredentialsError
from cdk_redis_runtime._secret import SecretProvider, SecretUnavailableError
from cdk_redis_runtime._settings import Connection

ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:smoke"


@pytest.fixture
def _new_year_2025(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_args, **_options: moment)


def _aws_credentials(session_token: str | None = None) -> Any:
    return SimpleNamespace(access_key="fakeAccessKeyId", secret_key="fakeSecretKey", token=session_token)


# The first two are the test vectors of AWS's own sample application; the third guards against a change of ours.
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
def test_token_is_the_one_that_aws_signs(
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
def test_store_is_signed_in_lower_case() -> None:
    assert _token(store="Orders") == _token(store="orders")


def test_token_of_a_serverless_cache_says_so_inside_the_signature() -> None:
    query = parse_qs(urlsplit(f"//{_token(serverless=True)}").query)
    assert query["ResourceType"] == ["ServerlessCache"]


def test_token_opens_connections_for_fifteen_minutes() -> None:
    assert "X-Amz-Expires=900" in _token()


def test_every_connection_gets_a_token_of_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(datetime.datetime(2025, 1, 1, hour, tzinfo=datetime.timezone.utc) for hour in (3, 4))
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_args, **_options: next(moments))
    provider = IamTokenProvider(
        service="memorydb", store="orders", user="smoke", region="eu-west-1", credentials=_aws_credentials()
    )
    dates = [re.findall(r"X-Amz-Date=(\w+)", provider.get_credentials()[1]) for _ in range(2)]
    assert dates == [["20250101T030000Z"], ["20250101T040000Z"]]


def test_absent_aws_credentials_are_said_to_be_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(NoAwsCredentialsError, match="no AWS credentials"):
        _token(credentials=None)


class _SecretsManager:
    """Answers as the boto3 client does, and counts the calls."""

    def __init__(self, answer: str | Exception) -> None:
        self.answer = answer
        self.calls: list[str] = []

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803 - boto3's spelling
        self.calls.append(SecretId)
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"SecretString": self.answer}


def _provider(answer: str | Exception) -> tuple[SecretProvider, _SecretsManager]:
    client = _SecretsManager(answer)
    return SecretProvider(secret_arn=ARN, user="smoke", region="eu-west-1", client=client), client


def test_password_is_read_once_from_the_secret() -> None:
    provider, client = _provider(json.dumps({"username": "smoke", "password": "correct horse"}))
    assert [provider.get_credentials() for _ in range(3)] == [("smoke", "correct horse")] * 3
    assert client.calls == [ARN]


def test_secret_may_leave_the_user_name_out() -> None:
    provider, _client = _provider(json.dumps({"password": "correct horse"}))
    assert provider.get_credentials() == ("smoke", "correct horse")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("hunter2", "not JSON"),
        ('"hunter2"', "no password"),
        ('{"passwd": "hunter2"}', "no password"),
        ('{"username": "admin", "password": "hunter2"}', "not that of user 'smoke'"),
        (ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetSecretValue"), "AccessDeniedException"),
        (ConnectTimeoutError(endpoint_url="https://secretsmanager"), "interface endpoint"),
    ],
)
def test_unreadable_secret_is_explained_without_quoting_it(answer: str | Exception, message: str) -> None:
    provider, _client = _provider(answer)
    with pytest.raises(SecretUnavailableError, match=message) as refused:
        provider.get_credentials()
    assert "hunter2" not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@pytest.mark.parametrize(
    ("authentication", "expected"), [("iam", IamTokenProvider), ("password", SecretProvider), ("none", type(None))]
)
def test_provider_fits_the_authentication(authentication: str, expected: type) -> None:
    connection = Connection("memorydb", "orders", "host", 6379, authentication=authentication, user="smoke")
    assert isinstance(credential_provider(connection), expected)
