"""Whether the store refuses the commands that MemoryDB reserves for itself.

A self-managed engine in cluster mode whose users are refused the same commands can be told from MemoryDB only by the
operating system that INFO reports. A pass mentions that one; `topology` and `dns` fail if INFO or the host name shows
another AWS service. With IAM authentication the sign-in itself proves the service, because the token is signed for it.
"""

from __future__ import annotations

from redis.exceptions import NoPermissionError, ResponseError

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._smoke_test.checks.context import Check, Context, count, failed, passed
from cdk_redis_runtime._smoke_test.checks.nodes import Command
from cdk_redis_runtime._smoke_test.checks.permissions import permissions_of
from cdk_redis_runtime._smoke_test.report import Outcome

_EXPECTED = "NOPERM or 'unknown command' for each command that MemoryDB reserves for itself"
_PROVES = "the commands that MemoryDB reserves for itself are refused"
_MEMORYDB_OS = "Amazon MemoryDB"
_NO_SLOT = "16384"


def _check_managed_commands_refused(context: Context) -> Outcome:
    forbidden = _forbidden_commands(context.run)
    permissions = permissions_of(context, forbidden, _is_refusal)
    if permissions.allowed:
        names = ", ".join(name.replace("|", " ").upper() for name in permissions.allowed)
        reason = f"the store allows {names}, which MemoryDB allows no user: the store is not MemoryDB"
        return failed(reason, _EXPECTED, f"allowed: {names}")
    if not permissions.nodes:
        return failed(permissions.errors, _EXPECTED)
    observed = f"{len(forbidden)} commands refused at {count(permissions.nodes, 'node')}{_other_os(context)}"
    return passed(_PROVES, _EXPECTED, observed, unsettled=permissions.unsettled)


def _other_os(context: Context) -> str:
    """The operating system that the nodes report, if it is not MemoryDB's."""
    systems = {str(result.value.get("os")) for result in context.store.infos() if result.value} - {_MEMORYDB_OS}
    names = " and ".join(sorted(repr(system) for system in systems))
    return f"; INFO reports os {names}, MemoryDB reports {_MEMORYDB_OS!r}" if systems else ""


def _is_refusal(answer: object) -> bool:
    if isinstance(answer, NoPermissionError):
        return True
    text = str(answer).lower()
    # A command that is renamed or removed is unknown; DEBUG has its own switch.
    return isinstance(answer, ResponseError) and ("unknown" in text or "debug command not allowed" in text)


def _forbidden_commands(name: str) -> dict[str, Command]:
    """Each command, in a form that changes nothing if it is allowed.

    An engine counts the arguments first, then checks permissions, and only then runs the command, which reads them. So
    the number of arguments is valid, and their content is not. ACL LOAD and SAVE, BGREWRITEAOF, PSYNC, SAVE and SYNC
    have no arguments that could be invalid, and are not tried.
    """
    return {
        "acl|deluser": ("ACL", "DELUSER", name),
        "acl|setuser": ("ACL", "SETUSER", name, "no-rule"),
        "bgsave": ("BGSAVE", "never"),
        "cluster|addslots": ("CLUSTER", "ADDSLOTS", _NO_SLOT),
        "cluster|delslots": ("CLUSTER", "DELSLOTS", _NO_SLOT),
        "cluster|setslot": ("CLUSTER", "SETSLOT", _NO_SLOT, "STABLE"),
        "config": ("CONFIG", "GET", "no-setting"),
        "debug": ("DEBUG", "HELP"),
        "migrate": ("MIGRATE", "localhost", "0", name, "0", "1"),
        "module": ("MODULE", "LIST"),
        "replicaof": ("REPLICAOF", "localhost", "no-port"),
        # ABORT changes nothing unless a shutdown is in progress.
        "shutdown": ("SHUTDOWN", "ABORT"),
        "slaveof": ("SLAVEOF", "localhost", "no-port"),
    }


MANAGED_COMMANDS_REFUSED = Check(
    "managed-commands-refused",
    _PROVES,
    _check_managed_commands_refused,
    services=(env.MEMORYDB,),
    forbidden_commands=_forbidden_commands,
)
