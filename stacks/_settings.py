"""Settings of each environment, read from the context of ``cdk.json`` and checked before anything is built.

The settings check keys, types and choices. The constructs check what AWS allows (numbers of shards, node types, engine
versions).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, cast, get_args

import aws_cdk as cdk
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from cdk_redis import Engine, Preset, Snapshots

_ENGINE_FORM = '"NAME:VERSION", such as "valkey:8.1" or "redis:7.1"'
RemovalPolicyName = Literal["snapshot", "retain", "destroy"]
_PRESETS = {"dev": Preset.dev, "prod": Preset.prod}


class SettingsError(Exception):
    """Wrong settings; the message lists every wrong key, what was given and what is allowed."""


def _engine(given: object) -> Engine:
    if isinstance(given, Engine):
        return given
    name, colon, version = given.partition(":") if isinstance(given, str) else ("", "", "")
    if not colon:
        raise ValueError(f"an engine is {_ENGINE_FORM}")
    return Engine.of(name, version)


class _Settings(BaseModel):
    # Strict: "3" is not 3 in JSON, and is reported and not converted.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)


class StoreSettings(_Settings):
    """Settings of a store.

    Attributes:
        engine: Engine and version, written ``"valkey:8.1"``.
        node_type: Size of each node: ``cache....`` for ElastiCache, ``db....`` for MemoryDB.
        shards: Number of shards.
        replicas: Replicas of each shard.
        snapshot_retention_days: Days that a daily snapshot is kept, 1 to 35; 0 takes none.
        removal_policy: What happens to the data when the store is removed: ``"snapshot"`` (a final snapshot stays),
            ``"retain"`` (the store stays) or ``"destroy"`` (the data is lost).
        customer_managed_key: Whether a new KMS key of this account encrypts the data, instead of a key that the
            service owns. Changing it replaces the store.
        unlisted_engine: Whether to accept engine versions that the service is not known to offer. The local cloud
            runs the version that the machine has; AWS rejects such a version after some minutes.
    """

    engine: Annotated[Engine, BeforeValidator(_engine)]
    node_type: str
    shards: int
    replicas: int
    snapshot_retention_days: int = 7
    removal_policy: RemovalPolicyName = "snapshot"
    customer_managed_key: bool = False
    unlisted_engine: bool = False

    @property
    def cdk_engine(self) -> Engine:
        """The engine; an unlisted one gets names of parameter group families, which the local cloud accepts."""
        engine = self.engine
        if not self.unlisted_engine:
            return engine
        family = f"{engine.name}{engine.major_minor[0]}"
        return Engine.of(
            engine.name,
            engine.version,
            elasticache_family=engine.elasticache_family or family,
            memorydb_family=engine.memorydb_family or f"memorydb_{family}",
        )

    @property
    def snapshots(self) -> Snapshots:
        """The daily snapshots."""
        return Snapshots(self.snapshot_retention_days)

    @property
    def cdk_removal_policy(self) -> cdk.RemovalPolicy:
        """The removal policy of the CDK."""
        return cdk.RemovalPolicy[self.removal_policy.upper()]


class Settings(_Settings):
    """One environment.

    Attributes:
        preset: ``"dev"`` or ``"prod"``: the preset that the environment begins from, see docs/compliance.md. Keys that
            are given win. Default: - none.
        account: AWS account of the stacks, 12 digits. Default: - the account of the credentials of the deployment.
        region: AWS Region of the stacks. Default: - the Region of the deployment.
        zones: Number of availability zones of the network, 2 or 3.
        termination_protection: Whether CloudFormation rejects the deletion of the network and the stores.
        tags: Tags of all resources that support tags.
        elasticache: The replication group.
        memorydb: The cluster.
    """

    preset: Literal["dev", "prod"] | None = None
    account: str | None = None
    region: str | None = None
    zones: int = 3
    termination_protection: bool
    tags: Mapping[str, str] = {}
    elasticache: StoreSettings
    memorydb: StoreSettings

    @property
    def cdk_preset(self) -> Preset | None:
        """The preset; None if the environment has none."""
        return _PRESETS[self.preset]() if self.preset else None

    @classmethod
    def read(cls, environments: object, name: str, *, engine: str | None = None) -> Settings:
        """Read one environment.

        Args:
            environments: All environments by name: ``environments`` in the context.
            name: Name of the environment: ``env`` in the context.
            engine: Engine and version of both stores, in place of those in the environment: ``engine`` in the context.

        Raises:
            SettingsError: If the environment is unknown or a key of it is wrong.
        """
        if not isinstance(environments, Mapping) or name not in environments:
            known = ", ".join(environments) if isinstance(environments, Mapping) else "none"
            raise SettingsError(f"env: got {name!r}, but the environments of cdk.json are: {known}")
        try:
            settings = cls.model_validate(_with_preset(environments[name]))
        except ValidationError as error:
            lines = [f"\n  - {_sentence(detail)}" for detail in error.errors()]
            raise SettingsError(f"wrong settings of the environment {name!r} in cdk.json:{''.join(lines)}") from None
        return settings if engine is None else settings._with_engine(engine)

    def _with_engine(self, given: str) -> Settings:
        try:
            engine = _engine(given)
        except ValueError as error:
            raise SettingsError(f"engine: got {given!r}, but {error}") from None
        stores = {
            name: getattr(self, name).model_copy(update={"engine": engine}) for name in ("elasticache", "memorydb")
        }
        return self.model_copy(update=stores)


def _with_preset(given: object) -> object:
    """Add keys that an environment leaves out and that its preset has."""
    environment = cast("Mapping[str, object]", given) if isinstance(given, Mapping) else {}
    make = _PRESETS.get(str(environment.get("preset")))
    if make is None:
        return given
    preset = make()
    policy = cast("cdk.RemovalPolicy", preset.removal_policy)
    of_stores = {
        "replicas": preset.replicas,
        "snapshot_retention_days": preset.snapshots,
        "removal_policy": policy.name.lower(),
    }
    stores = {
        name: {**of_stores, **cast("Mapping[str, object]", store)}
        for name in ("elasticache", "memorydb")
        if isinstance(store := environment.get(name), Mapping)
    }
    return {"zones": preset.zones, "termination_protection": preset.termination_protection, **environment, **stores}


def _sentence(detail: ErrorDetails) -> str:
    """Describe one error of pydantic: the key, what was given, what is allowed."""
    key = ".".join(str(part) for part in detail["loc"])
    given, kind, context = detail["input"], detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return f"{key}: unknown key, given {given!r}; allowed are: {', '.join(_keys(detail['loc'][:-1]))}"
    if kind == "missing":
        return f"{key}: missing; it has no default"
    allowed = {
        "string_type": "text is needed",
        "int_type": "a whole number is needed, without quotes",
        "bool_type": "true or false is needed, without quotes",
        "model_type": "an object of keys and values is needed",
        "literal_error": f"allowed are: {', '.join(_PRESETS if key == 'preset' else get_args(RemovalPolicyName))}",
    }.get(kind)
    return f"{key or 'the environment'}: got {given!r}, but {allowed or context.get('error') or detail['msg']}"


def _keys(location: Sequence[Any]) -> list[str]:
    """Names of the keys at a place in the settings."""
    model: Any = Settings
    for part in location:
        model = model.model_fields[part].annotation
    return sorted(model.model_fields)
