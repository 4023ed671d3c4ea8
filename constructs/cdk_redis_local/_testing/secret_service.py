"""A Secrets Manager on loopback that answers GetSecretValue only, for the passwords of engines in unit tests."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cdk_redis_local._cloud import ACCOUNT
from cdk_redis_local._gates.request_gate import require_local_caller
from cdk_redis_local._gates.signatures import FindCredentials, ReceivedRequest, RequestSignature, SignatureRefusedError

# How often the thread looks whether it shall end.
_POLL_SECONDS = 0.02


class SecretService:
    """Answers signed requests of this user for the secrets that :meth:`put` stored."""

    def __init__(self, find_credentials: FindCredentials, region: str) -> None:
        """Start to listen on a free port of loopback.

        Args:
            find_credentials: Finds the credentials that a request must be signed with.
            region: The Region in the ARNs of the secrets.
        """
        self._region = region
        self._texts: dict[str, str] = {}
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                try:
                    self._check(body)
                    status, answer = service.answer(self.headers.get("x-amz-target", ""), body)
                except SignatureRefusedError as refusal:
                    status, answer = 403, {"__type": refusal.code, "message": str(refusal)}
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def _check(self, body: bytes) -> None:
                path, _, query = self.path.partition("?")
                headers = [(name.lower(), value) for name, value in self.headers.items()]
                request = ReceivedRequest(self.command, path, query, headers)
                host, port = self.connection.getsockname()[:2]
                require_local_caller(self.client_address, (host, port), request.header)
                signature = RequestSignature.read(request, dt.datetime.now(dt.timezone.utc))
                signature.check(find_credentials(signature.scope.access_key_id, signature.session_token), body)

            def log_message(self, format: str, *args: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint_url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=[_POLL_SECONDS], name="secrets", daemon=True).start()

    def put(self, name: str, username: str, password: str) -> str:
        """Store the secret of a user, as the library makes it; returns its ARN."""
        arn = f"arn:aws:secretsmanager:{self._region}:{ACCOUNT}:secret:{name}-{secrets.token_hex(3)}"
        self._texts[arn] = json.dumps({"username": username, "password": password})
        return arn

    def answer(self, target: str, body: bytes) -> tuple[int, dict[str, str]]:
        """Status and body of the answer to a request that is checked already."""
        if target != "secretsmanager.GetSecretValue":
            message = "the fixture `engine` has no Secrets Manager but for GetSecretValue: use `local_cloud`"
            return 400, {"__type": "UnknownOperationException", "message": message}
        arn = str(json.loads(body).get("SecretId"))
        if arn not in self._texts:
            message = "Secrets Manager can't find the specified secret."
            return 400, {"__type": "ResourceNotFoundException", "message": message}
        return 200, {"ARN": arn, "Name": arn.rpartition(":")[2], "SecretString": self._texts[arn]}

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
