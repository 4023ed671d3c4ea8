"""The gate in front of an engine checks tokens and forwards everything else."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import ssl
import time
from collections.abc import Iterator

import pytest
import redis

from cdk_redis_local import AclUser, EngineSet
from cdk_redis_local._gates.commands import CommandScanner, encode_command
from cdk_redis_local._gates.node_gate import CONNECTION_SECONDS, Gatekeeper, GateRules
from cdk_redis_local._gates.token_check import TokenRefusedError

SET = encode_command([b"SET", b"key", b"a value with AUTH\r\n*1\r\n in it"])
AUTH = encode_command([b"AUTH", b"user", b"token"])
HELLO = encode_command([b"hello", b"3", b"AUTH", b"user", b"token", b"SETNAME", b"x"])


def scan(stream: bytes, sizes: int) -> tuple[bytes, list[list[bytes]]]:
    scanner, forwarded, commands = CommandScanner(), b"", []
    for start in range(0, len(stream), sizes):
        for piece in scanner.feed(stream[start : start + sizes]):
            if isinstance(piece, list):
                commands.append(piece)
            else:
                forwarded += bytes(piece)
    return forwarded, commands


@pytest.mark.parametrize("sizes", [1, 2, 3, 7, 64, 10_000])
def test_scanner_finds_sign_ins_in_a_pipeline_of_any_part_size(sizes: int) -> None:
    stream = SET + AUTH + SET + b"PING\r\n" + HELLO + b"auth user 'to ken'\r\n" + b"*0\r\n" + SET
    forwarded, commands = scan(stream, sizes)
    assert forwarded == SET + SET + b"PING\r\n" + b"*0\r\n" + SET
    assert commands == [
        [b"AUTH", b"user", b"token"],
        [b"hello", b"3", b"AUTH", b"user", b"token", b"SETNAME", b"x"],
        [b"auth", b"user", b"to ken"],
    ]


@pytest.mark.parametrize(
    "stream",
    [
        b"*x\r\n" + AUTH,
        b"*1\r\n+OK\r\n" + AUTH,
        b"*3\r\n$4\r\nAUTH\r\n$99999999\r\n" + b"x" * 100,
        b"x" * 70_000,
        encode_command([b"AUTH", b"user", b"x" * 70_000]),
        b"*" + b"1" * 40,
        b'AUTH "unbalanced\r\n',
    ],
)
def test_scanner_forwards_bytes_that_are_not_resp(stream: bytes) -> None:
    assert scan(stream, 100) == (stream, [])


def test_scanner_skips_a_large_value_without_parsing_it() -> None:
    value = encode_command([b"SET", b"key", os.urandom(64 * 1024 * 1024)])
    began = time.process_time()
    scanner = CommandScanner()
    parts = (value[start : start + 2**18] for start in range(0, len(value), 2**18))
    assert sum(len(piece) for part in parts for piece in scanner.feed(part)) == len(value)
    assert time.process_time() - began < 1


class Gated:
    """An engine behind a gate that accepts one token for the IAM user."""

    def __init__(self, tls: bool = True) -> None:
        self.refusals: list[tuple[str, str]] = []
        users = [
            AclUser("iam", "on ~iam:* +@all", passwords=("internal",), iam=True),
            AclUser("pass", "on ~* +@all", passwords=("a-password",)),
        ]
        self.engines = EngineSet(users=users, tls=tls)
        self.engines.start()
        node = self.engines.nodes[0]
        self.rules = GateRules(
            check=self.check,
            on_refusal=lambda user, reason: self.refusals.append((user, reason)),
            certificate=node.security.certificate,
            ca_file=node.security.ca_file,
            passwords={"iam": "internal"},
        )
        self.gatekeeper = Gatekeeper()
        self.port = self.gatekeeper.open(lambda: node.engine_port if node.running else None, self.rules)

    def check(self, token: str, user: str) -> None:
        if (token, user) != ("good-token", "iam"):
            raise TokenRefusedError("it is not the valid token")

    def client(self, user: str | None, password: str | None, protocol: int = 2) -> redis.Redis:
        node = self.engines.nodes[0]
        client = node.client(user, password, port=self.port)
        client.connection_pool.connection_kwargs["protocol"] = protocol
        return client

    def raw(self, version: ssl.TLSVersion | None = None) -> socket.socket:
        context = ssl.create_default_context(cafile=self.engines.ca_file)
        if version:
            context.minimum_version = context.maximum_version = version
        connection = socket.create_connection(("localhost", self.port), timeout=5)
        return context.wrap_socket(connection, server_hostname="localhost")


@pytest.fixture(scope="module")
def gated() -> Iterator[Gated]:
    gated = Gated()
    yield gated
    gated.gatekeeper.close(gated.port)
    gated.engines.stop()


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_valid_token_signs_in_and_the_acl_applies(gated: Gated, protocol: int) -> None:
    client = gated.client("iam", "good-token", protocol)
    assert client.set("iam:a", "1")
    assert client.acl_whoami() == "iam"
    with pytest.raises(redis.exceptions.NoPermissionError):
        client.set("other", "1")


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("secret", ["bad-token", "internal", ""])
def test_an_invalid_token_is_refused_with_the_engine_s_error(gated: Gated, protocol: int, secret: str) -> None:
    with pytest.raises(redis.AuthenticationError, match="invalid username-password pair or user is disabled"):
        gated.client("iam", secret, protocol).ping()
    assert gated.refusals[-1] == ("iam", "it is not the valid token")


@pytest.mark.parametrize("protocol", [2, 3])
def test_password_users_sign_in_through_the_gate(gated: Gated, protocol: int) -> None:
    assert gated.client("pass", "a-password", protocol).set("other", "1")
    with pytest.raises(redis.AuthenticationError):
        gated.client("pass", "good-token", protocol).ping()


def test_a_client_that_does_not_sign_in_is_refused(gated: Gated) -> None:
    with pytest.raises(redis.AuthenticationError):
        gated.client(None, None).ping()


def test_later_sign_ins_are_checked_and_answered_in_order(gated: Gated) -> None:
    with gated.raw() as connection:
        connection.sendall(
            encode_command([b"AUTH", b"iam", b"good-token"])
            + encode_command([b"SET", b"iam:b", b"x" * 100_000])
            + encode_command([b"AUTH", b"iam", b"bad-token"])
            + encode_command([b"GET", b"iam:none"])
            + b"AUTH pass a-password\r\n"
            + encode_command([b"ACL", b"WHOAMI"])
        )
        answers = b""
        while not answers.endswith(b"$4\r\npass\r\n"):
            part = connection.recv(65536)
            assert part, answers
            answers += part
    refusal = b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
    assert answers == b"+OK\r\n+OK\r\n" + refusal + b"$-1\r\n+OK\r\n$4\r\npass\r\n"


@pytest.fixture
def short_life(gated: Gated) -> Iterator[Gated]:
    gated.rules.connection_seconds = 1.0
    yield gated
    gated.rules.connection_seconds = CONNECTION_SECONDS


def _signed_in(gated: Gated, user: bytes, password: bytes) -> socket.socket:
    connection = gated.raw()
    connection.sendall(encode_command([b"AUTH", user, password]))
    assert connection.recv(100) == b"+OK\r\n"
    return connection


def test_connection_is_closed_some_time_after_its_last_valid_token(short_life: Gated) -> None:
    closed = short_life.rules.closed_connections
    with _signed_in(short_life, b"iam", b"good-token") as connection:
        began = time.monotonic()
        for _ in range(6):
            time.sleep(0.2)
            connection.sendall(encode_command([b"AUTH", b"iam", b"good-token"]))
            assert connection.recv(100) == b"+OK\r\n"
        assert time.monotonic() - began > 1
        connection.sendall(encode_command([b"AUTH", b"iam", b"bad-token"]))
        assert connection.recv(100).startswith(b"-WRONGPASS")
        assert connection.recv(100) == b""
    assert short_life.rules.closed_connections == closed + 1


def test_connection_of_a_password_user_stays_open(short_life: Gated) -> None:
    with _signed_in(short_life, b"pass", b"a-password") as connection:
        time.sleep(1.5)
        connection.sendall(b"PING\r\n")
        assert connection.recv(100) == b"+PONG\r\n"


def test_large_values_pass_in_both_directions(gated: Gated) -> None:
    client = gated.client("iam", "good-token")
    value = random.randbytes(24 * 1024 * 1024)
    client.connection_pool.connection_kwargs["decode_responses"] = False
    client.set("iam:large", value)
    assert client.get("iam:large") == value


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_gate_accepts_tls_1_2_and_1_3(gated: Gated, version: ssl.TLSVersion) -> None:
    with gated.raw(version) as connection:
        connection.sendall(b"PING\r\n")
        assert connection.recv(100).startswith(b"-NOAUTH")


def test_plaintext_is_refused(gated: Gated) -> None:
    with socket.create_connection(("localhost", gated.port), timeout=5) as connection:
        connection.sendall(b"PING\r\n")
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            answer = connection.recv(100)
        # The end of the stream, a TLS alert or a reset, depending on timing; never an answer of the engine.
        assert not answer.startswith((b"+", b"-"))


def test_a_gate_closes_its_connections_when_it_closes_or_the_engine_ends() -> None:
    gated = Gated(tls=False)
    with socket.create_connection(("localhost", gated.port), timeout=5) as connection:
        connection.sendall(b"PING\r\n")
        assert connection.recv(100).startswith(b"-NOAUTH")
        gated.engines.stop_node(0)
        assert connection.recv(100) == b""
    with socket.create_connection(("localhost", gated.port), timeout=5) as connection:
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100) == b""
        gated.gatekeeper.close(gated.port)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("localhost", gated.port), timeout=5)
    gated.engines.stop()
