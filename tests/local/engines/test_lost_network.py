"""Networks of a test's own: silent when they are lost, whole again when found, and never the machine's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cdk_redis_local import LocalCloudError, RoutedNetwork, own_network

# Run in a network of its own: a line is echoed from the far side, lost, found, and echoed again.
_SCRIPT = """
import socket, subprocess, sys, time
from cdk_redis_local import RoutedNetwork

server = (
    "import socket; s = socket.create_server(('', 7)); print(flush=True); c, _ = s.accept();"
    "[c.sendall(data) for data in iter(lambda: c.recv(9), b'')]"
)
with RoutedNetwork() as network:
    echo = subprocess.Popen([*network.far.command, sys.executable, "-c", server], stdout=subprocess.PIPE)
    echo.stdout.readline()
    with socket.create_connection((network.far.address, 7)) as client:
        client.settimeout(0.3)
        client.sendall(b"a")
        print(client.recv(9))
        network.lose()
        client.sendall(b"b")
        for attempt in (lambda: client.recv(9), lambda: socket.create_connection((network.far.address, 7), 0.3)):
            try:
                attempt()
            except OSError as error:
                print(type(error).__name__)
        network.find()
        client.settimeout(10)
        print(client.recv(9))
    echo.wait()
"""


def test_packets_are_lost_without_a_word_until_they_are_found(repository: Path) -> None:
    try:
        own = own_network()
    except LocalCloudError as refused:
        pytest.skip(str(refused))
    environment = {**os.environ, "PYTHONPATH": str(repository / "constructs")}
    done = subprocess.run(
        [*own, sys.executable, "-c", _SCRIPT], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["b'a'", "TimeoutError", "TimeoutError", "b'b'"], done.stderr


@pytest.mark.skipif(shutil.which("ip") is None, reason="no ip on PATH")
def test_a_network_that_is_in_use_is_left_alone() -> None:
    with pytest.raises(LocalCloudError, match=r"start the process with own_network\(\)"):
        RoutedNetwork()


@pytest.mark.parametrize(
    ("program", "words"), [("", "no unshare and nsenter and ip on PATH"), ("exit 1", "gives out no network namespaces")]
)
def test_a_machine_without_namespaces_says_so(
    program: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tool in ("unshare", "nsenter", "ip") if program else ():
        (tmp_path / tool).write_text(f"#!/bin/sh\n{program}\n")
        (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalCloudError, match=words):
        own_network.__wrapped__()
