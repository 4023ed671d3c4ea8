"""`peer_uid` finds the user who owns the client socket of a loopback connection."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cdk_redis_local._gates import peers as _peers
from cdk_redis_local._gates.peers import Address, peer_uid
from tests.local.support.other_user import NOBODY, as_nobody, needs_root

CLIENT, SERVER = ("127.0.0.1", 49152), ("127.0.0.1", 8080)
ROW = "   1: 0100007F:C000 0100007F:1F90 {} 00000000:00000000 00:00000000 00000000 {:5d}        0 {} 1 0000 20\n"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture(params=["netlink", "/proc"])
def find(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[Address, Address], int | None]:
    """Finds the uid with only one of the two methods."""
    other = "_look_up" if request.param == "netlink" else "_ask_kernel"
    monkeypatch.setattr(_peers, other, lambda *_: None)
    return peer_uid


@pytest.mark.parametrize("host", ["127.0.0.1", "::ffff:127.0.0.1"])
def test_a_connection_of_this_user_has_its_uid(
    listener: socket.socket, find: Callable[..., int | None], host: str
) -> None:
    with socket.create_connection((host, listener.getsockname()[1])):
        connection, client = listener.accept()
        with connection:
            assert find(client, connection.getsockname()) == os.getuid()


@needs_root
@pytest.mark.parametrize("host", ["127.0.0.1", "::ffff:127.0.0.1"])
def test_a_connection_of_another_user_has_their_uid(
    listener: socket.socket, find: Callable[..., int | None], host: str
) -> None:
    def connect() -> list[int | None]:
        with socket.create_connection((host, listener.getsockname()[1])):
            connection, client = listener.accept()
            with connection:
                return [find(client, connection.getsockname())]

    assert as_nobody(connect) == [NOBODY]


def test_a_connection_whose_client_has_closed_has_no_uid(
    listener: socket.socket, find: Callable[..., int | None]
) -> None:
    with socket.create_connection(listener.getsockname()):
        connection, address = listener.accept()
    with connection:
        assert find(address, connection.getsockname()) is None


def test_a_connection_that_does_not_exist_has_no_uid(find: Callable[..., int | None]) -> None:
    assert find(("127.0.0.1", 1), ("127.0.0.1", 2)) is None


@pytest.mark.parametrize(
    ("state", "uid", "inode", "expected"),
    [
        ("01", 0, 4711, 0),
        ("01", 1000, 4711, 1000),
        # The kernel reports uid 0 and inode 0 for a socket that its process has closed while data is in flight.
        ("04", 0, 0, None),
        ("06", 0, 0, None),
    ],
)
def test_a_socket_that_no_process_has_open_has_no_uid(
    monkeypatch: pytest.MonkeyPatch, state: str, uid: int, inode: int, expected: int | None
) -> None:
    monkeypatch.setattr(_peers, "_ask_kernel", lambda *_: None)
    monkeypatch.setattr(Path, "read_bytes", lambda *_: ROW.format(state, uid, inode).encode())
    assert peer_uid(CLIENT, SERVER) == expected
    monkeypatch.setattr(_peers, "_ask_kernel", lambda *_: (uid, inode))
    assert peer_uid(CLIENT, SERVER) == expected
