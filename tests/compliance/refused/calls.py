"""Calls that the rows of several themes make, and their messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import aws_cdk as cdk

from cdk_redis import Authentication, ElastiCacheParameterGroup, Engine, GlobalDatastore, MultiRegionCluster
from tests.compliance.refused.rows import Refused, Scene

Call = Callable[[Scene], object]


class Rule(NamedTuple):
    """A rule that several rows break, and the page that says so."""

    text: str
    source: str


def row(rule: Rule, call: Call, parameter: str, given: object, reason: str, hint: str) -> Refused:
    """A row whose message has the usual form."""
    message = f"{parameter}: got {given!r}, but {reason}{f'; {hint}' if hint else ''}"
    return Refused(rule.text, call, message, rule.source)


def group(**given: Any) -> Call:
    """A replication group."""
    return lambda it: it.group(**given)


def old_group(version: str, **given: Any) -> Call:
    """A replication group of a version of Redis OSS that has no users."""
    return group(engine=Engine.redis(version), authentication=Authentication.auth_token(), **given)


def cluster(**given: Any) -> Call:
    """A MemoryDB cluster."""
    return lambda it: it.cluster(**given)


def multi_region(**given: Any) -> Call:
    """A Multi-Region cluster."""
    return lambda it: MultiRegionCluster(it.scope, "Everywhere", **given)


def parameter_group(engine: str, **given: Any) -> Call:
    """A parameter group of ElastiCache."""
    return lambda it: ElastiCacheParameterGroup(it.scope, "Parameters", engine=engine, cluster_mode=False, **given)


def global_datastore(of: dict[str, Any] | None = None, *, scale: str | None = None, **given: Any) -> Call:
    """A global datastore around a replication group that is given, and that may be scaled."""

    def make(it: Scene) -> object:
        primary = it.group("Primary", **{"node_type": "cache.r7g.large"} | (of or {}))
        if scale is not None:
            getattr(primary, f"scale_{scale}")(minimum=1, maximum=3)
        return GlobalDatastore(it.scope, "Global", primary=primary, **given)

    return make


def token(it: Scene) -> str:
    """A value that is not known before the deploy."""
    return cdk.CfnParameter(it.scope, "Parameter").value_as_string
