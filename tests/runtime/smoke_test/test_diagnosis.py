"""Explanations of errors say what to do; only errors that may heal are tried again."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest
from redis import exceptions as redis_errors

from cdk_redis_runtime._client.iam_token import NoAwsCredentialsError
from cdk_redis_runtime._client.secret import SecretUnavailableError
from cdk_redis_runtime._client.settings import Connection
from cdk_redis_runtime._client.sign_in import HelloCutOffError
from cdk_redis_runtime._client.wire import ConnectTimeoutError, NoAnswerError, NotAnEngineError, TlsOnlyError
from cdk_redis_runtime._smoke_test.diagnosis import FindingError, diagnose


def _tls_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


def _certificate_error(code: int, message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, message)
    error.verify_code = code
    error.verify_message = message
    return error


@pytest.mark.parametrize(
    ("error", "words", "heals"),
    [
        (socket.gaierror(-2, "Name or service not known"), "does not resolve", True),
        (ConnectionRefusedError(), "connection refused", True),
        (ConnectTimeoutError(), "security-group rule", True),
        (NoAnswerError("the TLS handshake"), "did not answer the TLS handshake", True),
        (ConnectionResetError(), "closed the connection: ", True),
        (OSError(113, "No route to host"), "No route to host", True),
        (OSError("a text only"), "cannot be reached (a text only)", True),
        (_certificate_error(62, "Hostname mismatch"), "for another host name", False),
        (_certificate_error(10, "certificate has expired"), "has expired", False),
        (_certificate_error(9, "certificate is not yet valid"), "set the clock", False),
        (_certificate_error(18, "self-signed certificate"), "does not trust", False),
        (_certificate_error(19, "self-signed certificate in chain"), "does not trust", False),
        (_certificate_error(20, "unable to get local issuer certificate"), "intermediate certificate", False),
        (_certificate_error(21, "unable to verify the first certificate"), "intermediate certificate", False),
        (_certificate_error(23, "certificate revoked"), "(certificate revoked): the certificate is not valid", False),
        (_tls_error("WRONG_VERSION_NUMBER"), "not with TLS", False),
        (_tls_error("TLSV1_ALERT_PROTOCOL_VERSION"), "nothing newer than TLS 1.1", False),
        (_tls_error("UNSUPPORTED_PROTOCOL"), "nothing newer than TLS 1.1", False),
        (_tls_error("TLSV13_ALERT_CERTIFICATE_REQUIRED"), "requires a client certificate", False),
        (_tls_error("SSLV3_ALERT_BAD_CERTIFICATE"), "requires a client certificate", False),
        (_tls_error("SSLV3_ALERT_HANDSHAKE_FAILURE"), "no cipher suite in common", False),
        (ssl.SSLError(1, "a text only"), "a text only", False),
        (_tls_error("SOMETHING_ELSE"), "the TLS handshake failed (SOMETHING_ELSE)", False),
        (ssl.SSLEOFError(8, "EOF"), "closed the connection during the TLS handshake", True),
        (redis_errors.AuthenticationError("invalid username-password pair or user is disabled."), "WRONGPASS", True),
        (ssl.SSLEOFError(8, "EOF"), "its limit of clients (maxclients)", True),
        (TlsOnlyError(), "accepts only TLS", False),
        (NotAnEngineError("HTTP/1.1 400 Bad Request"), "answers 'HTTP/1.1 400 Bad Request', which is not", False),
        (NotAnEngineError("x" * 61), f"answers '{'x' * 57}...', which", False),
        (HelloCutOffError("Connection closed by server."), "closed the connection at HELLO", True),
        (redis_errors.ResponseError("unknown command 'HELLO', with args"), "HELLO was refused", False),
        (redis_errors.ResponseError("unknown command `HELLO`, with args"), "HELLO was refused", False),
        (redis_errors.ResponseError("NOPROTO unsupported protocol version"), "HELLO was refused", False),
        (redis_errors.ResponseError("unknown command 'GET'"), "answered with an error (unknown command", False),
        (redis_errors.ConnectionError("max number of clients reached"), "refuses the connection", True),
        (redis_errors.NoPermissionError("no permissions to run the 'set' command"), "NOPERM", False),
        (redis_errors.ClusterDownError("The cluster is down"), "does not serve this slot", True),
        (redis_errors.BusyLoadingError("loading"), "LOADING", True),
        (redis_errors.MovedError("1 localhost:1"), "cluster mode is on; declare it (--cluster", False),
        (redis_errors.AskError("1 localhost:1"), "the slot is being moved to another shard", True),
        (redis_errors.TryAgainError("Multiple keys"), "the slot is being moved to another shard", True),
        (redis_errors.ClusterError("TTL exhausted."), "the slot is being moved to another shard", True),
        (redis_errors.MasterDownError("Link with MASTER is down"), "MASTERDOWN", True),
        (redis_errors.ResponseError("NOREPLICAS Not enough good replicas to write."), "min-replicas-to-write", True),
        (
            redis_errors.ResponseError("BUSY Redis is busy running a script."),
            "a script blocks all other commands",
            True,
        ),
        (redis_errors.ExecAbortError("Transaction discarded because of: NOREPLICAS Not"), "NOREPLICAS", True),
        (redis_errors.ResponseError("BUSYGROUP Consumer Group name exists"), "with an error (BUSYGROUP", False),
        (redis_errors.ConnectionError("Connection closed by server."), "the connection failed", True),
        (FindingError("the write is gone", heals=True), "the write is gone", True),
        (FindingError("another value", heals=False), "another value", False),
        (redis_errors.ReadOnlyError("read only"), "not by a node's name", True),
        (redis_errors.OutOfMemoryError("full"), "evicts nothing", False),
        (redis_errors.TimeoutError("Timeout"), "did not answer in time", True),
        (redis_errors.ResponseError("odd"), "answered with an error (odd)", False),
        (NoAwsCredentialsError("no AWS credentials"), "no AWS credentials", False),
        (SecretUnavailableError("the secret holds no password"), "no password", False),
        (KeyError("x"), "unexpected KeyError", False),
    ],
)
def test_error_is_explained(error: Exception, words: str, heals: bool) -> None:
    diagnosis = diagnose(error)
    assert words in diagnosis.reason
    assert diagnosis.heals is heals


def test_moved_slot_heals_if_cluster_mode_is_declared() -> None:
    diagnosis = diagnose(redis_errors.MovedError("1 localhost:1"), Connection("memorydb", "orders", "host", 6379))
    assert diagnosis.reason == "the slot is being moved to another shard"
    assert diagnosis.heals


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (((), ()), "no security-group rule allows this function's group on the port"),
        ((("sg-aaa",), ()), "no security-group rule allows this function's group on the port"),
        ((("sg-aaa",), ("sg-bbb",)), "no security-group rule from sg-aaa to sg-bbb on 6380"),
        ((("sg-aaa",), ("sg-bbb", "sg-ccc")), "no security-group rule from sg-aaa to sg-bbb or sg-ccc on 6380"),
    ],
)
def test_missing_rule_is_reported_with_known_security_groups(
    groups: tuple[tuple[str, ...], tuple[str, ...]], words: str
) -> None:
    ours, theirs = groups
    connection = Connection("memorydb", "orders", "host", 6380, security_groups=ours, store_security_groups=theirs)
    assert words in diagnose(ConnectTimeoutError(), connection).reason


def _wrapped(inner: Exception, outer: Exception) -> Exception:
    try:
        try:
            raise inner
        except Exception:
            raise outer  # noqa: B904 - as redis-py does it
    except Exception as error:
        return error


@pytest.mark.parametrize(
    ("inner", "outer", "words"),
    [
        (ConnectionRefusedError(), redis_errors.ConnectionError("Error 111"), "connection refused"),
        (_certificate_error(62, "Hostname mismatch"), redis_errors.ConnectionError("SSL"), "for another host name"),
        (redis_errors.ClusterDownError("down"), redis_errors.RedisClusterException("no node"), "does not serve"),
    ],
)
def test_cause_of_redis_pys_errors_is_found(inner: Exception, outer: Exception, words: str) -> None:
    assert words in diagnose(_wrapped(inner, outer)).reason


def test_answer_of_the_engine_is_preferred_to_the_context_of_the_error() -> None:
    # The answer came after the connection error that was being handled, and is more specific.
    error: Any = _wrapped(ConnectionRefusedError(), redis_errors.NoPermissionError("no permissions"))
    assert diagnose(error).reason.startswith("NOPERM")


def test_quoted_command_of_a_pipeline_is_left_out() -> None:
    said = "Command # 3 (SET cdk-redis-smoke:1 (a value\nof two lines)) of pipeline caused error: no permissions to set"
    reason = diagnose(redis_errors.NoPermissionError(said)).reason
    assert reason == "NOPERM: the user lacks a permission (no permissions to set); extend its access string"
    reason = diagnose(redis_errors.ResponseError(said)).reason
    assert reason == "the engine answered with an error (no permissions to set)"


def test_arguments_of_hello_are_left_out() -> None:
    said = "unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'smoke' 'correct-horse"
    assert "horse" not in diagnose(redis_errors.ResponseError(said)).reason
