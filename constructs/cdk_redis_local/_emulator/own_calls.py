"""Actions of the local cloud that AWS does not have, such as injecting a fault into a running store.

The owner of the cloud calls them with requests in the form of AWS's JSON protocol, at the endpoint of the AWS APIs. So
the request gate checks them like all others. In addition, they must be signed with the credentials of the cloud's root
user, which no function and no role of a stack has.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._gates.request_gate import SIGNER, Application, Receive, Scope, Send

_PREFIX = "CdkRedisLocal."
_SIGNED_FOR = "cdk-redis-local"
_SECONDS = 120.0

OwnAction = Callable[[Mapping[str, Any]], object]
"""Answers a request with these parameters; may block. Raises LocalCloudError."""


def call(environment: Mapping[str, str], action: str, **parameters: object) -> Any:
    """Call an action of the local cloud as its root user; returns its result.

    Args:
        environment: Variables of the cloud's clients, as in ``LocalCloud.environment``.
        action: Name of the action.
        parameters: Its parameters, of values that JSON has.

    Raises:
        LocalCloudError: The action failed, or the cloud did not answer.
    """
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{_PREFIX}{action}"}
    request = AWSRequest("POST", f"{environment['AWS_ENDPOINT_URL']}/", headers, json.dumps(parameters).encode())
    credentials = Credentials(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(credentials, _SIGNED_FOR, environment["AWS_REGION"]).add_auth(request)
    # Without the proxies of the environment: the request goes to this machine.
    session = URLLib3Session(timeout=_SECONDS, proxies={})
    try:
        response = session.send(request.prepare())
        answer = json.loads(response.content)
    except (BotoCoreError, ValueError) as error:
        raise LocalCloudError(f"the local cloud did not answer {action}: {error}") from error
    finally:
        session.close()
    if response.status_code != 200:
        raise LocalCloudError(str(answer.get("message", answer)))
    return answer["Result"]


def with_own_calls(application: Application, actions: Mapping[str, OwnAction]) -> Application:
    """An application behind the request gate that answers these actions, and passes on all other requests."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        target = headers.get(b"x-amz-target", b"").decode("latin-1")
        if scope["type"] != "http" or not target.startswith(_PREFIX):
            await application(scope, receive, send)
            return
        # An answer that CloudFormation waits for has no signer.
        signer = scope.get(SIGNER)
        if signer is None or (signer.access_key_id, signer.service) != (os.environ["AWS_ACCESS_KEY_ID"], _SIGNED_FOR):
            await _send(send, 403, {"__type": "AccessDeniedException", "message": "only the root user may call it"})
            return
        # The request gate has read the whole body.
        parameters = json.loads((await receive())["body"])
        action = actions.get(target.removeprefix(_PREFIX))
        if action is None:
            await _send(send, 400, {"__type": "UnknownOperationException", "message": f"there is no action {target}"})
            return
        try:
            # On a thread, because actions wait for engines.
            result = await asyncio.to_thread(action, parameters)
        except LocalCloudError as error:
            await _send(send, 400, {"__type": "LocalCloudError", "message": str(error)})
        except Exception as error:
            await _send(send, 500, {"__type": "InternalFailure", "message": f"{type(error).__name__}: {error}"})
        else:
            await _send(send, 200, {"Result": result})

    return answer


async def _send(send: Send, status: int, answer: object) -> None:
    body = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/x-amz-json-1.1"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
