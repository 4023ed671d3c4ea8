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

from botocore.exceptions import BotoCoreError, ClientError

from cdk_redis_local._cloud import LocalCloud, find_cdk
from cdk_redis_local._core.errors import DeployError, FunctionError, LocalCloudError
from cdk_redis_local._emulator import own_calls
from cdk_redis_local._testing.apps import main_resource, region_of, service_and_region, synthesized
from cdk_redis_local._testing.assemblies import MANIFEST, read_stacks, select
from cdk_redis_local._testing.templates import Templates

if TYPE_CHECKING:
    import aws_cdk as cdk
    from constructs import IConstruct

_BOOTSTRAP_TEMPLATE = "lib/api/bootstrap/bootstrap-template.yaml"
# As `cdk bootstrap` sets them.
_BOOTSTRAP = {
    "CloudFormationExecutionPolicies": "arn:aws:iam::aws:policy/AdministratorAccess",
    "FileAssetsBucketKmsKeyId": "AWS_MANAGED_KEY",
}
_FAILOVER_SECONDS = 120.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Deployed:
    """What a deploy created.

    Attributes:
        outputs: The outputs of each deployed stack, by the names of stack and output:
            ``deployed.outputs["Shop"]["FunctionName"]``.
        log: The output of the CDK CLI; without it, a line for each stack.
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
        self._templates = Templates(
            lambda service, region: self.session.client(
                service, endpoint_url=self.cloud.endpoint_url, region_name=region
            ),
            cloud.account,
        )
        self._numbers = itertools.count(1)

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client of an API of the cloud. Default: - in the cloud's Region."""
        return self._templates.client(service, region or self.cloud.region)

    def bootstrap(self, *regions: str) -> None:
        """Create the bucket and the roles that deploys use.

        The stack is that of ``cdk bootstrap``. If the CLI's template is where it is in its package, it is deployed
        without the CLI, which takes seconds.

        Args:
            regions: The Regions of the stacks. Default: - the cloud's.

        Raises:
            DeployError: The stack failed.
        """
        template = Path(find_cdk(self._directory, self.cloud.environment)[0]).resolve().parents[1] / _BOOTSTRAP_TEMPLATE
        for region in regions or (self.cloud.region,):
            if template.exists():
                body = {"TemplateBody": template.read_text()}
                self._templates.put("CDKToolkit", region, _BOOTSTRAP, (), body, {})
            else:
                place = f"aws://{self.cloud.account}/{region}"
                self.run("bootstrap", place, "--output", str(self._new_path("bootstrap")))

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
            failed = f"cdk {arguments[0]} failed with exit code {code}:"
            raise DeployError("\n".join([failed, written, *self._said_since(said)]))
        return written

    def deploy(
        self,
        app: cdk.Stage | cdk.Stack | Path | str,
        *,
        stacks: Sequence[str] = (),
        context: Mapping[str, str] | None = None,
        cli: bool = True,
    ) -> Deployed:
        """Create or update stacks; returns their outputs.

        A second deploy of a stack updates it. The stacks end with the cloud.

        Args:
            app: A ``cdk.App``, a ``cdk.Stage`` or a ``cdk.Stack`` of this process, which is synthesized here; a folder
                with a ``cdk.json``, whose app the CLI runs; or a cloud assembly, such as ``cdk.out``. Of a stack, the
                stacks that it depends on are deployed, too.
            stacks: The stacks, as on the command line of ``cdk deploy``. Default: - all of them.
            context: Context values for the app in a folder with a ``cdk.json``.
            cli: Whether the CDK CLI deploys, with change sets and the roles of the bootstrap stack. Without it, the
                assets are uploaded and the templates sent to CloudFormation by the cloud's root user, which saves the
                seconds that the CLI takes to start and to poll. Default: True.

        Raises:
            DeployError: A stack failed; the message has the output of the CLI, or the reasons in the stack's events,
                and what the local cloud said.
            LocalCloudError: The folder is neither an app nor a cloud assembly, there are context values for an app that
                is synthesized already, or only the CLI can deploy the app (legacy synthesizer, images of containers,
                context lookups, a folder with a ``cdk.json``).
        """
        source, cwd = [], None
        if isinstance(app, (str, Path)):
            assembly = Path(app).resolve()
            if (assembly / "cdk.json").exists() and not (assembly / MANIFEST).exists():
                cwd, source = assembly, ["--output", str(self._new_path("cdk.out"))]
                source += [word for key, value in (context or {}).items() for word in ("-c", f"{key}={value}")]
                context = None
            elif not (assembly / MANIFEST).exists():
                raise LocalCloudError(f"{assembly} has no cdk.json, and is no cloud assembly")
        else:
            assembly, stacks = synthesized(app, stacks)
        if context:
            raise LocalCloudError("context values are for a folder with a cdk.json: give them to cdk.App(context=...)")
        if cli:
            return self._deploy_with_cli(source or ["--app", str(assembly)], stacks, cwd)
        if cwd:
            raise LocalCloudError(f"only the CDK CLI can run the app in {cwd}: deploy it with cli=True")
        return self._deploy_templates(assembly, stacks)

    def _deploy_with_cli(self, source: Sequence[str], stacks: Sequence[str], cwd: Path | None) -> Deployed:
        outputs = self._new_path("outputs.json")
        log = self.run(
            *("deploy", *(stacks or ["--all"]), *source, "--require-approval", "never", "--concurrency", "3"),
            *("--outputs-file", str(outputs)),
            cwd=cwd,
        )
        # There is no file if no stack has outputs.
        return Deployed(json.loads(outputs.read_text()) if outputs.exists() else {}, log)

    def _deploy_templates(self, assembly: Path, stacks: Sequence[str]) -> Deployed:
        said = len(self.cloud.said)
        chosen = select(read_stacks(assembly, self.cloud.account, self.cloud.region), stacks)
        try:
            lines = self._templates.deploy(chosen)
        except DeployError as error:
            raise DeployError("\n".join([str(error), *self._said_since(said)])) from error
        except BotoCoreError as error:
            self.cloud.check()
            raise DeployError(str(error)) from error
        outputs = {stack.name: self._templates.outputs(stack.name, stack.region) for stack in chosen}
        return Deployed({name: found for name, found in outputs.items() if found}, "\n".join(lines))

    def destroy(self, stack: str | cdk.Stack) -> None:
        """Delete a stack, with its stores; returns when it is gone. Does nothing if it is not deployed.

        Args:
            stack: The stack, or its name.

        Raises:
            DeployError: The stack could not be deleted; the message has the reasons in its events.
        """
        name, region = (stack, None) if isinstance(stack, str) else (stack.stack_name, region_of(stack))
        self._templates.delete(name, region or self.cloud.region)

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
        which = {**self._store(store), "Fault": fault}
        own_calls.call(self.cloud.environment, "BreakStore", **which)
        try:
            yield
        finally:
            own_calls.call(self.cloud.environment, "RepairStore", **which)

    def store_client(self, store: str | IConstruct) -> Any:
        """A client of redis-py with all permissions on a running store: to prepare keys, and to look at them.

        It signs in as a user of the local cloud, which the store's access lists do not name.

        Args:
            store: A deployed store, or its name.

        Returns:
            A ``redis.RedisCluster`` in cluster mode, otherwise a ``redis.Redis``, which decodes answers. Close it, or
            use it in a ``with`` block.

        Raises:
            LocalCloudError: The store does not run.
        """
        import redis

        found = own_calls.call(self.cloud.environment, "OpenStore", **self._store(store))
        tls = {"ssl": True, "ssl_ca_certs": self.cloud.environment["SSL_CERT_FILE"]} if found["Tls"] else {}
        kind = redis.RedisCluster if found["ClusterMode"] else redis.Redis
        return kind(
            host=found["Host"],
            port=found["Port"],
            username=found["User"],
            password=found["Password"],
            decode_responses=True,
            **tls,
        )

    def logs(self, function: str | IConstruct) -> list[str]:
        """The lines that a function has logged, in order; empty if it has not been invoked.

        Args:
            function: Name or ARN of a deployed function, or its construct.
        """
        name = function if isinstance(function, str) else self.physical_id(function)
        configuration = self.client("lambda").get_function_configuration(FunctionName=name)
        group = configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{configuration['FunctionName']}"
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        try:
            return [event["message"].rstrip("\n") for page in pages for event in page["events"]]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ResourceNotFoundException":
                raise
            return []

    def physical_id(self, construct: IConstruct) -> str:
        """The physical id of a deployed construct; that of an L2 is that of its main resource.

        Raises:
            LocalCloudError: The construct has no main resource, or its stack is not deployed.
        """
        import aws_cdk as cdk

        resource = main_resource(construct)
        stack = cdk.Stack.of(resource)
        logical_id = str(stack.resolve(resource.logical_id))
        try:
            found = self.client("cloudformation", region_of(stack)).describe_stack_resource(
                StackName=stack.stack_name, LogicalResourceId=logical_id
            )
        except ClientError as error:
            raise LocalCloudError(f"{construct.node.path} is not deployed: {error}") from error
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def _store(self, store: str | IConstruct) -> dict[str, str | None]:
        """The parameters that name a store in a request to the local cloud."""
        if isinstance(store, str):
            return {"Store": store, "Service": None, "Region": None}
        service, region = service_and_region(store)
        return {"Store": self.physical_id(store), "Service": service, "Region": region}

    def _begin_failover(self, name: str, shard: str) -> None:
        try:
            self.client("elasticache").test_failover(ReplicationGroupId=name, NodeGroupId=shard)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ReplicationGroupNotFoundFault":
                raise
            self.client("memorydb").failover_shard(ClusterName=name, ShardName=shard)

    def _said_since(self, said: int) -> list[str]:
        return [f"local cloud: {message}" for message in self.cloud.said[said:]]

    def _new_path(self, name: str) -> Path:
        """A path of its own in the workspace: the CLI locks its output folder."""
        return self.cloud.workspace.directory("deploys") / f"{next(self._numbers)}-{name}"
