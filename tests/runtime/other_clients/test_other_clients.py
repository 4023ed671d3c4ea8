"""Clients of other languages, and other clients of Python, reach a cluster with three shards.

Each runs the program on its page in docs/clients/, with the variables that ``store.bind()`` writes.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cdk_redis import AccessString
from cdk_redis_local import AclUser, CertificateAuthority, EngineSet, Workspace, find_engine
from cdk_redis_local._emulator.stores import StoreKey, Stores, StoreShape
from cdk_redis_local._gates.token_check import TokenTarget, check_token
from cdk_redis_runtime._client import environment as env
from tests.runtime.support.battery import AWS_CREDENTIALS
from tests.runtime.support.documented_programs import write_programs
from tests.runtime.support.environment import bound_environment
from tests.runtime.support.secrets_manager import SecretsManager

pytestmark = pytest.mark.long

REPOSITORY = Path(__file__).resolve().parents[3]
PASSWORD = "correct-horse-battery-staple"
ACCESS = str(AccessString.read_write("app:*"))
USERS = {env.AUTHENTICATION_PASSWORD: "web", env.AUTHENTICATION_IAM: "reports"}


@dataclass
class Cluster:
    """A cluster, and what the gates in front of it said."""

    engines: EngineSet
    secrets: SecretsManager
    said: list[str]
    folder: Path

    def environment(self, authentication: str) -> dict[str, str]:
        """The variables of a bound program, of a role, and the paths of this machine; no other variable."""
        bound = bound_environment(self.engines, USERS[authentication], AUTHENTICATION=authentication)
        if authentication == env.AUTHENTICATION_IAM:
            del bound[env.SECRET_ARN]
        return {
            **bound,
            "AWS_ACCESS_KEY_ID": AWS_CREDENTIALS.access_key,
            "AWS_SECRET_ACCESS_KEY": AWS_CREDENTIALS.secret_key,
            "AWS_SESSION_TOKEN": str(AWS_CREDENTIALS.token),
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": self.secrets.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            # Amazon's authorities are in the trust stores of all systems; the one of the tests is not.
            "SSL_CERT_FILE": self.engines.ca_file,
            # As ECS puts it there from a field of the secret, for programs without an SDK of AWS.
            "STORE_PASSWORD": PASSWORD,
            "NODE_EXTRA_CA_CERTS": self.engines.ca_file,
            "HOME": str(self.folder),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        }

    def keys(self, pattern: str) -> list[int]:
        """The number of keys that match a pattern on each shard."""
        return [len(list(node.admin.scan_iter(match=pattern, count=1000))) for node in self.engines.primaries]


@pytest.fixture(scope="module")
def _module_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three shards behind gates that check IAM tokens as ElastiCache does for the replication group ``orders``."""
    said: list[str] = []

    def authorize(token: str, user: str, target: TokenTarget) -> object:
        now = dt.datetime.now(dt.timezone.utc)
        return check_token(token, user=user, target=target, find_credentials=lambda *_key: AWS_CREDENTIALS, now=now)

    key = StoreKey("elasticache", ("111122223333", "eu-west-1"), "orders")
    workspace = Workspace()
    authority = CertificateAuthority(tmp_path_factory.mktemp("authority"))
    stores = Stores(workspace, authority, authorize=authorize, say=said.append)
    users = [
        AclUser(USERS[env.AUTHENTICATION_PASSWORD], ACCESS, passwords=(PASSWORD,)),
        AclUser(USERS[env.AUTHENTICATION_IAM], ACCESS, iam=True),
    ]
    try:
        with SecretsManager(USERS[env.AUTHENTICATION_PASSWORD], PASSWORD) as secrets:
            engines = stores.create(key, StoreShape(find_engine(), True, 3, 0), users).engines
            yield Cluster(engines, secrets, said, tmp_path_factory.mktemp("home"))
    finally:
        stores.delete(key)
        workspace.close()


@pytest.fixture
def cluster(_module_cluster: Cluster) -> Cluster:
    """The cluster, without keys."""
    for node in _module_cluster.engines.primaries:
        node.admin.flushall()
    _module_cluster.said.clear()
    return _module_cluster


def run(cluster: Cluster, command: list[str], authentication: str, folder: Path) -> str:
    """Run a program as it would run beside the store; returns what it printed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=cluster.environment(authentication),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr + "\n".join(cluster.said)
    assert PASSWORD not in done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("authentication", USERS)
@pytest.mark.parametrize(
    ("page", "program"), [("node.md", "ioredis"), ("node.md", "redis"), ("valkey-glide.md", "glide")]
)
def test_node_client_writes_and_reads_on_all_shards(
    page: str, program: str, authentication: str, cluster: Cluster, tmp_path: Path
) -> None:
    folder = write_programs(page, tmp_path / "program")
    (folder / "node_modules").symlink_to(REPOSITORY / "node_modules")
    assert run(cluster, ["node", f"{program}.mjs"], authentication, folder) == "30\n"
    assert all(cluster.keys(f"app:{program}:*"))


@pytest.fixture(scope="module")
def c_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of the C page, compiled as the page says."""
    library = REPOSITORY / ".venv" / "libvalkey"
    if not (library / ".made").exists():
        pytest.skip("needs libvalkey: .ci/setup client")
    folder = write_programs("c.md", tmp_path_factory.mktemp("c"))
    paths = ["-I", str(library / "include"), "-L", str(library / "lib")]
    libraries = ["-lvalkey_tls", "-lvalkey", "-lssl", "-lcrypto"]
    warnings = ["-Wall", "-Wextra", "-Werror"]
    subprocess.run(["cc", *warnings, "-o", "cluster", "cluster.c", *paths, *libraries], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("authentication", USERS)
def test_c_client_writes_and_reads_on_all_shards(authentication: str, cluster: Cluster, c_program: Path) -> None:
    assert run(cluster, ["./cluster"], authentication, c_program) == "30\n"
    assert all(cluster.keys("app:c:*"))
