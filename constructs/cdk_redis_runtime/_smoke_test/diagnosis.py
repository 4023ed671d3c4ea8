"""What an error means: in plain words, with the likely cause and the next step, and whether it may heal by itself.

What heals here is tried again by the battery, for every check alike; a check itself tries nothing again.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from dataclasses import dataclass

from redis import exceptions as redis_errors

from cdk_redis_runtime._client.iam_token import NoAwsCredentialsError
from cdk_redis_runtime._client.pool import HelloCutOffError
from cdk_redis_runtime._client.secret import SecretUnavailableError
from cdk_redis_runtime._client.settings import Connection
from cdk_redis_runtime._client.wire import NotAnEngineError, PlaintextError, SilentError, TlsOnlyError, UnreachedError
from cdk_redis_runtime._smoke_test.clock import UnfinishedError

_NO_ANSWER = "did not answer in time: the engine hangs, is overloaded or answers very slowly, or cannot be reached"
_MAXCLIENTS = (
    "has as many clients as it may (maxclients): look for clients that open connections and keep them (metric "
    "CurrConnections)"
)
_HELLO = (
    "redis-py begins each connection with HELLO, which engines since Redis 6.0 know: the engine is older, or a proxy "
    "between does not pass it on; connect to the store itself"
)
_LONGEST_QUOTE = 60
_QUOTE_OF_PIPELINE = re.compile(r"^Command # \d+ \(.*\) of pipeline caused error: ", re.DOTALL)


class FindingError(Exception):
    """What a check found wrong while it had no error to show for it.

    Attributes:
        heals: Whether it may go away by itself soon after a deploy.
    """

    def __init__(self, words: str, *, heals: bool) -> None:
        """Say what is wrong, in the words of the report."""
        self.heals = heals
        super().__init__(words)


@dataclass(frozen=True)
class Diagnosis:
    """An error, understood.

    Attributes:
        reason: What happened, why it probably did, what to do.
        heals: Whether it may go away by itself soon after a deploy.
    """

    reason: str
    heals: bool = False


def diagnose(
    error: BaseException, connection: Connection | None = None, *, endpoint_answers: bool = False
) -> Diagnosis:
    """Put an error into words.

    Args:
        error: From a socket, from TLS, from redis-py or from ours. redis-py wraps the errors of sockets, so the
            error's causes are looked at too.
        connection: What was dialled; its security groups are then named. Default: - the words stay general.
        endpoint_answers: Whether the store's endpoint answers, and the error is one of its nodes.
    """
    if any(isinstance(cause, HelloCutOffError) for cause in _causes(error)):
        return Diagnosis(f"hung up at HELLO: the engine is restarting, or does not take it; {_HELLO}", heals=True)
    for cause in _causes(error):
        if isinstance(cause, UnreachedError):
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


# Answers that redis-py has no class of its own for, by the code that they begin with. In a transaction EXEC answers
# EXECABORT and quotes them.
_HEALING_ANSWERS = {
    "NOREPLICAS": "too few replicas are in sync for the engine to take writes (NOREPLICAS, min-replicas-to-write): a "
    "replica is down, still copying, or its link to the primary is down",
    "BUSY": "the engine is busy with a script and answers nothing else (BUSY): end it with SCRIPT KILL or "
    "FUNCTION KILL, or wait for its end",
    "UNBLOCKED": "the node became a replica while it worked on the command (UNBLOCKED): a failover is under way",
}


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what led to it, the innermost first: it knows most."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    # An error that several checks wait for is raised in each of them, and may so become its own context.
    while cause is not None and cause not in chain:
        chain.append(cause)
        if isinstance(cause, (redis_errors.ResponseError, redis_errors.AuthenticationError)):
            # The engine has spoken; an error that was being handled when it did is another story.
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
            f"answers {_shortened(error.answer)!r}, as no engine does: another server listens there; "
            "look at host and port"
        )
    if isinstance(error, TlsOnlyError):
        return Diagnosis(
            "speaks TLS only, and was spoken to without: declare encryption in transit, or leave --no-tls out"
        )
    if isinstance(error, PlaintextError):
        return Diagnosis("answers in plaintext only: encryption in transit is off, or the port is wrong")
    if isinstance(error, SilentError):
        return Diagnosis(
            f"accepted the connection and did not answer {error.while_doing} in time: the engine hangs, is overloaded "
            "or answers very slowly, or something else listens on the port; see the engine log",
            heals=True,
        )
    return None


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 3] + "..."


_UNREACHED_NODE = Diagnosis(
    "connection timed out, while the store's endpoint answers, which has the same security groups: the node is down or "
    "hangs, or a route or a network ACL keeps its subnet away",
    heals=True,
)


def _unreached(connection: Connection | None) -> Diagnosis:
    if connection and connection.security_groups and connection.store_security_groups:
        # A rule between any two of them would do.
        ours, theirs = " or ".join(connection.security_groups), " or ".join(connection.store_security_groups)
        rule = f"no security-group rule from {ours} to {theirs} on {connection.port}"
    else:
        rule = "no security-group rule lets this function's group in on the port"
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
        # An engine that has no room for another client closes the connection before TLS begins, and says nothing.
        return Diagnosis(f"hung up during the TLS handshake: the engine is restarting, or {_MAXCLIENTS}", heals=True)
    if isinstance(error, ssl.SSLError):
        # One that Python raised by itself has none.
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
            "of its chain, another server answers, or SSL_CERT_FILE names a file without its authority; what it sends "
            "is shown by openssl s_client -showcerts"
        )
    return "the certificate is not valid"


def _handshake(name: str, error: ssl.SSLError) -> Diagnosis:
    if ("PROTOCOL" in name and "VERSION" in name) or name in ("UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE"):
        return Diagnosis(f"offers nothing newer than TLS 1.1 ({name}); TLS 1.2 is the least that is accepted")
    if name in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"):
        return Diagnosis(f"answers, but not in TLS ({name}): encryption in transit is off, or the port is wrong")
    # TLS 1.3 has a word for it; a server of TLS 1.2 says no more than that it will not.
    if name.endswith(("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE")):
        return Diagnosis(
            f"demands a certificate of the client ({name}), which ElastiCache and MemoryDB never do: another server "
            "answers, or a proxy; connect to the store itself, or let the server do without (tls-auth-clients no)"
        )
    if name.endswith("HANDSHAKE_FAILURE"):
        return Diagnosis(
            f"refuses the TLS handshake ({name}): it has no cipher suite in common with this machine, or demands a "
            "certificate of the client, which ElastiCache and MemoryDB never do; see the server's log"
        )
    return Diagnosis(f"the TLS handshake failed ({name or error}); see the server's log")


def _network(error: BaseException) -> Diagnosis | None:
    if isinstance(error, socket.gaierror):
        # "Try again" is what the resolver says when no name server answers it.
        return Diagnosis(
            f"the host name does not resolve ({error.strerror}): check the name, and that DNS support is on in the VPC",
            heals=True,
        )
    if isinstance(error, ConnectionRefusedError):
        return Diagnosis("connection refused: no engine listens there; it is down, or the port is wrong", heals=True)
    if isinstance(error, (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)):
        return Diagnosis("hung up: the engine is restarting or failing over", heals=True)
    if isinstance(error, TimeoutError):
        return Diagnosis(_NO_ANSWER, heals=True)
    if isinstance(error, OSError):
        return Diagnosis(f"cannot be reached ({error.strerror or error}): check routes and network ACLs", heals=True)
    return None


def _engine(error: BaseException, connection: Connection | None) -> Diagnosis | None:
    # redis-py quotes the command that a pipeline failed at, with its keys and values.
    text = _QUOTE_OF_PIPELINE.sub("", str(error)).rstrip(".")
    if isinstance(error, redis_errors.AuthenticationError):
        # redis-py takes the code away from the engine's words; it is what the services' documentation speaks of.
        code = "WRONGPASS: " if "username-password" in text else ""
        # A user that was just made, or just put into the store's list, is refused until every node has the news.
        return Diagnosis(f"{code}the store refuses to sign the user in ({text})", heals=True)
    if isinstance(error, redis_errors.NoPermissionError):
        return Diagnosis(f"NOPERM: the user may not do this ({text}); extend its access string")
    if found := _not_serving(error, text) or _elsewhere(error, connection):
        return found
    if isinstance(error, redis_errors.OutOfMemoryError):
        return Diagnosis("the memory is full and the policy evicts nothing (OOM): raise the node type or the policy")
    if isinstance(error, redis_errors.TimeoutError):
        return Diagnosis(_NO_ANSWER, heals=True)
    if isinstance(error, redis_errors.ConnectionError) and "max number of clients" in text:
        return Diagnosis(f"refuses the connection: the engine {_MAXCLIENTS}", heals=True)
    if isinstance(error, redis_errors.ConnectionError):
        return Diagnosis(f"the connection failed ({text})", heals=True)
    if isinstance(error, redis_errors.ResponseError) and "EXEC without MULTI" in text:
        # redis-py sends both at once, and raises the second error.
        return Diagnosis("NOPERM: the user may not do this (MULTI was refused); extend its access string")
    if isinstance(error, redis_errors.ResponseError) and _refuses_hello(text):
        return Diagnosis(f"HELLO was refused: {_HELLO}")
    if isinstance(error, redis_errors.ResponseError):
        return Diagnosis(f"the engine answered with an error ({text})")
    return None


def _not_serving(error: BaseException, text: str) -> Diagnosis | None:
    """A node or a cluster that does not serve at the moment."""
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
    """A slot that another shard serves, or is about to."""
    if isinstance(error, redis_errors.MovedError) and (connection is None or not connection.cluster_mode):
        return Diagnosis(
            "the slot belongs to another shard (MOVED): a store in cluster mode has to be declared so, which --cluster "
            "does for the command"
        )
    # A cluster client that was sent from shard to shard too often gives up with a ClusterError.
    if isinstance(error, (redis_errors.AskError, redis_errors.TryAgainError, redis_errors.ClusterError)):
        return Diagnosis("the slot is on its way to another shard", heals=True)
    return None


def _refuses_hello(text: str) -> bool:
    # What follows the name of an unknown command is an echo of its arguments, the password among them.
    return text.startswith("NOPROTO") or re.match(r"(ERR )?unknown command\W+HELLO\b", text, re.IGNORECASE) is not None
