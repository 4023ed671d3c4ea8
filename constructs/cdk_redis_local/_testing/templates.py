"""Deploys synthesized templates straight to CloudFormation, without the CDK CLI."""

from __future__ import annotations

import functools
import graphlib
import io
import json
import stat
import threading
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from cdk_redis_local._core.errors import DeployError, LocalCloudError
from cdk_redis_local._testing.assemblies import FileAsset, SynthesizedStack

_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
# The CLI deletes such a stack, too, and creates it again.
_FAILED_CREATE = ("ROLLBACK_COMPLETE", "CREATE_FAILED", "REVIEW_IN_PROGRESS")
_AT_ONCE = 4
_LONGEST_TEMPLATE_BODY = 51_200


class Templates:
    """Uploads assets, and creates and updates stacks. Safe to use from several threads."""

    def __init__(self, client: Callable[[str, str], Any], account: str) -> None:
        """Use the clients that ``client`` returns for a service and a Region; ``account`` is that of the cloud."""
        self._account = account
        self._lock = threading.Lock()
        self._new_client = client

    @functools.cache  # noqa: B019 - an object lives as long as its cloud
    def _client_of(self, service: str, region: str) -> Any:
        return self._new_client(service, region)

    def client(self, service: str, region: str) -> Any:
        """A client of a service in a Region. Creating one is not safe in several threads, using it is."""
        with self._lock:
            return self._client_of(service, region)

    def deploy(self, stacks: Sequence[SynthesizedStack]) -> list[str]:
        """Create or update stacks: each after those that it depends on, the others at the same time.

        Returns:
            A line for each stack.

        Raises:
            DeployError: A stack failed; the message has the reasons in its events.
            LocalCloudError: A stack is for another account.
        """
        for stack in stacks:
            if stack.account != self._account:
                raise LocalCloudError(
                    f"{stack.path} is for account {stack.account}, and the local cloud is {self._account}: "
                    f'LocalCloud(account="{stack.account}")'
                )
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            places = {(asset.bucket, asset.key): (stack.region, asset) for stack in stacks for asset in stack.assets}
            list(pool.map(lambda place: self._upload(*place), places.values()))
            return self._in_order(stacks, pool)

    def outputs(self, stack: str, region: str) -> dict[str, str]:
        """The outputs of a deployed stack."""
        found = self._find(stack, region) or {}
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}

    def _in_order(self, stacks: Sequence[SynthesizedStack], pool: ThreadPoolExecutor) -> list[str]:
        by_id = {stack.id: stack for stack in stacks}
        order = graphlib.TopologicalSorter({stack.id: stack.dependencies & by_id.keys() for stack in stacks})
        order.prepare()
        running: dict[Future[str], str] = {}
        lines: list[str] = []
        while order.is_active():
            running |= {pool.submit(self._deploy_one, by_id[one]): one for one in order.get_ready()}
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                # An error here waits for the stacks that are being deployed, and starts no other.
                lines.append(done.result())
                order.done(running.pop(done))
        return lines

    def _upload(self, region: str, asset: FileAsset) -> None:
        s3 = self.client("s3", region)
        try:
            s3.head_object(Bucket=asset.bucket, Key=asset.key)
        except ClientError:
            # The key has the hash of the content, so an object that exists is the same.
            body = _zipped(asset.source) if asset.zipped else asset.source.read_bytes()
            try:
                s3.put_object(Bucket=asset.bucket, Key=asset.key, Body=body)
            except ClientError as error:
                raise DeployError(f"cannot upload {asset.source.name} to {asset.bucket}: {error}") from error

    def _deploy_one(self, stack: SynthesizedStack) -> str:
        template = stack.template.read_text()
        names = json.loads(template).get("Parameters", {}).keys()
        options = {
            "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
            **_template_argument(stack, template),
        }
        protection = {"EnableTerminationProtection": stack.termination_protection}
        return self.put(stack.name, stack.region, stack.parameters, names, options, protection)

    def put(
        self,
        name: str,
        region: str,
        parameters: Mapping[str, str],
        declared: Collection[str],
        options: Mapping[str, Any],
        at_creation: Mapping[str, Any],
    ) -> str:
        """Create or update a stack; returns a line about it.

        Args:
            name: Its name.
            region: Its Region.
            parameters: Values of its parameters.
            declared: Names of all its parameters; those without a value keep their last one, as with the CLI.
            options: More arguments of CreateStack and UpdateStack.
            at_creation: More arguments of CreateStack.

        Raises:
            DeployError: The stack failed; the message has the reasons in its events.
        """
        formation, existing = self.client("cloudformation", region), self._find(name, region)
        if existing and existing["StackStatus"] in _FAILED_CREATE:
            self.delete(name, region)
            existing = None
        kept = {one["ParameterKey"] for one in (existing or {}).get("Parameters", [])} & set(declared)
        given = [
            *({"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()),
            *({"ParameterKey": key, "UsePreviousValue": True} for key in sorted(kept - parameters.keys())),
        ]
        arguments = {"StackName": name, "Capabilities": _CAPABILITIES, "Parameters": given, **options}
        try:
            if existing:
                formation.update_stack(**arguments)
            else:
                formation.create_stack(**arguments, **at_creation)
        except ClientError as error:
            if "No updates are to be performed" in str(error):
                return f"{name}: no changes"
            raise DeployError(f"{name}: {error}") from error
        status = self._settled(name, region)["StackStatus"]
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise DeployError("\n".join([f"{name} failed: {status}", *self._reasons(name, region)]))
        return f"{name}: {status}"

    def delete(self, name: str, region: str) -> None:
        """Delete a stack; returns when it is gone. Does nothing if there is none.

        Raises:
            DeployError: The stack could not be deleted; the message has the reasons in its events.
        """
        found = self._find(name, region)
        if found is None:
            return
        try:
            self.client("cloudformation", region).delete_stack(StackName=found["StackId"])
        except ClientError as error:
            raise DeployError(f"{name}: {error}") from error
        status = self._settled(found["StackId"], region)["StackStatus"]
        if status != "DELETE_COMPLETE":
            raise DeployError(
                "\n".join([f"{name} was not deleted: {status}", *self._reasons(found["StackId"], region)])
            )

    def _find(self, name: str, region: str) -> dict[str, Any] | None:
        try:
            (found,) = self.client("cloudformation", region).describe_stacks(StackName=name)["Stacks"]
        except ClientError:
            return None
        return None if found["StackStatus"] == "DELETE_COMPLETE" else found

    def _settled(self, name: str, region: str) -> dict[str, Any]:
        """Wait until an operation ends; the local cloud delays the answer until then, up to some seconds."""
        while True:
            (found,) = self.client("cloudformation", region).describe_stacks(StackName=name)["Stacks"]
            if not found["StackStatus"].endswith("_IN_PROGRESS"):
                return found

    def _reasons(self, name: str, region: str) -> list[str]:
        """What failed in the last operation of a stack, in order."""
        events = self.client("cloudformation", region).describe_stack_events(StackName=name)["StackEvents"]
        return [
            f"{event['LogicalResourceId']} ({event['ResourceType']}): {event['ResourceStatusReason']}"
            for event in reversed(list(_of_last_operation(events)))
            if event["ResourceStatus"].endswith("_FAILED") and event.get("ResourceStatusReason")
        ]


def _of_last_operation(events: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for event in events:  # the newest first
        yield event
        if event.get("ResourceStatusReason") == "User Initiated":
            return


def _template_argument(stack: SynthesizedStack, template: str) -> dict[str, str]:
    if len(template.encode()) <= _LONGEST_TEMPLATE_BODY:
        return {"TemplateBody": template}
    # s3://bucket/key: the template is an asset of its stack.
    bucket, _, key = stack.template_url.removeprefix("s3://").partition("/")
    return {"TemplateURL": f"https://s3.{stack.region}.amazonaws.com/{bucket}/{key}"}


def _zipped(folder: Path) -> bytes:
    """The files of a folder as the CLI zips them: in order, links followed, with their modes and one date."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(one for one in folder.rglob("*") if one.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.external_attr = (stat.S_IFREG | stat.S_IMODE(file.stat().st_mode)) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())
    return buffer.getvalue()
