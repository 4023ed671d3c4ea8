"""Two networks in Linux network namespaces, with a router between them that can drop all packets.

A process that was started in a new network namespace (see `own_network`) creates two more::

    [ near: this process, its engines ] --- [ router ] --- [ far: the engines that become unreachable ]

This does not change the machine's own network, and the namespaces end with the process. Linux only.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
from collections.abc import Sequence
from types import TracebackType

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._engines.node import Place

# From the block that is reserved for network benchmarks (RFC 2544).
_NEAR, _NEAR_GATEWAY = "198.18.0.1", "198.18.0.2"
_FAR, _FAR_GATEWAY = "198.18.1.1", "198.18.1.2"
_FORWARD = "echo 1 > /proc/sys/net/ipv4/ip_forward"
# Root first tries without a new user namespace, because some machines disable user namespaces.
_COMMANDS = (("unshare", "--net"), ("unshare", "--user", "--map-root-user", "--net"))


@functools.cache
def own_network() -> tuple[str, ...]:
    """The command that runs another command in a new network namespace: ``[*own_network(), "python", ...]``.

    Raises:
        LocalCloudError: This machine does not allow network namespaces; the message has the reason.
    """
    _require_tools()
    refused = ""
    for command in _COMMANDS if os.geteuid() == 0 else _COMMANDS[1:]:
        # Also try to enable IP forwarding, because some containers cannot write this setting.
        done = subprocess.run([*command, "sh", "-c", _FORWARD], capture_output=True, text=True, check=False)
        if not done.returncode:
            return command
        refused = done.stderr.strip()
    raise LocalCloudError(f"this machine does not allow network namespaces: {refused}")


class RoutedNetwork:
    """Two networks and a router between them. The process must run in its own network namespace, the near network.

    Attributes:
        near: The place for engines that stay reachable.
        far: The place for engines that `lose` makes unreachable.

    Example:
        >>> with RoutedNetwork() as network:
        ...     place = lambda shard, role: network.far if (shard, role) == (0, "primary") else network.near
        ...     with EngineSet(shards=3, replicas=1, cluster_mode=True, place=place) as engines:
        ...         network.lose()
    """

    def __init__(self) -> None:
        """Create the namespaces and connect them.

        Raises:
            LocalCloudError: The process's network is in use, such as the machine's own network, or a command failed.
        """
        _require_tools()
        if _ip((), "-oneline", "link", "show", "dev", "lo", "up"):
            raise LocalCloudError("start the process with own_network(): its network is in use")
        self._stack = contextlib.ExitStack()
        try:
            self._router, far = self._new_namespace(), self._new_namespace()
            inside = _enter(far)
            _batch((), "link set lo up", f"link add router type veth peer name near netns {self._router}")
            _batch(
                _enter(self._router),
                f"link add far type veth peer name router netns {far}",
                *_interface("near", _NEAR_GATEWAY),
                *_interface("far", _FAR_GATEWAY),
            )
            _batch((), *_interface("router", _NEAR), f"route add default via {_NEAR_GATEWAY}")
            _batch(inside, "link set lo up", *_interface("router", _FAR), f"route add default via {_FAR_GATEWAY}")
            _run([*_enter(self._router), "sh", "-c", _FORWARD])
        except BaseException:
            self._stack.close()
            raise
        self.near = Place(_NEAR, _NEAR)
        self.far = Place(_FAR, _FAR, inside)

    def __enter__(self) -> RoutedNetwork:
        """Return the network."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the namespaces: they end with their last process."""
        self._stack.close()

    def lose(self) -> None:
        """Drop all packets between the two networks silently, in both directions.

        Uses blackhole routes, because they send no ICMP errors and need no packet filter in the kernel.
        """
        _batch(_enter(self._router), *(f"route add blackhole {address}/32" for address in (_FAR, _NEAR)))

    def find(self) -> None:
        """Forward packets again."""
        _batch(_enter(self._router), *(f"route del blackhole {address}/32" for address in (_FAR, _NEAR)))

    def _new_namespace(self) -> int:
        """Id of a process in a new namespace, which keeps it until `__exit__` or the end of this process."""
        holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._stack.callback(holder.wait)
        assert holder.stdin
        assert holder.stdout
        self._stack.callback(holder.stdout.close)
        self._stack.callback(holder.stdin.close)
        if not holder.stdout.readline():
            raise LocalCloudError("creating a network namespace failed")
        return holder.pid


def _require_tools() -> None:
    if missing := [tool for tool in ("unshare", "nsenter", "ip") if shutil.which(tool) is None]:
        raise LocalCloudError(f"no {' and '.join(missing)} on PATH: apt-get install util-linux iproute2")


def _enter(process: int) -> tuple[str, ...]:
    return ("nsenter", f"--net=/proc/{process}/ns/net", "--")


def _interface(name: str, address: str) -> tuple[str, str]:
    return f"address add {address}/24 dev {name}", f"link set {name} up"


def _ip(inside: Sequence[str], *words: str, commands: str | None = None) -> str:
    return _run([*inside, "ip", *words], commands)


def _batch(inside: Sequence[str], *commands: str) -> None:
    _ip(inside, "-batch", "-", commands="\n".join(commands))


def _run(command: Sequence[str], text: str | None = None) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LocalCloudError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
