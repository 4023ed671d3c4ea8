"""What the checks share: the endpoint, the sign-in, the shards and nodes. Each is found out once for all checks."""

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
from cdk_redis_runtime._smoke_test.checks.nodes import SLOTS, Command, Node, NodeAnswers, Shard, send_together
from cdk_redis_runtime._smoke_test.checks.unauthenticated import UnauthenticatedProbe, probe_unauthenticated
from cdk_redis_runtime._smoke_test.clock import Clock, Once, Result, UnfinishedError, side_by_side
from cdk_redis_runtime._smoke_test.diagnosis import diagnose, heals

T = TypeVar("T")
Item = TypeVar("Item")

# One command for each section: engines before 7.0 accept only one, and INFO EVERYTHING is ten times as long.
_INFO: tuple[Command, ...] = tuple(("INFO", section) for section in ("server", "memory", "keyspace", "replication"))
_CLUSTER_MODE_IS_ON = (
    "cluster mode is on, but the store is declared without it: declare cluster mode (--cluster on the command line)"
)


class PrerequisiteError(Exception):
    """Something that several checks need is missing. The check that owns it fails; the others are skipped.

    Attributes:
        owner: Name of the check that reports it.
        reason: What is wrong.
        heals: Whether it may go away by itself soon after a deploy.
    """

    def __init__(self, owner: str, reason: str, *, heals: bool) -> None:
        """Describe what is missing."""
        self.owner = owner
        self.reason = reason
        self.heals = heals
        super().__init__(f"{owner}: {reason}")


class Store:
    """A view of the store at one time. Each question is asked at most once; its answer or error is kept."""

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        clients: Clients,
        *,
        replicas: int,
        key: str,
        forbidden: Sequence[Command] = (),
    ) -> None:
        """Keep the settings, without connecting.

        Args:
            connection: How to connect.
            clock: The time budget.
            clients: Reach the nodes.
            replicas: How many replicas are behind a reader endpoint.
            key: Key that is asked for without signing in.
            forbidden: Commands that each node must refuse. Default: - none.
        """
        self._connection = connection
        self._replicas = replicas
        self._key = key
        self._clock = clock
        self._clients = clients
        self._probes: dict[Address, Once[UnauthenticatedProbe]] = {}
        self._resolved: dict[str, Once[tuple[str, ...]]] = {}
        self._lock = threading.Lock()
        self.application_client = clients.application_client
        self.endpoint = Once(self._reach_endpoint)
        """What the endpoint answers without a sign-in. Raises `PrerequisiteError`."""
        self.shards = Once(self._find_shards)
        """The shards. Raises `PrerequisiteError`."""
        self.node_answers = Once(lambda: self._everywhere(lambda node: self._ask_node(node, forbidden), self.nodes))
        """What each node answers after a sign-in. Raises `PrerequisiteError`."""
        self.unauthenticated_probes = Once(lambda: self._everywhere(self.probe_unauthenticated, self.addresses))
        """What each address answers without a sign-in."""

    @property
    def secrets(self) -> frozenset[str]:
        """Every password and token used so far, which no message may contain."""
        return self._clients.secrets

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Every node of every shard. Raises `PrerequisiteError`."""
        return tuple(node for shard in self.shards() for node in shard.nodes)

    @property
    def addresses(self) -> list[Address]:
        """The endpoint, the reader endpoint, and the nodes if they are known; see `nodes_pending`."""
        known = [self._connection.endpoint]
        if self._connection.reader:
            known.append(self._connection.reader)
        # The check that owns it reports it; the endpoints can be checked anyway.
        with contextlib.suppress(PrerequisiteError):
            known += [node.address for node in self.nodes]
        return list(dict.fromkeys(known))

    @property
    def nodes_pending(self) -> bool:
        """Whether the nodes are unknown but may be known soon; `addresses` is not complete then."""
        try:
            self.shards()
        except PrerequisiteError as error:
            return error.heals
        return False

    def with_separate_client(self, node: Node) -> Node:
        """The same node with another client, for subscriptions, which keep their connection."""
        return self._clients.node(node.address, -1)

    def resolve(self, host: str) -> tuple[str, ...]:
        """The IP addresses of a name, resolved once.

        Raises:
            OSError: The name does not resolve.
            UnfinishedError: The resolver does not answer.
        """
        with self._lock:
            once = self._resolved.setdefault(host, Once(lambda: self._clock.in_time(lambda: _ask_resolver(host))))
        return once()

    def probe_unauthenticated(self, address: Address) -> UnauthenticatedProbe:
        """What an address answers without a sign-in, asked once for all checks.

        Raises:
            Exception: What the function of the same name raises.
        """
        with self._lock:
            once = self._probes.setdefault(address, Once(lambda: self._probe_unauthenticated(address)))
        return once()

    def infos(self) -> list[Result[Node, dict[str, Any]]]:
        """The sections server, memory, keyspace and replication of INFO. Raises `PrerequisiteError`."""
        return [_info_of(result) for result in self.node_answers()]

    def _ask_node(self, node: Node, forbidden: Sequence[Command]) -> NodeAnswers:
        """Sign in to a node, and send ACL WHOAMI, INFO and the forbidden commands in one round trip."""
        commands = (self._who_am_i, *_INFO, *forbidden)
        answers = dict(zip(commands, send_together(node, commands, raise_errors=False), strict=True))
        who, sections = answers[self._who_am_i], [answers[command] for command in _INFO]
        if isinstance(who, Exception) and not isinstance(who, NoPermissionError):
            raise who
        user = str(who) if self._connection.user is not None and isinstance(who, str) else None
        refused = next((section for section in sections if isinstance(section, Exception)), None)
        info = refused or {name: value for section in sections for name, value in section.items()}
        return NodeAnswers(user, info, answers)

    def _everywhere(self, ask_one: Callable[[Item], T], items: Sequence[Item]) -> list[Result[Item, T]]:
        return side_by_side(ask_one, items, self._clock.remaining_for_checks)

    @property
    def _who_am_i(self) -> Command:
        return ("PING",) if self._connection.user is None else ("ACL WHOAMI",)

    def _read_shards(self) -> tuple[Shard, ...]:
        endpoint = self._clients.node(self._connection.endpoint)
        if self._connection.cluster_mode:
            answer: Any = endpoint.client.execute_command("CLUSTER SLOTS")
            return self._parse_slots(answer)
        if _in_cluster_mode(endpoint):
            raise PrerequisiteError("topology", f"{endpoint}: {_CLUSTER_MODE_IS_ON}", heals=False)
        # A reader endpoint leads each connection to one of the replicas: as many connections reach most of them.
        reader = self._connection.reader
        replicas = [self._clients.node(reader, number) for number in range(self._replicas)] if reader else []
        return (Shard(((0, SLOTS - 1),), endpoint, tuple(replicas)),)

    def _reach_endpoint(self) -> UnauthenticatedProbe:
        endpoint = self._connection.endpoint
        try:
            self.resolve(endpoint.host)
        except Exception as error:
            reason = f"{endpoint.host}: {explain_resolution(error)}"
            raise PrerequisiteError("dns", reason, heals=heals(error)) from error
        try:
            return self.probe_unauthenticated(endpoint)
        except Exception as error:
            # Without TLS there is no check of that name, and `auth` reports it.
            owner = "tls" if self._connection.tls else "auth"
            diagnosis = diagnose(error, self._connection)
            raise PrerequisiteError(owner, f"{endpoint}: {diagnosis.reason}", heals=diagnosis.heals) from error

    def _probe_unauthenticated(self, address: Address) -> UnauthenticatedProbe:
        signs_in = self._connection.authentication != env.AUTHENTICATION_NONE
        return probe_unauthenticated(
            address,
            seconds=self._clock.step_seconds,
            trust=self._clients.trust(),
            user=(self._connection.user or "") if signs_in else None,
            key=self._key,
        )

    def _find_shards(self) -> tuple[Shard, ...]:
        self.endpoint()
        endpoint = self._clients.node(self._connection.endpoint)
        try:
            self._clock.in_time(lambda: self._sign_in(endpoint))
        except Exception as error:
            reason = self.explain_sign_in(endpoint.address, error)
            raise PrerequisiteError("auth", reason, heals=heals(error)) from error
        try:
            shards = self._clock.in_time(self._read_shards)
        except (RedisError, UnfinishedError) as error:
            diagnosis = diagnose(error, self._connection)
            reason = f"{endpoint}: the shards cannot be read: {diagnosis.reason}"
            raise PrerequisiteError("topology", reason, heals=diagnosis.heals) from error
        if not shards:
            raise PrerequisiteError("topology", "no shard serves any of the 16,384 slots", heals=True)
        return shards

    def _sign_in(self, node: Node) -> None:
        # NOPERM proves that the user has signed in.
        with contextlib.suppress(NoPermissionError):
            node.client.execute_command(*self._who_am_i)

    def explain_sign_in(self, address: Address, error: Exception) -> str:
        """Why a sign-in failed, and what to check for this kind of authentication."""
        reason = f"{address}: {diagnose(error).reason}"
        if not _refused(error):
            return reason
        if self._connection.authentication == env.AUTHENTICATION_IAM:
            service = self._connection.service
            return (
                f"{reason}; check that user {self._connection.user!r} is an IAM user in the store's access list, that "
                f"the role is allowed {service}:Connect on both the store's and the user's ARN, and that the token's "
                f"store {self._connection.store!r} and Region {self._connection.region!r} are the store's own, and "
                "that this machine's clock is right: a token is valid for 15 minutes"
            )
        if self._connection.authentication == env.AUTHENTICATION_PASSWORD:
            return f"{reason}; check that the secret holds the current password of user {self._connection.user!r}"
        return f"{reason}; the store is declared without authentication, but requires it"

    def _parse_slots(self, answer: Sequence[Sequence[Any]]) -> tuple[Shard, ...]:
        ranges: dict[Address, list[tuple[int, int]]] = {}
        members: dict[Address, tuple[Address, ...]] = {}
        for first, last, *nodes in answer:
            addresses = tuple(self._address_of(node) for node in nodes)
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

    def _address_of(self, node: Sequence[Any]) -> Address:
        # A node that does not know its own name gives null, "" or "?": it is the node that answered.
        host = node[0] if node[0] not in (None, "", "?") else self._connection.host
        return Address(str(host), int(node[1]))


def _in_cluster_mode(node: Node) -> bool:
    """Whether INFO reports cluster mode. Raises `RedisError`."""
    try:
        info: Any = node.client.execute_command("INFO", "server")
    except NoPermissionError:
        return False
    return engine_mode(info) == "cluster"


def engine_mode(info: Mapping[str, Any]) -> str:
    """``cluster`` or ``standalone``, from INFO. Valkey calls it ``server_mode``, unless it imitates Redis."""
    return str(info.get("redis_mode") or info.get("server_mode") or "unknown")


def _info_of(result: Result[Node, NodeAnswers]) -> Result[Node, dict[str, Any]]:
    if result.value is None or isinstance(result.value.info, Exception):
        error = result.error if result.value is None else result.value.info
        return Result(result.item, None, error, result.seconds)  # pyright: ignore[reportArgumentType]
    return Result(result.item, result.value.info, None, result.seconds)


def _ask_resolver(host: str) -> tuple[str, ...]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def _refused(error: Exception) -> bool:
    """Whether the store refused the credentials; False if there were none to send."""
    causes = (error, error.__cause__)
    return any(isinstance(cause, AuthenticationError) for cause in causes) and not any(
        isinstance(cause, CredentialsUnavailableError) for cause in causes
    )


def explain_resolution(error: Exception) -> str:
    """Why a name has no address."""
    if isinstance(error, UnfinishedError):
        return "the resolver does not answer: check that DNS support is on in the VPC"
    return diagnose(error).reason
