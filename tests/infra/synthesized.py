"""The templates of one profile, as CloudFormation gets them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.choices import Choices
from infra.profiles import PROFILES, Profile

CERTIFICATE = "arn:aws:acm:us-east-1:111111111111:certificate/00000000-0000-0000-0000-000000000000"
CHOICES = Choices(
    image_tag="git-0123abc",
    certificate=CERTIFICATE,
    public_url="https://studio.example",
    sender="AI Studio <studio@mail.example>",
    alarm_email="ops@mail.example",
    github_repository="someone/ai-studio",
)

Resource = dict[str, Any]


@dataclass(frozen=True)
class Synthesized:
    """What came out of one app."""

    profile: Profile
    choices: Choices
    folder: Path
    templates: Mapping[str, dict[str, Any]]
    """By the last part of the stack's name."""

    def all(self, kind: str) -> Iterator[tuple[str, str, Resource]]:
        """Stack, name and properties of every resource of a type."""
        for stack, template in self.templates.items():
            for name, resource in template["Resources"].items():
                if resource["Type"] == kind:
                    yield stack, name, resource.get("Properties", {})

    def named(self, kind: str) -> dict[str, Resource]:
        """Name and properties of every resource of a type."""
        return {name: properties for _, name, properties in self.all(kind)}

    def only(self, kind: str) -> Resource:
        """The properties of the one resource of a type."""
        ((_, _, properties),) = self.all(kind)
        return properties

    def services(self) -> dict[str, Resource]:
        """The ECS services of the product, by the name of their container."""
        tasks = self.templates["Services"]["Resources"]
        return {
            tasks[service["TaskDefinition"]["Ref"]]["Properties"]["ContainerDefinitions"][0]["Name"]: service
            for stack, _, service in self.all("AWS::ECS::Service")
            if stack == "Services"
        }

    def tasks(self) -> dict[str, Resource]:
        """The task definitions of the product, by the name of their container: the services, and what runs once."""
        found = [task for stack, _, task in self.all("AWS::ECS::TaskDefinition") if stack != "Messaging"]
        return {task["ContainerDefinitions"][0]["Name"]: task for task in found}

    def containers(self) -> dict[str, Resource]:
        """Their containers."""
        return {name: task["ContainerDefinitions"][0] for name, task in self.tasks().items()}

    def policies(self) -> Iterator[tuple[str, Resource]]:
        """Every statement that allows somebody something, with the name of its policy."""
        for _, name, policy in self.all("AWS::IAM::Policy"):
            yield from ((name, statement) for statement in policy["PolicyDocument"]["Statement"])
        for _, name, role in self.all("AWS::IAM::Role"):
            for policy in role.get("Policies", []):
                yield from ((name, statement) for statement in policy["PolicyDocument"]["Statement"])


def environment_of(container: Resource) -> dict[str, Any]:
    """The variables that stand in the template."""
    return {pair["Name"]: pair["Value"] for pair in container.get("Environment", [])}


def as_list(value: Any) -> list[Any]:
    """CloudFormation writes a list of one as the one."""
    return value if isinstance(value, list) else [value]


def synthesize(profile: str, folder: Path, choices: Choices = CHOICES) -> Synthesized:
    """Build and write the templates, in this process."""
    from infra.app import add_stacks, make_app

    app = make_app(folder)
    add_stacks(app, PROFILES[profile], choices)
    app.synth()
    templates = {
        path.name.removesuffix(".template.json").rpartition("-")[2]: json.loads(path.read_text())
        for path in sorted(folder.glob("*.template.json"))
    }
    return Synthesized(PROFILES[profile], choices, folder, templates)
