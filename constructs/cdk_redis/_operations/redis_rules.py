"""The rules of `RedisChecks`, over the resources of a template."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

_GROUP, _NODE, _SERVERLESS = (
    f"AWS::ElastiCache::{name}" for name in ("ReplicationGroup", "CacheCluster", "ServerlessCache")
)
_CLUSTER = "AWS::MemoryDB::Cluster"
_USERS = ("AWS::ElastiCache::User", "AWS::MemoryDB::User")
_SUBNET_GROUPS = {"AWS::ElastiCache::SubnetGroup": "SubnetIds", "AWS::MemoryDB::SubnetGroup": "SubnetIds"}
_SECURITY_GROUPS = {
    _GROUP: "SecurityGroupIds",
    _SERVERLESS: "SecurityGroupIds",
    _CLUSTER: "SecurityGroupIds",
    _NODE: "VpcSecurityGroupIds",
}
_WORLD = ("0.0.0.0/0", "::/0")
_DEFAULT_PORT = 6379
# A serverless cache listens on this port as well, for reads.
_READER_PORT = 6380

# Logical id of a resource, and the property that breaks the rule.
Found = Iterator[tuple[str, str]]


class Template:
    """The resources of a template."""

    def __init__(self, template: dict[str, Any]) -> None:
        """Read a template.

        Args:
            template: The template as JSON.
        """
        self._resources: dict[str, dict[str, Any]] = template.get("Resources", {})

    def of(self, *types: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Logical id, type and properties of the resources of some types."""
        for logical_id, resource in self._resources.items():
            if resource.get("Type") in types:
                yield logical_id, resource["Type"], resource.get("Properties", {})


class Rule(NamedTuple):
    """One rule.

    Attributes:
        name: Its name, without that of the plug-in.
        description: What is wrong.
        fix: What to do.
        find: Finds the resources that break it.
    """

    name: str
    description: str
    fix: str
    find: Callable[[Template], Found]


def _open_access(template: Template) -> Found:
    for logical_id, kind, properties in template.of(_GROUP, _SERVERLESS, _CLUSTER):
        if kind == _CLUSTER and properties.get("ACLName") == "open-access":
            yield logical_id, "ACLName"
        if kind == _SERVERLESS and not properties.get("UserGroupId"):
            yield logical_id, "UserGroupId"
        if kind == _GROUP and not (properties.get("UserGroupIds") or properties.get("AuthToken")):
            yield logical_id, "UserGroupIds"


def _plaintext(template: Template) -> Found:
    for logical_id, kind, properties in template.of(_GROUP, _NODE, _CLUSTER):
        if kind == _CLUSTER:
            if _is(properties.get("TLSEnabled"), False):
                yield logical_id, "TLSEnabled"
        elif kind == _NODE and properties.get("Engine") == "memcached":
            continue
        # A secondary has the setting of its primary.
        elif "GlobalReplicationGroupId" not in properties:
            enabled = properties.get("TransitEncryptionEnabled", False)
            if _is(enabled, False):
                yield logical_id, "TransitEncryptionEnabled"
            elif properties.get("TransitEncryptionMode") == "preferred":
                yield logical_id, "TransitEncryptionMode"


def _no_password(template: Template) -> Found:
    for logical_id, _, properties in template.of(*_USERS):
        rules = _rules(properties)
        mode: Any = properties.get("AuthenticationMode")
        kind = mode.get("Type") if isinstance(mode, dict) else None
        if "off" in rules:
            continue
        if _is(properties.get("NoPasswordRequired"), True):
            yield logical_id, "NoPasswordRequired"
        elif kind in ("no-password-required", "no-password"):
            yield logical_id, "AuthenticationMode"
        elif "nopass" in rules:
            yield logical_id, "AccessString"


def _wide_access(template: Template) -> Found:
    for logical_id, _, properties in template.of(*_USERS):
        rules = _rules(properties)
        all_keys = "~*" in rules or "allkeys" in rules
        all_commands = "+@all" in rules or "allcommands" in rules
        takes_away = any(rule.startswith("-") for rule in rules)
        if "off" not in rules and all_keys and all_commands and not takes_away:
            yield logical_id, "AccessString"


def _no_snapshots(template: Template) -> Found:
    for logical_id, kind, properties in template.of(_GROUP, _NODE, _SERVERLESS, _CLUSTER):
        # The primary of a global datastore has the same data; memcached has no snapshots.
        is_copy = "GlobalReplicationGroupId" in properties
        is_memcached = kind == _NODE and properties.get("Engine") == "memcached"
        if not (is_copy or is_memcached) and str(properties.get("SnapshotRetentionLimit", 0)) == "0":
            yield logical_id, "SnapshotRetentionLimit"


def _public_subnets(template: Template) -> Found:
    public = _public(template)
    for logical_id, _, properties in template.of(*_SUBNET_GROUPS, _SERVERLESS):
        subnets: Any = properties.get("SubnetIds")
        if isinstance(subnets, list) and any(_referred(one) in public for one in subnets):  # pyright: ignore
            yield logical_id, "SubnetIds"


def _public(template: Template) -> set[str | None]:
    """Subnets that give public addresses, or whose route table has a route to an internet gateway."""
    gateways = {logical_id for logical_id, *_ in template.of("AWS::EC2::InternetGateway")}
    tables = {
        _referred(properties.get("RouteTableId"))
        for _, _, properties in template.of("AWS::EC2::Route")
        if _referred(properties.get("GatewayId")) in gateways or str(properties.get("GatewayId")).startswith("igw-")
    }
    by_route = {
        _referred(properties.get("SubnetId"))
        for _, _, properties in template.of("AWS::EC2::SubnetRouteTableAssociation")
        if _referred(properties.get("RouteTableId")) in tables
    }
    by_address = {
        logical_id
        for logical_id, _, properties in template.of("AWS::EC2::Subnet")
        if _is(properties.get("MapPublicIpOnLaunch"), True)
    }
    return (by_route | by_address) - {None}


def _open_security_group(template: Template) -> Found:
    rules = list(_ingress(template))
    for logical_id, kind, properties in template.of(*_SECURITY_GROUPS):
        groups: Any = properties.get(_SECURITY_GROUPS[kind])
        port = properties.get("Port", _DEFAULT_PORT)
        ports = {_DEFAULT_PORT, _READER_PORT} if kind == _SERVERLESS else {port}
        mine = {_referred(one) for one in groups} if isinstance(groups, list) else set()  # pyright: ignore
        if any(group in mine and any(_covers(rule, one) for one in ports) for group, rule in rules):
            yield logical_id, _SECURITY_GROUPS[kind]


def _ingress(template: Template) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """Security groups of the template, and rules for everybody."""
    for logical_id, _, properties in template.of("AWS::EC2::SecurityGroup"):
        for rule in properties.get("SecurityGroupIngress") or ():
            if isinstance(rule, dict):
                yield logical_id, rule  # pyright: ignore
    for _, _, properties in template.of("AWS::EC2::SecurityGroupIngress"):
        yield _referred(properties.get("GroupId")), properties


def _covers(rule: dict[str, Any], port: Any) -> bool:
    if rule.get("CidrIp") not in _WORLD and rule.get("CidrIpv6") not in _WORLD:
        return False
    if str(rule.get("IpProtocol")) == "-1":
        return True
    first, last = rule.get("FromPort"), rule.get("ToPort")
    # A port that is a reference is not known here.
    if not all(isinstance(one, int) for one in (first, last, port)):
        return False
    return first <= port <= last


def _rules(properties: dict[str, Any]) -> list[str]:
    access = properties.get("AccessString")
    return access.lower().split() if isinstance(access, str) else []


def _is(value: object, expected: bool) -> bool:
    """Whether a property is a boolean, which a template also writes as text; a reference is neither."""
    return value is expected or value == str(expected).lower()


def _referred(value: object) -> str | None:
    """Logical id that ``Ref`` or ``Fn::GetAtt`` refers to."""
    if not isinstance(value, dict):
        return None
    reference: dict[str, Any] = value  # pyright: ignore
    if isinstance(found := reference.get("Ref"), str):
        return found
    attribute: Any = reference.get("Fn::GetAtt")
    if isinstance(attribute, str):
        return attribute.split(".")[0]
    return str(attribute[0]) if attribute else None


RULES = (
    Rule(
        "OpenAccess",
        "everybody who reaches the store can use it without signing in",
        "give it a user group or an AUTH token; in MemoryDB, an access control list other than open-access",
        _open_access,
    ),
    Rule(
        "Plaintext",
        "clients can connect without TLS",
        "set TransitEncryptionEnabled, in MemoryDB TLSEnabled, and TransitEncryptionMode required",
        _plaintext,
    ),
    Rule("NoPassword", "a user signs in without a password", "give it a password, or use IAM", _no_password),
    Rule(
        "WideAccess",
        "a user may run all commands on all keys",
        "name the keys and the commands that it needs, such as ~app:* +@read +@write; acknowledge an administrator",
        _wide_access,
    ),
    Rule("Snapshots", "no snapshots are taken", "set SnapshotRetentionLimit to 1 day or more", _no_snapshots),
    Rule(
        "PublicSubnets",
        "the store is in a subnet with a route to the internet",
        "use isolated or private subnets",
        _public_subnets,
    ),
    Rule(
        "OpenSecurityGroup",
        "a security group allows all addresses to connect to the store's port",
        "allow the security groups of its clients",
        _open_security_group,
    ),
)
