"""Explains errors: what happened, the likely cause, what to do, and whether it may heal by itself.

The smoke test tries a check again if its error may heal; a check itself tries nothing again.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from dataclasses import dataclass

from redis import exceptions as redis_errors

from cdk_redis_runtime._client.iam_token import NoAwsCredentialsError
from cdk_redis_runtime._client.secret import SecretUnavailableError
from cdk_redis_runtime._client.settings import Connection
from cdk_redis_runtime._client.sign_in import HelloCutOffError
from cdk_redis_runtime._client.wire import (
    ConnectTimeoutError,
    NoAnswerError,
    NotAnEngineError,
    PlaintextError,
    TlsOnlyError,
)
from cdk_redis_runtime._smoke_test.clock import UnfinishedError

_NO_ANSWER = "did not answer in time: the engine hangs, is overloaded or answers very slowly, or cannot be reached"
_MAXCLIENTS = (
    "has reached its limit of clients (maxclients): look for clients that do not close their connections (metric "
    "CurrConnections)"
)
_HELLO = (
    "redis-py begins each connection with HELLO, which needs Redis 6.0 or newer: the engine is older, or a proxy in "
    "between does not forward it; connect to the store directly"
)
_LONGEST_QUOTE = 60
_QUOTE_OF_PIPELINE = re.compile(r"^Command # \d+ \(.*\) of pipeline caused error: ", re.DOTALL)


class FindingError(Exception):
    """A problem that a check found without an error from the store.

    Attributes:
        heals: Whether it may go away by itself soon after a deploy.
    """

    def __init__(self, words: str, *, heals: bool) -> None:
        """Describe the problem in the words of the report."""
        self.heals = heals
        super().__init__(words)


@dataclass(frozen=True)
class Diagnosis:
    """The explanation of an error.

    Attributes:
        reason: What happened, the likely cause, what to do.
        heals: Whether it may go away by itself soon after a deploy.
    """

    reason: str
    heals: bool = False


def diagnose(
    error: BaseException, connection: Connection | None = None, *, endpoint_answers: bool = False
) -> Diagnosis:
    """Explain an error.

    Args:
        error: From a socket, TLS, redis-py or this package. redis-py wraps the errors of sockets, so the causes of the
            error are looked at, too.
        connection: How the store was connected to, to name its security groups. Default: - they are not named.
        endpoint_answers: Whether the store's endpoint answers, and the error is that of one of its nodes.
    """
    if any(isinstance(cause, HelloCutOffError) for cause in _causes(error)):
        return Diagnosis(
            f"closed the connection at HELLO: the engine is restarting, or does not support it; {_HELLO}", heals=True
        )
    for cause in _causes(error):
        if isinstance(cause, ConnectTimeoutError):
            return _UNREACHED_NODE if endpoint_answers else _unreached(connection)
        for explain in (_own, _tls, _network):
            if found := explain(cause):
                return found
    for cause in _causes(error):
        if found := _engine(cause, connection):
            return found
    return Diagnosis(f"unexpected {type(error).__name__}: {error}")


def heals(error: BaseException, connection: Connection | None = None) -> bool:
    """Whether an error may go away by itself soon after a deploy; see `diagnose`."""
    return diagnose(error, connection).heals


# Answers without their own class in redis-py, by the code that they begin with. In a transaction EXEC answers EXECABORT
# and quotes them.
_HEALING_ANSWERS = {
    "NOREPLICAS": "too few replicas are in sync for the engine to take writes (NOREPLICAS, min-replicas-to-write): a "
    "replica is down, still copying, or its link to the primary is down",
    "BUSY": "a script blocks all other commands (BUSY): stop it with SCRIPT KILL or FUNCTION KILL, or wait until it "
    "ends",
    "UNBLOCKED": "the node became a replica during the command (UNBLOCKED): a failover is under way",
}


def _causes(error: BaseException) -> list[BaseException]:
    """The error and its causes, the innermost first: it is the most specific one."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    # An error that several checks wait for is raised in each of them, and so may become its own context.
    while cause is not None and cause not in chain:
        chain.append(cause)
        if isinstance(cause, (redis_errors.ResponseError, redis_errors.AuthenticationError)):
            # The engine answered; an error that was being handled at that time is not the cause.
            break
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return chain[::-1]


def _own(error: BaseException) -> Diagnosis | None:
    if isinstance(error, (NoAwsCredentialsError, SecretUnavailableError)):
        return Diagnosis(str(error))
    if isinstance(error, FindingError):
        return Diagnosis(str(error), heals=error.heals)
    if isinstance(error, UnfinishedError):
        return Diagnosis(
            "did not finish its answer in time: the engine hangs, is overloaded or answers very slowly; "
            "see the engine log"
        )
    if isinstance(error, NotAnEngineError):
        return Diagnosis(
            f"answers {_shortened(error.answer)!r}, which is not an engine's answer: another server listens there; "
            "check host and port"
        )
    if isinstance(error, TlsOnlyError):
        return Diagnosis(
            "accepts only TLS, but was contacted without: declare encryption in transit, or remove --no-tls"
        )
    if isinstance(error, PlaintextError):
        return Diagnosis("answers only without TLS: encryption in transit is off, or the port is wrong")
    if isinstance(error, NoAnswerError):
        return Diagnosis(
            f"accepted the connection and did not answer {error.while_doing} in time: the engine hangs, is overloaded "
            "or answers very slowly, or something else listens on the port; see the engine log",
            heals=True,
        )
    return None


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 3] + "..."


_UNREACHED_NODE = Diagnosis(
    "connection timed out, but the store's endpoint answers, which has the same security groups: the node is down or "
    "hangs, or a route or a network ACL blocks its subnet",
    heals=True,
)


def _unreached(connection: Connection | None) -> Diagnosis:
    if connection and connection.security_groups and connection.store_security_groups:
        # A rule between any two of them is enough.
        ours, theirs = " or ".join(connection.security_groups), " or ".join(connection.store_security_groups)
        rule = f"no security-group rule from {ours} to {theirs} on {connection.port}"
    else:
        rule = "no security-group rule allows this function's group on the port"
    return Diagnosis(f"connection timed out: most likely {rule}, or the subnets have no route to the store", heals=True)


# Numbers of OpenSSL's x509_vfy.h.
_NOT_YET_VALID = 9
_EXPIRED = 10
_SELF_SIGNED = (18, 19)
_ISSUER_UNKNOWN = (2, 20, 21)
_OTHER_NAME = (62, 64)


def _tls(error: BaseException) -> Diagnosis | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Diagnosis(f"CERTIFICATE_VERIFY_FAILED ({error.verify_message}): {_certificate(error.verify_code)}")
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        # An engine at its limit of clients closes the connection before TLS begins, without an error.
        return Diagnosis(
            f"closed the connection during the TLS handshake: the engine is restarting, or {_MAXCLIENTS}", heals=True
        )
    if isinstance(error, ssl.SSLError):
        # An error that Python itself raised has no reason.
        return _handshake(str(getattr(error, "reason", None) or ""), error)
    return None


def _certificate(verify_code: int) -> str:
    clock = f"this machine's clock says {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC"
    if verify_code in _OTHER_NAME:
        return "the certificate is for another host name; connect by the name that AWS gives"
    if verify_code == _NOT_YET_VALID:
        return f"the certificate is not valid yet: {clock}; set the clock, or wait until the certificate begins"
    if verify_code == _EXPIRED:
        return f"the certificate has expired, or the clock is wrong: {clock}; set the clock, or renew the certificate"
    if verify_code in _SELF_SIGNED:
        return (
            "the certificate is from an authority that this machine does not trust: another server answers, or "
            "SSL_CERT_FILE names a file without that authority"
        )
    if verify_code in _ISSUER_UNKNOWN:
        return (
            "no trusted authority is known for the certificate: the server does not send the intermediate certificate "
            "of its chain, another server answers, or SSL_CERT_FILE names a file without its authority; openssl "
            "s_client -showcerts shows what it sends"
        )
    return "the certificate is not valid"


def _handshake(name: str, error: ssl.SSLError) -> Diagnosis:
    if ("PROTOCOL" in name and "VERSION" in name) or name in ("UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE"):
        return Diagnosis(f"offers nothing newer than TLS 1.1 ({name}); TLS 1.2 or newer is required")
    if name in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"):
        return Diagnosis(f"answers, but not with TLS ({name}): encryption in transit is off, or the port is wrong")
    # TLS 1.3 has an alert for it; a server of TLS 1.2 sends only handshake_failure.
    if name.endswith(("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE")):
        return Diagnosis(
            f"requires a client certificate ({name}), which ElastiCache and MemoryDB never do: another server or a "
            "proxy answers; connect to the store directly, or set tls-auth-clients no on the server"
        )
    if name.endswith("HANDSHAKE_FAILURE"):
        return Diagnosis(
            f"refuses the TLS handshake ({name}): it has no cipher suite in common with this machine, or requires "
            "a client certificate, which ElastiCache and MemoryDB never do; see the server's log"
        )
    return Diagnosis(f"the TLS handshake failed ({name or error}); see the server's log")


def _network(error: BaseException) -> Diagnosis | None:
    if isinstance(error, socket.gaierror):
        # The resolver reports "try again" if no name server answers.
        return Diagnosis(
            f"the host name does not resolve ({error.strerror}): check the name, and that DNS support is on in the VPC",
            heals=True,
        )
    if isinstance(error, ConnectionRefusedError):
        return Diagnosis("connection refused: no engine listens there; it is down, or the port is wrong", heals=True)
    if isinstance(error, (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)):
        return Diagnosis("closed the connection: the engine is restarting or failing over", heals=True)
    if isinstance(error, TimeoutError):
        return Diagnosis(_NO_ANSWER, heals=True)
    if isinstance(error, OSError):
        return Diagnosis(f"cannot be reached ({error.strerror or error}): check routes and network ACLs", heals=True)
    return None


def _engine(error: BaseException, connection: Connection | None) -> Diagnosis | None:
    # redis-py quotes the command that a pipeline failed at, with its keys and values.
    text = _QUOTE_OF_PIPELINE.sub("", str(error)).rstrip(".")
    if isinstance(error, redis_errors.AuthenticationError):
        # redis-py removes the code from the engine's answer; the services' documentation names it.
        code = "WRONGPASS: " if "username-password" in text else ""
        # A user that was just created, or just added to the store's list, is refused until it has reached every node.
        return Diagnosis(f"{code}the store refused the sign-in ({text})", heals=True)
    if isinstance(error, redis_errors.NoPermissionError):
        return Diagnosis(f"NOPERM: the user lacks a permission ({text}); extend its access string")
    if found := _not_serving(error, text) or _elsewhere(error, connection):
        return found
    if isinstance(error, redis_errors.OutOfMemoryError):
        return Diagnosis(
            "memory is full and the maxmemory-policy evicts nothing (OOM): use a larger node type or another policy"
        )
    if isinstance(error, redis_errors.TimeoutError):
        return Diagnosis(_NO_ANSWER, heals=True)
    if isinstance(error, redis_errors.ConnectionError) and "max number of clients" in text:
        return Diagnosis(f"refuses the connection: the engine {_MAXCLIENTS}", heals=True)
    if isinstance(error, redis_errors.ConnectionError):
        return Diagnosis(f"the connection failed ({text})", heals=True)
    if isinstance(error, redis_errors.ResponseError) and "EXEC without MULTI" in text:
        # redis-py sends both together, and raises the second error.
        return Diagnosis("NOPERM: the user lacks a permission (MULTI was refused); extend its access string")
    if isinstance(error, redis_errors.ResponseError) and _refuses_hello(text):
        return Diagnosis(f"HELLO was refused: {_HELLO}")
    if isinstance(error, redis_errors.ResponseError):
        return Diagnosis(f"the engine answered with an error ({text})")
    return None


def _not_serving(error: BaseException, text: str) -> Diagnosis | None:
    """A node or a cluster that does not serve the slot at the moment."""
    if isinstance(error, redis_errors.BusyLoadingError):
        return Diagnosis("the engine is still loading its data (LOADING)", heals=True)
    if isinstance(error, redis_errors.MasterDownError):
        return Diagnosis("the replica has lost its primary (MASTERDOWN)", heals=True)
    if isinstance(error, redis_errors.ReadOnlyError):
        return Diagnosis(
            "the node is a replica and refuses writes (READONLY): a failover is not over, or the name leads to a "
            "former primary; connect by the primary or configuration endpoint, not by a node's name",
            heals=True,
        )
    if isinstance(error, redis_errors.ClusterDownError):
        return Diagnosis(
            f"the cluster does not serve this slot ({text}): slots without a shard, or a shard that is down", heals=True
        )
    if isinstance(error, redis_errors.SlotNotCoveredError):
        return Diagnosis("no shard serves this slot; see topology", heals=True)
    if isinstance(error, redis_errors.ResponseError):
        words = text.replace(":", " ").split()
        return next((Diagnosis(_HEALING_ANSWERS[word], heals=True) for word in words if word in _HEALING_ANSWERS), None)
    return None


def _elsewhere(error: BaseException, connection: Connection | None) -> Diagnosis | None:
    """A slot that another shard serves, or will serve soon."""
    if isinstance(error, redis_errors.MovedError) and (connection is None or not connection.cluster_mode):
        return Diagnosis(
            "the slot belongs to another shard (MOVED): cluster mode is on; declare it (--cluster on the command line)"
        )
    # A cluster client that is redirected too often raises a ClusterError.
    if isinstance(error, (redis_errors.AskError, redis_errors.TryAgainError, redis_errors.ClusterError)):
        return Diagnosis("the slot is being moved to another shard", heals=True)
    return None


def _refuses_hello(text: str) -> bool:
    # The engine repeats the arguments of an unknown command in its answer, the password among them.
    return text.startswith("NOPROTO") or re.match(r"(ERR )?unknown command\W+HELLO\b", text, re.IGNORECASE) is not None
