"""The store as the checks see it: reached, signed in to, and its nodes known. Each is found out once, for all."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.cluster import RedisCluster
from redis.credentials import CredentialProvider
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from cdk_redis_runtime import _environment as env
from cdk_redis_runtime._clock import Clock, Once
from cdk_redis_runtime._connect import Patience, client_for, credential_provider, node_client
from cdk_redis_runtime._diagnosis import diagnose, heals
from cdk_redis_runtime._settings import Address, Connection
from cdk_redis_runtime._wire import Handshake, SilentError, ask, dialled, handshake, verifying_context

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


class Store:
    """Reaches the store at most once for all checks, and remembers what it learnt, errors included."""

    def __init__(
        self, connection: Connection, clock: Clock, *, replicas: int, credentials: CredentialProvider | None = None
    ) -> None:
        """Keep the settings; nothing is dialled yet.

        Args:
            connection: How to connect.
            clock: The battery's budget.
            replicas: How many replicas a reader endpoint shares its connections out over.
            credentials: How to sign in. Default: - as the connection says.
        """
        self._connection = connection
        self._replicas = replicas
        self._clock = clock
        self._credentials = _Remembering.around(credentials or credential_provider(connection))
        self._patience = Patience(connect=clock.patience, answer=clock.patience, retries=0)
        self._nodes: dict[tuple[Address, int], Node] = {}
        self._lock = threading.Lock()
        self.tls_context = Once(verifying_context)
        self.endpoint = Once(self._reach_endpoint)
        """Handshake with the endpoint, or None without TLS. Raises `PrerequisiteError`."""
        self.shards = Once(self._sign_in_and_look)
        """The shards at the time of the first look. Raises `PrerequisiteError`."""

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

    def _reach_endpoint(self) -> Handshake | None:
        # Without TLS there is no such check, and not getting through is the sign-in's finding.
        owner = "tls" if self._connection.tls else "auth"
        try:
            return self._clock.retry(self._dial_endpoint, heals)
        except PrerequisiteError:
            raise
        except Exception as error:
            raise PrerequisiteError(owner, f"{self._connection.endpoint}: {diagnose(error).reason}") from error

    def _dial_endpoint(self) -> Handshake | None:
        endpoint = self._connection.endpoint
        if not self._connection.tls:
            with dialled(endpoint, self._clock.patience, None):
                return None
        try:
            return handshake(endpoint, self._clock.patience, self.tls_context())
        except SilentError:
            # An engine without TLS takes the handshake for the beginning of a long command, and waits for the rest.
            if answers_in_plaintext(endpoint, self._clock.patience):
                raise PrerequisiteError(
                    "tls", f"{endpoint}: answers in plaintext only: encryption in transit is off, or the port is wrong"
                ) from None
            raise

    def _sign_in_and_look(self) -> tuple[Shard, ...]:
        self.endpoint()
        endpoint = self.node(self._connection.endpoint)
        try:
            self._clock.retry(lambda: self.who_am_i(endpoint), heals)
        except Exception as error:
            raise PrerequisiteError("auth", self.explain_sign_in(endpoint.address, error)) from error
        try:
            shards = self._clock.retry(self.look, heals)
        except RedisError as error:
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
                f"store {self._connection.store!r} and Region {self._connection.region!r} are the store's own"
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


def answers_in_plaintext(address: Address, seconds: float) -> bool:
    """Whether an engine speaks at an address without TLS. Raises what `dialled` does."""
    with dialled(address, seconds, None) as connection:
        try:
            answer = ask(connection, "PING")
        except SilentError:
            return False
        return looks_like_an_answer(answer)


def looks_like_an_answer(line: str, kinds: Iterable[str] = "+-$:*_") -> bool:
    """Whether a line is one that an engine would send; a TLS alert is not."""
    return line[:1] in tuple(kinds) and line.isprintable()
