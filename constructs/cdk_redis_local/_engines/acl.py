"""Users of a store, in the format of the engine's ACL."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class AclUser:
    """A user of an engine.

    ``access_string`` has the syntax of the engine and AWS (``on ~app:* +@read``). ``passwords`` are plain text and
    hashed for the engine; without passwords, clients cannot sign in with a password. With ``iam``, clients send an IAM
    token instead, which the gate in front of the engine checks (no effect in an engine set without gates). With
    ``no_password``, clients sign in with any password. ``refused`` commands are refused even if the access string
    allows them.
    """

    name: str
    access_string: str = "on ~* &* +@all"
    passwords: tuple[str, ...] = ()
    iam: bool = False
    no_password: bool = False
    refused: tuple[str, ...] = ()

    @property
    def rules(self) -> list[str]:
        """The arguments of ``ACL SETUSER`` after the name, which define this user completely."""
        hashes = [f"#{hashlib.sha256(password.encode()).hexdigest()}" for password in self.passwords]
        # At the end, because the last rule for a command wins.
        refused = [f"-{command}" for command in self.refused]
        return ["reset", *(["nopass"] if self.no_password else hashes), *self.access_string.split(), *refused]

    @property
    def line(self) -> str:
        """The user's line in an ACL file."""
        return f"user {self.name} {' '.join(self.rules)}"


# Clients must sign in with a user name.
CLOSED_DEFAULT = AclUser("default", "off")
# The user of a store without a user group, or with the ACL `open-access`: all permissions without a password.
OPEN_DEFAULT = AclUser("default", "on ~* &* +@all", no_password=True)
