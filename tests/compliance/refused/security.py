"""Calls that would lower security without a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events

from cdk_redis import (
    AccessString,
    Acl,
    ElastiCacheUser,
    ElastiCacheUserGroup,
    Endpoint,
    FailoverDrill,
    MemoryDbCluster,
    MemoryDbUser,
    ReplicationGroup,
    ServerlessCache,
    SmokeTest,
    User,
)
from tests.compliance.refused.rows import Accepted, Refused, Scene

ACLS = "https://docs.aws.amazon.com/memorydb/latest/devguide/clusters.acls.html"
OURS = "the library"
PATTERN_SIGNS = r"a prefix is text without tokens, white space or the pattern characters * ? [ ] \ in it"
EVERY_FIVE_MINUTES = events.Schedule.rate(cdk.Duration.minutes(5))


def _open_access(it: Scene, **given: Any) -> MemoryDbCluster:
    return it.cluster(acl=Acl.from_acl_name(it.scope, "Acl", "open-access"), **given)


def _imported_group(it: Scene, **given: Any) -> Any:
    attributes = {"replication_group_id": "theirs", "endpoint": Endpoint("theirs.example.com", 6379)}
    attributes |= {"security_groups": [], "network": it.network}
    return ReplicationGroup.from_replication_group_attributes(it.scope, "Theirs", **{**attributes, **given})


def _imported_cache(it: Scene, **given: Any) -> Any:
    attributes = {"serverless_cache_name": "theirs", "endpoint": Endpoint("theirs.example.com", 6379)}
    attributes |= {"security_groups": [], "network": it.network}
    return ServerlessCache.from_serverless_cache_attributes(it.scope, "Theirs", **{**attributes, **given})


def _imported_cluster(it: Scene, **given: Any) -> Any:
    attributes = {"cluster_name": "theirs", "endpoint": Endpoint("theirs.example.com", 6379)}
    attributes |= {"security_groups": [], "network": it.network}
    return MemoryDbCluster.from_cluster_attributes(it.scope, "Theirs", **{**attributes, **given})


def _imported_user(it: Scene) -> User:
    return ElastiCacheUser.from_user_attributes(it.scope, "TheirUser", user_name="app")


def _vpc(it: Scene, **given: Any) -> ReplicationGroup:
    vpc = ec2.Vpc.from_vpc_attributes(it.scope, "Vpc", **{"vpc_id": "vpc-0123456789abcdef0", **given})
    return ReplicationGroup(it.scope, "Cache", vpc=vpc)


def _split(name: str, length: float | None = None) -> list[str]:
    return cdk.Fn.split(",", cdk.Fn.import_value(name), length)


def _prefix(test: type[SmokeTest] | type[FailoverDrill], prefix: str, **given: Any) -> Refused:
    """A prefix of keys that is empty or a pattern, for a store with users or with open access."""
    return Refused(
        f"The keys of a {'smoke test' if test is SmokeTest else 'drill'} have a prefix, which is not a pattern.",
        lambda it: test(it.scope, "Test", target=it.group(**given), key_prefix=prefix),
        f"key_prefix: got {prefix!r}, but {PATTERN_SIGNS if prefix else 'it must be text with at least one character'}",
        OURS,
    )


def _list_token(**given: Callable[[], Any]) -> Callable[[Scene], object]:
    return lambda it: _vpc(it, **{name: make() for name, make in given.items()})


def _of_list(what: str) -> str:
    return (
        f"vpc: got '.../Vpc', but its list of {what} is a token, whose length is not known at synth; give one item for "
        "each subnet: the result of Fn.split(',', text, 2), or of Fn.select"
    )


REFUSED = [
    Refused(
        "A flag is True or False: any other value, such as text from the context, would count as True.",
        lambda it: it.group(unsafe_plaintext="false"),
        "unsafe_plaintext: got 'false', but it must be True or False; write False",
        "the library",
    ),
    Refused(
        "An access string is checked also where it is given as text.",
        lambda it: it.group().add_iam_user("app", "on ~* +@nonsense"),
        "access: rule: got '+@nonsense', but the categories are admin, all, bitmap, blocking, connection, dangerous, "
        "fast, geo, hash, hyperloglog, keyspace, list, pubsub, read, scripting, set, slow, sortedset, stream, string, "
        "transaction, write",
        "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html",
    ),
    Refused(
        "MemoryDB's list open-access lets anyone connect, also where it is imported.",
        _open_access,
        "acl: got 'open-access', but with this list, anyone on the network can connect without signing in; give "
        "another list, or set `unsafe_open_access` as well",
        ACLS,
    ),
    Refused(
        "A cluster with another access control list has no open access.",
        lambda it: it.cluster(acl=Acl.from_acl_name(it.scope, "Acl", "theirs"), unsafe_open_access=True),
        "acl: got 'theirs', but a cluster with open access has no users; leave out one of the two",
        ACLS,
    ),
    Refused(
        "No user can be added to MemoryDB's list open-access.",
        lambda it: Acl.from_acl_name(
            it.scope,
            "Acl",
            "open-access",
            users=[MemoryDbUser.from_user_attributes(it.scope, "User", user_name="app")],
        ),
        "acl_name: got 'open-access', but clients of this list do not sign in, and no user can be added to it; leave "
        "out `users`",
        ACLS,
    ),
    Refused(
        "An access control list has another name than MemoryDB's own.",
        lambda it: Acl(it.scope, "Acl", acl_name="open-access"),
        "acl_name: got 'open-access', but MemoryDB has a list of this name; for open access, give the cluster "
        "`unsafe_open_access`",
        ACLS,
    ),
    *(
        _prefix(test, prefix)
        for test in (SmokeTest, FailoverDrill)
        for prefix in ("", "*", "app*", "a?", "[ab]", "a b")
    ),
    *(_prefix(test, "*", unsafe_open_access=True) for test in (SmokeTest, FailoverDrill)),
    Refused(
        "A user of one's own does not widen the prefix of a smoke test.",
        lambda it: SmokeTest(
            it.scope,
            "Test",
            target=(store := it.group()),
            user=store.add_iam_user("app", AccessString.all_access()),
            key_prefix="*",
        ),
        f"key_prefix: got '*', but {PATTERN_SIGNS}",
        OURS,
    ),
    *(
        Refused(
            "A smoke test or drill signs in as a user of its own store.",
            lambda it, test=test: test(
                it.scope, "Test", target=it.group(), user=it.group("Other").add_iam_user("app", "on ~* +@all")
            ),
            "user: got '.../Other/Users/app', but it is not a user of the target; give one of its users, or leave it "
            "out to have one added",
            OURS,
        )
        for test in (SmokeTest, FailoverDrill)
    ),
    Refused(
        "A smoke test of a store of one service does not sign in as a user of the other.",
        lambda it: SmokeTest(
            it.scope,
            "Test",
            target=_imported_group(it),
            user=MemoryDbUser.from_user_attributes(it.scope, "User", user_name="app"),
        ),
        "user: got '.../User', but it is not a user of the target; give one of its users, or leave it out to have one "
        "added",
        OURS,
    ),
    Refused(
        "Clients of a store with open access do not sign in.",
        lambda it: SmokeTest(it.scope, "Test", target=it.group(unsafe_open_access=True), user=_imported_user(it)),
        "user: got '.../TheirUser', but clients of a store with open access do not sign in; leave it out",
        OURS,
    ),
    *(
        Refused(
            "A smoke test or drill of an imported store signs in as one of its users.",
            lambda it, test=test: test(it.scope, "Test", target=_imported_group(it, users=[_imported_user(it)])),
            "user: got None, but this app does not define the store, and cannot add a user to it; give a user that has "
            "the access string AccessString.smoke_test(key_prefix): '.../TheirUser'",
            OURS,
        )
        for test in (SmokeTest, FailoverDrill)
    ),
    *(
        Refused(
            "A smoke test of an imported store needs a user of that store.",
            lambda it, store=store: SmokeTest(it.scope, "Test", target=store(it)),
            "user: got None, but this app does not define the store, and cannot add a user to it; import a user with "
            "`from_user_attributes`, give it to `users` of the import, and to `user` here",
            OURS,
        )
        for store in (_imported_group, _imported_cache, _imported_cluster)
    ),
    Refused(
        "A smoke test of a store with an imported user group signs in as one of its users.",
        lambda it: SmokeTest(
            it.scope,
            "Test",
            target=it.group(
                user_group=ElastiCacheUserGroup.from_user_group_id(
                    it.scope, "Group", "theirs", users=[_imported_user(it)]
                )
            ),
        ),
        "user: got None, but this app does not define .../Group, and cannot add a user to it; give a user that has the "
        "access string AccessString.smoke_test(key_prefix): '.../TheirUser'",
        OURS,
    ),
    Refused(
        "A smoke test of a cluster with an imported access control list signs in as one of its users.",
        lambda it: SmokeTest(it.scope, "Test", target=it.cluster(acl=Acl.from_acl_name(it.scope, "Acl", "theirs"))),
        "user: got None, but this app does not define .../Acl, and cannot add a user to it; import a user with "
        "`from_user_attributes`, give it to `users` of the import, and to `user` here",
        OURS,
    ),
    Refused(
        "The subnets of an imported VPC are known one by one.",
        _list_token(availability_zones=lambda: ["eu-west-1a"], isolated_subnet_ids=lambda: _split("Subnets")),
        _of_list("subnet ids"),
        OURS,
    ),
    Refused(
        "The zones of an imported VPC are known one by one.",
        _list_token(availability_zones=lambda: _split("Zones"), isolated_subnet_ids=lambda: ["subnet-1"]),
        _of_list("zones"),
        OURS,
    ),
    Refused(
        "All zones of a Region are a list whose length is not known at synth.",
        _list_token(availability_zones=cdk.Fn.get_azs, private_subnet_ids=lambda: ["subnet-1"]),
        _of_list("zones"),
        OURS,
    ),
]

ACCEPTED = [
    Accepted(
        "A store without TLS must say that it is open.",
        lambda it: it.group(unsafe_plaintext=True, unsafe_open_access=True),
    ),
    Accepted(
        "The list open-access may be given with the parameter that says so.",
        lambda it: _open_access(it, unsafe_open_access=True),
    ),
    Accepted(
        "A smoke test's prefix may contain any other character.",
        lambda it: SmokeTest(it.scope, "Test", target=it.group(), key_prefix="{app}/smoke-1:"),
    ),
    Accepted(
        "A store may have two smoke tests, canaries and drills, which have a user each.",
        lambda it: [
            store := it.group(),
            SmokeTest(it.scope, "First", target=store),
            SmokeTest(it.scope, "Second", target=store, schedule=EVERY_FIVE_MINUTES),
            FailoverDrill(it.scope, "Drill", target=store),
            FailoverDrill(it.scope, "OtherDrill", target=store, shard="0001"),
        ],
    ),
    Accepted(
        "A smoke test of an imported store may use a user that the import does not list.",
        lambda it: SmokeTest(it.scope, "Test", target=_imported_group(it), user=_imported_user(it)),
    ),
    Accepted(
        "A smoke test of an imported store with open access has no user.",
        lambda it: SmokeTest(it.scope, "Test", target=_imported_group(it, unsafe_open_access=True)),
    ),
    Accepted(
        "Subnets may be tokens if their number is known.",
        lambda it: _vpc(it, availability_zones=["eu-west-1a", "eu-west-1b"], isolated_subnet_ids=_split("Subnets", 2)),
    ),
]
