"""Checks an IAM authentication token: signs it again and compares the signatures.

A token is a presigned URL without its scheme, which clients send as the password:
``store/?Action=connect&User=user&X-Amz-...``. This module shares no code with the module that makes tokens, so it
finds the mistakes of that module. AWS: "Authenticating with IAM" in the ElastiCache and MemoryDB user guides.
"""

from __future__ import annotations

import datetime as dt
import hmac
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cdk_redis_local._gates.signatures import (
    ALGORITHM,
    CredentialScope,
    FindCredentials,
    SignatureRefusedError,
    require_lifetime,
    require_same,
)

LONGEST_VALIDITY_SECONDS = 900
_NEEDED = {
    "Action",
    "User",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
}
_ALLOWED = _NEEDED | {"ResourceType", "X-Amz-Security-Token"}
_SERVERLESS = "ServerlessCache"


@dataclass(frozen=True)
class TokenTarget:
    """The store that a token must be signed for.

    ``service`` is ``elasticache`` or ``memorydb``, ``store`` is the replication group's id or the name of the cluster
    or serverless cache, ``account`` is the twelve-digit account id of the store. ``serverless``: whether it is a
    serverless cache, whose tokens have the parameter ``ResourceType=ServerlessCache``.
    """

    service: str
    store: str
    region: str
    account: str
    serverless: bool = False


@dataclass(frozen=True)
class SignedToken:
    """A token with a valid signature: the access key id of its signer, and the user name in it."""

    access_key_id: str
    user: str


class TokenRefusedError(Exception):
    """A token is refused. The message has the reason, but no part of the token."""


def check_token(
    token: str, *, user: str, target: TokenTarget, find_credentials: FindCredentials, now: dt.datetime
) -> SignedToken:
    """Check that a token is valid for this user, store, service, Region and time.

    Args:
        token: The token that the client sent as the password.
        user: The user name that the client sent.
        target: The store that the client connects to.
        find_credentials: Finds the caller's secret key.
        now: The current time, with a time zone.

    Raises:
        TokenRefusedError: The token has expired, is not valid yet, was altered, or is for another user or store.
    """
    try:
        return _check(token, user, target, find_credentials, now)
    except SignatureRefusedError as refusal:
        raise TokenRefusedError(str(refusal)) from None


def _check(
    token: str, user: str, target: TokenTarget, find_credentials: FindCredentials, now: dt.datetime
) -> SignedToken:
    host, parameters = _take_apart(token)
    require_same(host, target.store, "the store (the host that is signed)")
    require_same(parameters["Action"], "connect", "the action")
    require_same(parameters["User"], user, "the user")
    require_same(parameters.get("ResourceType", ""), _SERVERLESS if target.serverless else "", "the resource type")
    require_same(parameters["X-Amz-Algorithm"], ALGORITHM, "the algorithm")
    require_same(parameters["X-Amz-SignedHeaders"], "host", "the signed headers")
    scope = CredentialScope.parse(parameters["X-Amz-Credential"], parameters["X-Amz-Date"])
    require_same(scope.region, target.region, "the Region")
    require_same(scope.service, target.service, "the service")
    require_lifetime(parameters["X-Amz-Date"], _validity(parameters["X-Amz-Expires"]), now)
    credentials = find_credentials(scope.access_key_id, parameters.get("X-Amz-Security-Token"))
    expected = _signature(token, parameters["X-Amz-Date"], credentials, target)
    if not hmac.compare_digest(expected.encode(), parameters["X-Amz-Signature"].encode()):
        raise SignatureRefusedError("the signature does not match")
    return SignedToken(scope.access_key_id, user)


def _take_apart(token: str) -> tuple[str, dict[str, str]]:
    if "?" not in token:
        # The smoke test checks that a wrong password is refused; explain that this is no attack.
        raise TokenRefusedError(
            "the client sent a password, but IAM users sign in with a token (every smoke test sends a wrong password "
            "once, to check that it is refused)"
        )
    if not token.isascii() or re.search(r"[\x00-\x20#]", token):
        raise SignatureRefusedError("the token is not a URL without its scheme")
    parts = urlsplit(f"//{token}")
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True, max_num_fields=len(_ALLOWED))
    except ValueError:
        raise SignatureRefusedError("the token does not have the query parameters of a presigned URL") from None
    parameters = dict(pairs)
    if parts.path not in ("", "/") or len(parameters) != len(pairs) or not _NEEDED <= parameters.keys() <= _ALLOWED:
        raise SignatureRefusedError("the token does not have the parameters of a presigned connect request")
    return parts.netloc, parameters


def _validity(expires: str) -> int:
    try:
        seconds = int(expires)
    except ValueError:
        raise SignatureRefusedError("X-Amz-Expires is not a whole number") from None
    if not 1 <= seconds <= LONGEST_VALIDITY_SECONDS:
        raise SignatureRefusedError(f"it expires after {seconds} s; 1 to {LONGEST_VALIDITY_SECONDS} s are allowed")
    return seconds


def _signature(token: str, date: str, credentials: Credentials, target: TokenTarget) -> str:
    unsigned = re.sub(r"&X-Amz-Signature=[^&]*|(?<=\?)X-Amz-Signature=[^&]*&", "", token)
    request = AWSRequest(method="GET", url=f"https://{unsigned}")
    request.context["timestamp"] = date
    signer = SigV4QueryAuth(credentials, target.service, target.region)
    return str(signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request))
