"""Node types: the size of a store's nodes.

Example:
    >>> node_type = NodeType.from_text("cache.r6gd.xlarge")
    >>> node_type.family, node_type.size, node_type.data_tiering
    ('r6gd', 'xlarge', True)
    >>> NodeType.from_text("r7g.large").name_in("db")
    'db.r7g.large'
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from cdk_redis._core.errors import ConfigurationError, problem
from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2

_NAME = re.compile(r"(?:(cache|db)\.)?(?!(?:cache|db)\.)([a-z][a-z0-9-]*)\.([a-z0-9-]+)")
# Families that are not built on the Nitro system: the previous generations.
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheNodes.SupportedTypes.html
_WITHOUT_NITRO = ("c1", "m1", "m2", "m3", "m4", "r3", "r4", "t1", "t2")
# r6gd at present. The page on auto scaling names r7gd and r8gd too, which follow the same pattern.
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/data-tiering.html
_WITH_DATA_TIERING = re.compile(r"r[0-9]+gd")


@dataclass(frozen=True)
class NodeType:
    """Size of the nodes of a store.

    A store looks it up in the node types that AWS lists for the service; `of` makes one that is newer than the list.

    Attributes:
        name: ``"cache.r7g.large"`` in ElastiCache, ``"db.r7g.large"`` in MemoryDB, ``"r7g.large"`` for either; or a
            token.
        checked: Whether stores look it up in the lists of node types; False if it was made by `of`.
    """

    name: str
    checked: bool = field(default=True, compare=False, repr=False, kw_only=True)

    TEXT_EXAMPLE: ClassVar[str] = "cache.r7g.large"

    def __post_init__(self) -> None:
        """Check the format of the name; a token passes."""
        given: object = self.name
        checked: object = self.checked
        if not isinstance(checked, bool):
            raise ConfigurationError("NodeType", [problem("checked", checked, "it is True or False")])
        if is_token(given) or (isinstance(given, str) and _NAME.fullmatch(given)):
            return
        reason = 'a node type reads "cache.r7g.large" in ElastiCache and "db.r7g.large" in MemoryDB'
        raise ConfigurationError("NodeType", [problem("text", given, reason)])

    @classmethod
    def from_text(cls, text: str) -> NodeType:
        """Parse a node type.

        Args:
            text: ``"cache.r7g.large"`` or ``"db.r7g.large"``; ``"r7g.large"`` for either service.

        Raises:
            ConfigurationError: If the text has another format.
        """
        return cls(text)

    @classmethod
    def of(cls, name: str) -> NodeType:
        """A node type that AWS offers and this library does not know yet; stores do not look it up.

        Args:
            name: ``"cache.r9g.large"``, ``"db.r9g.large"``, or ``"r9g.large"`` for either service.

        Raises:
            ConfigurationError: If the name has another form.
        """
        return cls(name, checked=False)

    @classmethod
    def from_instance_type(cls, instance_type: ec2.InstanceType) -> NodeType:
        """The node type of an EC2 instance type.

        Args:
            instance_type: For example ``ec2.InstanceType.of(ec2.InstanceClass.R7G, ec2.InstanceSize.LARGE)``.
        """
        return cls(instance_type.to_string())

    @classmethod
    def from_other(cls, given: object) -> NodeType | None:
        """Read an ``aws_cdk.aws_ec2.InstanceType``; None for anything else."""
        # Importing aws_ec2 takes a third of a second. An InstanceType exists only if aws_ec2 is imported already.
        if type(given).__module__.split(".")[0] != "aws_cdk":
            return None
        from aws_cdk import aws_ec2 as ec2

        return cls.from_instance_type(given) if isinstance(given, ec2.InstanceType) else None

    @property
    def prefix(self) -> str:
        """``"cache"`` for ElastiCache, ``"db"`` for MemoryDB; empty for a name without prefix and for a token."""
        return self._part(1)

    @property
    def family(self) -> str:
        """Family, such as ``"r7g"``; empty for a token."""
        return self._part(2)

    @property
    def size(self) -> str:
        """Size within the family, such as ``"large"``; empty for a token."""
        return self._part(3)

    @property
    def burstable(self) -> bool:
        """Whether its CPU performance depends on CPU credits; False for a token."""
        return self.family.startswith("t")

    @property
    def data_tiering(self) -> bool:
        """Whether it stores part of the data on local SSDs; False for a token."""
        return _WITH_DATA_TIERING.fullmatch(self.family) is not None

    @property
    def nitro(self) -> bool:
        """Whether it is built on the Nitro system, which previous generations are not; True for a token."""
        return self.family not in _WITHOUT_NITRO

    def name_in(self, prefix: str) -> str:
        """The name that a service accepts.

        Args:
            prefix: ``"cache"`` for ElastiCache, ``"db"`` for MemoryDB.
        """
        return self.name if self.prefix or is_token(self.name) else f"{prefix}.{self.name}"

    def __str__(self) -> str:
        """The name, unchanged."""
        return self.name

    def _part(self, group: int) -> str:
        found = None if is_token(self.name) else _NAME.fullmatch(self.name)
        return (found[group] or "") if found else ""
