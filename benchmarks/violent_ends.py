"""Ends a local cloud violently at random moments, and looks for everything that is left after the next start and stop.

Run: python benchmarks/violent_ends.py --times 100 [--seed 7]

A program starts a cloud, deploys a store with two engines and a function that runs, adds a replica, deletes the stack
and stops. In a random phase and at a random moment of it, one of its processes gets a signal: the owner (SIGINT,
SIGTERM or SIGKILL), the server, the keeper, an engine, or owner and keeper together. Then another cloud starts and
stops, and these are looked for: processes, files in the temporary folder and in the home directory, listening
sockets, network namespaces, shared memory, semaphores and control groups. The last line is the summary; the exit
status is 1 if anything was left or a program did not end.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import itertools
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdk_redis_local import LocalCloud, LocalCloudError

MARK = "VIOLENT_ENDS_RUN"
"""The variable that marks all processes of one run."""
PHASES = ("start", "deploy", "scale", "delete", "stop")
ENDS: dict[str, tuple[tuple[str, ...], signal.Signals]] = {
    "owner, Ctrl-C": (("owner",), signal.SIGINT),
    "owner, SIGTERM": (("owner",), signal.SIGTERM),
    "owner, SIGKILL": (("owner",), signal.SIGKILL),
    "server, SIGTERM": (("_emulator.server",), signal.SIGTERM),
    "server, SIGINT": (("_emulator.server",), signal.SIGINT),
    "server, SIGKILL": (("_emulator.server",), signal.SIGKILL),
    "keeper, SIGKILL": (("keeper.py",), signal.SIGKILL),
    "keeper and owner, SIGKILL": (("keeper.py", "owner"), signal.SIGKILL),
    "an engine, SIGKILL": (("-server",), signal.SIGKILL),
}
# How long a program may take to end by itself, and how long an end may take until nothing is left, in seconds.
_PROGRAM_SECONDS, _CLEAN_SECONDS = 120.0, 10.0
_SLEEPER = "import time\ndef handler(event, context):\n    time.sleep(100)\n"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def template(cloud: LocalCloud, shards: int) -> str:
    """A store in cluster mode with a replica in each shard, and a function."""
    store = {
        "Engine": cloud.engine.name,
        "EngineVersion": cloud.engine.major_minor,
        "ReplicationGroupDescription": "a store that ends violently",
        "NumNodeGroups": shards,
        "ReplicasPerNodeGroup": 1,
        "AutomaticFailoverEnabled": True,
        "TransitEncryptionEnabled": True,
    }
    function = {
        "FunctionName": "sleeper",
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Timeout": 200,
        "Code": {"ZipFile": _SLEEPER},
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
    }
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": _TRUST}},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Store": {"Type": "AWS::ElastiCache::ReplicationGroup", "Properties": store},
    }
    return json.dumps({"Resources": resources})


def own_a_cloud() -> None:
    """The program whose processes are ended: prints each phase when it begins."""
    print("start", flush=True)
    with LocalCloud() as cloud:
        print("deploy", flush=True)
        formation, functions = cloud.client("cloudformation"), cloud.client("lambda")
        formation.create_stack(StackName="ends", TemplateBody=template(cloud, 2), Capabilities=["CAPABILITY_IAM"])
        check(formation, "CREATE_COMPLETE")
        threading.Thread(target=lambda: functions.invoke(FunctionName="sleeper"), daemon=True).start()
        print("scale", flush=True)
        formation.update_stack(StackName="ends", TemplateBody=template(cloud, 3), Capabilities=["CAPABILITY_IAM"])
        check(formation, "UPDATE_COMPLETE")
        print("delete", flush=True)
        formation.delete_stack(StackName="ends")
        while formation.list_stacks(StackStatusFilter=["DELETE_IN_PROGRESS"])["StackSummaries"]:
            time.sleep(0.02)
        print("stop", flush=True)


def check(formation: Any, expected: str) -> None:
    """Wait until the stack has settled; raise an error unless it has the expected status."""
    status = formation.describe_stacks(StackName="ends")["Stacks"][0]["StackStatus"]
    if status != expected:
        raise LocalCloudError(f"the stack is {status}")


@dataclass
class Run:
    """One violent end in a temporary folder and a home directory of its own."""

    folder: Path
    end: str
    phase: str
    delay: float
    hit: bool = False
    """Whether the signal reached a process."""

    def __post_init__(self) -> None:
        """Prepare the folders."""
        self.mark = f"{MARK}={secrets.token_hex(8)}"
        self.temporary, self.home = self.folder / "tmp", self.folder / "home"
        for path in (self.temporary, self.home):
            path.mkdir()
        name, _, value = self.mark.partition("=")
        self.environment = {**os.environ, name: value, "TMPDIR": str(self.temporary), "HOME": str(self.home)}

    def left(self) -> list[str]:
        """Everything that is left of this run after the next start and stop."""
        shared = shared_things()
        with subprocess.Popen(
            [sys.executable, __file__, "--own"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        ) as owner:
            sockets = self._end(owner)
            try:
                owner.wait(_PROGRAM_SECONDS)
            except subprocess.TimeoutExpired:
                owner.kill()
                return [f"the program did not end: {self.processes()}"]
        if owner.returncode and not self.hit:
            return [f"the program failed with exit status {owner.returncode}, without a violent end"]
        next_one = subprocess.run(
            [sys.executable, "-c", "from cdk_redis_local import LocalCloud\nwith LocalCloud(): pass"],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if next_one.returncode:
            return [f"the next start failed: {next_one.stderr[-300:]}"]
        deadline = time.monotonic() + _CLEAN_SECONDS
        while (found := self._found(sockets, shared)) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def _end(self, owner: subprocess.Popen[str]) -> set[str]:
        """Wait for the moment and send the signals; returns the listening sockets of that moment."""
        assert owner.stdout
        for line in owner.stdout:
            if line.strip() == self.phase:
                break
        time.sleep(self.delay)
        roles, number = ENDS[self.end]
        processes = self.processes()
        if owner.pid not in processes:
            return set()  # too late: it has ended
        sockets = listening_sockets(processes)
        for role in roles:
            victims = [owner.pid] if role == "owner" else [one for one, line in processes.items() if role in line]
            for victim in victims[:1]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim, number)
                    self.hit = True
        return sockets

    def processes(self) -> dict[int, str]:
        """The command lines of all processes of this run, by id."""
        found: dict[int, str] = {}
        for entry in Path("/proc").iterdir():
            # A process may end while it is looked at.
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and self._belongs(entry):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def _belongs(self, entry: Path) -> bool:
        if self.mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
            return True
        # Engines overwrite their environment with their title.
        return (entry / "cwd").readlink().is_relative_to(self.folder)

    def _found(self, sockets: set[str], shared: set[str]) -> list[str]:
        files = [str(path) for folder in (self.temporary, self.home) for path in folder.rglob("*")]
        processes = [f"process {number}: {line}" for number, line in self.processes().items()]
        still = sockets & {f"{port} {inode}" for port, inode in listening()}
        return files + processes + [f"port {socket}" for socket in still] + sorted(shared_things() - shared)


def listening() -> Iterator[tuple[int, str]]:
    """Port and inode of each listening socket of this machine."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if Path(table).exists():
            for row in [line.split() for line in Path(table).read_text().splitlines()[1:]]:
                if row[3] == "0A":
                    yield int(row[1].rpartition(":")[2], 16), row[9]


def listening_sockets(processes: dict[int, str]) -> set[str]:
    """The listening sockets of these processes, as port and inode."""
    inodes: set[str] = set()
    for process in processes:
        with contextlib.suppress(OSError):
            for link in (Path("/proc") / str(process) / "fd").iterdir():
                with contextlib.suppress(OSError):
                    inodes.add(str(link.readlink()).removeprefix("socket:[").removesuffix("]"))
    return {f"{port} {inode}" for port, inode in listening() if inode in inodes}


def shared_things() -> set[str]:
    """What a process can leave on the machine besides files in its folders; not the shared memory of browsers."""
    found = {str(path) for path in Path("/dev/shm").glob("*") if "chromium" not in path.name}
    found |= {str(path) for path in Path("/run/netns").glob("*")}
    found |= {str(path) for path in Path("/sys/fs/cgroup").glob("**/cdk-redis-*")}
    for kind in ("shm", "sem", "msg"):
        table = Path("/proc/sysvipc") / kind
        if table.exists():
            found |= {f"{kind} {' '.join(line.split()[:2])}" for line in table.read_text().splitlines()[1:]}
    return found


def phase_seconds(folder: Path) -> dict[str, float]:
    """How long each phase takes on this machine now, from one run that nothing disturbs."""
    run = Run(folder, "", "", 0)
    began: list[float] = []
    with subprocess.Popen(
        [sys.executable, __file__, "--own"], env=run.environment, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout
        began += [time.monotonic() for _ in owner.stdout]
    if len(began) != len(PHASES):
        raise SystemExit("the program failed without a violent end")
    began.append(time.monotonic())
    return {phase: after - before for phase, (before, after) in zip(PHASES, itertools.pairwise(began), strict=True)}


def main() -> int:
    """End clouds violently; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--own", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.own:
        own_a_cloud()
        return 0
    chance = random.Random(options.seed)
    print(f"seed {options.seed}", flush=True)
    counts: collections.Counter[str] = collections.Counter()
    plans: list[tuple[str, str]] = []
    bad = done = 0
    with tempfile.TemporaryDirectory() as folder:
        seconds = phase_seconds(Path(folder))
    print("phases: " + ", ".join(f"{phase} {length:.1f} s" for phase, length in seconds.items()), flush=True)
    began = time.monotonic()
    while done < options.times:
        if not plans:
            plans = list(itertools.product(ENDS, PHASES))
            chance.shuffle(plans)
        end, phase = plans.pop()
        run = Run(Path(tempfile.mkdtemp(prefix="ends-")), end, phase, chance.uniform(0, seconds[phase]))
        found = run.left()
        shutil.rmtree(run.folder, ignore_errors=True)
        done += run.hit or bool(found)  # others ended before their signal
        bad += bool(found)
        counts[end] += run.hit
        for thing in found:
            print(f"{done}: {end} in {phase} after {run.delay:.2f} s: {thing}", flush=True)
    each = ", ".join(f"{count} {end}" for end, count in counts.items())
    print(f"{done} violent ends ({each}) in {time.monotonic() - began:.0f} s: {bad} left something")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
