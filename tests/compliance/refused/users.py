"""Users, user groups, access control lists and access strings that AWS or an engine rejects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk

from cdk_redis import (
    AccessString,
    Acl,
    Authentication,
    ElastiCacheUser,
    ElastiCacheUserGroup,
    Endpoint,
    MemoryDbCluster,
    MemoryDbUser,
    RedisNetwork,
    ReplicationGroup,
    ServerlessCache,
)
from tests.compliance.refused.rows import Accepted, Refused, Scene

RBAC = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html"
IAM = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html"
ACLS = "https://docs.aws.amazon.com/memorydb/latest/devguide/clusters.acls.html"
REDIS_ACL = "https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/"
NAME = (
    "a name has 1 to 40 lower-case letters, digits and single hyphens, "
    "begins with a letter and does not end with a hyphen"
)
DIFFERENT = "the users of one list need different names"
SERVICES_USER = (
    "the service's user of this name signs in without a password and has full access; leave it out; for open access, "
    "give the store `unsafe_open_access`"
)
EVERY_CHANNEL = "leave it out: without channel rules, every user can use all channels"
OLD_SYNTAX = 'write "~" and allow only commands that read, or choose a newer engine'
DENY = "deny the command and allow other subcommands"


def _user(it: Scene, id: str = "User", **given: Any) -> ElastiCacheUser:
    return ElastiCacheUser(
        it.scope, id, **{"engine": "valkey:8.1", "access": "on ~* +@read", "authentication": "iam", **given}
    )


def _memorydb_user(it: Scene, id: str = "User", **given: Any) -> MemoryDbUser:
    return MemoryDbUser(it.scope, id, **{"access": "on ~* +@read", "authentication": "iam", **given})


def _group(it: Scene, **given: Any) -> ElastiCacheUserGroup:
    return ElastiCacheUserGroup(it.scope, "Group", **{"engine": "valkey:8.1", **given})


def _theirs(it: Scene, name: str, id: str = "Theirs") -> Any:
    return ElastiCacheUser.from_user_attributes(it.scope, id, user_name=name)


def _their_memorydb_user(it: Scene, name: str, id: str = "Theirs") -> Any:
    return MemoryDbUser.from_user_attributes(it.scope, id, user_name=name)


def _import_store(it: Scene, users: list[Any]) -> object:
    return ReplicationGroup.from_replication_group_attributes(
        it.scope,
        "Cache",
        replication_group_id="theirs",
        endpoint=Endpoint("theirs.example.com", 6379),
        security_groups=[],
        users=users,
    )


def _import_cluster(it: Scene, users: list[Any]) -> object:
    return MemoryDbCluster.from_cluster_attributes(
        it.scope,
        "Cluster",
        cluster_name="theirs",
        endpoint=Endpoint("theirs.example.com", 6379),
        security_groups=[],
        users=users,
    )


def _import_cache(it: Scene, users: list[Any]) -> object:
    return ServerlessCache.from_serverless_cache_attributes(
        it.scope,
        "Cache",
        serverless_cache_name="theirs",
        endpoint=Endpoint("theirs.example.com", 6379),
        security_groups=[],
        users=users,
    )


def _named(name: str) -> list[Refused]:
    """A name that the services do not accept, for a user of each service and for each list."""
    hint = "leave it out to have a unique name generated"
    return [
        Refused(
            "The name of an ElastiCache user fits its id.",
            lambda it: _user(it, user_name=name),
            f"user_name: got {name!r}, but {NAME}; {hint}",
            IAM,
        ),
        Refused(
            "The id of an ElastiCache user is well formed.",
            lambda it: _user(it, authentication="password", user_id=name),
            f"user_id: got {name!r}, but {NAME}; {hint}",
            RBAC,
        ),
        Refused(
            "The name of a MemoryDB user is well formed.",
            lambda it: _memorydb_user(it, user_name=name),
            f"user_name: got {name!r}, but {NAME}; {hint}",
            ACLS,
        ),
        Refused(
            "The id of a user group is well formed.",
            lambda it: _group(it, user_group_id=name),
            f"user_group_id: got {name!r}, but {NAME}",
            RBAC,
        ),
        Refused(
            "The name of an access control list is well formed.",
            lambda it: Acl(it.scope, "Acl", acl_name=name),
            f"acl_name: got {name!r}, but {NAME}",
            ACLS,
        ),
    ]


def _old(engine: str, rule: str, what: str, first: str, hint: str) -> Refused:
    """A rule that an engine before Redis OSS 6.2 or 7.0 does not know."""
    shown = engine.replace(":", " ")
    return Refused(
        f"Access strings have {what} only if the engine knows them.",
        lambda it: it.group(engine=engine).add_password_user("app", f"on ~app:* +@read {rule}"),
        f"access: got {rule!r}, but {shown} has no {what}, which need Redis OSS {first} or Valkey; {hint}",
        REDIS_ACL,
    )


def _access(text: str, message: str, rule: str, source: str = RBAC) -> list[Refused]:
    """An access string that both services reject."""
    calls: tuple[Callable[[Scene], object], ...] = (
        lambda it: _user(it, access=text),
        lambda it: _memorydb_user(it, access=text),
    )
    return [Refused(rule, call, f"access: {message}", source) for call in calls]


def _in_stack(it: Scene, id: str, region: str = "eu-west-1", account: str = "111122223333") -> cdk.Stack:
    return cdk.Stack(it.scope, id, env=cdk.Environment(account=account, region=region))


def _user_of_a_later_stack(it: Scene) -> None:
    first, last = _in_stack(it, "First"), _in_stack(it, "Last")
    _depend(last, first)
    acl = Acl(first, "Acl")
    acl.add(MemoryDbUser(last, "User", access="on ~* +@read", authentication="iam"))


def _depend(stack: cdk.Stack, other: cdk.Stack) -> None:
    add: Any = stack.add_stack_dependency if hasattr(stack, "add_stack_dependency") else stack.add_dependency
    add(other)


def _list_of_a_later_stack(it: Scene) -> None:
    first, last = _in_stack(it, "First"), _in_stack(it, "Last")
    _depend(last, first)
    MemoryDbCluster(first, "Cluster", network=RedisNetwork(first, "Network"), acl=Acl(last, "Acl"))


def _group_of_a_later_stack(it: Scene, kind: type[ReplicationGroup] | type[ServerlessCache]) -> None:
    first, last = _in_stack(it, "First"), _in_stack(it, "Last")
    _depend(last, first)
    group = ElastiCacheUserGroup(last, "Group", engine="valkey:8")
    kind(first, "Cache", network=RedisNetwork(first, "Network"), user_group=group)


def _stacks_that_need_one_another(it: Scene) -> None:
    first, last = _in_stack(it, "First"), _in_stack(it, "Last")
    network, acl = RedisNetwork(first, "Network"), Acl(last, "Acl")
    MemoryDbCluster(first, "Cluster", network=network, acl=acl)
    MemoryDbCluster(last, "Cluster", network=network, acl=acl)


def _cycle(parameter: str, used: str) -> str:
    return (
        f"{parameter}: got '.../Last/{used}', but stack .../Last is deployed after stack .../First and "
        f"would have to be "
        "deployed before it as well; define it in stack .../First, or in a third stack"
    )


def _user_elsewhere(it: Scene, region: str, account: str) -> None:
    elsewhere = _in_stack(it, "Elsewhere", region, account)
    Acl(it.scope, "Acl").add(MemoryDbUser(elsewhere, "User", access="on ~* +@read", authentication="iam"))


REFUSED = [
    *(row for name in ("App", "app_1", "1app", "-app", "app-", "a--b", "a b", "a" * 41) for row in _named(name)),
    Refused(
        "The name of an IAM user of ElastiCache is its id.",
        lambda it: _user(it, user_name="app", user_id="other"),
        "user_name: got 'app', but an IAM user has the same name and id, and the id is 'other'; leave out one of the "
        "two, or use a password",
        IAM,
    ),
    Refused(
        "ElastiCache has a user with the id default.",
        lambda it: _user(it, authentication="password", user_id="default"),
        "user_id: got 'default', but ElastiCache has a user with this id; leave it out to have a unique id generated",
        RBAC,
    ),
    Refused(
        "MemoryDB has a user with the name default.",
        lambda it: _memorydb_user(it, user_name="default"),
        "user_name: got 'default', but MemoryDB has a user with this name; choose another name",
        ACLS,
    ),
    Refused(
        "ElastiCache's own user default, who has no password, opens each store of a group.",
        lambda it: _group(it, users=[_theirs(it, "default")]),
        f"users: got '.../Theirs', but {SERVICES_USER}",
        RBAC,
    ),
    Refused(
        "ElastiCache's own user default is not added later.",
        lambda it: it.group(engine="redis:7.1").user_group.add(_theirs(it, "default")),
        f"user: got '.../Theirs', but {SERVICES_USER}",
        RBAC,
    ),
    Refused(
        "MemoryDB's own user default opens each cluster of an access control list.",
        lambda it: Acl(it.scope, "Acl", users=[_their_memorydb_user(it, "default")]),
        f"users: got '.../Theirs', but {SERVICES_USER}",
        ACLS,
    ),
    Refused(
        "The id of an imported IAM user is in lower case.",
        lambda it: _theirs(it, "App"),
        "user_name: got 'App', but the services keep the id of a user, which is also the name of an IAM user, in lower "
        "case; write 'app', or give the `secret` of a password user",
        IAM,
    ),
    Refused(
        "The name of an imported IAM user of MemoryDB is in lower case.",
        lambda it: _their_memorydb_user(it, "Ledger-App"),
        "user_name: got 'Ledger-App', but the services keep the id of a user, which is also the name of "
        "an IAM user, in "
        "lower case; write 'ledger-app', or give the `secret` of a password user",
        IAM,
    ),
    Refused(
        "A user is in a user group once.",
        lambda it: _group(it, users=[(user := _user(it)), user]),
        "users: got '.../User', but it has been added already",
        RBAC,
    ),
    Refused(
        "A user is in an access control list once.",
        lambda it: Acl(it.scope, "Acl", users=[(user := _memorydb_user(it)), user]),
        "users: got '.../User', but it has been added already",
        ACLS,
    ),
    Refused(
        "The users of a user group sign in with different names.",
        lambda it: _group(
            it,
            users=[
                _user(it, "One", authentication="password", user_name="app", user_id="one"),
                _user(it, "Two", authentication="password", user_name="app", user_id="two"),
            ],
        ),
        f"users: got '.../Two', but .../One has the same user name, 'app'; {DIFFERENT}",
        RBAC,
    ),
    Refused(
        "The users of an access control list sign in with different names.",
        lambda it: Acl(
            it.scope, "Acl", users=[_memorydb_user(it, "One", user_name="app"), _their_memorydb_user(it, "app")]
        ),
        f"users: got '.../Theirs', but .../One has the same user name, 'app'; {DIFFERENT}",
        ACLS,
    ),
    Refused(
        "A user group has one user named default.",
        lambda it: _group(
            it,
            engine="redis:7.1",
            users=[
                _user(it, name, engine="redis:7.1", authentication="password", user_name="default")
                for name in ("One", "Two")
            ],
        ),
        f"users: got '.../Two', but .../One has the same user name, 'default'; {DIFFERENT}",
        RBAC,
    ),
    Refused(
        "A user of MemoryDB cannot be in a user group of ElastiCache.",
        lambda it: _group(it, users=[_memorydb_user(it)]),
        "users: got '.../User', but it is not an ElastiCacheUser, defined or imported",
        RBAC,
    ),
    Refused(
        "A user of ElastiCache cannot be in an access control list of MemoryDB.",
        lambda it: Acl(it.scope, "Acl", users=[_user(it)]),
        "users: got '.../User', but it is not a MemoryDbUser, defined or imported",
        ACLS,
    ),
    Refused(
        "A user group of Redis OSS has users of Redis OSS only.",
        lambda it: _group(it, engine="redis:7.1", users=[_user(it)]),
        "users: got '.../User', but it is a user of valkey 8.1, and a user group of Redis OSS has users of Redis OSS "
        "only; give it the engine redis 7.1",
        RBAC,
    ),
    Refused(
        "A store of Redis OSS cannot use a user group of Valkey.",
        lambda it: it.group(
            engine="redis:7.1",
            user_group=ElastiCacheUserGroup.from_user_group_id(it.scope, "Group", "theirs", engine="valkey:8.1"),
        ),
        "user_group: got 'theirs', but a store of Redis OSS cannot use a user group of Valkey; give the "
        "group the engine "
        "redis 7.1",
        RBAC,
    ),
    *(
        Refused(
            "The users of an imported store are users of its service.",
            lambda it, imported=imported, user=user: imported(it, [user(it, "app")]),
            f"users: got '.../Theirs', but it is not {kind}, defined or imported",
            RBAC,
        )
        for imported, user, kind in (
            (_import_store, _their_memorydb_user, "an ElastiCacheUser"),
            (_import_cache, _their_memorydb_user, "an ElastiCacheUser"),
            (_import_cluster, _theirs, "a MemoryDbUser"),
        )
    ),
    *(
        Refused(
            "The users of an imported store sign in with different names.",
            lambda it, imported=imported, user=user: imported(it, [user(it, "app"), user(it, "app", "Again")]),
            f"users: got '.../Again', but .../Theirs has the same user name, 'app'; {DIFFERENT}",
            RBAC,
        )
        for imported, user in (
            (_import_store, _theirs),
            (_import_cache, _theirs),
            (_import_cluster, _their_memorydb_user),
        )
    ),
    Refused(
        "The users of an imported user group sign in with different names.",
        lambda it: ElastiCacheUserGroup.from_user_group_id(
            it.scope, "Group", "theirs", users=[_theirs(it, "app"), _theirs(it, "app", "Again")]
        ),
        f"users: got '.../Again', but .../Theirs has the same user name, 'app'; {DIFFERENT}",
        RBAC,
    ),
    Refused(
        "The users of an imported access control list are users of MemoryDB.",
        lambda it: Acl.from_acl_name(it.scope, "Acl", "theirs", users=[_theirs(it, "app")]),
        "users: got '.../Theirs', but it is not a MemoryDbUser, defined or imported",
        ACLS,
    ),
    Refused(
        "Only the app that owns a list adds users to it.",
        lambda it: Acl.from_acl_name(it.scope, "Acl", "theirs").add(_memorydb_user(it)),
        "user: got '.../User', but the list is imported; add it in the app that owns the list, and name "
        "it in `users` of "
        "the import",
        "the library",
    ),
    Refused(
        "A user is in the Region of its list.",
        lambda it: _user_elsewhere(it, "us-east-1", "111122223333"),
        "user: got '.../Elsewhere/User', but it is a user in us-east-1, and the list is in eu-west-1; "
        "define one in that "
        "Region",
        ACLS,
    ),
    Refused(
        "A user is in the account of its list.",
        lambda it: _user_elsewhere(it, "eu-west-1", "444455556666"),
        "user: got '.../Elsewhere/User', but it is a user in 444455556666, and the list is in 111122223333; define one "
        "in that account",
        ACLS,
    ),
    Refused(
        "A user is not in a stack that is deployed after its list.",
        _user_of_a_later_stack,
        _cycle("user", "User"),
        "the library",
    ),
    Refused(
        "An access control list is not in a stack that is deployed after its cluster.",
        _list_of_a_later_stack,
        _cycle("acl", "Acl"),
        "the library",
    ),
    *(
        Refused(
            "A user group is not in a stack that is deployed after its store.",
            lambda it, kind=kind: _group_of_a_later_stack(it, kind),
            _cycle("user_group", "Group"),
            "the library",
        )
        for kind in (ReplicationGroup, ServerlessCache)
    ),
    Refused(
        "Two stacks do not share a list and a network in opposite directions.",
        _stacks_that_need_one_another,
        "network: got '.../First/Network', but stack .../First is deployed after stack .../Last and would have to be "
        "deployed before it as well; define it in stack .../Last, or in a third stack",
        "the library",
    ),
    _old("redis:6.0", "&app:*", "rules for channels", "6.2", EVERY_CHANNEL),
    _old("redis:6.0", "&*", "rules for channels", "6.2", EVERY_CHANNEL),
    _old("redis:6.0", "allchannels", "rules for channels", "6.2", EVERY_CHANNEL),
    _old("redis:6.0", "sanitize-payload", "rules for payloads", "6.2", "leave it out"),
    _old("redis:6.0", "skip-sanitize-payload", "rules for payloads", "6.2", "leave it out"),
    _old("redis:6.2", "%R~app:*", "patterns of keys that are only read or written", "7.0", OLD_SYNTAX),
    _old("redis:6.2", "%W~app:*", "patterns of keys that are only read or written", "7.0", OLD_SYNTAX),
    _old("redis:6.2", "clearselectors", "selectors", "7.0", "leave it out"),
    _old("redis:6.2", "-config|set", "rules that deny a subcommand", "7.0", DENY),
    Refused(
        "The users of a given user group have access strings that the store's engine knows.",
        lambda it: it.group(
            engine="redis:6.0",
            user_group=_group(
                it,
                engine="redis:7.1",
                users=[_user(it, engine="redis:7.1", access="on ~* &* +@read", user_name="app")],
            ),
        ),
        f"access of .../User: got '&*', but redis 6.0 has no rules for channels, which need Redis OSS 6.2 or Valkey; "
        f"{EVERY_CHANNEL}",
        REDIS_ACL,
    ),
    Refused(
        "The users of a given access control list have access strings that the cluster's engine knows.",
        lambda it: it.cluster(
            engine="redis:6.2",
            acl=Acl(it.scope, "Acl", users=[_memorydb_user(it, access="on %R~app:* +@read")]),
        ),
        "access of .../User: got '%R~app:*', but redis 6.2 has no patterns of keys that are only read "
        "or written, which "
        f"need Redis OSS 7.0 or Valkey; {OLD_SYNTAX}",
        REDIS_ACL,
    ),
    Refused(
        "A cluster's new user has an access string that its engine knows.",
        lambda it: it.cluster(engine="redis:6.2").add_password_user("app", "on %RW~app:* +@read"),
        "access: got '%RW~app:*', but redis 6.2 has no patterns of keys that are only read or written, "
        "which need Redis "
        f"OSS 7.0 or Valkey; {OLD_SYNTAX}",
        REDIS_ACL,
    ),
    Refused(
        "Redis OSS before 6.0 has no users.",
        lambda it: _user(it, engine="redis:5.0.6", authentication="password"),
        "engine: got 'redis 5.0.6', but users need Redis OSS 6.0 or newer, or Valkey",
        RBAC,
    ),
    Refused(
        "Redis OSS before 7.0 has no IAM users.",
        lambda it: _user(it, engine="redis:6.2"),
        "authentication: got 'iam', but redis 6.2 has no IAM users, which need Redis OSS 7.0 or newer, "
        "or Valkey 7.2 or "
        "newer; use a password",
        IAM,
    ),
    Refused(
        "MemoryDB has no IAM users before Redis OSS 7.0 either.",
        lambda it: it.cluster(engine="redis:6.2").add_iam_user("app", "on ~* +@read"),
        "name: got 'app', but redis 6.2 has no IAM users; use `add_password_user`",
        "https://docs.aws.amazon.com/memorydb/latest/devguide/auth-iam.html",
    ),
    Refused(
        "A user has no AUTH token.",
        lambda it: _user(it, authentication=Authentication.auth_token()),
        "authentication: got 'auth-token', but a user signs in with IAM or a password; only a replication group can "
        "have an AUTH token",
        RBAC,
    ),
    Refused(
        "The users of a store have different names.",
        lambda it: [
            (store := it.group()).add_iam_user("app", "on ~* +@read"),
            store.add_iam_user("app", "on ~* +@all"),
        ],
        "name: got 'app', but the store has a user of that name",
        "the library",
    ),
    *_access(
        "on off ~* +@read",
        "rules: got 'on off', but an access string contains either on or off; AWS treats one with "
        "neither as off: add on "
        "or off",
        "An access string contains either on or off.",
    ),
    *_access(
        "~* +@read",
        "rules: got '', but an access string contains either on or off; AWS treats one with neither as off: add on or "
        "off",
        "An access string with neither on nor off would switch the user off.",
    ),
    *_access(
        "on ~* +@all nopass",
        "rule: got 'nopass', but AWS rejects password rules in an access string; leave it out; "
        "`authentication` decides "
        "how the user signs in",
        "An access string has no password rules.",
    ),
    *_access(
        "on resetkeys ~* +@all",
        "rule: got 'resetkeys', but AWS rejects reset rules in an access string; leave it out; a user starts without "
        "permissions",
        "An access string has no reset rules.",
    ),
    *_access(
        "on ~* ~app:* +@all",
        "rule: got '~app:*', but an earlier rule allows all keys already; leave out this rule or ~*",
        "No pattern of keys follows the one for all.",
        REDIS_ACL,
    ),
    *_access(
        "on ~* &* &news +@all",
        "rule: got '&news', but an earlier rule allows all channels already; leave out this rule or &*",
        "No pattern of channels follows the one for all.",
        REDIS_ACL,
    ),
]

ACCEPTED = [
    Accepted("A name has up to 40 characters.", lambda it: [_user(it, user_name="e" * 40)]),
    Accepted(
        "A password user of ElastiCache may have another name than its id.",
        lambda it: _user(it, authentication="password", user_name="app", user_id="orders-app"),
    ),
    Accepted(
        "A user named default replaces the disabled one.",
        lambda it: _group(
            it,
            engine="redis:7.1",
            users=[_user(it, engine="redis:7.1", authentication="password", user_name="default", access="off -@all")],
        ),
    ),
    Accepted(
        "A user group of Valkey may have users of Redis OSS.",
        lambda it: _group(it, users=[_user(it, engine="redis:7.1", user_name="redis-user")]),
    ),
    Accepted(
        "The name of an imported password user may have upper-case letters.",
        lambda it: ElastiCacheUser.from_user_attributes(
            it.scope,
            "Theirs",
            user_name="App",
            secret=it.group().add_password_user("app", "on ~* +@read").secret,
        ),
    ),
    Accepted(
        "Channel rules are legal from Redis OSS 6.2, and patterns for reading from 7.0.",
        lambda it: [
            it.group("Six", engine="redis:6.2").add_password_user("app", "on ~* &app:* +@read"),
            it.group("Seven", engine="redis:7.1").add_password_user("app", "on %R~* %W~app:* &* +@all -config|set"),
            it.cluster("Cluster").add_iam_user("app", "on %R~* +@all -config|set"),
        ],
    ),
    Accepted(
        "An unchecked access string passes.",
        lambda it: it.group(engine="redis:6.0").add_password_user("app", AccessString.unchecked("on %R~* +@read")),
    ),
    Accepted(
        "Users of one name may be in different stores.",
        lambda it: [it.group(name).add_iam_user("app", "on ~* +@read") for name in ("One", "Two")],
    ),
]
