"""The store as the checks see it: reached, signed in to, and its nodes known. Each is found out once, for all."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.credentials import CredentialsUnavailableError
from cdk_redis_runtime._client.settings import Address, Connection
from cdk_redis_runtime._smoke_test.checks.clients import Clients
from cdk_redis_runtime._smoke_test.checks.nodes import SLOTS, Command, Node, Shard, Visit, ask_at_once
from cdk_redis_runtime._smoke_test.checks.stranger import Meeting, meet
from cdk_redis_runtime._smoke_test.clock import Clock, Done, Once, UnfinishedError, side_by_side
from cdk_redis_runtime._smoke_test.diagnosis import diagnose, heals

T = TypeVar("T")
Item = TypeVar("Item")

# Not all at once: engines before 7.0 take one section a command, and "everything" is ten times as long.
_INFO: tuple[Command, ...] = tuple(("INFO", section) for section in ("server", "memory", "keyspace", "replication"))
_CLUSTER_MODE_IS_ON = (
    "the engine is in cluster mode, and the store is declared without: declare cluster mode, which --cluster does for "
    "the command"
)


class PrerequisiteError(Exception):
    """What a check builds upon is not there. The check that owns it fails; every other is skipped.

    Attributes:
        owner: Name of the check that reports it.
        reason: What is wrong.
        heals: Whether it may go away by itself soon after a deploy.
    """

    def __init__(self, owner: str, reason: str, *, heals: bool) -> None:
        """Say what is missing, and whose finding that is."""
        self.owner = owner
        self.reason = reason
        self.heals = heals
        super().__init__(f"{owner}: {reason}")


class Store:
    """The store as it was found at one time: everything is found out at most once, and remembered, errors included."""

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        clients: Clients,
        *,
        replicas: int,
        key: str,
        probes: Sequence[Command] = (),
    ) -> None:
        """Keep the settings; nothing is dialled yet.

        Args:
            connection: How to connect.
            clock: The battery's budget.
            clients: Reach the nodes.
            replicas: How many replicas a reader endpoint shares its connections out over.
            key: What is asked for without signing in.
            probes: Commands that each node is asked when it is visited. Default: - none.
        """
        self._connection = connection
        self._replicas = replicas
        self._key = key
        self._clock = clock
        self._clients = clients
        self._meetings: dict[Address, Once[Meeting]] = {}
        self._resolved: dict[str, Once[tuple[str, ...]]] = {}
        self._lock = threading.Lock()
        self.application_client = clients.application_client
        self.endpoint = Once(self._reach_endpoint)
        """What the endpoint is to one who has not signed in. Raises `PrerequisiteError`."""
        self.shards = Once(self._sign_in_and_look)
        """The shards. Raises `PrerequisiteError`."""
        self.visits = Once(lambda: self._everywhere(lambda node: self._visit(node, probes), self.nodes))
        """What each node says, side by side. Raises `PrerequisiteError`."""
        self.meetings = Once(lambda: self._everywhere(self.meet, self.addresses))
        """What each address is to one who has not signed in; an error is what `meet` raised."""

    @property
    def secrets(self) -> frozenset[str]:
        """Every password and token used so far, which no text may contain."""
        return self._clients.secrets

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Every node of every shard. Raises `PrerequisiteError`."""
        return tuple(node for shard in self.shards() for node in shard.nodes)

    @property
    def addresses(self) -> list[Address]:
        """The endpoint, the reader endpoint, and the nodes as far as they can be known; see `partial`."""
        known = [self._connection.endpoint]
        if self._connection.reader:
            known.append(self._connection.reader)
        # Reported by the check that owns it; what is known can be looked at all the same.
        with contextlib.suppress(PrerequisiteError):
            known += [node.address for node in self.nodes]
        return list(dict.fromkeys(known))

    @property
    def partial(self) -> bool:
        """Whether the nodes are not known, and may be soon: what was found of `addresses` is not all then."""
        try:
            self.shards()
        except PrerequisiteError as error:
            return error.heals
        return False

    def apart(self, node: Node) -> Node:
        """The same node with a client of its own, for what keeps a connection to itself."""
        return self._clients.node(node.address, -1)

    def resolve(self, host: str) -> tuple[str, ...]:
        """The IP addresses of a name, asked for once.

        Raises:
            OSError: It has none.
            UnfinishedError: The resolver does not answer.
        """
        with self._lock:
            once = self._resolved.setdefault(host, Once(lambda: self._clock.in_time(lambda: _ask_resolver(host))))
        return once()

    def meet(self, address: Address) -> Meeting:
        """See what an address is to one who has not signed in, once for all checks.

        Raises:
            Exception: What `dial` does, or `PlaintextError`.
        """
        with self._lock:
            once = self._meetings.setdefault(address, Once(lambda: self._meet(address)))
        return once()

    def infos(self) -> list[Done[Node, dict[str, Any]]]:
        """What INFO of each node says of server, memory, keys and replication. Raises `PrerequisiteError`."""
        return [_info_of(visit) for visit in self.visits()]

    def _visit(self, node: Node, probes: Sequence[Command]) -> Visit:
        """Sign in to a node, and ask who that made us, how the node is, and more."""
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

    def _look(self) -> tuple[Shard, ...]:
        endpoint = self._clients.node(self._connection.endpoint)
        if self._connection.cluster_mode:
            answer: Any = endpoint.client.execute_command("CLUSTER SLOTS")
            return self._parse_slots(answer)
        if _in_cluster_mode(endpoint):
            raise PrerequisiteError("topology", f"{endpoint}: {_CLUSTER_MODE_IS_ON}", heals=False)
        # A reader endpoint leads each connection to one of the replicas: as many connections will meet most of them.
        reader = self._connection.reader
        replicas = [self._clients.node(reader, number) for number in range(self._replicas)] if reader else []
        return (Shard(((0, SLOTS - 1),), endpoint, tuple(replicas)),)

    def _reach_endpoint(self) -> Meeting:
        endpoint = self._connection.endpoint
        try:
            self.resolve(endpoint.host)
        except Exception as error:
            reason = f"{endpoint.host}: {explain_resolution(error)}"
            raise PrerequisiteError("dns", reason, heals=heals(error)) from error
        try:
            return self.meet(endpoint)
        except Exception as error:
            # Without TLS there is no such check, and not getting through is the sign-in's finding.
            owner = "tls" if self._connection.tls else "auth"
            diagnosis = diagnose(error, self._connection)
            raise PrerequisiteError(owner, f"{endpoint}: {diagnosis.reason}", heals=diagnosis.heals) from error

    def _meet(self, address: Address) -> Meeting:
        signs_in = self._connection.authentication != env.AUTHENTICATION_NONE
        return meet(
            address,
            seconds=self._clock.step_seconds,
            trust=self._clients.trust(),
            user=(self._connection.user or "") if signs_in else None,
            key=self._key,
        )

    def _sign_in_and_look(self) -> tuple[Shard, ...]:
        self.endpoint()
        endpoint = self._clients.node(self._connection.endpoint)
        try:
            self._clock.in_time(lambda: self._sign_in(endpoint))
        except Exception as error:
            reason = self.explain_sign_in(endpoint.address, error)
            raise PrerequisiteError("auth", reason, heals=heals(error)) from error
        try:
            shards = self._clock.in_time(self._look)
        except (RedisError, UnfinishedError) as error:
            diagnosis = diagnose(error, self._connection)
            reason = f"{endpoint}: the shards cannot be asked for: {diagnosis.reason}"
            raise PrerequisiteError("topology", reason, heals=diagnosis.heals) from error
        if not shards:
            raise PrerequisiteError("topology", "no shard serves any of the 16,384 slots", heals=True)
        return shards

    def _sign_in(self, node: Node) -> None:
        # Not to be allowed to ask takes a user who has signed in.
        with contextlib.suppress(NoPermissionError):
            node.client.execute_command(*self._who_am_i)

    def explain_sign_in(self, address: Address, error: Exception) -> str:
        """Why a sign-in failed, and what to look at for this kind of authentication."""
        reason = f"{address}: {diagnose(error).reason}"
        if not _refused(error):
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
            Shard(
                tuple(sorted(slots)),
                self._clients.node(primary),
                tuple(self._clients.node(other) for other in members[primary][1:]),
            )
            for primary, slots in sorted(ranges.items(), key=lambda entry: min(entry[1]))
        )

    def _announced(self, node: Sequence[Any]) -> Address:
        # A node that does not know its own name says nothing, or "?": it is where the answer came from.
        host = node[0] if node[0] not in (None, "", "?") else self._connection.host
        return Address(str(host), int(node[1]))


def _in_cluster_mode(node: Node) -> bool:
    """Whether an engine says that it is in cluster mode. Raises `RedisError`."""
    try:
        info: Any = node.client.execute_command("INFO", "server")
    except NoPermissionError:
        return False
    return engine_mode(info) == "cluster"


def engine_mode(info: Mapping[str, Any]) -> str:
    """``cluster`` or ``standalone``, from INFO; Valkey has a word of its own, unless it is to look like Redis."""
    return str(info.get("redis_mode") or info.get("server_mode") or "unknown")


def _info_of(visit: Done[Node, Visit]) -> Done[Node, dict[str, Any]]:
    if visit.value is None or isinstance(visit.value.info, Exception):
        error = visit.error if visit.value is None else visit.value.info
        return Done(visit.item, None, error, visit.seconds)  # pyright: ignore[reportArgumentType]
    return Done(visit.item, visit.value.info, None, visit.seconds)


def _ask_resolver(host: str) -> tuple[str, ...]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def _refused(error: Exception) -> bool:
    """Whether the store refused the credentials, as against that there are none to be had."""
    causes = (error, error.__cause__)
    return any(isinstance(cause, AuthenticationError) for cause in causes) and not any(
        isinstance(cause, CredentialsUnavailableError) for cause in causes
    )


def explain_resolution(error: Exception) -> str:
    """Why a name has no address."""
    if isinstance(error, UnfinishedError):
        return "the resolver does not answer: check that DNS support is on in the VPC"
    return diagnose(error).reason
