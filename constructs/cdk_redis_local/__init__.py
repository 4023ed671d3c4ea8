"""A local AWS for real deploys: real engines over TLS, no account.

Engines (what tests next to a real store need)::

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

* ``EngineSet(replicas=1)`` is a store without cluster mode: one primary, ``.endpoint`` and
  ``.reader_endpoint``. ``tls=False`` gives plain sockets. ``users=[OPEN_DEFAULT]`` lets everybody in; else the
  user ``default`` is off.
* Faults: ``engines.stop_node(i)`` (a crash), ``engines.nodes[i].freeze()`` and ``.resume()`` (a hang),
  ``engines.delete_slots(shard)``; ``authority=`` takes a :class:`CertificateAuthority`, so that
  ``EngineSet(authority=CertificateAuthority(tmp_path / "other"))`` has certificates that a client which trusts
  another ``ca.pem`` refuses.
* ``find_engine()`` tells which engine this machine has; ``EngineNotFoundError`` says how to get one.

Starting a three-shard cluster with replicas takes about two seconds. Nothing is left behind, even when the
process is killed.
"""

from ._acl import CLOSED_DEFAULT, OPEN_DEFAULT, AclUser
from ._certificates import Certificate, CertificateAuthority
from ._cloud import LocalCloud
from ._engine_program import EngineProgram, find_engine
from ._engines import EngineSet
from ._errors import EngineError, EngineNotFoundError, LocalCloudError
from ._node import Node
from ._stores import FAULTS
from ._workspace import Workspace

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
    "Workspace",
    "find_engine",
]
