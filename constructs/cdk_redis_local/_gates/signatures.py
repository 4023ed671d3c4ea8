"""Checks AWS Signature Version 4: signs the received request again with botocore's signer, and compares.

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
# Clock skew that Signature Version 4 allows.
CLOCK_SKEW_SECONDS = 300
# The longest validity of a presigned URL: a week.
_LONGEST_VALIDITY_SECONDS = 604_800
_UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_CHUNKS_SIGNED = ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
# Bodies that are not signed; only Amazon S3 accepts them.
_BODY_UNSIGNED = (_UNSIGNED_PAYLOAD, "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
# Services whose paths are signed as they are sent; all other services URL-encode the path a second time.
_S3_SERVICES = ("s3", "s3express", "s3-object-lambda", "s3-outposts")
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=([^\s,=]+), ?SignedHeaders=([^\s,=]+), ?Signature=([0-9a-f]{{64}})"
)
_EMPTY_HASH = hashlib.sha256(b"").hexdigest()


class SignatureRefusedError(Exception):
    """A request is refused. The message has the reason and no secrets; ``code`` is AWS's error code."""

    def __init__(self, message: str, code: str = "SignatureDoesNotMatch") -> None:
        """Refuse with this reason and AWS error code."""
        super().__init__(message)
        self.code = code


FindCredentials = Callable[[str, "str | None"], Credentials]
"""Returns the credentials of an access key id and session token; raises SignatureRefusedError if it finds none."""


@dataclass(frozen=True)
class CredentialScope:
    """Who signed, and for which day, Region and service."""

    access_key_id: str
    day: str
    region: str
    service: str

    @classmethod
    def parse(cls, text: str, date: str) -> CredentialScope:
        """Parse ``key/20250101/eu-west-1/s3/aws4_request`` of a request that is signed at ``date``.

        Raises:
            SignatureRefusedError: The text has another form, or another day than ``date``.
        """
        parts = text.split("/")
        if len(parts) != 5:
            raise SignatureRefusedError("the credential scope does not have five parts", "IncompleteSignature")
        require_same(parts[1], date[:8], "the day of the credential scope")
        require_same(parts[4], "aws4_request", "the end of the credential scope")
        return cls(*parts[:4])


def require_same(given: str, expected: str, what: str) -> None:
    """Refuse the request if a value is not the expected one.

    Raises:
        SignatureRefusedError: The values differ.
    """
    if given != expected:
        raise SignatureRefusedError(f"{what} is {given[:80]!r}, not {expected!r}")


def require_lifetime(date: str, seconds: int, now: dt.datetime) -> None:
    """Refuse a signature that was made more than ``seconds`` ago, or in the future.

    Raises:
        SignatureRefusedError: The signature is not valid now, or the date is not a valid date.
    """
    try:
        signed = dt.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.timezone.utc)
    except ValueError:
        raise SignatureRefusedError("the date of the signature is not valid", "IncompleteSignature") from None
    age = (now - signed).total_seconds()
    if age >= seconds:
        raise SignatureRefusedError(f"it expired {age - seconds:.0f} s ago", "RequestExpired")
    if age < -CLOCK_SKEW_SECONDS:
        raise SignatureRefusedError(f"it is signed {-age:.0f} s in the future", "RequestTimeTooSkewed")


@dataclass(frozen=True)
class ReceivedRequest:
    """A received request without its body: path and query are URL-encoded, header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]

    @cached_property
    def parameters(self) -> list[tuple[str, str]]:
        """The decoded names and values of the query parameters."""
        return parse_qsl(self.query, keep_blank_values=True)

    def header(self, name: str) -> str | None:
        """The value of a header; None if the request does not have it.

        Raises:
            SignatureRefusedError: The header was sent twice: the emulator might read the other value.
        """
        return _only([value for key, value in self.headers if key == name], f"the header {name}")


@dataclass(frozen=True)
class RequestSignature:
    """The signature of a request, from its ``Authorization`` header or from its query (presigned)."""

    request: ReceivedRequest
    scope: CredentialScope
    date: str
    signed_headers: tuple[str, ...]
    signature: str
    session_token: str | None
    presigned: bool

    @classmethod
    def read(cls, request: ReceivedRequest, now: dt.datetime) -> RequestSignature:
        """Find the signature of a request, and check that it is valid at the time ``now``.

        Raises:
            SignatureRefusedError: The request has no signature, or two; the signature is incomplete, has expired or is
                not valid yet.
        """
        in_query = any(name.lower().startswith("x-amz-credential") for name, _ in request.parameters)
        authorization = request.header("authorization")
        if any(name == "AWSAccessKeyId" for name, _ in request.parameters):
            how = "signature_version='s3v4' in botocore's Config"
            reason = f"it is signed with Signature Version 2; use version 4 ({how})"
            raise SignatureRefusedError(reason, "InvalidRequest")
        if authorization is None and not in_query:
            raise SignatureRefusedError("the request is not signed", "MissingAuthenticationToken")
        if authorization is not None and in_query:
            raise SignatureRefusedError("it is signed twice, in the header and in the query", "InvalidArgument")
        found = _from_query(request, now) if authorization is None else _from_header(request, authorization, now)
        found._require_signed_headers()
        return found

    def check(self, credentials: Credentials, body: bytes) -> None:
        """Check that these credentials signed the request and this body.

        Raises:
            SignatureRefusedError: Other credentials signed the request, or the body has changed.
        """
        payload = self._payload(body)
        signer, request = self._signer(credentials, payload)
        text = signer.string_to_sign(request, signer.canonical_request(request))
        expected = str(signer.signature(text, request))
        if not hmac.compare_digest(expected.encode(), self.signature.encode()):
            raise SignatureRefusedError(
                "the signature does not match: it was made with another secret key, or the request was altered"
            )
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
            raise SignatureRefusedError("the body has changed since it was signed", "XAmzContentSHA256Mismatch")
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
    # Accept only the form that the SDKs send: in other forms, the emulator might read another caller.
    parts = _AUTHORIZATION.fullmatch(authorization)
    if parts is None:
        form = f"{ALGORITHM} Credential=..., SignedHeaders=..., Signature=..."
        raise SignatureRefusedError(f"the header authorization does not have the form {form!r}", "IncompleteSignature")
    date = request.header("x-amz-date")
    if date is None:
        raise SignatureRefusedError("the header x-amz-date is missing", "IncompleteSignature")
    scope = CredentialScope.parse(parts[1], date)
    require_lifetime(date, CLOCK_SKEW_SECONDS, now)
    token = request.header("x-amz-security-token")
    return RequestSignature(request, scope, date, tuple(parts[2].split(";")), parts[3], token, presigned=False)


def _from_query(request: ReceivedRequest, now: dt.datetime) -> RequestSignature:
    def values(name: str) -> list[str]:
        # Match names in any case, because the emulator reads some of them.
        return [value for key, value in request.parameters if key.lower() == name.lower()]

    algorithm, credential, date, expires, signed_headers, signature = (
        _needed(values(f"X-Amz-{name}"), f"the query's X-Amz-{name}")
        for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
    )
    require_same(algorithm, ALGORITHM, "the algorithm")
    scope = CredentialScope.parse(credential, date)
    if not re.fullmatch(r"\d{1,6}", expires) or not 1 <= int(expires) <= _LONGEST_VALIDITY_SECONDS:
        allowed = f"1 to {_LONGEST_VALIDITY_SECONDS} s are allowed"
        raise SignatureRefusedError(f"it expires after {expires[:20]!r} s; {allowed}")
    require_lifetime(date, int(expires), now)
    token = _only(values("X-Amz-Security-Token"), "the query's X-Amz-Security-Token")
    return RequestSignature(request, scope, date, tuple(signed_headers.split(";")), signature, token, presigned=True)


def _only(values: list[str], what: str) -> str | None:
    if len(values) > 1:
        raise SignatureRefusedError(f"{what} occurs twice", "IncompleteSignature")
    return values[0] if values else None


def _needed(values: list[str], what: str) -> str:
    value = _only(values, what)
    if not value:
        raise SignatureRefusedError(f"{what} is missing", "IncompleteSignature")
    return value


def _check_chunks(body: bytes, seed: str, signer: SigV4Auth, request: AWSRequest) -> None:
    """Check the signature of each chunk, which is calculated from the previous one. The trailer is only a checksum."""
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
            raise SignatureRefusedError("a chunk of the body has changed since it was signed")
        position = head.end() + size + 2


class _Signer(SigV4Auth):
    """Signs the headers that the request lists as signed, and the payload hash that it declares."""

    def headers_to_sign(self, request: Any) -> Any:
        """All headers: `RequestSignature` adds only the signed ones."""
        return request.headers

    def payload(self, request: Any) -> str:
        """The hash of the body, or a constant such as ``UNSIGNED-PAYLOAD``."""
        return str(request.context["payload"])


class _S3Signer(_Signer, S3SigV4Auth):
    """Amazon S3's variant: the path is signed as it is sent."""
