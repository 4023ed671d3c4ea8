"""The gate before the emulator: who may call the local cloud.

The emulator runs code for whoever reaches it, so a request must prove four things before it is answered: that a
process of the user who started the cloud sent it, that it was meant for the cloud (its ``Host``), that no web page is
behind it, and that it is signed with credentials of this cloud. Each holds alone: another user of the machine fails the
first even with the credentials, a web page in our own browser passes it and fails the others.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from xml.sax.saxutils import escape

from ministack.core.sigv4 import decode_header_value

from cdk_redis_local._gates.peers import Address, peer_uid
from cdk_redis_local._gates.signatures import FindCredentials, ReceivedRequest, RequestSignature, SignatureRefusedError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# Web pages are the only ones to send these. (Node.js sends sec-fetch-mode of itself.)
_OF_BROWSERS = ("origin", "sec-fetch-site")
# No bucket's name begins with an underscore, and no API's path does: what does is a door of the emulator's own.
_INTERNAL = re.compile(r"/+(_|health$)")


# What the wrong credentials, or none, are refused with.
_CURE = " Call it with the AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of its environment."
_CURED = ("MissingAuthenticationToken", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch")


class _DisconnectedError(Exception):
    """The caller has gone before its request was complete."""


def require_local_caller(client: Address, server: Address, header: Callable[[str], str | None]) -> None:
    """Refuse requests of other users, for other hosts, and of web pages.

    Args:
        client: Address and port that the request comes from.
        server: Address and port where it has arrived.
        header: Gives the value of a header by its name in lower case.

    Raises:
        SignatureRefusedError: It is one of these.
    """
    # Not root as well: what runs as root may forward anybody's requests (a proxy, a forwarded port), and who is root
    # can become the user.
    uid, ours = peer_uid(client, server), os.getuid()
    if uid != ours:
        who = "a process that has gone" if uid is None else f"uid {uid}"
        raise _denied(f"only the user who started it (uid {ours}) may call it, and this is {who}")
    hosts = [f"127.0.0.1:{server[1]}", f"localhost:{server[1]}"]
    host = header("host") or ""
    if host.lower() not in hosts:
        raise _denied(f"it is called {' or '.join(hosts)}, not {host[:80]!r}")
    for name in _OF_BROWSERS:
        if header(name) is not None:
            raise _denied(f"web pages may not call it, and this request has the header {name}")


class RequestGate:
    """An ASGI application that hands on what may pass and answers everything else with 403."""

    def __init__(
        self,
        application: Application,
        *,
        find_credentials: FindCredentials,
        is_expected_answer: Callable[[str, str], bool],
    ) -> None:
        """Guard an application.

        Args:
            application: What is guarded.
            find_credentials: Finds the caller's secret key.
            is_expected_answer: Whether a method and path deliver what a custom resource or wait condition is being
                waited for. CloudFormation hands out such URLs to be used without credentials, so their path is
                the secret.
        """
        self._application = application
        self._find_credentials = find_credentials
        self._is_expected_answer = is_expected_answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or start and stop with the server."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
        elif scope["type"] == "websocket":  # nothing that is deployed here needs them
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
            raise _denied("this path is the emulator's own, and closed")
        if not request.path.startswith("/") or "#" in request.path:
            raise _denied("the path of the request must begin with '/' and have no '#'")
        signature = RequestSignature.read(request, dt.datetime.now(dt.timezone.utc))
        credentials = self._find_credentials(signature.scope.access_key_id, signature.session_token)
        body = await _read(receive)
        signature.check(credentials, body)
        return _again(body, receive)


def _denied(reason: str) -> SignatureRefusedError:
    return SignatureRefusedError(reason, "AccessDenied")


def _received(scope: Scope) -> ReceivedRequest:
    return ReceivedRequest(
        scope["method"],
        scope["raw_path"].decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        [(name.decode("latin-1").lower(), decode_header_value(value)) for name, value in scope["headers"]],
    )


async def _read(receive: Receive) -> bytes:
    """The whole body: nothing acts on a part of what is signed as a whole."""
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _DisconnectedError
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read already, and then what comes after it."""
    pending = [body]

    async def again() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return again


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
    """Answer 403 in the form that the caller's SDK reads: the one of the API that it calls."""
    message = f"The local cloud refused the request: {refusal}.{_CURE if refusal.code in _CURED else ''}"
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
