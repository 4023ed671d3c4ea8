"""Checking an IAM authentication token the way the service does: by signing it again.

A token is a presigned URL without its scheme, sent in place of a password:
``store/?Action=connect&User=user&X-Amz-...``. Nothing here is shared with the code that makes tokens, so a
mistake there cannot hide here. AWS: "Authenticating with IAM" in the ElastiCache and MemoryDB user guides.
"""

from __future__ import annotations

import datetime as dt
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

LONGEST_LIFE_SECONDS = 900
# What Signature Version 4 forgives between two clocks.
_CLOCK_SKEW_SECONDS = 300
_ALGORITHM = "AWS4-HMAC-SHA256"
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


FindCredentials = Callable[[str, "str | None"], Credentials]
"""From an access key id and a session token to the caller's credentials; raises TokenRefusedError for none."""


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
    host, parameters = _take_apart(token)
    _same(host, target.store, "the store (the host that is signed)")
    _same(parameters["Action"], "connect", "the action")
    _same(parameters["User"], user, "the user")
    _same(parameters["X-Amz-Algorithm"], _ALGORITHM, "the algorithm")
    _same(parameters["X-Amz-SignedHeaders"], "host", "the signed headers")
    access_key_id = _check_scope(parameters["X-Amz-Credential"], parameters["X-Amz-Date"], target)
    _check_time(parameters["X-Amz-Date"], parameters["X-Amz-Expires"], now)
    credentials = find_credentials(access_key_id, parameters.get("X-Amz-Security-Token"))
    expected = _signature(token, parameters["X-Amz-Date"], credentials, target)
    if not hmac.compare_digest(expected, parameters["X-Amz-Signature"]):
        raise TokenRefusedError("the signature does not fit what is signed")
    return SignedToken(access_key_id, user)


def _take_apart(token: str) -> tuple[str, dict[str, str]]:
    if not token.isascii() or re.search(r"[\x00-\x20#]", token):
        raise TokenRefusedError("it is no URL without a scheme")
    parts = urlsplit(f"//{token}")
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True, max_num_fields=len(_ALLOWED))
    except ValueError:
        raise TokenRefusedError("it is no URL with the parameters of a presigned request") from None
    parameters = dict(pairs)
    if parts.path not in ("", "/") or len(parameters) != len(pairs) or not _NEEDED <= parameters.keys() <= _ALLOWED:
        raise TokenRefusedError("it has not the parameters of a presigned connect request")
    return parts.netloc, parameters


def _same(given: str, expected: str, what: str) -> None:
    if given != expected:
        raise TokenRefusedError(f"{what} is {given[:80]!r}, not {expected!r}")


def _check_scope(credential: str, date: str, target: TokenTarget) -> str:
    access_key_id, *scope = credential.split("/")
    if len(scope) != 4:
        raise TokenRefusedError("the credential scope has not five parts")
    _same(scope[0], date[:8], "the day of the credential scope")
    _same(scope[1], target.region, "the Region")
    _same(scope[2], target.service, "the service")
    _same(scope[3], "aws4_request", "the end of the credential scope")
    return access_key_id


def _check_time(date: str, expires: str, now: dt.datetime) -> None:
    try:
        signed = dt.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.timezone.utc)
        life = int(expires)
    except ValueError:
        raise TokenRefusedError("the date or the expiry is not one") from None
    if not 1 <= life <= LONGEST_LIFE_SECONDS:
        raise TokenRefusedError(f"it expires after {life} s; 1 to {LONGEST_LIFE_SECONDS} s are allowed")
    age = (now - signed).total_seconds()
    if age >= life:
        raise TokenRefusedError(f"it expired {age - life:.0f} s ago")
    if age < -_CLOCK_SKEW_SECONDS:
        raise TokenRefusedError(f"it is signed {-age:.0f} s in the future")


def _signature(token: str, date: str, credentials: Credentials, target: TokenTarget) -> str:
    unsigned = re.sub(r"&X-Amz-Signature=[^&]*|(?<=\?)X-Amz-Signature=[^&]*&", "", token)
    request = AWSRequest(method="GET", url=f"https://{unsigned}")
    request.context["timestamp"] = date
    signer = SigV4QueryAuth(credentials, target.service, target.region)
    return str(signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request))
