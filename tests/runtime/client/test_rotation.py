"""A client keeps working after a change of its password, or of the AWS credentials that it signs with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from redis import Redis
from redis.cluster import RedisCluster
from redis.exceptions import AuthenticationError, RedisClusterException

from cdk_redis_local import AclUser, EngineSet
from cdk_redis_runtime import ClientTimeouts
from cdk_redis_runtime._client.iam_token import IamTokenProvider
from cdk_redis_runtime._client.secret import MIN_SECONDS_BETWEEN_READS
from tests.runtime.support.application import Application
from tests.runtime.support.blocking import KINDS, open_client
from tests.runtime.support.environment import bound_environment
from tests.runtime.support.secrets_manager import SecretsManager
from tests.support.concurrency import in_threads, wait_until

pytestmark = pytest.mark.long

OLD, NEW = "the-old-password-of-the-app", "the-new-password-of-the-app"
# The second is that of the cluster client of redis.asyncio, which then reads the slots again.
REFUSED = (AuthenticationError, RedisClusterException)
USERS = {"single": "smoke", "cluster": "smoke", "auth-token": "default"}


def _user(name: str, password: str) -> AclUser:
    return AclUser(name, "on ~* &* +@all", passwords=(password,))


@pytest.fixture(scope="module", params=["single", "cluster", "auth-token"])
def engines(request: pytest.FixtureRequest) -> Iterator[EngineSet]:
    """A store whose password is changed; an AUTH token is the password of the user ``default``."""
    user = USERS[request.param]
    shape = {"shards": 2, "cluster_mode": True} if request.param == "cluster" else {}
    with EngineSet(**shape, users=[_user(user, OLD)]) as started:
        yield started


@pytest.fixture
def user(engines: EngineSet) -> str:
    (user,) = engines.users
    engines.set_users([_user(user.name, OLD)])
    return user.name


@pytest.fixture
def secrets_manager(user: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretsManager]:
    with SecretsManager(user, OLD) as manager:
        manager.announce(monkeypatch)
        yield manager


@pytest.fixture(params=KINDS)
def client(
    engines: EngineSet,
    user: str,
    secrets_manager: SecretsManager,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Redis | RedisCluster]:
    """A client without retries: the first command after a change has to work."""
    monkeypatch.setenv("SSL_CERT_FILE", engines.ca_file)
    monkeypatch.setattr("cdk_redis_runtime._client.secret.MIN_SECONDS_BETWEEN_READS", 0.0)
    # Patient, for a busy machine: half a second is not what these tests are about.
    once = ClientTimeouts(connect=5, answer=5, retries=0, first_answer=5)
    made = open_client(request.param, environment=bound_environment(engines, user), timeouts=once)
    yield made
    made.close()


def _change_password(engines: EngineSet, user: str) -> None:
    """Change the password on every node, and close every connection that signed in with the old one."""
    engines.set_users([_user(user, NEW)])
    _close_connections(engines)


def _close_connections(engines: EngineSet) -> None:
    for node in engines.nodes:
        node.admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


def _write_everywhere(client: Redis | RedisCluster) -> None:
    for number in range(20):
        assert client.set(f"key:{number}", number) is True


def test_client_signs_in_with_the_new_password(
    engines: EngineSet, user: str, client: Redis | RedisCluster, secrets_manager: SecretsManager
) -> None:
    _write_everywhere(client)
    assert secrets_manager.calls == 1
    secrets_manager.rotate(user, NEW)
    _change_password(engines, user)
    _write_everywhere(client)
    assert secrets_manager.calls == 2


@pytest.mark.parametrize("kind", KINDS)
def test_no_command_of_an_application_that_retries_once_fails_during_a_rotation(
    kind: str, engines: EngineSet, user: str, secrets_manager: SecretsManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", engines.ca_file)
    monkeypatch.setattr("cdk_redis_runtime._client.secret.MIN_SECONDS_BETWEEN_READS", 0.0)
    retrying_once = ClientTimeouts(connect=5, answer=5, retries=1, first_answer=5)
    client = open_client(kind, environment=bound_environment(engines, user), timeouts=retrying_once)
    with Application(client) as application:
        wait_until(lambda: application.commands > 20)
        for old, new in ((OLD, NEW), (NEW, OLD)):
            # As a rotation on AWS: for a while both passwords are valid.
            engines.set_users([AclUser(user, "on ~* &* +@all", passwords=(old, new))])
            secrets_manager.rotate(user, new)
            engines.set_users([_user(user, new)])
            _close_connections(engines)
            # One command meets one end of its connection, also where the machine lets a thread wait.
            application.wait_for_all_threads()
    client.close()
    assert application.failures == []
    assert secrets_manager.calls == 3


def test_threads_with_a_refused_password_read_the_secret_once(
    engines: EngineSet, user: str, client: Redis | RedisCluster, secrets_manager: SecretsManager
) -> None:
    _write_everywhere(client)
    secrets_manager.rotate(user, NEW)
    _change_password(engines, user)
    assert in_threads(lambda: _write_everywhere(client), 10) == [None] * 10
    assert secrets_manager.calls == 2


def test_old_password_is_kept_while_secrets_manager_fails(
    engines: EngineSet, user: str, client: Redis | RedisCluster, secrets_manager: SecretsManager
) -> None:
    _write_everywhere(client)
    _change_password(engines, user)
    secrets_manager.failures = 1_000
    with pytest.raises(AuthenticationError, match="username-password") as refused:
        _write_everywhere(client)
    assert "Secrets Manager" in str(refused.value.__cause__)
    # The change is reverted: the old password is valid again.
    engines.set_users([_user(user, OLD)])
    _write_everywhere(client)


def test_wrong_password_is_read_again_only_after_a_pause(
    engines: EngineSet,
    user: str,
    client: Redis | RedisCluster,
    secrets_manager: SecretsManager,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cdk_redis_runtime._client.secret.MIN_SECONDS_BETWEEN_READS", 0.5)
    _write_everywhere(client)
    _change_password(engines, user)
    started = time.monotonic()
    for _ in range(40):
        with pytest.raises(REFUSED, match="username-password"):
            client.set("key:1", 1)
    assert 1 <= secrets_manager.calls <= 2 + (time.monotonic() - started) / 0.5
    secrets_manager.rotate(user, NEW)
    time.sleep(0.5)
    _write_everywhere(client)


def test_pause_between_reads_of_the_secret_is_a_few_seconds() -> None:
    assert 1 <= MIN_SECONDS_BETWEEN_READS <= 10


def _access_key(provider: IamTokenProvider) -> str:
    return provider.get_credentials()[1].partition("X-Amz-Credential=")[2].partition("%2F")[0]


@pytest.fixture
def no_aws_settings(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    def add(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return add


def test_token_is_signed_with_the_keys_that_the_environment_has_now(no_aws_settings: Callable[..., None]) -> None:
    provider = IamTokenProvider(service="elasticache", store="orders", user="smoke", region="eu-west-1")
    for key in ("AKIAFIRST", "AKIASECOND"):
        no_aws_settings(AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY="an-example")
        assert _access_key(provider) == key


def test_token_is_signed_with_the_keys_that_the_file_has_now(
    no_aws_settings: Callable[..., None], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("aws") / "credentials"
    no_aws_settings(AWS_SHARED_CREDENTIALS_FILE=str(file))
    provider = IamTokenProvider(service="elasticache", store="orders", user="smoke", region="eu-west-1")
    for key in ("AKIAFIRST", "AKIASECOND"):
        file.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = an-example\n")
        assert _access_key(provider) == key
