"""Raw HTTP requests to a local cloud, signed or unsigned, as an SDK, another user or a web page would send them."""

from __future__ import annotations

import datetime as dt
import http.client
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.local.support.clouds import Cloud

FORM = "application/x-www-form-urlencoded"


@dataclass
class Answer:
    """The response to a raw request."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass
class Raw:
    """A request that is sent with exactly these headers, and none from the HTTP library."""

    method: str = "POST"
    path: str = "/"
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def send(self, port: int, host: str = "127.0.0.1") -> Answer:
        connection = http.client.HTTPConnection(host, port, timeout=20)
        try:
            connection.putrequest(self.method, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in {**self.headers, "Content-Length": str(len(self.body))}.items():
                connection.putheader(name, value)
            connection.endheaders(self.body)
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read().decode(errors="replace"))
        finally:
            connection.close()

    def send_and_go(self, port: int) -> None:
        """Send the request and close the connection without waiting for the answer."""
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers.items())]
        head = "\r\n".join([*lines, f"Content-Length: {len(self.body)}", "", ""])
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(head.encode() + self.body)


class Signer:
    """Signs raw requests for a cloud, by default with its own credentials."""

    def __init__(self, cloud: Cloud, credentials: Credentials | None = None) -> None:
        environment = cloud.local.environment
        self.port = int(urlsplit(cloud.local.endpoint_url).port or 0)
        self.host = f"127.0.0.1:{self.port}"
        self.credentials = credentials or Credentials(
            environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
        )

    def action(self, action: str = "ListUsers", *, host: str | None = None, **parameters: str) -> Raw:
        """A signed request to the IAM API."""
        text = "&".join(f"{name}={value}" for name, value in {"Action": action, **parameters}.items())
        body = f"{text}&Version=2010-05-08".encode()
        return self.sign(Raw(body=body, headers={"Host": host or self.host, "Content-Type": FORM}), "iam")

    def sign(self, raw: Raw, service: str, *, age: int = 0) -> Raw:
        """Sign all headers, with the date of ``age`` seconds ago."""
        request = self._request(raw)
        kind = S3SigV4Auth if service == "s3" else SigV4Auth
        signer = kind(self.credentials, service, "us-east-1")
        moment = dt.datetime.now(dt.timezone.utc) - dt.timedelta(seconds=age)
        request.context["timestamp"] = moment.strftime("%Y%m%dT%H%M%SZ")
        declared = raw.headers.get("X-Amz-Content-SHA256")
        signer._modify_request_before_signing(request)
        if declared:
            request.headers.replace_header("X-Amz-Content-SHA256", declared)
        canonical = signer.canonical_request(request)
        signer._inject_signature_to_request(
            request, signer.signature(signer.string_to_sign(request, canonical), request)
        )
        return Raw(raw.method, raw.path, raw.body, {str(key): str(value) for key, value in request.headers.items()})

    def presign(self, path: str, service: str, *, expires: int = 60) -> Raw:
        """A presigned GET."""
        request = AWSRequest("GET", f"http://{self.host}{path}", headers={"Host": self.host})
        SigV4QueryAuth(self.credentials, service, "us-east-1", expires=expires).add_auth(request)
        return Raw("GET", str(request.url).removeprefix(f"http://{self.host}"), b"", {"Host": self.host})

    def _request(self, raw: Raw) -> AWSRequest:
        headers: Mapping[str, str] = raw.headers
        return AWSRequest(raw.method, f"http://{self.host}{raw.path}", headers=headers, data=raw.body)
