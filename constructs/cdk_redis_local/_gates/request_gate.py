"""The gate in front of the emulator: checks each request to the local cloud.

The emulator runs code for its callers, so the gate checks four things before it forwards a request: a process of the
user who started the cloud sent it, its ``Host`` header names the cloud, it has no headers that only browsers send, and
it is signed with credentials of this cloud. The checks are independent: another user of the machine fails the first one
even with valid credentials; a web page in the user's own browser passes the first one and fails the others.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from xml.sax.saxutils import escape

from cdk_redis_local._gates.peers import Address, peer_uid
from cdk_redis_local._gates.signatures import FindCredentials, ReceivedRequest, RequestSignature, SignatureRefusedError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

SIGNER = "cdk_redis_local.signer"
"""The entry of a scope with the `CredentialScope` of the checked signature."""

# Only browsers send these headers. (Node.js sends sec-fetch-mode too.)
_BROWSER_HEADERS = ("origin", "sec-fetch-site")
# The emulator's internal paths. No bucket name and no path of an AWS API begins with an underscore.
_INTERNAL = re.compile(r"/+(_|health$)")

# Appended to errors about missing or wrong credentials.
_HINT = " Use the AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the local cloud's environment."
_CODES_WITH_HINT = (
    "MissingAuthenticationToken",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
)


class _DisconnectedError(Exception):
    """The caller closed the connection before its request was complete."""


def require_local_caller(client: Address, server: Address, header: Callable[[str], str | None]) -> None:
    """Refuse requests from other users, for other hosts, and from web pages.

    Args:
        client: Address and port of the client.
        server: Address and port of the server.
        header: Returns the value of a header; its argument is the name in lower case.

    Raises:
        SignatureRefusedError: Another user, another host, or a web page.
    """
    # Root is refused too: a process of root may forward requests of any user (a proxy, a forwarded port). Root can
    # switch to the user instead.
    uid, ours = peer_uid(client, server), os.getuid()
    if uid != ours:
        who = "a process that has closed its socket" if uid is None else f"uid {uid}"
        raise _denied(f"only the user who started the local cloud (uid {ours}) may call it, and this is {who}")
    hosts = [f"127.0.0.1:{server[1]}", f"localhost:{server[1]}"]
    host = header("host") or ""
    if host.lower() not in hosts:
        raise _denied(f"the Host header must be {' or '.join(hosts)}, not {host[:80]!r}")
    for name in _BROWSER_HEADERS:
        if header(name) is not None:
            raise _denied(f"web pages may not call the local cloud, and this request has the header {name}")


class RequestGate:
    """An ASGI application that forwards allowed requests and answers all others with 403."""

    def __init__(
        self,
        application: Application,
        *,
        find_credentials: FindCredentials,
        is_expected_answer: Callable[[str, str], bool],
    ) -> None:
        """Protect an application.

        Args:
            application: The ASGI application to protect.
            find_credentials: Finds the caller's secret key.
            is_expected_answer: Whether a method and path are the response of a custom resource, or the signal of a wait
                condition, that CloudFormation waits for. Such requests are not signed; the path contains a secret
                instead.
        """
        self._application = application
        self._find_credentials = find_credentials
        self._is_expected_answer = is_expected_answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or handle the server's start and stop."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
        elif scope["type"] == "websocket":  # no supported API uses websockets
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = _received(scope)
        try:
            require_local_caller(tuple(scope["client"]), tuple(scope["server"]), request.header)
            if not self._is_expected_answer(request.method, scope["path"]):
                receive = await self._check_signature(scope, request, receive)
        except SignatureRefusedError as refusal:
            await _refuse(request, refusal, send)
            return
        except _DisconnectedError:
            return
        await self._application(scope, receive, _without_cors(send))

    async def _check_signature(self, scope: Scope, request: ReceivedRequest, receive: Receive) -> Receive:
        if _INTERNAL.match(scope["path"]):
            raise _denied("this path is internal to the emulator")
        if not request.path.startswith("/") or "#" in request.path:
            raise _denied("the path of the request must begin with '/' and must not contain '#'")
        signature = RequestSignature.read(request, dt.datetime.now(dt.timezone.utc))
        credentials = self._find_credentials(signature.scope.access_key_id, signature.session_token)
        body = await _read(receive)
        signature.check(credentials, body)
        scope[SIGNER] = signature.scope
        return _replay(body, receive)


def _denied(reason: str) -> SignatureRefusedError:
    return SignatureRefusedError(reason, "AccessDenied")


def _received(scope: Scope) -> ReceivedRequest:
    return ReceivedRequest(
        scope["method"],
        scope["raw_path"].decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        [(name.decode("latin-1").lower(), _decoded(value)) for name, value in scope["headers"]],
    )


def _decoded(value: bytes) -> str:
    # HTTP says Latin-1; the SDKs sign and send UTF-8.
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


async def _read(receive: Receive) -> bytes:
    """The whole body, because the signature covers the whole body."""
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _DisconnectedError
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Returns a body that has been read already, and then the messages after it."""
    pending = [body]

    async def replay() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return replay


def _without_cors(send: Send) -> Send:
    async def send_on(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [(name, value) for name, value in message["headers"] if not _is_cors(name)]
            message = {**message, "headers": kept}
        await send(message)

    return send_on


def _is_cors(name: bytes) -> bool:
    return name.lower().startswith(b"access-control-")


async def _refuse(request: ReceivedRequest, refusal: SignatureRefusedError, send: Send) -> None:
    """Answer 403 in the format of the API that was called, so that the caller's SDK can parse it."""
    message = f"The local cloud refused the request: {refusal}.{_HINT if refusal.code in _CODES_WITH_HINT else ''}"
    kind = next((value for name, value in request.headers if name == "content-type"), "")
    if "json" in kind:
        content_type, body = "application/json", json.dumps({"__type": refusal.code, "message": message})
    else:
        error = f"<Error><Code>{escape(refusal.code)}</Code><Message>{escape(message)}</Message></Error>"
        content_type = "application/xml"
        is_query_api = "x-www-form-urlencoded" in kind
        body = f"<ErrorResponse>{error}</ErrorResponse>" if is_query_api else error
    text = body.encode()
    headers = {
        "content-type": content_type,
        "content-length": str(len(text)),
        "x-amzn-errortype": refusal.code,
    }
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 403, "headers": encoded})
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else text})
