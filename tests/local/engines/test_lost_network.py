"""`RoutedNetwork` drops and forwards packets, and never uses the machine's own network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cdk_redis_local import LocalCloudError, RoutedNetwork, own_network

# Runs in a new network namespace: sends data to an echo server before, during and after the loss of packets.
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


def test_lose_drops_packets_silently_until_find(repository: Path) -> None:
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
def test_routed_network_refuses_a_network_in_use() -> None:
    with pytest.raises(LocalCloudError, match=r"start the process with own_network\(\)"):
        RoutedNetwork()


@pytest.mark.parametrize(
    ("program", "words"),
    [("", "no unshare and nsenter and ip on PATH"), ("exit 1", "does not allow network namespaces")],
)
def test_own_network_reports_a_machine_without_network_namespaces(
    program: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tool in ("unshare", "nsenter", "ip") if program else ():
        (tmp_path / tool).write_text(f"#!/bin/sh\n{program}\n")
        (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalCloudError, match=words):
        own_network.__wrapped__()
