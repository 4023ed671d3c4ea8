"""Which user of this machine is at the other end of a loopback connection."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

Address = tuple[str, int]
# The kernel's tables may skip a row while others are removed beside it.
_TRIES = 3


def peer_uid(client: Address, server: Address) -> int | None:
    """Uid of the user whose socket is the client's end of a TCP connection over loopback.

    Args:
        client: Address and port of the client's end.
        server: Address and port of our end.

    Returns:
        The uid; None if no process holds that socket any more. The kernel shows a socket that its process has
        closed as root's, so such a socket tells nothing about who sent what it has left behind.
    """
    for _ in range(_TRIES):
        for table, encode in (("tcp", _ipv4), ("tcp6", _ipv4_mapped)):
            row = _row(Path("/proc/net") / table, f" {encode(client)} {encode(server)} ".encode())
            if row:
                return _uid(row)
    return None


def _row(table: Path, ends: bytes) -> bytes | None:
    if not table.exists():  # a kernel without IPv6
        return None
    data = table.read_bytes()
    at = data.find(ends)
    return data[at : data.find(b"\n", at)] if at >= 0 else None


def _uid(row: bytes) -> int | None:
    # local, remote, state, queues, timer, retransmits, uid, timeout, inode, ...
    fields = row.split()
    uid, inode = int(fields[6]), int(fields[8])
    return uid if inode else None


def _ipv4(address: Address) -> str:
    host, port = address
    return f"{_word(socket.inet_aton(host))}:{port:04X}"


def _ipv4_mapped(address: Address) -> str:
    # How a socket of IPv6 that is connected to an IPv4 address is shown: ::ffff:127.0.0.1.
    host, port = address
    parts = [bytes(4), bytes(4), b"\x00\x00\xff\xff", socket.inet_aton(host)]
    return f"{''.join(map(_word, parts))}:{port:04X}"


def _word(four: bytes) -> str:
    # The tables show each four bytes as a number of this machine's byte order.
    return f"{struct.unpack('=I', four)[0]:08X}"
