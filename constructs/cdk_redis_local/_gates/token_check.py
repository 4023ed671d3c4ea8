"""Checking an IAM authentication token the way the service does: by signing it again.

A token is a presigned URL without its scheme, sent in place of a password:
``store/?Action=connect&User=user&X-Amz-...``. Nothing here is shared with the code that makes tokens, so a
mistake there cannot hide here. AWS: "Authenticating with IAM" in the ElastiCache and MemoryDB user guides.
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

LONGEST_LIFE_SECONDS = 900
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
_ALLOWED = _NEEDED | {"X-Amz-Security-Token"}


@dataclass(frozen=True)
class TokenTarget:
    """The store that a token must be signed for.

    ``service`` is ``elasticache`` or ``memorydb``, ``store`` the replication group's id or the cluster's name,
    ``account`` the twelve digits of the account that it is in.
    """

    service: str
    store: str
    region: str
    account: str


@dataclass(frozen=True)
class SignedToken:
    """A token whose signature is right: who signed it, and for which user."""

    access_key_id: str
    user: str


class TokenRefusedError(Exception):
    """A token is not accepted. The message says why, and holds no part of the token."""


def check_token(
    token: str, *, user: str, target: TokenTarget, find_credentials: FindCredentials, now: dt.datetime
) -> SignedToken:
    """Accept a token for this user, store, service and Region at this moment, or refuse it.

    Args:
        token: What was sent as the password.
        user: The user name it was sent with.
        target: The store it was sent to.
        find_credentials: Finds the caller's secret key.
        now: The present time, with a time zone.

    Raises:
        TokenRefusedError: It is expired, not valid yet, altered, or signed for something else.
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
    require_same(parameters["X-Amz-Algorithm"], ALGORITHM, "the algorithm")
    require_same(parameters["X-Amz-SignedHeaders"], "host", "the signed headers")
    scope = CredentialScope.parse(parameters["X-Amz-Credential"], parameters["X-Amz-Date"])
    require_same(scope.region, target.region, "the Region")
    require_same(scope.service, target.service, "the service")
    require_lifetime(parameters["X-Amz-Date"], _life(parameters["X-Amz-Expires"]), now)
    credentials = find_credentials(scope.access_key_id, parameters.get("X-Amz-Security-Token"))
    expected = _signature(token, parameters["X-Amz-Date"], credentials, target)
    if not hmac.compare_digest(expected.encode(), parameters["X-Amz-Signature"].encode()):
        raise SignatureRefusedError("the signature does not fit what is signed")
    return SignedToken(scope.access_key_id, user)


def _take_apart(token: str) -> tuple[str, dict[str, str]]:
    if "?" not in token:
        # Else the smoke test's own check that a wrong password is refused would look like an intruder.
        raise TokenRefusedError(
            "it sent a password, and an IAM user signs in with a token (every smoke test tries a wrong password once, "
            "to see it refused)"
        )
    if not token.isascii() or re.search(r"[\x00-\x20#]", token):
        raise SignatureRefusedError("it is no URL without a scheme")
    parts = urlsplit(f"//{token}")
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True, max_num_fields=len(_ALLOWED))
    except ValueError:
        raise SignatureRefusedError("it is no URL with the parameters of a presigned request") from None
    parameters = dict(pairs)
    if parts.path not in ("", "/") or len(parameters) != len(pairs) or not _NEEDED <= parameters.keys() <= _ALLOWED:
        raise SignatureRefusedError("it has not the parameters of a presigned connect request")
    return parts.netloc, parameters


def _life(expires: str) -> int:
    try:
        life = int(expires)
    except ValueError:
        raise SignatureRefusedError("the date or the expiry is not one") from None
    if not 1 <= life <= LONGEST_LIFE_SECONDS:
        raise SignatureRefusedError(f"it expires after {life} s; 1 to {LONGEST_LIFE_SECONDS} s are allowed")
    return life


def _signature(token: str, date: str, credentials: Credentials, target: TokenTarget) -> str:
    unsigned = re.sub(r"&X-Amz-Signature=[^&]*|(?<=\?)X-Amz-Signature=[^&]*&", "", token)
    request = AWSRequest(method="GET", url=f"https://{unsigned}")
    request.context["timestamp"] = date
    signer = SigV4QueryAuth(credentials, target.service, target.region)
    return str(signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request))
