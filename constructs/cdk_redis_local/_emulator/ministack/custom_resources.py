"""Custom resources whose function fails: the stack fails at once, and not after an hour."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ministack.services import lambda_svc
from ministack.services.cloudformation import custom_resource

from cdk_redis_local._emulator.insides import replace

_PACKAGE = re.compile(r"'(@aws-sdk/[a-z0-9-]+)'")


def fail_unanswered_custom_resources() -> None:
    """Answer for a function that ends with an error and without an answer.

    As on AWS, the emulator waits an hour for the answer. None comes from a function that lacks a package.
    """
    emulated = lambda_svc._execute_function_with_config_scope

    def execute(function: Any, event: Any) -> Any:
        result = emulated(function, event)
        if isinstance(event, Mapping) and result.get("error") and "ResponseURL" in event and "RequestType" in event:
            _fail(str(event["ResponseURL"]), result.get("body"))
        return result

    replace(lambda_svc, "_execute_function_with_config_scope", execute)


def _fail(url: str, body: object) -> None:
    token = next((token for token in custom_resource._pending if token in url), None)
    if token is None or custom_resource._pending[token]["result"] is not None:
        return
    reason = body if isinstance(body, str) else json.dumps(body)
    if (package := _PACKAGE.search(reason)) is not None:
        reason = (
            f"the function needs {package[1]}, which Lambda has built in, and the local cloud has from npm: "
            f"run `npm install --save-dev {package[1]}`"
        )
    answer = {"Status": "FAILED", "Reason": f"the function ended without an answer to CloudFormation: {reason}"}
    custom_resource.deliver_response(token, answer)
