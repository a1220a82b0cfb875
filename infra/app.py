"""The CDK app: which stacks there are, and what each stands on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from infra.choices import ChoiceError, Choices
from infra.exceptions import acknowledge
from infra.profiles import PROFILES, Profile
from infra.stacks.access import AccessStack
from infra.stacks.data import DataStack
from infra.stacks.messaging import MessagingStack
from infra.stacks.network import NetworkStack
from infra.stacks.observability import ObservabilityStack
from infra.stacks.registry import RegistryStack
from infra.stacks.services import ServicesStack
from infra.stacks.workflow import WorkflowStack

PREFIX = "Studio"


def profile_of(name: str) -> Profile:
    """The profile of that name. Raises ChoiceError."""
    if name not in PROFILES:
        raise ChoiceError(f"profile: {name!r} is none of {', '.join(PROFILES)}: -c profile=dev")
    return PROFILES[name]


def make_app(folder: Path | None = None, context: Mapping[str, object] | None = None) -> cdk.App:
    """An app without stacks; `folder` is where the templates go."""
    return cdk.App(outdir=str(folder) if folder else None, context=context, analytics_reporting=False)


def add_stacks(app: cdk.App, profile: Profile, choices: Choices) -> None:
    """All stacks of one profile. No account is named: it is that of who deploys. Raises ChoiceError."""
    if profile.certificate_needed and not choices.certificate:
        raise ChoiceError(f"certificate: {profile.name} carries people's tokens and words, so it needs one")
    rest: dict[str, Any] = {"env": cdk.Environment(region=choices.region)}
    prefix = f"{PREFIX}-{profile.name}"
    registry = RegistryStack(app, f"{PREFIX}-Registry", choices=choices, **rest)
    if choices.github_repository:
        access = AccessStack(app, f"{prefix}-Access", profile=profile, choices=choices, **rest)
        access.add_stack_dependency(registry)  # which has made the account trust GitHub
    network = NetworkStack(app, f"{prefix}-Network", profile=profile, choices=choices, **rest)
    data = DataStack(app, f"{prefix}-Data", profile=profile, choices=choices, network=network, **rest)
    below: dict[str, Any] = {"profile": profile, "network": network, "data": data}
    messaging = MessagingStack(app, f"{prefix}-Messaging", choices=choices, **below, **rest)
    services = ServicesStack(app, f"{prefix}-Services", choices=choices, messaging=messaging, **below, **rest)
    WorkflowStack(
        app,
        f"{prefix}-Workflow",
        profile=profile,
        choices=choices,
        network=network,
        messaging=messaging,
        services=services,
        **rest,
    )
    watched: dict[str, Any] = {"choices": choices, "messaging": messaging, "services": services}
    ObservabilityStack(app, f"{prefix}-Observability", **watched, **below, **rest)
    for stack in app.node.children:
        acknowledge(stack, stack.node.id.rpartition("-")[2], prefix=prefix, region=choices.region)
    # Not on listener rules: another tag would be a change of the production rule (infra/parts/balancer.py).
    excluded = ["AWS::ElasticLoadBalancingV2::ListenerRule"]
    cdk.Tags.of(app).add("product", "ai-studio", exclude_resource_types=excluded)
    cdk.Tags.of(app).add("profile", profile.name, exclude_resource_types=excluded)
