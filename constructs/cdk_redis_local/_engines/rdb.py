"""Saves each shard as an RDB file, and copies the keys of RDB files into running nodes."""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.client import NEVER_DECODE
from redis.crc import key_slot

from cdk_redis_local._core.errors import EngineError
from cdk_redis_local._core.workspace import Workspace
from cdk_redis_local._engines.cluster import owned_ranges, owned_slots
from cdk_redis_local._engines.node import Node, Security, wait_until
from cdk_redis_local._engines.program import EngineProgram
from cdk_redis_local._engines.slots import send

_SAVE_SECONDS = 60.0
_MIGRATE_MILLISECONDS = 10_000
_KEYS_AT_A_TIME = 200
_MAGIC = (b"REDIS", b"VALKEY")
# What the engines log about a file that they cannot load, and then end.
_VERSION_REFUSED = re.compile(r"Can't handle RDB format version (\d+)")
_FOREIGN = "Wrong signature"


@dataclass(frozen=True)
class SavedShard:
    """The RDB file of one shard.

    Attributes:
        path: The file.
        slots: First and last slots of the shard's ranges; empty without cluster mode.
        number: Number in the shard of the node that saved it.
        replicas: The number of replicas.
        used_memory: Bytes that the keys used in the engine.
    """

    path: Path
    slots: tuple[tuple[int, int], ...]
    number: int
    replicas: int
    used_memory: int


def save(nodes: Sequence[Node], directory: Path) -> list[SavedShard]:
    """Save each shard with BGSAVE, all at the same time; returns when the files are in the directory.

    Args:
        nodes: All nodes of a set.
        directory: A directory without such files; the files are named after the shards, ``0001.rdb`` and so on.

    Raises:
        EngineError: A shard has no running primary, or an engine could not save.
    """
    primaries: list[Node] = []
    for shard in sorted({node.shard for node in nodes}):
        primary = next((n for n in nodes if n.shard == shard and n.running and n.role == "primary"), None)
        if primary is None:
            raise EngineError(f"shard {shard} has no running primary")
        primaries.append(primary)
    before = [_saves(node) for node in primaries]
    for node in primaries:
        # If the engine writes another file now, it saves after that.
        send(node, [("BGSAVE", "SCHEDULE")])
    saved: list[SavedShard] = []
    for number, (node, count) in enumerate(zip(primaries, before, strict=True), start=1):
        wait_until(
            lambda node=node, count=count: _has_saved(node, count), f"{node} to save", _SAVE_SECONDS, alive=[node]
        )
        settings = node.admin.config_get("dir", "dbfilename")
        target = directory / f"{number:04}.rdb"
        shutil.move(Path(settings["dir"]) / settings["dbfilename"], target)
        target.chmod(0o600)
        slots = owned_ranges(node) if node.admin.info("cluster")["cluster_enabled"] else []
        replicas = sum(other.shard == node.shard for other in nodes) - 1
        used = int(node.admin.info("memory")["used_memory_dataset"])
        saved.append(SavedShard(target, tuple(slots), node.number, replicas, used))
    return saved


def _saves(node: Node) -> int:
    return int(node.admin.info("persistence")["rdb_saves"])


def _has_saved(node: Node, before: int) -> bool:
    seen = node.admin.info("persistence")
    if seen["rdb_bgsave_in_progress"]:
        return False
    if seen["rdb_last_bgsave_status"] != "ok":
        raise EngineError(f"{node} could not save its keys; the end of its log: {node.log[-300:]}")
    return int(seen["rdb_saves"]) > before


@contextlib.contextmanager
def loaded(
    program: EngineProgram,
    workspace: Workspace,
    directory: Path,
    security: Security,
    files: Sequence[Path],
    *,
    cluster_mode: bool,
) -> Generator[list[Node]]:
    """Load each file into an engine of its own, which ends with the block.

    Args:
        program: The engine; it decides whether it can read a file.
        workspace: The workspace for the processes.
        directory: The directory for the engines' files.
        security: As of the set that the keys are copied to.
        files: RDB files. They stay as they are.
        cluster_mode: Whether the keys are copied to a set in cluster mode, which has one database only.

    Raises:
        EngineError: A file is not an RDB file, is damaged, was written by an engine that this engine cannot follow, or
            has more than one database and the set is in cluster mode.
    """
    sources: list[Node] = []
    try:
        for file in files:
            _check_is_rdb(file)
            place = directory / f"load-{secrets.token_hex(4)}"
            place.mkdir(parents=True)
            shutil.copyfile(file, place / "dump.rdb")
            node = Node(program, workspace, place, security, len(sources), "primary")
            sources.append(node)
            encrypted = [("tls-cluster", "yes")] if security.certificate else []  # MIGRATE then uses TLS
            node.start([("dbfilename", "dump.rdb"), *encrypted], [])
        for node, file in zip(sources, files, strict=True):
            _wait_for_load(node, file)
            if cluster_mode and any(_databases(node)):
                raise EngineError(f"{file.name} has more than one database, and a store in cluster mode has one")
        yield sources
    finally:
        for node in sources:
            node.stop()
            node.remove_files()


def _check_is_rdb(file: Path) -> None:
    with file.open("rb") as stream:
        if not stream.read(9).startswith(_MAGIC):
            raise EngineError(f"{file.name} is not an RDB file")


def _wait_for_load(node: Node, file: Path) -> None:
    try:
        node.wait()
    except EngineError as error:
        if found := _VERSION_REFUSED.search(node.log):
            version = f"has version {found[1]} of the RDB format, which a newer engine wrote"
            raise EngineError(f"{file.name} {version}: {node.program} cannot read it") from error
        if _FOREIGN in node.log:
            written = "was written by Valkey 9 or newer"
            raise EngineError(f"{file.name} {written}: {node.program} cannot read it") from error
        raise EngineError(f"{node.program} cannot read {file.name}: it is damaged") from error


def copy_keys(sources: Sequence[Node], primaries: Sequence[Node], *, cluster_mode: bool) -> int:
    """Copy keys and functions from loaded files to the primaries with the keys' slots; returns the number of keys.

    Raises:
        EngineError: An engine refuses a key.
    """
    owners = {slot: node for node in primaries for slot in owned_slots(node)} if cluster_mode else {}
    copied = 0
    for source in sources:
        _copy_functions(source, primaries)
        for database in _databases(source):
            for target, keys in _keys_by_target(source, database, primaries[0], owners):
                _migrate(source, database, target, keys)
                copied += len(keys)
    for node in primaries:
        replicas = int(node.admin.info("replication")["connected_slaves"])
        node.admin.wait(replicas, _MIGRATE_MILLISECONDS)
    return copied


def _databases(node: Node) -> list[int]:
    return sorted(int(name.removeprefix("db")) for name in node.admin.info("keyspace"))


def _keys_by_target(
    source: Node, database: int, only: Node, owners: dict[int, Node]
) -> Iterator[tuple[Node, list[bytes]]]:
    with source.admin.client() as client:
        client.execute_command("SELECT", database)
        cursor = 0
        while True:
            answer: Any = client.execute_command("SCAN", cursor, "COUNT", _KEYS_AT_A_TIME, **{NEVER_DECODE: True})
            cursor, keys = answer
            groups: dict[Node, list[bytes]] = {}
            for key in keys:
                groups.setdefault(owners[key_slot(key)] if owners else only, []).append(key)
            yield from groups.items()
            if cursor == 0:
                return


def _migrate(source: Node, database: int, target: Node, keys: Sequence[bytes]) -> None:
    manager = source.security.manager
    start = ("MIGRATE", target.address, target.engine_port, "", database, _MIGRATE_MILLISECONDS, "COPY", "REPLACE")
    start += ("AUTH2", manager.name, manager.passwords[0], "KEYS")
    send(source, [("SELECT", database), (*start, *keys), ("SELECT", 0)])


def _copy_functions(source: Node, primaries: Sequence[Node]) -> None:
    [libraries, dump] = send(source, [("FUNCTION", "LIST"), ("FUNCTION", "DUMP")], **{NEVER_DECODE: True})
    if libraries:
        for node in primaries:
            send(node, [("FUNCTION", "RESTORE", dump, "REPLACE")])
