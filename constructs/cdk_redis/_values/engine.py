"""Engines: Valkey and Redis OSS, the versions that each service offers, and the features of a version.

Example:
    >>> engine = Engine.valkey("8.1")
    >>> engine.elasticache_family, engine.memorydb_family, engine.supports_iam
    ('valkey8', None, True)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

import aws_cdk as cdk

from cdk_redis._core.errors import ConfigurationError, problem
from cdk_redis._core.tokens import is_token

_VALKEY = "valkey"
_REDIS = "redis"

# Versions a service offers, each with the family of its parameter groups.
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html
_ELASTICACHE_FAMILIES = {
    _REDIS: {
        "4.0.10": "redis4.0",
        "5.0.6": "redis5.0",
        "6.0": "redis6.x",
        "6.2": "redis6.x",
        "7.0": "redis7",
        "7.1": "redis7",
    },
    _VALKEY: {
        "7.2": "valkey7",
        "8.0": "valkey8",
        "8.1": "valkey8",
        "8.2": "valkey8",
        "9.0": "valkey9",
        "9.1": "valkey9",
    },
}
# https://docs.aws.amazon.com/memorydb/latest/devguide/engine-versions.html
_MEMORYDB_FAMILIES = {
    _REDIS: {"6.2": "memorydb_redis6", "7.0": "memorydb_redis7", "7.1": "memorydb_redis7"},
    _VALKEY: {"7.2": "memorydb_valkey7", "7.3": "memorydb_valkey7"},
}
# A serverless cache has a major version; ElastiCache installs the minor versions.
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/engine-versions.html
_SERVERLESS_VERSIONS = {_REDIS: ("7",), _VALKEY: ("7", "8", "9")}

# The first version of Valkey that AWS offers. All versions of Valkey have the features of Redis OSS before the fork.
_FIRST_VALKEY = "7.2"

_VERSION = re.compile(r"[0-9]+(\.[0-9]+){0,2}")


@dataclass(frozen=True)
class Engine:
    """An engine and its version, with the parameter group family that each service has for it.

    Use `valkey` or `redis`, or `of` for a version that this library does not know yet.

    Attributes:
        name: ``"valkey"`` or ``"redis"``, as the services spell it.
        version: Version as the services spell it, ``"8.1"``.
        elasticache_family: Family of ElastiCache parameter groups; None if ElastiCache does not offer the version.
        memorydb_family: Family of MemoryDB parameter groups; None if MemoryDB does not offer the version.
    """

    name: str
    version: str
    elasticache_family: str | None = None
    memorydb_family: str | None = None

    TEXT_EXAMPLE: ClassVar[str] = "valkey:8.1"

    def __post_init__(self) -> None:
        """Check the format of every field; tokens pass."""
        problems = [*_problems_of_name(self.name), *_problems_of_version(self.version)]
        problems += _problems_of_family("elasticache_family", self.elasticache_family, "valkey8")
        problems += _problems_of_family("memorydb_family", self.memorydb_family, "memorydb_valkey7")
        if problems:
            raise ConfigurationError("Engine", problems)

    @classmethod
    def valkey(cls, version: str) -> Engine:
        """Valkey.

        Args:
            version: ElastiCache has 7.2, 8.0, 8.1, 8.2, 9.0 and 9.1; MemoryDB has 7.2 and 7.3; serverless caches
                have 7, 8 and 9.

        Raises:
            ConfigurationError: If neither service is known to offer the version.
        """
        return cls._known(_VALKEY, version)

    @classmethod
    def redis(cls, version: str) -> Engine:
        """Redis OSS.

        Args:
            version: ElastiCache has 4.0.10, 5.0.6, 6.0, 6.2, 7.0 and 7.1; MemoryDB has 6.2, 7.0 and 7.1;
                serverless caches have 7.

        Raises:
            ConfigurationError: If neither service is known to offer the version.
        """
        return cls._known(_REDIS, version)

    @classmethod
    def from_text(cls, text: str) -> Engine:
        """Parse an engine and its version.

        Args:
            text: ``"valkey:8.1"`` or ``"redis:7.1"``; the versions are those of `valkey` and `redis`.

        Raises:
            ConfigurationError: If the text has another format, or neither service is known to offer the version.
        """
        if is_token(text):
            parts = cdk.Fn.split(":", text)
            return cls(cdk.Fn.select(0, parts), cdk.Fn.select(1, parts))
        name, colon, version = text.partition(":") if isinstance(text, str) else ("", "", "")
        if not colon or name not in (_VALKEY, _REDIS):
            reason = 'an engine reads "valkey:VERSION" or "redis:VERSION", such as "valkey:8.1"'
            raise ConfigurationError("Engine", [problem("text", text, reason)])
        return cls._known(name, version)

    @classmethod
    def of(
        cls, name: str, version: str, elasticache_family: str | None = None, memorydb_family: str | None = None
    ) -> Engine:
        """An engine version that AWS offers and this library does not know yet.

        Args:
            name: ``"valkey"`` or ``"redis"``.
            version: Version as the service spells it, for example ``"10.0"``.
            elasticache_family: Family of its ElastiCache parameter groups, for example ``"valkey10"``.
                Default: - the known family of the version; if there is none, ElastiCache stores cannot use the engine.
            memorydb_family: Family of its MemoryDB parameter groups.
                Default: - the known family of the version; if there is none, MemoryDB stores cannot use the engine.

        Raises:
            ConfigurationError: If the name is not one of the two, or the version is not a version number.
        """
        return cls(
            name,
            version,
            _family(_ELASTICACHE_FAMILIES, name, version) if elasticache_family is None else elasticache_family,
            _family(_MEMORYDB_FAMILIES, name, version) if memorydb_family is None else memorydb_family,
        )

    @classmethod
    def _known(cls, name: str, version: str) -> Engine:
        engine = cls.of(name, version)
        if engine.elasticache_family or engine.memorydb_family or is_token(version):
            return engine
        if version in _SERVERLESS_VERSIONS[name]:
            return engine
        reason = f"ElastiCache offers {name} {_versions(_ELASTICACHE_FAMILIES, name)}"
        reason += f" and MemoryDB {name} {_versions(_MEMORYDB_FAMILIES, name)}"
        hint = f"for a newer one name its family, Engine.of({name!r}, {version!r}, elasticache_family=...)"
        if (following := _following(name, version)) is not None:
            hint = f"the next version is {following!r}"
        raise ConfigurationError(f"Engine.{name}", [problem("version", version, reason, hint)])

    @property
    def major_minor(self) -> tuple[int, int]:
        """Major and minor version as numbers, ``(8, 1)``; the minor version is 0 if only the major version is set.

        Raises:
            ConfigurationError: If the version is a token, whose value is not known at synth.
        """
        if is_token(self.version):
            reason = "the version number is needed, and the value of a token is not known at synth"
            raise ConfigurationError("Engine.major_minor", [problem("version", self.version, reason)])
        return _major_minor(self.version)

    def is_at_least(self, *, valkey: str, redis: str | None) -> bool:
        """Whether the version is new enough for a feature; True for tokens, which only the service can check.

        Args:
            valkey: First version of Valkey that has the feature, ``"7.2"``.
            redis: First version of Redis OSS that has the feature; None if no version has it.
        """
        first = valkey if self.name == _VALKEY else redis
        if is_token(self.name) or is_token(self.version):
            return True
        if first is None:
            return False
        # AWS runs the newest patch of a minor version, and the newest minor version of a major one (serverless caches).
        own, least = _numbers(self.version), _numbers(first)
        length = min(len(own), len(least))
        return own[:length] >= least[:length]

    @property
    def supports_iam(self) -> bool:
        """Whether users can sign in with IAM: Valkey, and Redis OSS 7.0 or newer."""
        return self.is_at_least(valkey=_FIRST_VALKEY, redis="7.0")

    @property
    def supports_user_groups(self) -> bool:
        """Whether it has users with access strings: Valkey, and Redis OSS 6.0 or newer."""
        return self.is_at_least(valkey=_FIRST_VALKEY, redis="6.0")

    @property
    def supports_slow_log(self) -> bool:
        """Whether ElastiCache delivers its slow log: Valkey, and Redis OSS 6.0 or newer."""
        return self.is_at_least(valkey=_FIRST_VALKEY, redis="6.0")

    @property
    def supports_engine_log(self) -> bool:
        """Whether ElastiCache delivers its engine log: Valkey, and Redis OSS 6.2 or newer."""
        return self.is_at_least(valkey=_FIRST_VALKEY, redis="6.2")

    @property
    def supports_channel_rules(self) -> bool:
        """Whether access strings can contain channel rules: Valkey, and Redis OSS 6.2 or newer."""
        return self.is_at_least(valkey=_FIRST_VALKEY, redis="6.2")

    @property
    def supports_sharded_pubsub(self) -> bool:
        """Whether it has sharded publish/subscribe: Valkey, and Redis OSS 7.0 or newer."""
        return self.is_at_least(valkey=_FIRST_VALKEY, redis="7.0")

    def check_elasticache(self) -> str | None:
        """Return a problem if ElastiCache is not known to offer this engine, else None; tokens pass."""
        return self._check("ElastiCache", "elasticache_family", self.elasticache_family, _ELASTICACHE_FAMILIES)

    def check_memorydb(self) -> str | None:
        """Return a problem if MemoryDB is not known to offer this engine, else None; tokens pass."""
        return self._check("MemoryDB", "memorydb_family", self.memorydb_family, _MEMORYDB_FAMILIES)

    def check_serverless(self) -> str | None:
        """Return a problem if serverless caches cannot run this engine, else None; tokens pass."""
        if is_token(self.name) or is_token(self.version):
            return None
        majors = _SERVERLESS_VERSIONS[self.name]
        # A major version that is newer than this library passes.
        if self.version.isdigit() and int(self.version) >= int(majors[0]):
            return None
        offered = " and ".join(f"{name} {', '.join(versions)}" for name, versions in _SERVERLESS_VERSIONS.items())
        major = str(self.major_minor[0])
        hint = f'write Engine.{self.name}("{major if major in majors else majors[-1]}")'
        return problem("engine", str(self), f"a serverless cache runs a major version: {offered}", hint)

    def __str__(self) -> str:
        """Name and version for messages, ``valkey 8.1``."""
        return f"{self.name} {self.version}"

    def _check(self, service: str, parameter: str, family: str | None, known: dict[str, dict[str, str]]) -> str | None:
        if family is not None or is_token(self.name) or is_token(self.version):
            return None
        offered = " and ".join(f"{name} {_versions(known, name)}" for name in (_VALKEY, _REDIS))
        hint = f"choose one of these, or name the family of a newer one with Engine.of(..., {parameter}=...)"
        return problem("engine", str(self), f"{service} offers {offered}", hint)


def _major_minor(version: str) -> tuple[int, int]:
    major, minor = [*version.split("."), "0"][:2]
    return int(major), int(minor)


def _family(known: dict[str, dict[str, str]], name: object, version: object) -> str | None:
    return known.get(name, {}).get(version) if isinstance(name, str) and isinstance(version, str) else None


def _following(name: str, version: str) -> str | None:
    """The first known version after one that AWS does not offer; None if the version is newer than all of them."""
    known = {*_ELASTICACHE_FAMILIES[name], *_MEMORYDB_FAMILIES[name]}
    newer = [other for other in known if _numbers(other) > _numbers(version)]
    return min(newer, key=_numbers, default=None)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _versions(known: dict[str, dict[str, str]], name: str) -> str:
    return ", ".join(known[name])


def _problems_of_name(name: object) -> list[str]:
    if is_token(name) or name in (_VALKEY, _REDIS):
        return []
    return [problem("name", name, 'an engine is "valkey" or "redis"')]


def _problems_of_version(version: object) -> list[str]:
    if is_token(version):
        return []
    if not isinstance(version, str):
        return [problem("version", version, 'a version is text such as "8.1"', "write it in quotes")]
    if not _VERSION.fullmatch(version):
        return [problem("version", version, 'a version has one to three numbers, such as "8", "8.1" or "4.0.10"')]
    return []


def _problems_of_family(parameter: str, family: object, example: str) -> list[str]:
    if family is None or is_token(family) or (isinstance(family, str) and family.strip()):
        return []
    return [problem(parameter, family, f'a family is a name such as "{example}"')]
