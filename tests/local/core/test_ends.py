"""When a process of a local cloud ends or is killed, the other processes end too and report it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cdk_redis_local import LocalCloud, LocalCloudError, Workspace
from cdk_redis_local._core.keeper import marked_processes
from tests.local.support.clouds import ROLE_OF_FUNCTIONS, Cloud
from tests.support.concurrency import wait_until

pytestmark = pytest.mark.long

COMMAND = [sys.executable, "-m", "cdk_redis_local"]
_SLOW = "import time\ndef handler(event, context):\n    time.sleep(100)\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder for the workspaces of one test."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def _keeper(owner: int, folder: Path) -> int:
    """The keeper process of an owner's workspace in a folder; waits until it runs."""
    found: list[int] = []

    def look() -> bool:
        entries = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        found[:] = [int(entry.name) for entry in entries if _parent(entry) == owner and _keeps(entry, folder)]
        return bool(found)

    wait_until(look)
    assert len(found) == 1
    return found[0]


def _parent(entry: Path) -> int:
    try:
        state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return 0
    return 0 if state == "Z" else int(parent)


def _keeps(entry: Path, folder: Path) -> bool:
    # Engines and clouds of other tests in this process also have keepers.
    if b"keeper.py" not in _command_line(int(entry.name)):
        return False
    try:
        return any(link.readlink().is_relative_to(folder) for link in (entry / "fd").iterdir())
    except OSError:  # the process has ended
        return False


def _command_line(process: int) -> bytes:
    """The command line of a process; empty if the process has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def test_a_killed_keeper_is_replaced(folder: Path) -> None:
    with Workspace() as workspace:
        for _ in range(2):
            os.kill(_keeper(os.getpid(), folder), signal.SIGKILL)
            _keeper(os.getpid(), folder)
        process = workspace.spawn(["sleep", "60"])
    assert process.returncode == -signal.SIGKILL
    assert list(folder.iterdir()) == []


def test_a_start_keeps_a_live_workspace_whose_keeper_was_killed(folder: Path) -> None:
    with Workspace() as workspace:
        process = workspace.spawn(["sleep", "60"])
        os.kill(_keeper(os.getpid(), folder), signal.SIGKILL)
        # Start it in another process before the killed keeper is replaced.
        subprocess.run(
            [sys.executable, "-c", "from cdk_redis_local import Workspace; Workspace().close()"], check=True, cwd="/"
        )
        assert process.poll() is None
        assert workspace.path.exists()
    assert list(folder.iterdir()) == []


def test_a_start_interrupted_at_any_instruction_leaves_no_files(folder: Path) -> None:
    program = Path(__file__).parents[1] / "support" / "interrupted_starts.py"
    done = subprocess.run([sys.executable, str(program), str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


@pytest.mark.parametrize("seconds", [0, 0.1])
def test_a_workspace_closed_while_its_keeper_is_replaced_leaves_nothing(seconds: float, folder: Path) -> None:
    workspace = Workspace()
    process = workspace.spawn(["sleep", "60"])
    os.kill(_keeper(os.getpid(), folder), signal.SIGKILL)
    time.sleep(seconds)
    workspace.close()
    workspace.close()
    assert process.poll() is not None
    assert list(folder.iterdir()) == []


def test_a_process_outlives_the_thread_that_started_it(folder: Path) -> None:
    with Workspace() as workspace:
        started: list[subprocess.Popen[bytes]] = []
        thread = threading.Thread(target=lambda: started.append(workspace.spawn(["sleep", "60"])))
        thread.start()
        thread.join()
        time.sleep(0.3)
        assert started[0].poll() is None


def test_a_forked_process_can_start_processes(folder: Path) -> None:
    program = (
        "import os\n"
        "from cdk_redis_local import Workspace\n"
        "with Workspace() as workspace:\n"
        "    workspace.spawn(['true']).wait()\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        os._exit(workspace.spawn(['true']).wait(10))\n"
        "    raise SystemExit(os.waitpid(child, 0)[1])\n"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=30, check=False).returncode == 0


@pytest.fixture
def up(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The command ``up``, after it has started."""
    process = subprocess.Popen([*COMMAND, "up"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Ctrl-C"):
            break
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def _server(workspace: Path) -> int:
    for process in marked_processes(workspace):
        if b"cdk_redis_local._emulator.server" in _command_line(process):
            return process
    raise AssertionError("the local cloud has no server")


def test_all_processes_end_when_owner_and_keeper_are_killed(folder: Path) -> None:
    program = (
        "import sys\n"
        "from tests.local.support.clouds import ROLE_OF_FUNCTIONS, Cloud\n"
        "from tests.local.core.test_ends import deploy_a_store_and_a_busy_function\n"
        "from cdk_redis_local import LocalCloud\n"
        "with LocalCloud() as local:\n"
        "    deploy_a_store_and_a_busy_function(Cloud(local))\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert owner.stdout
    assert owner.stdin
    assert owner.stdout.readline() == "ready\n"
    (workspace,) = folder.iterdir()
    running = marked_processes(workspace)
    assert len(running) >= 4, "the server, two engines, and the function"
    for process in [_keeper(owner.pid, folder), owner.pid]:
        os.kill(process, signal.SIGKILL)
    owner.wait()
    wait_until(lambda: marked_processes(workspace) == [], 3)
    owner.stdout.close()
    owner.stdin.close()
    with Workspace():
        assert not workspace.exists()


def deploy_a_store_and_a_busy_function(cloud: Cloud) -> None:
    """Create a store with two engines, and a function whose invocation still runs."""
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": "slow",
            "Runtime": "python3.12",
            "Handler": "index.handler",
            "Timeout": 200,
            "Code": {"ZipFile": _SLOW},
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        },
    }
    store = {
        "Type": "AWS::ElastiCache::ReplicationGroup",
        "Properties": {
            **cloud.engine,
            "ReplicationGroupDescription": "two nodes",
            "NumCacheClusters": 2,
            "AutomaticFailoverEnabled": True,
            "TransitEncryptionEnabled": True,
        },
    }
    cloud.deploy("ends", {"Role": ROLE_OF_FUNCTIONS, "Function": function, "Store": store})
    client = cloud.client("lambda")
    threading.Thread(target=lambda: client.invoke(FunctionName="slow"), daemon=True).start()
    wait_until(
        lambda: any(b"_worker.py" in _command_line(process) for process in marked_processes(cloud.local.workspace.path))
    )


def test_up_ends_and_reports_it_when_the_server_is_killed(up: subprocess.Popen[str], folder: Path) -> None:
    (workspace,) = folder.iterdir()
    os.kill(_server(workspace), signal.SIGKILL)
    assert up.stdout
    said = up.stdout.read()
    assert up.wait(10) == 1
    assert "the local cloud's process was ended by SIGKILL" in said
    assert "the end of its log:" in said
    assert "Traceback" not in said
    assert list(folder.iterdir()) == []


def test_run_ends_its_command_when_the_server_is_killed(folder: Path) -> None:
    program = (
        "import os, pathlib, signal, time\n"
        "from cdk_redis_local._core.keeper import MARK, marked_processes\n"
        "from tests.local.core.test_ends import _server\n"
        "os.kill(_server(pathlib.Path(os.environ[MARK])), signal.SIGKILL)\n"
        "time.sleep(100)\n"
    )
    began = time.monotonic()
    run = subprocess.run(
        [*COMMAND, "run", "--", sys.executable, "-c", program],
        capture_output=True, text=True, check=False, timeout=60, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert run.returncode == 1
    assert "the local cloud's process was ended by SIGKILL" in run.stderr
    assert "Traceback" not in run.stderr
    assert time.monotonic() - began < 40
    assert list(folder.iterdir()) == []


def test_a_with_block_raises_an_error_when_the_server_was_killed(folder: Path) -> None:
    said: list[str] = []

    def use() -> None:
        with LocalCloud(say=said.append) as cloud:
            os.kill(_server(cloud.workspace.path), signal.SIGKILL)
            wait_until(lambda: any("was ended by SIGKILL" in text for text in said))

    with pytest.raises(LocalCloudError, match="the local cloud's process was ended by SIGKILL"):
        use()
    assert list(folder.iterdir()) == []


def test_an_error_in_a_with_block_is_raised_although_the_server_was_killed(folder: Path) -> None:
    def use() -> None:
        with LocalCloud() as cloud:
            os.kill(_server(cloud.workspace.path), signal.SIGKILL)
            raise ValueError("the caller's error")

    with pytest.raises(ValueError, match="the caller's error"):
        use()


def test_engines_end_with_the_process_that_started_them(folder: Path) -> None:
    # The kernel kills them at once, without the keeper.
    program = (
        "import os, signal, sys\n"
        "from cdk_redis_local import EngineSet\n"
        "engines = EngineSet(replicas=1)\n"
        "engines.start()\n"
        "print(*(node.process.pid for node in engines.nodes), flush=True)\n"
        "sys.stdin.read()\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert owner.stdout
    assert owner.stdin
    engines = [int(word) for word in owner.stdout.readline().split()]
    assert len(engines) == 2
    for process in [_keeper(owner.pid, folder), owner.pid]:
        os.kill(process, signal.SIGKILL)
    owner.wait()
    wait_until(lambda: not any(Path(f"/proc/{engine}/exe").exists() for engine in engines), 3)
    owner.stdout.close()
    owner.stdin.close()
    with Workspace():
        pass
    assert list(folder.iterdir()) == []
