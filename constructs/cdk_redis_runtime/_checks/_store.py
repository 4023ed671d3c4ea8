"""The store as the checks see it: reached, signed in to, and its nodes known. Each is found out once, for all."""

from __future__ import annotations

import contextlib
import secrets
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from redis import Redis
from redis.cluster import RedisCluster
from redis.credentials import CredentialProvider
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from cdk_redis_runtime import _environment as env
from cdk_redis_runtime._clock import Clock, Done, Once, UnfinishedError, side_by_side
from cdk_redis_runtime._connect import Patience, client_for, credential_provider, node_client
from cdk_redis_runtime._diagnosis import diagnose, heals
from cdk_redis_runtime._settings import Address, Connection
from cdk_redis_runtime._wire import (
    Handshake,
    PlaintextError,
    SilentError,
    ask,
    dialled,
    settled,
    verifying_context,
)

SLOTS = 16384


class PrerequisiteError(Exception):
    """What a check builds upon is not there. The check that owns it fails; every other is skipped.

    Attributes:
        owner: Name of the check that reports it.
        reason: What is wrong.
    """

    def __init__(self, owner: str, reason: str) -> None:
        """Say what is missing, and whose finding that is."""
        self.owner = owner
        self.reason = reason
        super().__init__(f"{owner}: {reason}")


@dataclass(frozen=True)
class Node:
    """One engine.

    Attributes:
        address: Where it is reached.
        client: Signs in at its first command.
    """

    address: Address
    client: Redis

    def __str__(self) -> str:
        """Its address."""
        return str(self.address)


@dataclass(frozen=True)
class Shard:
    """A primary and its replicas, with the slots that they serve.

    Attributes:
        slots: First and last slot of each range.
        primary: Takes the writes.
        replicas: The replicas that are up and in sync enough to be announced.
    """

    slots: tuple[tuple[int, int], ...]
    primary: Node
    replicas: tuple[Node, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The primary and the replicas."""
        return (self.primary, *self.replicas)

    def serves(self, slot: int) -> bool:
        """Whether a slot is this shard's."""
        return any(first <= slot <= last for first, last in self.slots)


@dataclass(frozen=True)
class Meeting:
    """What a client sees that has not signed in.

    Attributes:
        handshake: What TLS settled; None without TLS.
        anonymous: Answer to each command that was sent without signing in.
        wrong_password: Answer to a sign-in with a password that nobody has; empty where none was tried.
        error: What went wrong after the handshake.
    """

    handshake: Handshake | None
    anonymous: Mapping[str, str] = field(default_factory=dict[str, str])
    wrong_password: str = ""
    error: Exception | None = None


class Store:
    """Reaches the store at most once for all checks, and remembers what it learnt, errors included."""

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        *,
        replicas: int,
        key_prefix: str,
        credentials: CredentialProvider | None = None,
    ) -> None:
        """Keep the settings; nothing is dialled yet.

        Args:
            connection: How to connect.
            clock: The battery's budget.
            replicas: How many replicas a reader endpoint shares its connections out over.
            key_prefix: Prefix of every key that is asked for.
            credentials: How to sign in. Default: - as the connection says.
        """
        self._connection = connection
        self._replicas = replicas
        self._key_prefix = key_prefix
        self._clock = clock
        self._credentials = _Remembering.around(credentials or credential_provider(connection))
        self._patience = Patience(connect=clock.patience, answer=clock.patience, retries=0)
        self._nodes: dict[tuple[Address, int], Node] = {}
        self._meetings: dict[Address, Once[Meeting]] = {}
        self._resolved: dict[str, Once[tuple[str, ...]]] = {}
        self._lock = threading.Lock()
        self.tls_context = Once(verifying_context)
        self.endpoint = Once(self._reach_endpoint)
        """What the endpoint is to one who has not signed in. Raises `PrerequisiteError`."""
        self.shards = Once(self._sign_in_and_look)
        """The shards at the time of the first look. Raises `PrerequisiteError`."""
        self.first_infos = Once(lambda: self.infos(self.nodes))
        """INFO of each node at the time of the first look. Raises `PrerequisiteError`."""

    @property
    def secrets(self) -> frozenset[str]:
        """Every password and token used so far, which no text may contain."""
        return frozenset(self._credentials.handed_out) if self._credentials else frozenset()

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Every node of every shard. Raises `PrerequisiteError`."""
        return tuple(node for shard in self.shards() for node in shard.nodes)

    @property
    def addresses(self) -> list[Address]:
        """The endpoint, the reader endpoint, and the nodes as far as they can be known."""
        known = [self._connection.endpoint]
        if self._connection.reader:
            known.append(self._connection.reader)
        # Reported by the check that owns it; what is known can be looked at all the same.
        with contextlib.suppress(PrerequisiteError):
            known += [node.address for node in self.nodes]
        return list(dict.fromkeys(known))

    def application_client(self) -> Redis | RedisCluster:
        """A client as an application has it; a cluster client dials at once."""
        return client_for(self._connection, self._credentials, self._patience)

    def node(self, address: Address, number: int = 0) -> Node:
        """The node at an address, with the one client that all checks share.

        Args:
            address: Where it is reached.
            number: Which one, where several share an address.
        """
        with self._lock:
            if (address, number) not in self._nodes:
                client = node_client(self._connection, address, self._credentials, self._patience)
                self._nodes[address, number] = Node(address, client)
            return self._nodes[address, number]

    def resolve(self, host: str) -> tuple[str, ...]:
        """The IP addresses of a name, asked for once.

        Raises:
            OSError: It has none.
            UnfinishedError: The resolver does not answer.
        """
        with self._lock:
            once = self._resolved.setdefault(host, Once(lambda: self._clock.in_time(lambda: self._ask_resolver(host))))
        return once()

    def meet(self, address: Address) -> Meeting:
        """See what an address is to one who has not signed in, once for all checks.

        Raises:
            Exception: What `dialled` does, or `PlaintextError`.
        """
        with self._lock:
            once = self._meetings.setdefault(
                address, Once(lambda: self._clock.retry(lambda: self._introduce(address), heals))
            )
        return once()

    def infos(self, nodes: Sequence[Node]) -> list[Done[Node, dict[str, Any]]]:
        """Ask nodes for all that INFO says, side by side."""
        return side_by_side(lambda node: node.client.info(), nodes, self._clock.remaining_for_checks)

    def sign_in(self, node: Node) -> str | None:
        """Sign in to a node, and ask who that made us, again while that may heal; see `who_am_i`."""
        return self._clock.retry(lambda: self.who_am_i(node), _sign_in_heals)

    def who_am_i(self, node: Node) -> str | None:
        """Sign in to a node, and ask who that made us.

        Returns:
            The user's name; None where there is none, or the user may not ask: to be refused a command one has to be
            signed in.

        Raises:
            RedisError: No connection, or no sign-in.
        """
        if self._connection.user is None:
            node.client.ping()
            return None
        try:
            return str(node.client.execute_command("ACL WHOAMI"))
        except NoPermissionError:
            return None

    def look(self) -> tuple[Shard, ...]:
        """Ask the endpoint for the shards, as they are now.

        Raises:
            RedisError: The endpoint does not say.
        """
        endpoint = self.node(self._connection.endpoint)
        if self._connection.cluster_mode:
            answer: Any = endpoint.client.execute_command("CLUSTER SLOTS")
            return self._parse_slots(answer)
        # A reader endpoint leads each connection to one of the replicas: as many connections will meet most of them.
        reader = self._connection.reader
        replicas = [self.node(reader, number) for number in range(self._replicas)] if reader else []
        return (Shard(((0, SLOTS - 1),), endpoint, tuple(replicas)),)

    def close(self) -> None:
        """Hang up everywhere, which also ends what is still waiting for an answer."""
        with self._lock:
            for node in self._nodes.values():
                node.client.close()

    def _reach_endpoint(self) -> Meeting:
        endpoint = self._connection.endpoint
        try:
            self.resolve(endpoint.host)
        except Exception as error:
            raise PrerequisiteError("dns", f"{endpoint.host}: {explain_resolution(error)}") from error
        try:
            return self.meet(endpoint)
        except Exception as error:
            # Without TLS there is no such check, and not getting through is the sign-in's finding.
            owner = "tls" if self._connection.tls else "auth"
            raise PrerequisiteError(owner, f"{endpoint}: {diagnose(error).reason}") from error

    def _ask_resolver(self, host: str) -> tuple[str, ...]:
        def ask_once() -> tuple[str, ...]:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))

        return self._clock.retry(ask_once, heals)

    def _introduce(self, address: Address) -> Meeting:
        seconds = self._clock.patience
        trust = self.tls_context() if self._connection.tls else None
        try:
            with dialled(address, seconds, trust) as connection:
                done = settled(connection) if isinstance(connection, ssl.SSLSocket) else None
                if self._connection.authentication == env.AUTHENTICATION_NONE:
                    return Meeting(done)
                return self._ask_as_stranger(connection, done)
        except SilentError:
            # An engine without TLS takes the handshake for the beginning of a long command, and waits for the rest.
            with contextlib.suppress(SilentError):
                if answers_in_plaintext(address, seconds):
                    raise PlaintextError from None
            raise

    def _ask_as_stranger(self, connection: socket.socket, done: Handshake | None) -> Meeting:
        try:
            anonymous = {words[0]: ask(connection, *words) for words in (("PING",), ("GET", f"{self._key_prefix}0"))}
            # Last: it might let us in.
            wrong = ask(connection, "AUTH", self._connection.user or "", secrets.token_hex(24))
        except SilentError as error:
            return Meeting(done, error=error)
        return Meeting(done, anonymous, wrong)

    def _sign_in_and_look(self) -> tuple[Shard, ...]:
        self.endpoint()
        endpoint = self.node(self._connection.endpoint)
        try:
            self._clock.in_time(lambda: self.sign_in(endpoint))
        except Exception as error:
            raise PrerequisiteError("auth", self.explain_sign_in(endpoint.address, error)) from error
        try:
            shards = self._clock.in_time(lambda: self._clock.retry(self.look, heals))
        except (RedisError, UnfinishedError) as error:
            raise PrerequisiteError(
                "topology", f"{endpoint}: the shards cannot be asked for: {diagnose(error).reason}"
            ) from error
        if not shards:
            raise PrerequisiteError("topology", "no shard serves any of the 16,384 slots")
        return shards

    def explain_sign_in(self, address: Address, error: Exception) -> str:
        """Why a sign-in failed, and what to look at for this kind of authentication."""
        reason = f"{address}: {diagnose(error).reason}"
        if not any(isinstance(cause, AuthenticationError) for cause in (error, error.__cause__)):
            return reason
        if self._connection.authentication == env.AUTHENTICATION_IAM:
            service = self._connection.service
            return (
                f"{reason}; check that user {self._connection.user!r} is an IAM user in the store's access list, that "
                f"the role is allowed {service}:Connect on both the store's and the user's ARN, and that the token's "
                f"store {self._connection.store!r} and Region {self._connection.region!r} are the store's own, and "
                "that this machine's clock is right: a token is good for 15 minutes"
            )
        if self._connection.authentication == env.AUTHENTICATION_PASSWORD:
            return f"{reason}; check that the secret holds the password that user {self._connection.user!r} has now"
        return f"{reason}; the store was declared without authentication and has some"

    def _parse_slots(self, answer: Sequence[Sequence[Any]]) -> tuple[Shard, ...]:
        ranges: dict[Address, list[tuple[int, int]]] = {}
        members: dict[Address, tuple[Address, ...]] = {}
        for first, last, *nodes in answer:
            addresses = tuple(self._announced(node) for node in nodes)
            ranges.setdefault(addresses[0], []).append((int(first), int(last)))
            members[addresses[0]] = addresses
        return tuple(
            Shard(tuple(sorted(slots)), self.node(primary), tuple(self.node(other) for other in members[primary][1:]))
            for primary, slots in sorted(ranges.items(), key=lambda entry: min(entry[1]))
        )

    def _announced(self, node: Sequence[Any]) -> Address:
        # A node that does not know its own name says nothing, or "?": it is where the answer came from.
        host = node[0] if node[0] not in (None, "", "?") else self._connection.host
        return Address(str(host), int(node[1]))


def _sign_in_heals(error: Exception) -> bool:
    # A user that was just made, or just put into the store's list, is refused until the news has come to every node.
    return heals(error) or any(isinstance(cause, AuthenticationError) for cause in (error, error.__cause__))


class _Remembering(CredentialProvider):
    """Hands on credentials, and remembers the secret half, so that it can be kept out of every text."""

    def __init__(self, provider: CredentialProvider) -> None:
        self._provider = provider
        self.handed_out: set[str] = set()

    @classmethod
    def around(cls, provider: CredentialProvider | None) -> _Remembering | None:
        return cls(provider) if provider else None

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        credentials = self._provider.get_credentials()
        self.handed_out.add(credentials[-1])
        return credentials


def ask_at_once(node: Node, commands: Iterable[tuple[str, ...]]) -> list[Any]:
    """Send commands over one connection in one round trip.

    Returns:
        One answer a command; an error that the engine answered with is among them, not raised.
    """
    with node.client.pipeline(transaction=False) as pipeline:
        for command in commands:
            pipeline.execute_command(*command)
        return pipeline.execute(raise_on_error=False)


def explain_resolution(error: Exception) -> str:
    """Why a name has no address."""
    if isinstance(error, UnfinishedError):
        return "the resolver does not answer: check that DNS support is on in the VPC"
    return diagnose(error).reason


def answers_in_plaintext(address: Address, seconds: float) -> bool:
    """Whether an engine speaks at an address without TLS. Raises what `dialled` and `ask` do."""
    with dialled(address, seconds, None) as connection:
        answer = ask(connection, "PING")
        return looks_like_an_answer(answer)


def looks_like_an_answer(line: str, kinds: Iterable[str] = "+-$:*_") -> bool:
    """Whether a line is one that an engine would send; a TLS alert is not."""
    return line[:1] in tuple(kinds) and line.isprintable()
