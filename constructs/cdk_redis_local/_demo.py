"""The command ``demo``: a real ``cdk deploy`` of the app in this directory, and the reports of its smoke tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from cdk_redis_local._cloud import LocalCloud, find_cdk
from cdk_redis_local._core.errors import DeployError
from cdk_redis_local._testing.deploys import Deploys

_REPORT = "cdk_redis_smoke_test"


class Demo:
    """One run of the demo, on a console."""

    def __init__(self, cloud: LocalCloud, console: Console, directory: Path, context: Mapping[str, str]) -> None:
        """Prepare to deploy the app in ``directory`` with these context values to a running cloud."""
        self._cloud = cloud
        self._console = console
        self._directory = directory
        self._cdk = find_cdk(directory, cloud.environment)
        self._context = [word for key, value in context.items() for word in ("-c", f"{key}={value}")]
        self._assembly = cloud.workspace.path / "cdk.out"

    def run(self) -> int:
        """Bootstrap, deploy, show the reports, destroy. Returns the exit code; if the deploy fails, that of the CLI."""
        try:
            return self._run(Deploys(self._cloud, self._directory))
        except DeployError as error:
            self._console.print(escape(str(error)), highlight=False)
            return 1

    def _run(self, deploys: Deploys) -> int:
        self._step("Bootstrapping: the bucket and the roles that deploys use")
        deploys.bootstrap()
        self._step("Deploying all stacks with the CDK CLI")
        deployed = self._deploy()
        shown = self._show_reports()
        if deployed:
            self._console.print(f"\n[bold red]The deploy failed[/] (exit code {deployed}).")
            return deployed
        if not shown:
            self._console.print("\n[bold red]No smoke test ran[/]: the logs have no report.")
            return 1
        self._step("Destroying all stacks")
        deploys.run("destroy", "--all", "--force", "--app", str(self._assembly), cwd=self._directory)
        return 0

    def _deploy(self) -> int:
        """Deploy with the CLI, which writes to the terminal; returns its exit code."""
        # Every command of the CLI writes to its output folder; the default is a folder in the app's directory.
        arguments = (
            "--require-approval",
            "never",
            "--concurrency",
            "2",
            *self._context,
            "--output",
            str(self._assembly),
        )
        # In the workspace, so that the CLI and the app that it runs end with this process.
        process = self._cloud.workspace.spawn(
            [*self._cdk, "deploy", "--all", *arguments], environment=self._cloud.environment, cwd=self._directory
        )
        return self._cloud.wait_for(process)

    def _step(self, text: str) -> None:
        self._console.print(f"\n[bold cyan]==>[/] {text}")

    def _show_reports(self) -> int:
        """Show the report in the log of each smoke test's function; returns the number of reports."""
        reports = read_reports(self._cloud)
        if reports:
            from cdk_redis_runtime import render_report

            self._step("Reports of the smoke tests, from their logs")
            for report in reports:
                self._console.print(render_report(report))
        return len(reports)


def read_reports(cloud: LocalCloud) -> list[dict[str, Any]]:
    """The last report of each smoke test, from its log group in the local cloud."""
    logs = cloud.client("logs")
    reports: dict[str, dict[str, Any]] = {}
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            events = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
            for event in (event for page in events for event in page["events"]):
                if report := _report_in(event["message"]):
                    reports[group["logGroupName"]] = report
    return [reports[name] for name in sorted(reports)]


def _report_in(message: str) -> dict[str, Any] | None:
    if _REPORT not in message:
        return None
    try:
        return json.loads(message)[_REPORT]
    except (ValueError, KeyError):  # the line mentions a report, but is not one
        return None


class Narrator:
    """Prints the messages of the local cloud as whole lines, between the output of the CLI."""

    def __init__(self, console: Console) -> None:
        """Print to this console."""
        self._console = console
        self._lock = threading.Lock()

    def __call__(self, text: str) -> None:
        """Print one message."""
        with self._lock:
            self._console.print(f"[dim]local cloud:[/] {escape(text)}", highlight=False, soft_wrap=True)
