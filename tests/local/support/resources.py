"""Resources of templates: users with a password, and clients that sign in as them."""

from __future__ import annotations

from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.local.support.clouds import Cloud

PASSWORD = "a-password-of-sixteen"


def elasticache_users(engine: str, access: str = "on ~* &* +@all", user: str = "app") -> dict[str, Any]:
    """A user with a password, and the user group ``Users``. For Redis OSS, the group has a disabled default user."""
    name, password = "AWS::ElastiCache", {"Type": "password", "Passwords": [PASSWORD]}
    off = {"UserId": f"{user}-off", "UserName": "default", "Engine": engine, "AccessString": "off -@all"}
    on = {"UserId": user, "UserName": user, "Engine": engine, "AccessString": access}
    members = [{"Ref": "Default"}, {"Ref": "User"}]
    return {
        "Default": {"Type": f"{name}::User", "Properties": {**off, "AuthenticationMode": password}},
        "User": {"Type": f"{name}::User", "Properties": {**on, "AuthenticationMode": password}},
        "Users": {
            "Type": f"{name}::UserGroup",
            "Properties": {"UserGroupId": f"{user}-users", "Engine": engine, "UserIds": members},
        },
    }


def client_options(cloud: Cloud, user: str = "app", password: str = PASSWORD) -> dict[str, Any]:
    """The arguments of a client, without host and port."""
    return {
        "username": user,
        "password": password,
        "ssl": True,
        "ssl_ca_certs": cloud.local.environment["SSL_CERT_FILE"],
        "decode_responses": True,
        "protocol": 2,
        # redis-py treats a refused password as a lost connection, and retries for seconds.
        "retry": Retry(NoBackoff(), 0),
    }


def connect(cloud: Cloud, port: str | int, user: str = "app", password: str = PASSWORD) -> redis.Redis:
    """A client of one port, over verified TLS."""
    return redis.Redis(host="localhost", port=int(port), **client_options(cloud, user, password))


def connect_cluster(cloud: Cloud, port: str | int, **options: Any) -> redis.RedisCluster:
    """A cluster client, over verified TLS."""
    return redis.RedisCluster(host="localhost", port=int(port), **{**client_options(cloud), **options})
