"""Keys: of the data at rest, of generated secrets, and of logs."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_kms as kms

from cdk_redis import (
    AccessString,
    Authentication,
    ElastiCacheUser,
    ElastiCacheUserGroup,
    Engine,
    FailoverDrill,
    MemoryDbUser,
    RedisNetwork,
    SmokeTest,
)
from tests.compliance.refused.calls import Call, Rule
from tests.compliance.refused.rows import Accepted, Refused, Scene

_STORE_KEY = '"KMS key does not exist"'
_SECRET_KEYS = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html"
_LOG_KEYS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"
_IMPORTED = "arn:aws:kms:{}:999999999999:key/11111111-2222-3333-4444-555555555555"

_STORES = Rule("The key of a store is in the Region of the store.", _STORE_KEY)
_SECRETS = Rule("The key of a generated secret is in the Region of the secret.", _SECRET_KEYS)
_NETWORK_LOGS = Rule("The key of a flow log is in the Region of the network.", _LOG_KEYS)
_LOGS = Rule("The key of the logs of a smoke test or a drill is in their Region.", _LOG_KEYS)


def _key(it: Scene) -> Any:
    return kms.Key(it.other_stack(), "Key")


def _imported_key(it: Scene, region: str) -> kms.IKey:
    return kms.Key.from_key_arn(it.scope, "Key", _IMPORTED.format(region))


def _far(rule: Rule, parameter: str, user: str, call: Call) -> Refused:
    """A row with a key of another Region."""
    message = f"{parameter}: got 'a key in us-east-1', but {user} is in eu-west-1; use a key of that Region"
    return Refused(rule.text, call, message, rule.source)


def _password(it: Scene) -> Authentication:
    return Authentication.password(kms_key=_key(it))


def _token(it: Scene) -> Authentication:
    return Authentication.auth_token(kms_key=_key(it))


def _elasticache_user(it: Scene, authentication: Authentication) -> ElastiCacheUser:
    access = AccessString.read_only("*")
    return ElastiCacheUser(it.scope, "User", engine=Engine.valkey("8.1"), access=access, authentication=authentication)


def _memorydb_user(it: Scene, authentication: Authentication) -> MemoryDbUser:
    return MemoryDbUser(it.scope, "User", access=AccessString.read_only("*"), authentication=authentication)


def _user_group(it: Scene, **given: Any) -> ElastiCacheUserGroup:
    return ElastiCacheUserGroup(it.scope, "Users", engine=Engine.redis("7.1"), **given)


REFUSED = [
    _far(_STORES, "kms_key", "the store", lambda it: it.group(kms_key=_key(it))),
    _far(_STORES, "kms_key", "the store", lambda it: it.serverless(kms_key=_key(it))),
    _far(_STORES, "kms_key", "the store", lambda it: it.cluster(kms_key=_key(it))),
    # The Region in the ARN of an imported key counts.
    _far(_STORES, "kms_key", "the store", lambda it: it.group(kms_key=_imported_key(it, "us-east-1"))),
    Refused(
        "A store has a given key or a created one.",
        lambda it: it.group(kms_key=kms.Key(it.scope, "Key"), create_kms_key=True),
        "create_kms_key: got True, but `kms_key` is given; leave out one of the two",
        "the library",
    ),
    _far(_SECRETS, "secret_kms_key", "the secret", lambda it: it.group(secret_kms_key=_key(it))),
    _far(_SECRETS, "secret_kms_key", "the secret", lambda it: it.serverless(secret_kms_key=_key(it))),
    _far(_SECRETS, "secret_kms_key", "the secret", lambda it: it.cluster(secret_kms_key=_key(it))),
    _far(_SECRETS, "secret_kms_key", "the secret", lambda it: _user_group(it, secret_kms_key=_key(it))),
    _far(_SECRETS, "kms_key", "the secret", lambda it: _elasticache_user(it, _password(it))),
    _far(_SECRETS, "kms_key", "the secret", lambda it: _memorydb_user(it, _password(it))),
    _far(_SECRETS, "kms_key", "the secret", lambda it: it.group(authentication=_token(it))),
    _far(
        _SECRETS,
        "kms_key",
        "the secret",
        lambda it: it.group().add_password_user("app", AccessString.read_only("*"), kms_key=_key(it)),
    ),
    _far(
        _NETWORK_LOGS,
        "flow_log_kms_key",
        "the network",
        lambda it: RedisNetwork(it.scope, "Network", flow_log_kms_key=_key(it)),
    ),
    _far(
        _LOGS,
        "log_kms_key",
        "the log group",
        lambda it: SmokeTest(it.scope, "Smoke", target=it.group(), log_kms_key=_key(it)),
    ),
    _far(
        _LOGS,
        "log_kms_key",
        "the log group",
        lambda it: FailoverDrill(it.scope, "Drill", target=it.group(), log_kms_key=_key(it)),
    ),
]

ACCEPTED = [
    Accepted(
        "A key of another account in the same Region can be used.",
        lambda it: it.group(kms_key=_imported_key(it, "eu-west-1")),
    ),
    Accepted(
        "Generated secrets can have a key of another account, too.",
        lambda it: it.cluster(secret_kms_key=_imported_key(it, "eu-west-1")).add_password_user("app", "on ~* +@read"),
    ),
]
