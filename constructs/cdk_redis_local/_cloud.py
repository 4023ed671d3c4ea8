"""`LocalCloud`: an AWS on loopback that runs as long as a ``with`` block."""

from __future__ import annotations

import collections
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from cdk_redis_local._core.errors import LocalCloudError, full_disk_explained
from cdk_redis_local._core.workspace import Workspace, require_linux
from cdk_redis_local._emulator.environment import aws_session, for_emulator, for_tools, package_cache
from cdk_redis_local._emulator.faults import FAULTS
from cdk_redis_local._engines.certificates import CertificateAuthority
from cdk_redis_local._engines.program import EngineProgram, find_engines

ACCOUNT = "000000000000"
_START_SECONDS = 60.0
_LOG = "server.log"
# Range of the seconds that a minute of CloudWatch lasts.
SHORTEST_MINUTE, LONGEST_MINUTE = 0.5, 60.0
# Seconds that a command gets to end after SIGTERM, when the cloud has ended.
_GRACE_SECONDS = 5.0
# The CDK's Node.js functions for triggers and for the VPC's default security group need these packages. Lambda has the
# AWS SDK for JavaScript built in; the local cloud uses the one that npm installed.
_SDK_PACKAGES = ("@aws-sdk/client-ec2", "@aws-sdk/client-lambda")


class LocalCloud:
    """An AWS on loopback, to which the CDK CLI deploys; its stores are real engines over TLS.

    IAM is enforced for users and roles: requests must be signed, policies are evaluated, and an IAM token is valid only
    if its signer may connect. Processes, ports and files do not outlive the ``with`` block. If the cloud's process ends
    earlier, :attr:`said` has a message, and the end of the block raises an error.

    Example:
        >>> with LocalCloud() as cloud:
        ...     subprocess.run(["cdk", "bootstrap"], env=cloud.environment)
    """

    def __init__(
        self,
        *,
        faults: Iterable[str] = (),
        region: str = "us-east-1",
        say: Callable[[str], object] | None = None,
        node_modules: Path | None = None,
        stand_in: bool = False,
        account: str = ACCOUNT,
        inert: Iterable[str] = (),
        metric_minute: float = LONGEST_MINUTE,
    ) -> None:
        """Describe the cloud; :meth:`start` starts it.

        Args:
            faults: Faults to inject into every store: names from :data:`FAULTS`.
            region: The simulated Region.
            say: Called, from another thread, with each message for the user. Default: - messages are only recorded in
                :attr:`said`.
            node_modules: The folder with the AWS SDK for Node.js functions. Default: - ``node_modules`` in the working
                directory.
            stand_in: Whether an engine of this machine stands in for one that a template declares and the machine does
                not have: the newest version of that engine, or the preferred engine. A message tells each. The
                templates stay as they are; a smoke test expects the engine that stands in. Default: - such a stack
                fails.
            account: The simulated account, for stacks with an account of their own.
            inert: Resource types that the local cloud does not support, and that shall have no effect, such as
                ``AWS::WAFv2::WebACLAssociation``. All of their attributes have the text of their id. Default: - a stack
                with such a type fails.
            metric_minute: Seconds that a minute of CloudWatch lasts, from 0.5 to 60: periods of metrics and alarms are
                shorter by this factor, so that a test sees an alarm go off in seconds. Default: - 60.

        Raises:
            LocalCloudError: A fault does not exist, ``metric_minute`` is out of its range, or this machine does not run
                Linux.
            EngineNotFoundError: This machine has no usable engine; the message says how to install one.
        """
        require_linux()
        self.faults = tuple(faults)
        for fault in self.faults:
            if fault not in FAULTS:
                raise LocalCloudError(f"unknown fault {fault}; the faults are {', '.join(FAULTS)}")
        self.engine: EngineProgram = find_engines()[0]
        self.region = region
        if not SHORTEST_MINUTE <= metric_minute <= LONGEST_MINUTE:
            raise LocalCloudError(
                f"metric_minute is {metric_minute}, but must be from {SHORTEST_MINUTE} to {LONGEST_MINUTE}"
            )
        self._metric_minute = metric_minute
        self._stand_in = stand_in
        self.account = account
        self._inert = tuple(inert)
        self.said: list[str] = []
        self.environment: dict[str, str] = {}
        self._say = say
        self._node_modules = node_modules or Path.cwd() / "node_modules"
        self._workspace: Workspace | None = None
        self._ready = threading.Event()
        self._ended = threading.Event()
        self._failure = ""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> LocalCloud:
        """Start the cloud."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the cloud.

        Raises:
            LocalCloudError: The cloud's process had ended before, and the block raised no other error.
        """
        try:
            if error is None:
                self.check()
        finally:
            self.stop()

    @property
    def workspace(self) -> Workspace:
        """The cloud's workspace; processes that you start in it end with the cloud."""
        if self._workspace is None:
            raise LocalCloudError("the local cloud is not running")
        return self._workspace

    @property
    def endpoint_url(self) -> str:
        """The endpoint URL of the AWS APIs."""
        return self.environment["AWS_ENDPOINT_URL"]

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of an API of the cloud, with the cloud's settings instead of the user's.

        Args:
            service: As for ``boto3.client``.
            options: As for ``boto3.client``.
        """
        return self.session().client(service, endpoint_url=self.endpoint_url, **options)

    def session(self) -> Any:
        """A boto3 session of the root user; pass :attr:`endpoint_url` to its clients, as :meth:`client` does."""
        return aws_session(self.environment)

    def start(self) -> None:
        """Start the cloud; returns when it accepts requests.

        Raises:
            LocalCloudError: The cloud did not start; the message has the end of its log.
        """
        self._ready.clear()
        self._ended.clear()
        self._failure = ""
        try:
            with full_disk_explained():
                self._workspace = Workspace()
                self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End all processes and remove all files of the cloud. A second call does nothing."""
        if self._workspace:
            # Its end is expected from here on.
            self._ready.clear()
            self._workspace.close()
            self._workspace = None

    def check(self) -> None:
        """Check that the cloud's process runs.

        Raises:
            LocalCloudError: The process has ended; the message has its exit code or signal and the end of its log.
        """
        if self._ready.is_set() and self._process and self._process.poll() is not None:
            # Wait until the thread that reads its output has set the error message.
            self._ended.wait(_GRACE_SECONDS)
        if self._failure:
            raise LocalCloudError(self._failure)

    def wait(self) -> None:
        """Wait until the cloud's process ends.

        Raises:
            LocalCloudError: The process has ended; the message has its exit code or signal and the end of its log.
        """
        self._ended.wait()
        self.check()

    def wait_for(self, process: subprocess.Popen[Any]) -> int:
        """Wait for a process that uses the cloud; returns its exit code, or 128 plus the signal, as in a shell.

        Raises:
            LocalCloudError: The cloud's process ended first; this also ends the other process.
        """
        while not self._ended.is_set():
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(0.2)
                return 128 - code if code < 0 else code
        process.terminate()
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise LocalCloudError(self._failure)

    def log(self, lines: int = 20) -> str:
        """The last lines of the log of the cloud's process."""
        return _last_lines(self.log_file, lines)

    @property
    def log_file(self) -> Path:
        """The log of the cloud's process."""
        return self.workspace.path / _LOG

    def _start(self) -> None:
        directory = self.workspace.path
        authority = CertificateAuthority(self.workspace.directory("ca"))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.listen(1024)
            port = listener.getsockname()[1]
            self.environment = self._client_environment(directory, authority.ca_file, port)
            command = [sys.executable, "-m", f"{__package__}._emulator.server_start", "--workspace", str(directory)]
            command += ["--socket", str(listener.fileno()), "--authority", str(authority.ca_file.parent)]
            command += [word for fault in self.faults for word in ("--fault", fault)]
            command += ["--stand-in"] if self._stand_in else []
            command += [word for name in self._inert for word in ("--inert", name)]
            command += ["--metric-minute", str(self._metric_minute)]
            with (directory / _LOG).open("wb") as log:
                self._process = self.workspace.spawn(
                    command,
                    environment=self._server_environment(directory, port),
                    stdout=subprocess.PIPE,
                    stderr=log,
                    descriptors=[listener.fileno()],
                )
        threading.Thread(target=self._listen, args=(self._process, directory / _LOG), daemon=True, name="cloud").start()
        self._wait_until_ready()
        self._look_for_sdk()

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        waited = 0.0
        while not self._ready.wait(0.05):
            waited += 0.05
            if self._process.poll() is not None or waited > _START_SECONDS:
                ended = self._process.poll() is not None
                why = "" if ended else f" within {_START_SECONDS:g} s, because this machine is too busy"
                raise LocalCloudError(f"the local cloud did not start{why}:\n{self.log() or 'its log is empty'}")

    def _listen(self, process: subprocess.Popen[bytes], log: Path) -> None:
        assert process.stdout
        with process.stdout as stream:
            for line in stream:
                if line.endswith(b"\n"):  # a killed process may have written an incomplete line
                    self._receive(json.loads(line))
        code = process.wait()
        if self._ready.is_set():
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
            written = _last_lines(log, 20) or "the log is empty"
            self._failure = f"the local cloud's process {how}; the end of its log:\n{written}"
            self._ended.set()
            self._tell(f"its process {how}: the local cloud does not answer any more")

    def _receive(self, message: dict[str, object]) -> None:
        if message.get("ready"):
            self._ready.set()
        else:
            self._tell(str(message["say"]))

    def _tell(self, text: str) -> None:
        self.said.append(text)
        if self._say:
            self._say(text)

    def _look_for_sdk(self) -> None:
        folders = [Path(folder) for folder in self.environment["NODE_PATH"].split(os.pathsep)]
        missing = [name for name in _SDK_PACKAGES if not any((folder / name).exists() for folder in folders)]
        if missing:
            self._tell(
                f"{' and '.join(missing)} not found in {self._node_modules}: the CDK's Node.js functions (triggers and "
                f"the VPC's default security group) need them; run `npm install --save-dev {' '.join(missing)}`"
            )

    def _client_environment(self, directory: Path, ca_file: Path, port: int) -> dict[str, str]:
        kept = for_tools(os.environ)
        return {
            **kept,
            **self._tool_settings(directory),
            **new_root_credentials(),
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "SSL_CERT_FILE": str(ca_bundle(directory / "trusted.pem", ca_file)),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]),
            "NODE_PATH": os.pathsep.join([str(self._node_modules), *filter(None, [kept.get("NODE_PATH")])]),
            **package_cache(kept, directory / "jsii"),
        }

    @staticmethod
    def _tool_settings(directory: Path) -> dict[str, str]:
        return {
            # Do not use the user's profiles and the machine's metadata service.
            "AWS_CONFIG_FILE": str(directory / "no-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(directory / "no-credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            # Settings of the CDK CLI: its caches, telemetry and notices.
            "CDK_HOME": str(directory / "cdk-home"),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CDK_DISABLE_VERSION_CHECK": "true",
            "CDK_NOTICES": "false",
            "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "true",
        }

    def _server_environment(self, directory: Path, port: int) -> dict[str, str]:
        temporary = self.workspace.directory("tmp")
        return {
            **for_emulator(self.environment),
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "DOCKER_HOST": f"unix://{directory}/no-docker.sock",
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            "MINISTACK_ACCOUNT_ID": self.account,
            # The host in response URLs of custom resources. "localhost" may resolve to ::1, where others may listen.
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": self.region,
            "S3_DATA_DIR": str(directory / "s3"),
            "SFTP_ENABLED": "0",
            "STATE_DIR": str(directory / "state"),
            "TMPDIR": str(temporary),
        }


def _last_lines(path: Path, number: int) -> str:
    text = path.read_text(errors="replace") if path.exists() else ""
    return "\n".join(collections.deque(text.splitlines(), maxlen=number))


def new_root_credentials() -> dict[str, str]:
    """New credentials of the account's root user. They are random, because they allow everything."""
    return {
        "AWS_ACCESS_KEY_ID": f"LOCAL{secrets.token_hex(8).upper()}",
        "AWS_SECRET_ACCESS_KEY": secrets.token_hex(20),
    }


def ca_bundle(path: Path, ca_file: Path) -> Path:
    """Write a CA bundle with the certificate authorities of this machine and of the local cloud."""
    usual = ssl.get_default_verify_paths().cafile
    texts = [Path(usual).read_text()] if usual and Path(usual).exists() else []
    path.write_text("\n".join([*texts, ca_file.read_text()]))
    return path


def find_cdk(directory: Path, environment: dict[str, str]) -> Sequence[str]:
    """The command of the CDK CLI, from the directory's ``node_modules`` or from PATH.

    Raises:
        LocalCloudError: The CDK CLI was not found; the message says how to install it.
    """
    found = directory / "node_modules" / ".bin" / "cdk"
    program = str(found) if found.exists() else shutil.which("cdk", path=environment.get("PATH"))
    if program is None:
        raise LocalCloudError("no CDK CLI in node_modules or on PATH: install it with `npm install aws-cdk@2`")
    return [program]
