"""Token checks accept tokens with known signatures, and refuse altered or expired tokens."""

from __future__ import annotations

import datetime as dt

import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cdk_redis_local._gates.token_check import TokenRefusedError, TokenTarget, check_token

NOON = dt.datetime(2025, 1, 1, tzinfo=dt.timezone.utc)
GROUP = TokenTarget("elasticache", "my-replication-group-id", "eu-west-1", "000000000000")
CLUSTER = TokenTarget("memorydb", "my-cluster", "eu-west-1", "000000000000")
SERVERLESS = TokenTarget("elasticache", "my-cache", "eu-west-1", "000000000000", serverless=True)


def known_token(target: TokenTarget, user: str, signature: str, session: str | None = None) -> str:
    security = f"&X-Amz-Security-Token={session}" if session else ""
    return (
        f"{target.store}/?Action=connect&User={user}&X-Amz-Algorithm=AWS4-HMAC-SHA256"
        f"&X-Amz-Credential=fakeAccessKeyId%2F20250101%2F{target.region}%2F{target.service}%2Faws4_request"
        f"&X-Amz-Date=20250101T000000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host{security}"
        f"&X-Amz-Signature={signature}"
    )


KNOWN = known_token(GROUP, "my-user-id", "9e361603d85874bce06114c6644725ed113e3b11ae6fa92efdf10c6bcf5de8d7")


def find(access_key_id: str, session: str | None) -> Credentials:
    if access_key_id != "fakeAccessKeyId":
        raise TokenRefusedError("the credentials do not exist")
    return Credentials(access_key_id, "fakeSecretKey", session)


def check(token: str, *, user: str = "my-user-id", target: TokenTarget = GROUP, seconds: int = 0) -> str:
    now = NOON + dt.timedelta(seconds=seconds)
    return check_token(token, user=user, target=target, find_credentials=find, now=now).access_key_id


def signed(target: TokenTarget, user: str, *, seconds: int = 900, secret: str = "fakeSecretKey", **query: str) -> str:
    """A token as botocore signs it, at the frozen time."""
    parameters = {"Action": "connect", "User": user, **query}
    text = "&".join(f"{name}={value}" for name, value in parameters.items())
    request = AWSRequest(method="GET", url=f"https://{target.store}/?{text}")
    request.context["timestamp"] = "20250101T000000Z"
    signer = SigV4QueryAuth(Credentials("fakeAccessKeyId", secret), target.service, target.region, expires=seconds)
    signer._modify_request_before_signing(request)
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    signer._inject_signature_to_request(request, signature)
    return request.url.removeprefix("https://")


@pytest.mark.parametrize(
    ("target", "user", "session", "signature"),
    [
        (GROUP, "my-user-id", None, "9e361603d85874bce06114c6644725ed113e3b11ae6fa92efdf10c6bcf5de8d7"),
        (GROUP, "my-user-id", "fakeSessionToken", "bbce2bd61bd78461297ecb92e7001ddbeab2d85906c3cbedad6c9b81fb3466dc"),
        (CLUSTER, "my-user", None, "0deed1255c345cf55d799a29a0fe1472304aeff420e757ffd679e23337e3d66f"),
    ],
)
def test_tokens_with_known_signatures_are_accepted(
    target: TokenTarget, user: str, session: str | None, signature: str
) -> None:
    token = known_token(target, user, signature, session)
    assert check(token, user=user, target=target) == "fakeAccessKeyId"


def test_the_order_of_the_parameters_does_not_matter() -> None:
    store, _, query = KNOWN.partition("/?")
    assert check(f"{store}/?{'&'.join(reversed(query.split('&')))}") == "fakeAccessKeyId"


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (KNOWN[:-1] + "0", "signature does not match"),
        (KNOWN.replace("Expires=900", "Expires=899"), "signature does not match"),
        (KNOWN.replace("User=my-user-id", "User=admin"), "the user is 'admin'"),
        (KNOWN.replace("my-replication-group-id", "another-group"), "the store .* is 'another-group'"),
        (KNOWN.replace("eu-west-1", "us-east-1"), "the Region is 'us-east-1'"),
        (KNOWN.replace("elasticache", "memorydb"), "the service is 'memorydb'"),
        (KNOWN.replace("Action=connect", "Action=delete"), "the action is 'delete'"),
        (KNOWN.replace("20250101T", "20250102T"), "the day of the credential scope"),
        (KNOWN.replace("fakeAccessKeyId", "another"), "the credentials do not exist"),
        (KNOWN.replace("HMAC-SHA256", "HMAC-MD5"), "the algorithm"),
        (KNOWN.replace("SignedHeaders=host", "SignedHeaders=host%3Bx"), "the signed headers"),
        (KNOWN + "&User=my-user-id", "presigned"),
        (KNOWN + "&Extra=1", "presigned"),
        (KNOWN.replace("/?", "/path?"), "presigned"),
        (KNOWN.replace("&X-Amz-Expires=900", ""), "presigned"),
        ("https://" + KNOWN, "presigned|store"),
        (KNOWN + "\r\n", "the token is not a URL"),
        ("", "the client sent a password"),
        ("a-password", r"sent a password, .* \(every smoke test sends a wrong password once, to check .* refused\)"),
    ],
)
def test_an_altered_token_is_refused(token: str, reason: str) -> None:
    with pytest.raises(TokenRefusedError, match=reason):
        check(token)


@pytest.mark.parametrize(
    ("token", "user", "target", "reason"),
    [
        (KNOWN, "another-user", GROUP, "the user is 'my-user-id', not 'another-user'"),
        (KNOWN, "my-user-id", CLUSTER, "the store"),
        (signed(SERVERLESS, "u"), "u", SERVERLESS, "the resource type is '', not 'ServerlessCache'"),
        (signed(GROUP, "u", ResourceType="ServerlessCache"), "u", GROUP, "the resource type is 'ServerlessCache'"),
        (signed(CLUSTER, "u", secret="another"), "u", CLUSTER, "signature does not match"),
        (signed(CLUSTER, "u", seconds=901), "u", CLUSTER, "901 s; 1 to 900 s are allowed"),
        (signed(CLUSTER, "u", seconds=0), "u", CLUSTER, "0 s; 1 to 900 s are allowed"),
    ],
)
def test_a_token_for_another_user_or_store_is_refused(token: str, user: str, target: TokenTarget, reason: str) -> None:
    with pytest.raises(TokenRefusedError, match=reason):
        check(token, user=user, target=target)


def test_a_token_for_a_serverless_cache_names_the_type() -> None:
    assert check(signed(SERVERLESS, "u", ResourceType="ServerlessCache"), user="u", target=SERVERLESS)


@pytest.mark.parametrize("seconds", [-300, 0, 899])
def test_a_token_is_valid_for_fifteen_minutes(seconds: int) -> None:
    assert check(KNOWN, seconds=seconds)


@pytest.mark.parametrize(("seconds", "reason"), [(900, "expired 0 s ago"), (7200, "expired"), (-301, "in the future")])
def test_a_token_outside_its_validity_is_refused(seconds: int, reason: str) -> None:
    with pytest.raises(TokenRefusedError, match=reason):
        check(KNOWN, seconds=seconds)


def test_a_refusal_does_not_contain_the_signature_or_the_session_token() -> None:
    token = known_token(GROUP, "my-user-id", "f" * 64, "the-session-token")
    with pytest.raises(TokenRefusedError) as refusal:
        check(token)
    assert "f" * 64 not in str(refusal.value)
    assert "the-session-token" not in str(refusal.value)
