"""Users of a store, as the engine's ACL takes them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class AclUser:
    """A user of an engine.

    ``access_string`` is in the engine's and AWS's own words (``on ~app:* +@read``). ``passwords`` are in the
    clear here and hashed for the engine; none at all means that nobody can sign in by password. ``iam`` says
    that clients send an IAM token instead: the gate before the engine checks it (an engine set without gates
    has no use for it). ``no_password`` lets anybody in under this name. ``refused`` commands stay refused whatever
    the access string says.
    """

    name: str
    access_string: str = "on ~* &* +@all"
    passwords: tuple[str, ...] = ()
    iam: bool = False
    no_password: bool = False
    refused: tuple[str, ...] = ()

    @property
    def rules(self) -> list[str]:
        """The arguments of ``ACL SETUSER``, after the name, which make exactly this user."""
        hashes = [f"#{hashlib.sha256(password.encode()).hexdigest()}" for password in self.passwords]
        # At the end, because the last word on a command counts.
        refused = [f"-{command}" for command in self.refused]
        return ["reset", *(["nopass"] if self.no_password else hashes), *self.access_string.split(), *refused]

    @property
    def line(self) -> str:
        """The user's line in an ACL file."""
        return f"user {self.name} {' '.join(self.rules)}"


# Nobody gets in without a name of their own.
CLOSED_DEFAULT = AclUser("default", "off")
# A store with no user group, or with the ACL `open-access`: everybody may do everything.
OPEN_DEFAULT = AclUser("default", "on ~* &* +@all", no_password=True)
