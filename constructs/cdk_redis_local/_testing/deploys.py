"""`Deploys`: deploys apps to a running local cloud with the CDK CLI, and uses what they created."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cdk_redis_local._cloud import ACCOUNT, LocalCloud, find_cdk
from cdk_redis_local._core.errors import DeployError, FunctionError, LocalCloudError
from cdk_redis_local._emulator import own_calls

if TYPE_CHECKING:
    import aws_cdk as cdk
    from constructs import IConstruct

_MANIFEST = "manifest.json"
_SERVICES = {
    "AWS::ElastiCache::ReplicationGroup": "elasticache",
    "AWS::ElastiCache::ServerlessCache": "serverless",
    "AWS::MemoryDB::Cluster": "memorydb",
}
_FAILOVER_SECONDS = 120.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Deployed:
    """What a deploy created.

    Attributes:
        outputs: The outputs of each deployed stack, by the names of stack and output:
            ``deployed.outputs["Shop"]["FunctionName"]``.
        log: The output of the CDK CLI.
    """

    outputs: Mapping[str, Mapping[str, str]]
    log: str


class Deploys:
    """Deploys apps to a running cloud with the CDK CLI, and invokes and fails over what they created.

    Example:
        >>> with LocalCloud() as cloud:
        ...     deploys = Deploys(cloud)
        ...     deploys.bootstrap()
        ...     name = deploys.deploy(Path("shop")).outputs["Shop"]["FunctionName"]
        ...     assert deploys.invoke(name, {"visitor": "ada"}) == {"visits": 1}
    """

    def __init__(self, cloud: LocalCloud, directory: Path | None = None) -> None:
        """Prepare; :meth:`bootstrap` must run before the first deploy.

        Args:
            cloud: The cloud, which runs.
            directory: The folder whose ``node_modules`` has the CDK CLI. Default: - the working directory; a CLI on
                PATH is used if there is none in ``node_modules``.

        """
        self.cloud = cloud
        self.session = cloud.session()
        self._directory = directory or Path.cwd()
        self._numbers = itertools.count(1)

    def client(self, service: str) -> Any:
        """A boto3 client of an API of the cloud."""
        return self.session.client(service, endpoint_url=self.cloud.endpoint_url)

    def bootstrap(self) -> None:
        """Create the bucket and the roles that deploys use.

        Raises:
            DeployError: The CDK CLI failed.
        """
        self.run("bootstrap", f"aws://{ACCOUNT}/{self.cloud.region}", "--output", str(self._new_path("bootstrap")))

    def run(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run a command of the CDK CLI; returns its output.

        Args:
            arguments: Such as ``"destroy", "--all", "--force"``.
            cwd: The working directory. Default: - that of this process.

        Raises:
            DeployError: The CDK CLI failed.
            LocalCloudError: The CDK CLI was not found, and the message says how to install it; or the cloud's process
                has ended.
        """
        cdk = find_cdk(self._directory, self.cloud.environment)
        said, log = len(self.cloud.said), self._new_path("cdk.log")
        with log.open("wb") as output:
            # In the workspace, so that the CLI and the app that it runs end with this process.
            process = self.cloud.workspace.spawn(
                [*cdk, *arguments],
                environment=self.cloud.environment,
                cwd=cwd or Path.cwd(),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            code = self.cloud.wait_for(process)
        written = log.read_text(errors="replace")
        if code:
            messages = [f"local cloud: {message}" for message in self.cloud.said[said:]]
            raise DeployError("\n".join([f"cdk {arguments[0]} failed with exit code {code}:", written, *messages]))
        return written

    def deploy(
        self,
        app: cdk.Stage | cdk.Stack | Path | str,
        *,
        stacks: Sequence[str] = (),
        context: Mapping[str, str] | None = None,
    ) -> Deployed:
        """Create or update stacks with ``cdk deploy``; returns their outputs.

        A second deploy of a stack updates it. The stacks end with the cloud.

        Args:
            app: A ``cdk.App``, a ``cdk.Stage`` or a ``cdk.Stack`` of this process, which is synthesized here; a folder
                with a ``cdk.json``, whose app the CLI runs; or a cloud assembly, such as ``cdk.out``. Of a stack, the
                stacks that it depends on are deployed, too.
            stacks: The stacks, as on the command line of ``cdk deploy``. Default: - all of them.
            context: Context values for the app in a folder with a ``cdk.json``.

        Raises:
            DeployError: The CDK CLI failed; the message has its output.
            LocalCloudError: The folder is neither an app nor a cloud assembly, or there are context values for an app
                that is synthesized already.
        """
        outputs = self._new_path("outputs.json")
        cwd = None
        if isinstance(app, (str, Path)):
            folder = Path(app).resolve()
            if (folder / _MANIFEST).exists():
                source = ["--app", str(folder)]
            elif (folder / "cdk.json").exists():
                cwd, source = folder, ["--output", str(self._new_path("cdk.out"))]
                source += [word for key, value in (context or {}).items() for word in ("-c", f"{key}={value}")]
                context = None
            else:
                raise LocalCloudError(f"{folder} has no cdk.json, and is no cloud assembly")
        else:
            assembly, stacks = _synthesized(app, stacks)
            source = ["--app", assembly]
        if context:
            raise LocalCloudError("context values are for a folder with a cdk.json: give them to cdk.App(context=...)")
        log = self.run(
            *("deploy", *(stacks or ["--all"]), *source, "--require-approval", "never", "--concurrency", "3"),
            *("--outputs-file", str(outputs)),
            cwd=cwd,
        )
        # There is no file if no stack has outputs.
        return Deployed(json.loads(outputs.read_text()) if outputs.exists() else {}, log)

    def outputs(self, stack: str) -> dict[str, str]:
        """The outputs of a deployed stack."""
        (found,) = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}

    def invoke(self, function: str | IConstruct, payload: Any = None) -> Any:
        """Invoke a Lambda function; returns its result.

        Args:
            function: Name or ARN of a deployed function, or its construct.
            payload: The event, of values that JSON has. Default: ``{}``.

        Raises:
            FunctionError: The function raised an error; the message has its log.
        """
        name = function if isinstance(function, str) else self.physical_id(function)
        answer = self.client("lambda").invoke(
            FunctionName=name, Payload=json.dumps({} if payload is None else payload).encode(), LogType="Tail"
        )
        result = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            log = base64.b64decode(answer.get("LogResult", "")).decode(errors="replace")
            raise FunctionError(f"{name} failed: {json.dumps(result)}\nThe end of its log:\n{log}")
        return result

    def fail_over(self, store: str | IConstruct, shard: str = "0001") -> None:
        """Fail a shard over, as ``TestFailover`` and ``FailoverShard`` do; returns when the new primary has a replica.

        The primary's process is killed, and a replica promoted; then the killed node starts again as its replica.

        Args:
            store: A deployed `ReplicationGroup` or `MemoryDbCluster`, or its name.
            shard: Name of the shard; ``0001`` is the first.

        Raises:
            LocalCloudError: The store or the shard does not exist or has no replica, or no replica took over.
        """
        name = store if isinstance(store, str) else self.physical_id(store)
        said = len(self.cloud.said)
        try:
            self._begin_failover(name, shard)
        except ClientError as error:
            raise LocalCloudError(f"{name}, shard {shard}: {error}") from error
        start, deadline = f"{name.lower()}: shard {shard} ", time.monotonic() + _FAILOVER_SECONDS
        while time.monotonic() < deadline:
            self.cloud.check()
            for message in self.cloud.said[said:]:
                if message.lower().startswith(f"{start}failed over"):
                    return
                if message.lower().startswith(start):
                    raise LocalCloudError(message)
            time.sleep(_POLL_SECONDS)
        raise LocalCloudError(f"{name}: shard {shard} did not fail over within {_FAILOVER_SECONDS:g} s")

    @contextlib.contextmanager
    def break_store(self, store: str | IConstruct, fault: str) -> Generator[None]:
        """Inject a fault into one running store, and take it back at the end of the ``with`` block.

        The block begins when the store has the fault. It ends when the store is available again, also after an error.

        Example:
            >>> with deploys.break_store(stack.cache, "wrong-ca"):
            ...     assert deploys.invoke(stack.function) == {"from": "the database"}

        Args:
            store: A deployed store, or its name.
            fault: One of :data:`STORE_FAULTS`: ``engine-stopped``, ``node-hangs``, ``slow-answers``,
                ``out-of-memory``, ``wrong-ca``, ``acl-without-prefix``, ``managed-commands-allowed`` (MemoryDB),
                ``slots-missing`` (cluster mode).

        Raises:
            LocalCloudError: The store does not run, cannot have the fault or has it already, or there is no such fault.
        """
        service = region = None
        if isinstance(store, str):
            name = store
        else:
            name = self.physical_id(store)
            service, region = _service_and_region(store)
        which = {"Store": name, "Service": service, "Region": region, "Fault": fault}
        own_calls.call(self.cloud.environment, "BreakStore", **which)
        try:
            yield
        finally:
            own_calls.call(self.cloud.environment, "RepairStore", **which)

    def physical_id(self, construct: IConstruct) -> str:
        """The physical id of a deployed construct; that of an L2 is that of its main resource.

        Raises:
            LocalCloudError: The construct has no main resource, or its stack is not deployed.
        """
        import aws_cdk as cdk

        resource = _main_resource(construct)
        stack = cdk.Stack.of(resource)
        logical_id = str(stack.resolve(resource.logical_id))
        try:
            found = self.client("cloudformation").describe_stack_resource(
                StackName=stack.stack_name, LogicalResourceId=logical_id
            )
        except ClientError as error:
            raise LocalCloudError(f"{construct.node.path} is not deployed: {error}") from error
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def _begin_failover(self, name: str, shard: str) -> None:
        try:
            self.client("elasticache").test_failover(ReplicationGroupId=name, NodeGroupId=shard)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ReplicationGroupNotFoundFault":
                raise
            self.client("memorydb").failover_shard(ClusterName=name, ShardName=shard)

    def _new_path(self, name: str) -> Path:
        """A path of its own in the workspace: the CLI locks its output folder."""
        return self.cloud.workspace.directory("deploys") / f"{next(self._numbers)}-{name}"


def _main_resource(construct: IConstruct) -> cdk.CfnElement:
    import aws_cdk as cdk

    resource = construct if isinstance(construct, cdk.CfnElement) else construct.node.default_child
    if not isinstance(resource, cdk.CfnElement):
        raise LocalCloudError(f"{construct.node.path} has no main resource: give its name, as an output of the stack")
    return resource


def _service_and_region(store: IConstruct) -> tuple[str | None, str | None]:
    """Service and Region of a store; None if it is not known."""
    import aws_cdk as cdk

    resource = _main_resource(store)
    kind = resource.cfn_resource_type if isinstance(resource, cdk.CfnResource) else ""
    region = cdk.Stack.of(resource).region
    return _SERVICES.get(kind), None if cdk.Token.is_unresolved(region) else region


def _synthesized(app: cdk.Stage | cdk.Stack, stacks: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Synthesize the app in this process; returns the cloud assembly and the stacks to deploy."""
    import aws_cdk as cdk

    if not isinstance(app, (cdk.Stage, cdk.Stack)):
        raise LocalCloudError(f"deploy takes a cdk.App, a cdk.Stage, a cdk.Stack or a folder, not {app!r}")
    stage = app if isinstance(app, cdk.Stage) else cdk.Stage.of(app)
    if stage is None:
        raise LocalCloudError(f"{app.node.path} is in no cdk.App: deploy the app that it belongs to")
    # Again, because a test may have changed the app since the last time.
    assembly = stage.synth(force=True)
    return str(assembly.directory), [app.node.path] if isinstance(app, cdk.Stack) else stacks
