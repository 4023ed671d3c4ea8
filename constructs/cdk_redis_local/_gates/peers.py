"""Finds the user of this machine that opened a loopback connection."""

from __future__ import annotations

import contextlib
import socket
import struct
from pathlib import Path

Address = tuple[str, int]
# Uid and inode. The inode is 0 if no process has the socket open any more.
_Owner = tuple[int, int]

# linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBxI2s2s16s16sIII")
_ANSWER = struct.Struct("=4x48x12xII")
_ALL_STATES = _NO_COOKIE = 0xFFFFFFFF
# A read of /proc/net/tcp may miss a row while the kernel removes other rows.
_TRIES = 3


def peer_uid(client: Address, server: Address) -> int | None:
    """Uid of the user who owns the client socket of a TCP connection over loopback.

    Args:
        client: IPv4 address and port of the client.
        server: IPv4 address and port of the server.

    Returns:
        The uid; None if no process has the client socket open any more. The kernel reports uid 0 for a socket that its
        process has closed, so its owner is unknown.
    """
    # /proc works on every Linux, but lists all sockets: it takes tens of milliseconds, netlink hundredths of one.
    owner = _ask_kernel(client, server) or _look_up(client, server)
    return owner[0] if owner and owner[1] else None


def _ask_kernel(client: Address, server: Address) -> _Owner | None:
    """Query the socket by netlink; None if it does not exist, or if this kernel does not support the query."""
    ends = (client[1].to_bytes(2, "big"), server[1].to_bytes(2, "big"), _padded(client), _padded(server))
    body = _REQUEST.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, _ALL_STATES, *ends, 0, _NO_COOKIE, _NO_COOKIE)
    head = _HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0)
    with contextlib.suppress(OSError), socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_SOCK_DIAG) as asker:
        asker.settimeout(1)
        asker.send(head + body)
        answer = asker.recv(4096)
        if _HEADER.unpack_from(answer)[1] == _SOCK_DIAG_BY_FAMILY:
            uid, inode = _ANSWER.unpack_from(answer, _HEADER.size)
            return uid, inode
    return None


def _padded(address: Address) -> bytes:
    return socket.inet_aton(address[0]).ljust(16, b"\0")


def _look_up(client: Address, server: Address) -> _Owner | None:
    for _ in range(_TRIES):
        for table, encode in (("tcp", _ipv4), ("tcp6", _ipv4_mapped)):
            row = _row(Path("/proc/net") / table, f" {encode(client)} {encode(server)} ".encode())
            if row:
                # local, remote, state, queues, timer, retransmits, uid, timeout, inode, ...
                fields = row.split()
                return int(fields[6]), int(fields[8])
    return None


def _row(table: Path, ends: bytes) -> bytes | None:
    if not table.exists():  # a kernel without IPv6
        return None
    data = table.read_bytes()
    at = data.find(ends)
    return data[at : data.find(b"\n", at)] if at >= 0 else None


def _ipv4(address: Address) -> str:
    host, port = address
    return f"{_word(socket.inet_aton(host))}:{port:04X}"


def _ipv4_mapped(address: Address) -> str:
    # An IPv6 socket that is connected to an IPv4 address is listed as ::ffff:127.0.0.1.
    host, port = address
    parts = [bytes(4), bytes(4), b"\x00\x00\xff\xff", socket.inet_aton(host)]
    return f"{''.join(map(_word, parts))}:{port:04X}"


def _word(four: bytes) -> str:
    # The tables print each four bytes as a number in this machine's byte order.
    return f"{struct.unpack('=I', four)[0]:08X}"
