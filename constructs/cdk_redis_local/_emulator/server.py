"""The process of the local cloud: the AWS emulator with the resource types, gates and engines of this package.

:class:`LocalCloud` starts it with the listening socket, and reads one JSON object per line from standard output:
``{"ready": true}`` once, and ``{"say": "..."}`` for each message to the user.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import stat
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import hypercorn.asyncio
import hypercorn.config

from cdk_redis_local._core.workspace import Workspace
from cdk_redis_local._emulator.api.actions import refuse_unsupported, register_api
from cdk_redis_local._emulator.api.global_datastores import GlobalDatastoreCalls
from cdk_redis_local._emulator.api.multi_region import MultiRegionCalls
from cdk_redis_local._emulator.api.serverless_caches import ServerlessCaches
from cdk_redis_local._emulator.handlers.access_keys import register_access_keys
from cdk_redis_local._emulator.handlers.cache_clusters import CacheClusterHandlers
from cdk_redis_local._emulator.handlers.elasticache import ElastiCacheHandlers
from cdk_redis_local._emulator.handlers.global_datastores import GlobalDatastoreHandlers
from cdk_redis_local._emulator.handlers.inert import register_inert
from cdk_redis_local._emulator.handlers.instances import register_instances
from cdk_redis_local._emulator.handlers.memorydb import MemoryDbHandlers
from cdk_redis_local._emulator.handlers.multi_region import MultiRegionHandlers
from cdk_redis_local._emulator.handlers.rotation import Rotations
from cdk_redis_local._emulator.handlers.secrets import register_secrets
from cdk_redis_local._emulator.handlers.serverless import ServerlessHandlers
from cdk_redis_local._emulator.handlers.stand_in import expect_stand_ins
from cdk_redis_local._emulator.handlers.unsupported import register_unsupported
from cdk_redis_local._emulator.ministack import (
    answer_when_settled,
    emulator,
    is_awaited,
    read_outputs_of_other_regions,
    run_functions_with,
    run_no_containers,
)
from cdk_redis_local._emulator.ministack.callers import authorize, find_credentials
from cdk_redis_local._emulator.ministack.custom_resources import fail_unanswered_custom_resources
from cdk_redis_local._emulator.ministack.functions import (
    bind_function_processes,
    end_unused_function_processes,
    keep_log_lines,
    log_while_running,
)
from cdk_redis_local._emulator.ministack.isolation import make_execution_credentials_secret, restrict_listeners
from cdk_redis_local._emulator.ministack.surroundings import adopt_networks, publish_images
from cdk_redis_local._emulator.observe.cloudwatch import observe_metrics
from cdk_redis_local._emulator.observe.notifications import Notifications
from cdk_redis_local._emulator.own_calls import OwnAction, with_own_calls
from cdk_redis_local._emulator.recovery import NodeRecovery
from cdk_redis_local._emulator.refusals.registration import Refusals
from cdk_redis_local._emulator.regions.global_datastores import GlobalDatastores
from cdk_redis_local._emulator.regions.multi_region import MultiRegionClusters
from cdk_redis_local._emulator.snapshots.snapshots import Snapshots
from cdk_redis_local._emulator.store_calls import store_actions
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines.certificates import CertificateAuthority
from cdk_redis_local._gates.request_gate import Application, Message, Receive, RequestGate, Scope, Send

# The packages in Lambda's Python runtime, besides the standard library.
_LAMBDA_PACKAGES = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3")


class MessageWriter:
    """Writes messages to `LocalCloud` on the original standard output. Safe to use from several threads."""

    def __init__(self) -> None:
        """Reserve standard output for messages; all other output of this process goes to the log."""
        self._stream = os.fdopen(os.dup(1), "w", buffering=1)
        os.dup2(2, 1)
        self._lock = threading.Lock()

    def say(self, text: str) -> None:
        """Send a message for the user."""
        self._write({"say": text})

    def ready(self) -> None:
        """Report that the emulator accepts requests."""
        self._write({"ready": True})

    def _write(self, message: dict[str, object]) -> None:
        with self._lock:
            self._stream.write(json.dumps(message) + "\n")


def application(messages: MessageWriter, actions: Mapping[str, OwnAction]) -> Application:
    """The emulator's application behind the request gate; each request has the headers of HTTPS.

    Args:
        messages: Gets the message that the emulator is ready.
        actions: The actions that AWS does not have.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_on(message: Message) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                messages.ready()

        if scope["type"] == "http":
            # The policy of the CDK bootstrap bucket denies requests without TLS; the local cloud uses HTTP.
            scope = {**scope, "headers": [*scope["headers"], (b"x-forwarded-proto", b"https")]}
        await emulator(scope, receive, send_on)

    return RequestGate(
        with_own_calls(answer, actions), find_credentials=find_credentials, is_expected_answer=is_awaited
    )


def lambda_python(directory: Path) -> Path:
    """A Python launcher that imports only the standard library and the AWS SDK, as Lambda's runtime does.

    So a package that is missing in the function's asset is missing here too. It writes no bytecode, because the folder
    of a function is read-only in Lambda.
    """
    directory.mkdir(parents=True)
    packages = list(_LAMBDA_PACKAGES)
    if sys.version_info < (3, 11, 3):
        # redis-py needs it on older Pythons. Lambda's Python is newer, so assets do not contain it.
        packages.append("async_timeout")
    for package in packages:
        for folder in sys.path:
            if (Path(folder) / package).exists():
                (directory / package).symlink_to(Path(folder) / package)
                break
    launcher = directory / "python"
    launcher.write_text(f'#!/bin/sh\nPYTHONPATH="{directory}" exec "{sys.executable}" -SB "$@"\n')
    launcher.chmod(launcher.stat().st_mode | stat.S_IXUSR)
    return launcher


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--authority", type=Path, required=True)
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--stand-in", action="store_true")
    parser.add_argument("--inert", action="append", default=[])
    parser.add_argument("--metric-minute", type=float, required=True)
    arguments = parser.parse_args()
    messages = MessageWriter()
    stores = Stores(
        Workspace.of_owner(arguments.workspace),
        CertificateAuthority.load(arguments.authority),
        authorize=authorize,
        say=messages.say,
        faults=arguments.fault,
        stand_in=arguments.stand_in,
    )
    snapshots = Snapshots(stores, Workspace.of_owner(arguments.workspace), messages.say)
    global_datastores = GlobalDatastores(stores, messages.say)
    multi_region = MultiRegionClusters(stores, messages.say)
    elasticache = ElastiCacheHandlers(stores, snapshots, global_datastores)
    memorydb = MemoryDbHandlers(stores, snapshots, multi_region)
    elasticache.register()
    memorydb.register()
    CacheClusterHandlers(stores, snapshots, elasticache).register()
    serverless = ServerlessHandlers(stores, snapshots, elasticache.access)
    serverless.register()
    ServerlessCaches(stores, serverless.created).register()
    GlobalDatastoreHandlers(stores, global_datastores).register()
    GlobalDatastoreCalls(stores, global_datastores).register()
    MultiRegionHandlers(multi_region).register()
    MultiRegionCalls(stores, multi_region).register()
    Notifications(stores, messages.say)
    observe_metrics(stores, messages.say, minute=arguments.metric_minute)
    register_api(stores, snapshots, elasticache, memorydb, messages.say)
    NodeRecovery(stores, messages.say).start()
    Rotations(messages.say).register()
    if arguments.stand_in:
        expect_stand_ins(stores)
    register_secrets()
    register_access_keys()
    register_instances()
    register_unsupported()
    register_inert(messages.say, arguments.inert)
    publish_images()
    fail_unanswered_custom_resources()
    adopt_networks(messages.say)
    refuse_unsupported()
    Refusals(stores, memorydb.access).register()
    answer_when_settled()
    read_outputs_of_other_regions()
    run_no_containers()
    run_functions_with(lambda_python(arguments.workspace / "lambda-python"))
    make_execution_credentials_secret()
    restrict_listeners()
    bind_function_processes()
    end_unused_function_processes()
    keep_log_lines()
    log_while_running()
    configuration = hypercorn.config.Config()
    configuration.bind = [f"fd://{arguments.socket}"]
    configuration.keep_alive_timeout = 75
    asyncio.run(hypercorn.asyncio.serve(application(messages, store_actions(stores)), configuration))


if __name__ == "__main__":
    main()
