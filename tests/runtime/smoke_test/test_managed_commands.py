"""The commands that MemoryDB reserves for itself: they are refused for every user, and the check changes nothing."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import pytest
from redis.exceptions import ResponseError

from cdk_redis_local import OPEN_DEFAULT, AclUser, EngineSet
from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._smoke_test.checks import managed as _managed
from tests.runtime.support.battery import ACCESS, Battery

CHECK = "managed-commands-refused"
ALLOWED_TO_ALL = " ".join(f"+{command}" for command in env.MEMORYDB_REFUSED_COMMANDS)
# The list names some commands with all their subcommands.
SUBCOMMANDS = {"config": ["get"], "module": ["list"]}
TRIED = {
    "ACL DELUSER",
    "ACL SETUSER",
    "BGSAVE",
    "CLUSTER ADDSLOTS",
    "CLUSTER DELSLOTS",
    "CLUSTER SETSLOT",
    "CONFIG",
    "MIGRATE",
    "MODULE",
    "REPLICAOF",
    "SHUTDOWN",
    "SLAVEOF",
}


def state(engines: EngineSet) -> list[object]:
    """The state that the commands could change."""
    return [
        (node.role, node.admin.dbsize(), node.admin.acl_list(), node.admin.execute_command("CLUSTER", "NODES")[:40])
        for node in engines.nodes
    ]


def test_store_that_refuses_the_commands_passes(cluster: EngineSet, battery: Battery) -> None:
    verdicts = battery(cluster, service="memorydb")
    assert CHECK in verdicts.passed, verdicts.report
    (observed,) = [check.outcome.observed for check in verdicts.report.checks if check.name == CHECK]
    # A self-managed engine is mentioned.
    assert re.fullmatch(
        r"13 commands refused at 6 nodes; INFO reports os '.+', MemoryDB reports 'Amazon MemoryDB'", observed
    )


def test_check_does_not_run_for_elasticache(cluster: EngineSet, battery: Battery) -> None:
    verdicts = battery(cluster)
    assert CHECK not in verdicts.passed | verdicts.failed | verdicts.skipped


def test_store_that_allows_the_commands_fails_and_does_not_change(
    cluster: EngineSet, battery: Battery, let: Any
) -> None:
    let(cluster, f"{ACCESS} {ALLOWED_TO_ALL}")
    before = state(cluster)

    verdicts = battery(cluster, service="memorydb")

    assert verdicts.failed == {CHECK}
    # A setting of the engine turns DEBUG off.
    assert verdicts[CHECK] == (
        f"the store allows {', '.join(sorted(TRIED))}, which MemoryDB allows no user: the store is not MemoryDB"
    )
    assert state(cluster) == before


def test_commands_are_refused_with_open_access(start: Callable[..., EngineSet], battery: Battery) -> None:
    everybody = dataclasses.replace(OPEN_DEFAULT, refused=env.MEMORYDB_REFUSED_COMMANDS)
    engines = start(cluster_mode=True, tls=False, users=[everybody])
    verdicts = battery(engines, service="memorydb", authentication="none", user=None)
    assert CHECK in verdicts.passed, verdicts.report


def test_every_tried_command_is_in_the_list_of_memorydb() -> None:
    assert set(_managed._forbidden_commands("prefix:run")) < set(env.MEMORYDB_REFUSED_COMMANDS)


@pytest.mark.parametrize("command", env.MEMORYDB_REFUSED_COMMANDS)
def test_the_engine_has_every_command_of_the_list(cluster: EngineSet, command: str) -> None:
    assert cluster.nodes[0].admin.execute_command("COMMAND", "INFO", command)


def test_user_with_all_permissions_is_refused_every_command_of_the_list(cluster: EngineSet, let: Any) -> None:
    let(cluster, "on", AclUser("admin", passwords=("a-password",), refused=env.MEMORYDB_REFUSED_COMMANDS))

    for command in env.MEMORYDB_REFUSED_COMMANDS:
        words = [*command.split("|"), *SUBCOMMANDS.get(command, ())]
        # With any number of arguments.
        answers = [dry_run(cluster, [*words, *"12345"[:more]]) for more in range(6)]
        assert any("has no permissions to run" in answer for answer in answers), (command, answers)


def dry_run(engines: EngineSet, words: list[str]) -> str:
    try:
        return str(engines.nodes[0].admin.execute_command("ACL", "DRYRUN", "admin", *words))
    except ResponseError as error:
        return str(error)
