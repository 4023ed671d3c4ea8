"""How long clients wait; docs/client-settings.md has the measurements."""

from __future__ import annotations

from dataclasses import dataclass

CONNECT_SECONDS = 0.5
"""Seconds to open a TCP connection. A primary that is cut off from the network answers no SYN, so a client connects to
the new primary only after this time. Within a VPC a connection opens in milliseconds."""

ANSWER_SECONDS = 0.5
"""Seconds to wait for an answer. A primary that hangs accepts connections and answers nothing, so only this timeout
ends the wait. A client reaches the new primary after this time, plus the time to find it and to sign in. With 0.75 s
clients took up to 0.95 s, too close to the promised second.
A command that may take longer (``BLPOP``, a long script) needs a client with longer timeouts."""

FIRST_ANSWER_SECONDS = 0.5
"""Seconds without an answer to the TLS handshake or to the sign-in of a new connection. Only silence of the store
counts, not the time for which this process computes or waits for a processor: a small function needs no more."""

RETRIES = 3
"""Retries of a connection or a command. Each retry asks the cluster again which node serves the slot. Retries hide two
of three errors of a failover from the application; they do not end the outage sooner."""


@dataclass(frozen=True)
class ClientTimeouts:
    """How long a client waits, and how often it retries.

    The defaults are for an application in the store's network. They decide how soon it works again after a failover,
    and were measured: see docs/client-settings.md.

    Attributes:
        connect: Seconds to open a TCP connection.
        answer: Seconds to wait for each answer to a command.
        retries: How often a failed connection or command is tried again; without cluster mode with backoff and jitter.
            A repeated command may run twice. With 0 no command is sent twice, in pipelines and transactions either.
        first_answer: Seconds for which the store may be silent during the TLS handshake, and during the sign-in. The
            time that this process needs does not count.
    """

    connect: float = CONNECT_SECONDS
    answer: float = ANSWER_SECONDS
    retries: int = RETRIES
    first_answer: float = FIRST_ANSWER_SECONDS
