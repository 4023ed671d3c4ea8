"""Checking Signature Version 4 the way AWS does: by signing what arrived again, with botocore's signer.

AWS: "Create a signed AWS API request" and "Authenticating requests: using query parameters".
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ALGORITHM = "AWS4-HMAC-SHA256"
# What Signature Version 4 forgives between two clocks.
CLOCK_SKEW_SECONDS = 300
# The longest life of a presigned URL: a week.
_LONGEST_LIFE_SECONDS = 604_800
_UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_CHUNKS_SIGNED = ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
# Their bodies are not signed: Amazon S3 takes them, no other service does.
_BODY_UNSIGNED = (_UNSIGNED_PAYLOAD, "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
# Their paths are signed as they are sent, all others' are encoded once more.
_S3_SERVICES = ("s3", "s3express", "s3-object-lambda", "s3-outposts")
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=([^\s,=]+), ?SignedHeaders=([^\s,=]+), ?Signature=([0-9a-f]{{64}})"
)
_EMPTY_HASH = hashlib.sha256(b"").hexdigest()


class SignatureRefusedError(Exception):
    """A signature is not accepted. The message says why, and holds nothing secret; ``code`` is AWS's error code."""

    def __init__(self, message: str, code: str = "SignatureDoesNotMatch") -> None:
        """Refuse with a reason."""
        super().__init__(message)
        self.code = code


FindCredentials = Callable[[str, "str | None"], Credentials]
"""From an access key id and a session token to the caller's credentials; raises SignatureRefusedError for none."""


@dataclass(frozen=True)
class CredentialScope:
    """Who signed, and for which day, Region and service."""

    access_key_id: str
    day: str
    region: str
    service: str

    @classmethod
    def parse(cls, text: str, date: str) -> CredentialScope:
        """Take apart ``key/20250101/eu-west-1/s3/aws4_request``, which is signed on ``date``.

        Raises:
            SignatureRefusedError: It has other parts, or is for another day.
        """
        parts = text.split("/")
        if len(parts) != 5:
            raise SignatureRefusedError("the credential scope has not five parts", "IncompleteSignature")
        require_same(parts[1], date[:8], "the day of the credential scope")
        require_same(parts[4], "aws4_request", "the end of the credential scope")
        return cls(*parts[:4])


def require_same(given: str, expected: str, what: str) -> None:
    """Refuse what is not as expected."""
    if given != expected:
        raise SignatureRefusedError(f"{what} is {given[:80]!r}, not {expected!r}")


def require_lifetime(date: str, seconds: int, now: dt.datetime) -> None:
    """Refuse what was signed more than ``seconds`` ago, or in the future.

    Raises:
        SignatureRefusedError: It is not valid now, or the date is none.
    """
    try:
        signed = dt.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.timezone.utc)
    except ValueError:
        raise SignatureRefusedError("the date or the expiry is not one", "IncompleteSignature") from None
    age = (now - signed).total_seconds()
    if age >= seconds:
        raise SignatureRefusedError(f"it expired {age - seconds:.0f} s ago", "RequestExpired")
    if age < -CLOCK_SKEW_SECONDS:
        raise SignatureRefusedError(f"it is signed {-age:.0f} s in the future", "RequestTimeTooSkewed")


@dataclass(frozen=True)
class ReceivedRequest:
    """The head of a request as it arrived: path and query still encoded, names of headers in lower case."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]

    @cached_property
    def parameters(self) -> list[tuple[str, str]]:
        """Names and values of the query, decoded."""
        return parse_qsl(self.query, keep_blank_values=True)

    def header(self, name: str) -> str | None:
        """The value of a header; None without it.

        Raises:
            SignatureRefusedError: It was sent twice, so that others might read another value.
        """
        return _only([value for key, value in self.headers if key == name], f"the header {name}")


@dataclass(frozen=True)
class RequestSignature:
    """What a request says about its signature, in its ``Authorization`` header or its query (presigned)."""

    request: ReceivedRequest
    scope: CredentialScope
    date: str
    signed_headers: tuple[str, ...]
    signature: str
    session_token: str | None
    presigned: bool

    @classmethod
    def read(cls, request: ReceivedRequest, now: dt.datetime) -> RequestSignature:
        """Find the signature of a request, and refuse one that is not valid at this moment.

        Raises:
            SignatureRefusedError: There is none, or two; it is incomplete; its time is over, or not yet come.
        """
        in_query = any(name.lower().startswith("x-amz-credential") for name, _ in request.parameters)
        authorization = request.header("authorization")
        if any(name == "AWSAccessKeyId" for name, _ in request.parameters):
            how = "signature_version='s3v4' in botocore's Config"
            raise SignatureRefusedError(f"it is signed with Signature Version 2; ask for 4 ({how})", "InvalidRequest")
        if authorization is None and not in_query:
            raise SignatureRefusedError("the request is not signed", "MissingAuthenticationToken")
        if authorization is not None and in_query:
            raise SignatureRefusedError("it is signed twice, by header and by query", "InvalidArgument")
        found = _from_query(request, now) if authorization is None else _from_header(request, authorization, now)
        found._require_signed_headers()
        return found

    def check(self, credentials: Credentials, body: bytes) -> None:
        """Accept the request with this body if these credentials have signed it.

        Raises:
            SignatureRefusedError: They have not, or the body is not the one that was signed.
        """
        payload = self._payload(body)
        signer, request = self._signer(credentials, payload)
        text = signer.string_to_sign(request, signer.canonical_request(request))
        expected = str(signer.signature(text, request))
        if not hmac.compare_digest(expected.encode(), self.signature.encode()):
            raise SignatureRefusedError("the signature does not fit what is signed: another secret key, or altered")
        if payload in _CHUNKS_SIGNED:
            _check_chunks(body, expected, signer, request)

    @property
    def _is_s3(self) -> bool:
        return self.scope.service in _S3_SERVICES

    def _require_signed_headers(self) -> None:
        unsigned = {name for name, _ in self.request.headers if name.startswith("x-amz-") or name == "host"}
        unsigned -= set(self.signed_headers)
        if unsigned:
            raise SignatureRefusedError(f"these headers are not signed: {', '.join(sorted(unsigned))}", "AccessDenied")

    def _payload(self, body: bytes) -> str:
        declared = self.request.header("x-amz-content-sha256")
        if declared is None:
            return _UNSIGNED_PAYLOAD if self.presigned and self._is_s3 else hashlib.sha256(body).hexdigest()
        if (self._is_s3 and declared in _BODY_UNSIGNED) or declared in _CHUNKS_SIGNED:
            return declared
        if not hmac.compare_digest(hashlib.sha256(body).hexdigest(), declared.lower()):
            raise SignatureRefusedError("the body is not the one that was signed", "XAmzContentSHA256Mismatch")
        return declared

    def _signer(self, credentials: Credentials, payload: str) -> tuple[SigV4Auth, AWSRequest]:
        kind = _S3Signer if self._is_s3 else _Signer
        parameters = [(name, value) for name, value in self.request.parameters if name != "X-Amz-Signature"]
        request = AWSRequest(self.request.method, f"http://host{self.request.path}", params=parameters)
        for name, value in self.request.headers:
            if name in self.signed_headers:
                request.headers.add_header(name, value)
        request.context.update(timestamp=self.date, payload=payload)
        return kind(credentials, self.scope.service, self.scope.region), request


def _from_header(request: ReceivedRequest, authorization: str, now: dt.datetime) -> RequestSignature:
    # Exactly what the SDKs send: whatever else could be read as another caller by the emulator.
    parts = _AUTHORIZATION.fullmatch(authorization)
    if parts is None:
        form = f"{ALGORITHM} Credential=..., SignedHeaders=..., Signature=..."
        raise SignatureRefusedError(f"the header authorization has not the form {form!r}", "IncompleteSignature")
    date = request.header("x-amz-date")
    if date is None:
        raise SignatureRefusedError("the header x-amz-date is missing", "IncompleteSignature")
    scope = CredentialScope.parse(parts[1], date)
    require_lifetime(date, CLOCK_SKEW_SECONDS, now)
    token = request.header("x-amz-security-token")
    return RequestSignature(request, scope, date, tuple(parts[2].split(";")), parts[3], token, presigned=False)


def _from_query(request: ReceivedRequest, now: dt.datetime) -> RequestSignature:
    def values(name: str) -> list[str]:
        # Names in any other case are refused as well: the emulator reads some of them.
        return [value for key, value in request.parameters if key.lower() == name.lower()]

    algorithm, credential, date, expires, signed_headers, signature = (
        _needed(values(f"X-Amz-{name}"), f"the query's X-Amz-{name}")
        for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
    )
    require_same(algorithm, ALGORITHM, "the algorithm")
    scope = CredentialScope.parse(credential, date)
    if not re.fullmatch(r"\d{1,6}", expires) or not 1 <= int(expires) <= _LONGEST_LIFE_SECONDS:
        raise SignatureRefusedError(f"it expires after {expires[:20]!r} s; 1 to {_LONGEST_LIFE_SECONDS} s are allowed")
    require_lifetime(date, int(expires), now)
    token = _only(values("X-Amz-Security-Token"), "the query's X-Amz-Security-Token")
    return RequestSignature(request, scope, date, tuple(signed_headers.split(";")), signature, token, presigned=True)


def _only(values: list[str], what: str) -> str | None:
    if len(values) > 1:
        raise SignatureRefusedError(f"{what} is there twice", "IncompleteSignature")
    return values[0] if values else None


def _needed(values: list[str], what: str) -> str:
    value = _only(values, what)
    if not value:
        raise SignatureRefusedError(f"{what} is missing", "IncompleteSignature")
    return value


def _check_chunks(body: bytes, seed: str, signer: SigV4Auth, request: AWSRequest) -> None:
    """Check the signature of each chunk, each made from the one before. A trailer is only a checksum of them."""
    previous, position, size = seed, 0, -1
    while size != 0:
        head = re.compile(rb"([0-9a-fA-F]{1,8});chunk-signature=([0-9a-f]{64})\r\n").match(body, position)
        if head is None:
            raise SignatureRefusedError("a chunk of the body is not signed")
        size = int(head[1], 16)
        chunk = body[head.end() : head.end() + size]
        scope, date = signer.credential_scope(request), request.context["timestamp"]
        digest = hashlib.sha256(chunk).hexdigest()
        text = "\n".join([f"{ALGORITHM}-PAYLOAD", date, scope, previous, _EMPTY_HASH, digest])
        previous = str(signer.signature(text, request))
        if not hmac.compare_digest(previous.encode(), head[2]):
            raise SignatureRefusedError("a chunk of the body is not the one that was signed")
        position = head.end() + size + 2


class _Signer(SigV4Auth):
    """Signs exactly the headers that a request names as signed, and the payload that it declares."""

    def headers_to_sign(self, request: Any) -> Any:
        """All that are there: only those that are signed were put in."""
        return request.headers

    def payload(self, request: Any) -> str:
        """The hash of the body, or the word in its place."""
        return str(request.context["payload"])


class _S3Signer(_Signer, S3SigV4Auth):
    """As Amazon S3 does it: the path is signed as it is sent."""
