"""Whether the service keeps to itself the commands by which it manages the store.

What cannot be told at run time: an engine of one's own, in cluster mode, whose users are refused the same commands,
from MemoryDB, but by what INFO says of the system. A pass names that; `topology` and `dns` fail where INFO or the host
name is another AWS service's. With IAM authentication the sign-in itself proves the service, for which the token is
signed.
"""

from __future__ import annotations

from redis.exceptions import NoPermissionError, ResponseError

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._smoke_test.checks.context import Check, Context, count, failed, passed
from cdk_redis_runtime._smoke_test.checks.nodes import Command
from cdk_redis_runtime._smoke_test.checks.probes import probing
from cdk_redis_runtime._smoke_test.report import Outcome

_EXPECTED = "NOPERM or an unknown command for each command by which the service manages its nodes"
_PROVES = "nobody can take the store out of the service's hands"
_SYSTEM = "Amazon MemoryDB"
_NO_SLOT = "16384"


def _check_managed_commands_refused(context: Context) -> Outcome:
    probes = _probes(context.run)
    seen = probing(context, probes, _refused)
    if seen.allowed:
        names = ", ".join(name.replace("|", " ").upper() for name in seen.allowed)
        reason = f"the store allows {names}, which MemoryDB allows to nobody: what answers is not MemoryDB"
        return failed(reason, _EXPECTED, f"allowed: {names}")
    if not seen.nodes:
        return failed(seen.errors, _EXPECTED)
    observed = f"{len(probes)} commands refused at {count(seen.nodes, 'node')}{_seen_of_system(context)}"
    return passed(_PROVES, _EXPECTED, observed, unsettled=seen.unsettled)


def _seen_of_system(context: Context) -> str:
    """What the nodes say of their system where it is not MemoryDB's: an engine of one's own that refuses as much."""
    systems = {str(result.value.get("os")) for result in context.store.infos() if result.value} - {_SYSTEM}
    named = " and ".join(sorted(repr(system) for system in systems))
    return f"; INFO calls the system {named}, where MemoryDB's says {_SYSTEM!r}" if systems else ""


def _refused(answer: object) -> bool:
    if isinstance(answer, NoPermissionError):
        return True
    text = str(answer).lower()
    # A command that is renamed or taken away is unknown; DEBUG has a switch of its own.
    return isinstance(answer, ResponseError) and ("unknown" in text or "debug command not allowed" in text)


def _probes(nobody: str) -> dict[str, Command]:
    """Each command, in a form that changes nothing where it is allowed.

    An engine counts the arguments first, then looks at permissions, and at what the arguments say only in the command
    itself: so the number of arguments is right, and what they say is impossible. ACL LOAD and SAVE, BGREWRITEAOF,
    PSYNC, SAVE and SYNC take nothing that could be wrong, and are not tried.
    """
    return {
        "acl|deluser": ("ACL", "DELUSER", nobody),
        "acl|setuser": ("ACL", "SETUSER", nobody, "no-rule"),
        "bgsave": ("BGSAVE", "never"),
        "cluster|addslots": ("CLUSTER", "ADDSLOTS", _NO_SLOT),
        "cluster|delslots": ("CLUSTER", "DELSLOTS", _NO_SLOT),
        "cluster|setslot": ("CLUSTER", "SETSLOT", _NO_SLOT, "STABLE"),
        "config": ("CONFIG", "GET", "no-setting"),
        "debug": ("DEBUG", "HELP"),
        "migrate": ("MIGRATE", "localhost", "0", nobody, "0", "1"),
        "module": ("MODULE", "LIST"),
        "replicaof": ("REPLICAOF", "localhost", "no-port"),
        # There is no shutdown that it could abort.
        "shutdown": ("SHUTDOWN", "ABORT"),
        "slaveof": ("SLAVEOF", "localhost", "no-port"),
    }


MANAGED_COMMANDS_REFUSED = Check(
    # The list of commands is MemoryDB's.
    "managed-commands-refused",
    _PROVES,
    _check_managed_commands_refused,
    services=(env.MEMORYDB,),
    probes=_probes,
)
