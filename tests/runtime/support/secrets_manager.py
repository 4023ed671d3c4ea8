"""An HTTP server that answers boto3's calls to Secrets Manager, on demand late or with errors."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

import pytest

ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:smoke"


class SecretsManager:
    """Holds one secret. Attributes may change while it runs.

    ``secret`` is the secret's text, or None for a binary one; ``refusal`` the error code of every answer; ``failures``
    how many of the next calls get status 500; ``calls`` how many calls there were. While ``answers`` is cleared, calls
    wait.
    """

    def __init__(self, user: str, password: str) -> None:
        self.secret: str | None = None
        self.refusal = ""
        self.failures = 0
        self.calls = 0
        self.answers = threading.Event()
        self.answers.set()
        self.called = threading.Event()
        self._lock = threading.Lock()
        self.rotate(user, password)

    def rotate(self, user: str, password: str) -> None:
        self.secret = json.dumps({"username": user, "password": password})

    def answer(self) -> tuple[int, dict[str, str]]:
        with self._lock:
            self.calls += 1
            self.called.set()
            failing = self.failures > 0
            self.failures -= failing
        self.answers.wait(30)
        if failing:
            return 500, {"__type": "InternalServiceError", "message": "away"}
        if self.refusal:
            return 400, {"__type": self.refusal, "message": "refused"}
        held = {"SecretBinary": ""} if self.secret is None else {"SecretString": self.secret}
        return 200, {"ARN": ARN, "Name": "smoke", **held}

    def __enter__(self) -> SecretsManager:
        manager = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = manager.answer()
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                del format, args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.answers.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def announce(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make boto3 call this server."""
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "an-example")
        monkeypatch.delenv("AWS_PROFILE", raising=False)
