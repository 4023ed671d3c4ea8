"""The store as the checks see it: reached, signed in to, and its nodes known. Each is found out once, for all."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from redis import Redis
from redis.cluster import RedisCluster
from redis.credentials import CredentialProvider
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError

from cdk_redis_runtime import _environment as env
from cdk_redis_runtime._checks._cluster_client import known_commands_client
from cdk_redis_runtime._checks._nodes import SLOTS, Command, Node, Shard, Visit, ask_at_once
from cdk_redis_runtime._checks._stranger import Meeting, meet
from cdk_redis_runtime._clock import Clock, Done, Once, Tally, UnfinishedError, side_by_side, tallied
from cdk_redis_runtime._connect import Patience, credential_provider, node_client
from cdk_redis_runtime._diagnosis import diagnose, heals
from cdk_redis_runtime._pool import frugal_pool_class
from cdk_redis_runtime._settings import Address, Connection
from cdk_redis_runtime._wire import verifying_context

T = TypeVar("T")
Item = TypeVar("Item")

# Not all at once: engines before 7.0 take one section a command, and "everything" is ten times as long.
_INFO: tuple[Command, ...] = (("INFO", "server"), ("INFO", "memory"), ("INFO", "replication"))


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


class Store:
    """Reaches the store at most once for all checks, and remembers what it learnt, errors included."""

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        *,
        replicas: int,
        key: str,
        probes: Sequence[Command] = (),
        credentials: CredentialProvider | None = None,
    ) -> None:
        """Keep the settings; nothing is dialled yet.

        Args:
            connection: How to connect.
            clock: The battery's budget.
            replicas: How many replicas a reader endpoint shares its connections out over.
            key: What is asked for without signing in.
            probes: Commands that each node is asked when it is visited first. Default: - none.
            credentials: How to sign in. Default: - as the connection says.
        """
        self._connection = connection
        self._replicas = replicas
        self._key = key
        self._clock = clock
        self._credentials = _Remembering.around(credentials or credential_provider(connection))
        self._patience = Patience(connect=clock.patience, answer=clock.patience, retries=0)
        self._nodes: dict[tuple[Address, int], Node] = {}
        self._meetings: dict[Address, Once[Meeting]] = {}
        self._spare: dict[Address, socket.socket] = {}
        self._resolved: dict[str, Once[tuple[str, ...]]] = {}
        self._lock = threading.Lock()
        self._tls_context = Once(verifying_context)
        self._pool_class = Once(lambda: frugal_pool_class(connection, self._trust(), self._opened))
        self.endpoint = Once(self._reach_endpoint)
        """What the endpoint is to one who has not signed in. Raises `PrerequisiteError`."""
        self.shards = Once(self._sign_in_and_look)
        """The shards at the time of the first look. Raises `PrerequisiteError`."""
        self.visits = Once(lambda: self._visit_all(self.nodes, probes))
        """What each node says at the time of the first look. Raises `PrerequisiteError`."""
        self.meetings = Once(lambda: self._everywhere(self.meet, self.addresses))
        """What each address is to one who has not signed in; an error is what `meet` raised."""

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
        # Reported by the check that owns it, tries and all; what is known can be looked at all the same.
        with contextlib.suppress(PrerequisiteError):
            known += [node.address for node in tallied(Tally(), lambda: self.nodes)]
        return list(dict.fromkeys(known))

    def application_client(self) -> Redis | RedisCluster:
        """A client that finds its way as an application's does; a cluster client dials at once.

        It shares the nodes' connections: `close` is for it, too.
        """
        if not self._connection.cluster_mode:
            return self.node(self._connection.endpoint).client
        return known_commands_client(
            self._connection,
            self._credentials,
            self._patience,
            lambda address: self.node(address).client.connection_pool,
        )

    def node(self, address: Address, number: int = 0) -> Node:
        """The node at an address, with the one client that all checks share.

        Args:
            address: Where it is reached.
            number: Which one, where several share an address.
        """
        with self._lock:
            if (address, number) not in self._nodes:
                client = node_client(address, self._credentials, self._patience, self._pool_class())
                self._nodes[address, number] = Node(address, client)
            return self._nodes[address, number]

    def apart(self, node: Node) -> Node:
        """The same node with a client of its own, for what keeps a connection to itself."""
        return self.node(node.address, -1)

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
            Exception: What `dial` does, or `PlaintextError`.
        """
        with self._lock:
            once = self._meetings.setdefault(
                address, Once(lambda: self._clock.retry(lambda: self._meet_once(address), heals))
            )
        return once()

    def first_infos(self) -> list[Done[Node, dict[str, Any]]]:
        """INFO of each node at the time of the first look; see `infos`. Raises `PrerequisiteError`."""
        return [_info_of(visit) for visit in self.visits()]

    def infos(self, nodes: Sequence[Node]) -> list[Done[Node, dict[str, Any]]]:
        """Ask nodes what INFO says of server, memory and replication, side by side."""
        return [_info_of(visit) for visit in self._visit_all(nodes)]

    def _visit_all(self, nodes: Sequence[Node], probes: Sequence[Command] = ()) -> list[Done[Node, Visit]]:
        """Sign in to each, and ask who that made us, how the node is, and more; again while an error may heal."""
        return self._everywhere(
            lambda node: self._clock.retry(lambda: self._ask_after(node, probes), _sign_in_heals), nodes
        )

    def _ask_after(self, node: Node, probes: Sequence[Command]) -> Visit:
        answers = dict(zip(commands := (self._who_am_i, *_INFO, *probes), ask_at_once(node, commands), strict=True))
        who, sections = answers[self._who_am_i], [answers[command] for command in _INFO]
        if isinstance(who, Exception) and not isinstance(who, NoPermissionError):
            raise who
        user = str(who) if self._connection.user is not None and isinstance(who, str) else None
        refused = next((section for section in sections if isinstance(section, Exception)), None)
        return Visit(user, refused or {name: value for section in sections for name, value in section.items()}, answers)

    def _everywhere(self, ask_one: Callable[[Item], T], items: Sequence[Item]) -> list[Done[Item, T]]:
        return side_by_side(ask_one, items, self._clock.remaining_for_checks)

    @property
    def _who_am_i(self) -> Command:
        return ("PING",) if self._connection.user is None else ("ACL WHOAMI",)

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
            for connection in self._spare.values():
                connection.close()

    def _opened(self, address: Address) -> socket.socket | None:
        """The connection that an address was met on, for the first to come; see `meet` for what else may happen."""
        try:
            self.meet(address)
        except Exception as error:
            # To redis-py, what is not an error of its own is a fault in the program.
            raise RedisConnectionError(str(error)) from error
        with self._lock:
            return self._spare.pop(address, None)

    def _trust(self) -> ssl.SSLContext | None:
        return self._tls_context() if self._connection.tls else None

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
            raise PrerequisiteError(owner, f"{endpoint}: {diagnose(error, self._connection).reason}") from error

    def _ask_resolver(self, host: str) -> tuple[str, ...]:
        def ask_once() -> tuple[str, ...]:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))

        return self._clock.retry(ask_once, heals)

    def _meet_once(self, address: Address) -> Meeting:
        signs_in = self._connection.authentication != env.AUTHENTICATION_NONE
        meeting = meet(
            address,
            seconds=self._clock.patience,
            trust=self._trust(),
            user=(self._connection.user or "") if signs_in else None,
            key=self._key,
        )
        if meeting.connection:
            with self._lock:
                self._spare[address] = meeting.connection
        return meeting

    def _sign_in_and_look(self) -> tuple[Shard, ...]:
        self.endpoint()
        endpoint = self.node(self._connection.endpoint)
        try:
            self._clock.in_time(lambda: self._clock.retry(lambda: self._sign_in(endpoint), _sign_in_heals))
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

    def _sign_in(self, node: Node) -> None:
        # Not to be allowed to ask takes a user who has signed in.
        with contextlib.suppress(NoPermissionError):
            node.client.execute_command(*self._who_am_i)

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


def _info_of(visit: Done[Node, Visit]) -> Done[Node, dict[str, Any]]:
    if visit.value is None or isinstance(visit.value.info, Exception):
        error = visit.error if visit.value is None else visit.value.info
        return Done(visit.item, None, error, visit.seconds)  # pyright: ignore[reportArgumentType]
    return Done(visit.item, visit.value.info, None, visit.seconds)


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


def explain_resolution(error: Exception) -> str:
    """Why a name has no address."""
    if isinstance(error, UnfinishedError):
        return "the resolver does not answer: check that DNS support is on in the VPC"
    return diagnose(error).reason
