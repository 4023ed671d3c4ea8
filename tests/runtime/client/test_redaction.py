"""No part of a secret is shown, in any form in which a server repeats it."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import ssl
import threading
import traceback
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from redis.credentials import UsernamePasswordCredentialProvider
from redis.exceptions import RedisError

from cdk_redis_local import CertificateAuthority
from cdk_redis_runtime import ClientTimeouts, Connection, Declaration, smoke_test
from cdk_redis_runtime._client.clients import ClientOptions, client_for
from cdk_redis_runtime._client.redaction import redact

PASSWORD = "x9\"Kq/+ 7é'Tz\\w4\n&mP<2vB%eR#8sL!dJ" * 4
TOKEN = (
    "orders/?Action=connect&User=smoke&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20250101%2Feu-west-1%2Felasticache"
    "%2Faws4_request&X-Amz-Security-Token=FwoGZXIvYXdzEBYaDJ%2Fq1w2e3r4t5y6u&X-Amz-Expires=900&X-Amz-Signature="
    "9e361603d85874bce06114c6644725ed113e3b11ae6fa92efdf10c6bcf5de8d7"
)


def _flat(text: str) -> str:
    return "".join(text.split()).lower()


def assert_no_part(text: str, secret: str = PASSWORD, length: int = 8) -> None:
    secret, text = _flat(secret), _flat(text)
    shown = {secret[start : start + length] for start in range(len(secret) - length + 1)} & {
        text[start : start + length] for start in range(len(text) - length + 1)
    }
    assert not shown, (shown, text)


@pytest.mark.parametrize(
    "spell",
    [
        str,
        str.upper,
        lambda secret: secret[:112],
        lambda secret: secret[20:28],
        lambda secret: secret.replace("\n", " "),
        lambda secret: secret.replace("\n", ""),
        lambda secret: "\r\n".join(secret[start : start + 20] for start in range(0, len(secret), 20)),
        lambda secret: repr(secret)[1:60],
        lambda secret: repr(secret.encode())[2:60],
        lambda secret: json.dumps(secret)[1:60],
        lambda secret: quote(secret)[:60],
        lambda secret: quote(secret, safe="").lower()[:60],
        lambda secret: secret.encode().hex()[:60],
        lambda secret: base64.b64encode(secret.encode()).decode()[:60],
        lambda secret: base64.b64encode(b"smoke:" + secret.encode()).decode()[8:60],
        lambda secret: base64.b64encode(b"a:" + secret.encode()).decode()[4:60],
        lambda secret: base64.urlsafe_b64encode(b"x" + secret.encode()).decode()[4:60],
    ],
)
def test_part_of_a_secret_in_any_spelling_is_hidden(spell: Callable[[str], str]) -> None:
    spelled = spell(PASSWORD)
    shown = redact(f"before {spelled} after", [PASSWORD])
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert "***" in shown
    # In Base64, the first and the last character also depend on the text around the secret.
    assert len(shown) < len("before  after") + 16, shown
    assert_no_part(shown, spelled)


@pytest.mark.parametrize("part", ["9e361603d85874bc", "FwoGZXIvYXdzEBYa", "DJ/q1w2e3r4t", "AKIAIOSFODNN7"])
def test_secret_parts_of_a_token_are_hidden(part: str) -> None:
    assert redact(f"sent {part}", [TOKEN]) == "sent ***"


def test_names_that_a_token_contains_are_shown() -> None:
    text = "elasticache orders in eu-west-1: Action=connect of User=smoke was refused with aws4_request"
    assert redact(text, [TOKEN]) == text


def test_standard_text_of_a_refused_sign_in_is_shown() -> None:
    text = "WRONGPASS invalid username-password pair or user is disabled."
    assert redact(text, ["my-username-password-of-2024"]) == text
    assert redact("my-username-password-of", ["my-username-password-of-2024"]) == "***"


def test_arguments_that_an_engine_repeats_are_hidden() -> None:
    text = "unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'smoke' 'abc\ndef' "
    assert redact(text, []) == "unknown command 'HELLO', with args beginning with ***"


def _as_redis_5(words: list[str]) -> str:
    arguments = ""
    for word in words[1:]:
        if len(arguments) < 128:
            arguments += f"`{word[: 128 - len(arguments)]}`, "
    return f"-ERR unknown command `{words[0]}`, with args beginning with: {arguments}".replace("\n", " ")


ECHOES: dict[str, Callable[[list[str]], str]] = {
    "as Redis 5 does": _as_redis_5,
    "whole, in other words": lambda words: "-ERR what is " + repr(" ".join(words)),
    "cut, in other words": lambda words: "-ERR what is " + " ".join(words).replace("\n", " ")[:100],
    "as a refusal": lambda words: "-WRONGPASS no such password: " + words[-1].replace("\n", "\\n"),
    "in JSON": lambda words: "-NOAUTH " + json.dumps(words),
    "as no answer of an engine": lambda words: "HTTP/1.1 400 " + json.dumps(words)[:120],
}


@contextlib.contextmanager
def _echo(context: ssl.SSLContext, answer: Callable[[list[str]], str]) -> Generator[int, None, None]:
    """A TLS server that repeats each command in its answer."""

    def serve(plain: socket.socket) -> None:
        with plain, contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
            stream = connection.makefile("rb")
            while header := stream.readline():
                words: list[str] = []
                for _ in range(int(header[1:])):
                    length = int(stream.readline()[1:])
                    words.append(stream.read(length + 2)[:-2].decode())
                connection.sendall(answer(words).encode() + b"\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            # Ends when the listener is closed.
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture(params=ECHOES)
def echo(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    authority = CertificateAuthority(tmp_path / "ca")
    certificate = authority.issue("server")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate_file, certificate.key_file)
    with _echo(context, ECHOES[request.param]) as port:
        yield Connection(
            "elasticache",
            "orders",
            "localhost",
            port,
            cluster_mode=False,
            authentication="password",
            user="smoke",
        )


CREDENTIALS = UsernamePasswordCredentialProvider("smoke", PASSWORD)


def test_report_hides_a_password_that_a_server_repeats(echo: Connection) -> None:
    report = smoke_test(echo, Declaration("redis", "7.0", 1, 0, budget=2), credentials=CREDENTIALS)
    assert not report.passed
    assert_no_part(str(report.as_dict()))
    assert_no_part(json.dumps(report.as_dict()), json.dumps(PASSWORD)[1:-1])


def test_logged_error_hides_a_password_that_a_server_repeats(echo: Connection) -> None:
    client = client_for(echo, CREDENTIALS, ClientOptions(ClientTimeouts(retries=0)))
    with pytest.raises(RedisError) as raised:
        client.ping()
    logged = "".join(traceback.format_exception(raised.value))
    assert_no_part(logged)
    for spelling in (repr(PASSWORD)[1:-1], json.dumps(PASSWORD)[1:-1]):
        assert_no_part(logged, spelling)
