"""What the scanners found, and what the constructs acknowledge, read from the output of scan.py and checkov."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple


class Finding(NamedTuple):
    """A finding.

    Attributes:
        rule: The rule as its scanner names it.
        app: The app that was scanned.
        path: Path of the construct.
    """

    rule: str
    app: str
    path: str


class Acknowledgement(NamedTuple):
    """An accepted rule on a construct and on all that is in it."""

    rule: str
    app: str
    path: str
    reason: str

    def explains(self, finding: Finding) -> bool:
        """Whether it accepts a finding."""
        is_there = finding.path == self.path or finding.path.startswith(f"{self.path}/")
        return (finding.rule, finding.app) == (self.rule, self.app) and is_there


class Scan(NamedTuple):
    """One run of all scanners.

    Attributes:
        reported: What they report: users of the apps see these.
        suppressed: What they do not report because it is acknowledged.
        acknowledgements: What the constructs acknowledge.
    """

    reported: set[Finding]
    suppressed: set[Finding]
    acknowledgements: set[Acknowledgement]

    def unexplained(self, without: Iterable[Acknowledgement] = ()) -> list[Finding]:
        """All findings, reported or not, that no acknowledgement explains, if some are taken away."""
        kept = self.acknowledgements - set(without)
        found = self.reported | self.suppressed
        return sorted(one for one in found if not any(each.explains(one) for each in kept))


def read(out: Path, checkov: dict[str, Any]) -> Scan:
    """Read the folder that scan.py wrote, and the report of checkov about it."""
    paths: dict[str, dict[str, str]] = {}
    acknowledged: set[Acknowledgement] = set()
    for file in sorted(out.glob("*/*.template.json")):
        app = file.parent.name
        for logical_id, resource in json.loads(file.read_text())["Resources"].items():
            metadata = resource.get("Metadata", {})
            path = metadata.get("aws:cdk:path", logical_id)
            paths.setdefault(app, {})[f"{file.name}:{logical_id}"] = path
            for skipped in metadata.get("checkov", {}).get("skip", ()):
                acknowledged.add(Acknowledgement(skipped["id"], app, path, skipped["comment"]))
    reported, suppressed = _of_reports(out)
    for kind, found in (("failed_checks", reported), ("skipped_checks", suppressed)):
        for one in checkov["results"][kind]:
            app, template = one["file_path"].strip("/").split("/")
            logical_id = one["resource"].rpartition(".")[2]
            found.add(Finding(one["check_id"], app, paths[app][f"{template}:{logical_id}"]))
    # aws-cdk-lib acknowledges rules of its own validation, also where they find nothing.
    of_constructs = _of_constructs(out)
    acknowledged.update(one for one in of_constructs if "-" in one.rule or any(map(one.explains, suppressed)))
    return Scan(reported, suppressed, acknowledged)


def _of_reports(out: Path) -> tuple[set[Finding], set[Finding]]:
    """Findings of cdk-nag and of aws-cdk-lib: what is reported, and what is acknowledged."""
    found: tuple[set[Finding], set[Finding]] = (set(), set())
    for file in out.glob("*/validation-report.json"):
        for report in json.loads(file.read_text())["pluginReports"]:
            # A plug-in that fails has no violations, but an error.
            assert "error" not in (report.get("metadata") or {}), report
            for kind, part in zip(("violations", "suppressedViolations"), found, strict=True):
                for violation in report.get(kind) or ():
                    for construct in violation["violatingConstructs"]:
                        part.add(Finding(violation["ruleName"], file.parent.name, construct["constructPath"]))
    return found


def _of_constructs(out: Path) -> Iterator[Acknowledgement]:
    """Acknowledgements in the metadata of constructs."""
    for file in out.glob("*/*.metadata.json"):
        for path, entries in json.loads(file.read_text()).items():
            for entry in entries:
                if entry["type"] == "aws:cdk:acknowledged-rules":
                    for rule, reason in entry["data"].items():
                        yield Acknowledgement(rule.partition("::")[2], file.parent.name, path.removeprefix("/"), reason)


def accepted_for_cdk_nag_2(out: Path) -> set[tuple[str, str, str]]:
    """App, path and rule of what the templates accept in the form of cdk-nag 2."""
    found: set[tuple[str, str, str]] = set()
    for file in out.glob("*/*.template.json"):
        for resource in json.loads(file.read_text())["Resources"].values():
            metadata = resource.get("Metadata", {})
            for rule in metadata.get("cdk_nag", {}).get("rules_to_suppress", ()):
                parts = [f"[{one}]" for one in rule.get("applies_to", ())] or [""]
                found.update((file.parent.name, metadata["aws:cdk:path"], rule["id"] + part) for part in parts)
    return found
