"""Closes the ways into the emulator that bypass the request gate: its other listeners, and credentials to guess."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import hashlib
import hmac
import http.server
import ipaddress
import secrets
import socket
import sys
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import sts

from cdk_redis_local._emulator.insides import replace
from cdk_redis_local._gates.request_gate import require_local_caller
from cdk_redis_local._gates.signatures import SignatureRefusedError


def restrict_listeners() -> None:
    """Let this process listen on loopback only, and let its internal HTTP servers check their callers as the gate does.

    The emulator runs such a server for each function with a custom runtime (``provided.al2023``): its callers get the
    function's events and can answer them.
    """
    sys.addaudithook(_refuse_public_listeners)
    emulated = http.server.BaseHTTPRequestHandler.parse_request

    def parse_request(self: http.server.BaseHTTPRequestHandler) -> bool:
        if not emulated(self):
            return False
        try:
            require_local_caller(self.client_address, self.connection.getsockname(), self.headers.get)
        except SignatureRefusedError as refusal:
            self.close_connection = True
            self.send_error(403, explain=str(refusal))
            return False
        return True

    http.server.BaseHTTPRequestHandler.parse_request = parse_request


def _refuse_public_listeners(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.bind" or arguments[0].family not in (socket.AF_INET, socket.AF_INET6):
        return
    host = str(arguments[1][0])
    if host != "localhost" and not _is_loopback(host):
        raise PermissionError(f"the local cloud listens on loopback only, not on {host!r}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # empty, which means all addresses, or a name
        return False


def make_execution_credentials_secret() -> None:
    """Give functions credentials that cannot be guessed.

    The emulator derives them, including the secret key, from the names of the function and its role.
    """
    key = secrets.token_bytes(32)

    def credentials(config: dict[str, Any]) -> dict[str, str]:
        function, role = config["FunctionArn"], config.get("Role", "")
        account, _ = lambda_runtime._account_region_from_function_config(config)
        names = (role.rpartition("/")[2], config["FunctionName"][:64])

        def derive(purpose: str) -> str:
            return hmac.new(key, f"{purpose}:{function}:{role}".encode(), hashlib.sha256).hexdigest()

        made = {
            "AWS_ACCESS_KEY_ID": f"ASIA{derive('id')[:16].upper()}",
            "AWS_SECRET_ACCESS_KEY": derive("secret"),
            "AWS_SESSION_TOKEN": derive("token"),
        }
        session = {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{'/'.join(names)}",
            "UserId": ":".join(names),
            "SecretAccessKey": made["AWS_SECRET_ACCESS_KEY"],
            "SessionToken": made["AWS_SESSION_TOKEN"],
        }
        sts.register_session(made["AWS_ACCESS_KEY_ID"], session)
        return made

    replace(lambda_runtime, "execution_credentials", credentials)
