"""Other people's rules: cdk-nag's and CloudFormation's, with no finding that is not explained."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.exceptions import REASONS
from infra.profiles import PROFILES
from tests.infra.synthesized import CHOICES, Synthesized

MADE_BY_CDK = ["W3005", "W3010"]
"""A dependency said twice, and zones by their names (infra/exceptions.py)."""
SECONDS = 600


@pytest.fixture(scope="module", autouse=True)
def linting(clouds: dict[str, Synthesized]) -> Iterator[subprocess.Popen[str]]:
    """cfn-lint, which takes longest of all here, and works in a process of its own while the others are asked."""
    # dev and small are the same types of resources.
    files = [path for name in ("dev", "prod") for path in clouds[name].folder.glob("*.template.json")]
    command = [Path(sys.executable).with_name("cfn-lint"), "--ignore-checks", *MADE_BY_CDK, "--", *files]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        yield process
        process.kill()


def found(app: Any, folder: Path) -> dict[tuple[str, str], list[str]]:
    """Rule and stack of every finding, acknowledged ones included, and where it is."""
    with contextlib.suppress(RuntimeError):  # some findings are errors; all are in the report
        app.synth()
    report = json.loads((folder / "validation-report.json").read_text())
    findings: dict[tuple[str, str], list[str]] = {}
    for plugin in report["pluginReports"]:
        for violation in plugin["violations"]:
            for construct in violation["violatingConstructs"]:
                stack = construct["constructPath"].partition("/")[0].rpartition("-")[2]
                findings.setdefault((violation["ruleName"], stack), []).append(construct["constructPath"])
    return findings


def checked(profile: str, folder: Path, *, explained: bool) -> dict[tuple[str, str], list[str]]:
    import aws_cdk as cdk
    from cdk_nag import AwsSolutionsChecks

    from infra import app as infra_app

    with pytest.MonkeyPatch.context() as patch:
        if not explained:
            patch.setattr(infra_app, "acknowledge", lambda *_, **__: None)
        app = infra_app.make_app(folder)
        infra_app.add_stacks(app, PROFILES[profile], CHOICES)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return found(app, folder)


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("profile", ["dev", "prod"])
def test_cdk_nag_finds_nothing_that_is_not_explained(profile: str, tmp_path: Path, without_credentials: None) -> None:
    assert checked(profile, tmp_path, explained=True) == {}


@pytest.mark.timeout(SECONDS)
def test_every_explanation_is_needed_by_some_profile(tmp_path: Path, without_credentials: None) -> None:
    needed: set[tuple[str, str]] = set()
    for profile in ("dev", "prod"):
        folder = tmp_path / profile
        prefix = f"Studio-{profile}"
        for rule, stack in checked(profile, folder, explained=False):
            needed.add((rule.replace(prefix, "{prefix}").replace(f":{CHOICES.region}:", ":{region}:"), stack))
    explained = {
        (rule.removeprefix("CloudFormation-Validate::"), stack) for stack in REASONS for rule in REASONS[stack]
    }
    assert explained == needed


@pytest.mark.timeout(SECONDS)
def test_cfn_lint_has_nothing_to_say(linting: subprocess.Popen[str]) -> None:
    said, _ = linting.communicate(timeout=SECONDS)
    assert linting.returncode == 0, said
