"""The kernel says whose socket is at the other end of a loopback connection."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from cdk_redis_local import _peers
from cdk_redis_local._peers import peer_uid
from tests.local.other_user import NOBODY, as_nobody, needs_root

ROW = b"0100007F:C000 0100007F:1F90 %s 00000000:00000000 00:00000000 00000000 %5d        0 %s 1 0000000000000000 20"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.mark.parametrize("host", ["127.0.0.1", "::ffff:127.0.0.1"])
def test_our_own_connection_is_ours(listener: socket.socket, host: str) -> None:
    with socket.create_connection((host, listener.getsockname()[1])):
        connection, client = listener.accept()
        with connection:
            assert peer_uid(client, connection.getsockname()) == os.getuid()


@needs_root
def test_another_user_s_connection_is_theirs(listener: socket.socket) -> None:
    def connect() -> list[int | None]:
        with socket.create_connection(listener.getsockname()):
            connection, client = listener.accept()
            with connection:
                return [peer_uid(client, connection.getsockname())]

    assert as_nobody(connect) == [NOBODY]


def test_a_connection_whose_client_has_closed_is_nobody_s(listener: socket.socket) -> None:
    with socket.create_connection(listener.getsockname()) as client:
        connection, address = listener.accept()
    with connection:
        assert client.fileno() < 0
        assert peer_uid(address, connection.getsockname()) is None


@pytest.mark.parametrize(
    ("state", "uid", "inode", "expected"),
    [
        (b"01", 0, b"4711", 0),
        (b"01", 1000, b"4711", 1000),
        # What kernels show of a socket that its process has closed, with data on its way: root's, and no inode.
        (b"04", 0, b"0", None),
        (b"06", 0, b"0", None),
    ],
)
def test_a_socket_that_no_process_holds_is_not_root_s(
    state: bytes, uid: int, inode: bytes, expected: int | None
) -> None:
    assert _peers._uid(ROW % (state, uid, inode)) == expected
