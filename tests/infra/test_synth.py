"""The app makes templates anywhere: it asks no account, uploads nothing, needs no engine."""

import json
from pathlib import Path

import pytest

from infra.choices import ChoiceError, Choices
from infra.profiles import PROFILES
from tests.infra.synthesized import Synthesized

KEPT_RULE = Path(__file__).with_name("production_rule.json")
MOST_RESOURCES, MOST_BYTES = 500, 1_000_000


def test_nothing_is_looked_up(cloud: Synthesized) -> None:
    manifest = json.loads((cloud.folder / "manifest.json").read_text())
    assert not manifest.get("missing")
    assert set(cloud.templates) >= {"Registry", "Network", "Data", "Messaging", "Services", "Observability"}


def test_nothing_is_built_or_uploaded_but_the_templates(cloud: Synthesized) -> None:
    for path in cloud.folder.glob("*.assets.json"):
        assets = json.loads(path.read_text())
        assert not assets["dockerImages"]
        assert all(file["source"]["path"].endswith(".template.json") for file in assets["files"].values())


def test_no_account_and_no_registry_is_written_down(cloud: Synthesized) -> None:
    text = json.dumps(cloud.templates).replace(cloud.choices.certificate, "")
    assert "111111111111" not in text
    for host in ("docker.io", "ghcr.io", "public.ecr.aws", "quay.io"):
        assert host not in text


def test_cloudformation_takes_templates_of_that_size(cloud: Synthesized) -> None:
    for name, template in cloud.templates.items():
        assert len(template["Resources"]) < MOST_RESOURCES, name
        assert len(json.dumps(template)) < MOST_BYTES, name


def test_the_rule_whose_weights_ecs_moves_is_as_it_always_was(cloud: Synthesized) -> None:
    """A change of its text sets the weights back, and may send everybody where nobody is (aws-cdk #36649).

    If this fails, do not renew the file: put back what changed the rule, or deploy as docs/aws.md says.
    """
    resources = cloud.templates["Services"]["Resources"]
    (rule,) = (rule for name, rule in resources.items() if name.startswith("Production"))
    assert rule == json.loads(KEPT_RULE.read_text())


@pytest.mark.parametrize("tag", ["", "latest"])
def test_an_image_that_cannot_be_gone_back_to_is_refused(tag: str) -> None:
    with pytest.raises(ChoiceError, match="image_tag"):
        Choices(image_tag=tag)


@pytest.mark.parametrize("field", [{"nats_on": "lambda"}, {"sender": "nobody"}])
def test_a_choice_that_cannot_be_is_refused_by_name(field: dict[str, str]) -> None:
    with pytest.raises(ChoiceError, match=next(iter(field))):
        Choices(image_tag="git-1", **field)


def test_people_are_not_served_without_a_certificate(without_credentials: None) -> None:
    from infra.app import add_stacks, make_app, profile_of

    with pytest.raises(ChoiceError, match="certificate"):
        add_stacks(make_app(), PROFILES["small"], Choices(image_tag="git-1"))
    with pytest.raises(ChoiceError, match="none of dev, small, prod"):
        profile_of("staging")
