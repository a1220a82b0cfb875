"""Each profile is synthesized once for all tests: it takes seconds."""

import importlib.util
import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from infra.node import find_node
from infra.profiles import PROFILES
from tests.infra.synthesized import CHOICES, Synthesized, synthesize

if importlib.util.find_spec("aws_cdk") is None:  # not imported here: that starts Node, for whoever collects
    pytest.skip("the extra `infra` is not installed", allow_module_level=True)


@pytest.fixture(scope="session")
def without_credentials() -> Iterator[None]:
    """Nothing of AWS's in the environment: whoever wants to look something up there cannot."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "CDK_"))]:
            patch.delenv(name)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        find_node()
        yield


@pytest.fixture(scope="session")
def clouds(tmp_path_factory: pytest.TempPathFactory, without_credentials: None) -> dict[str, Synthesized]:
    """Every profile."""
    return {name: synthesize(name, tmp_path_factory.mktemp(name)) for name in PROFILES}


@pytest.fixture(params=list(PROFILES))
def cloud(request: pytest.FixtureRequest, clouds: dict[str, Synthesized]) -> Synthesized:
    """One profile after the other."""
    return clouds[request.param]


@pytest.fixture(scope="session")
def prod(clouds: dict[str, Synthesized]) -> Synthesized:
    """Production."""
    return clouds["prod"]


@pytest.fixture(scope="session")
def small(clouds: dict[str, Synthesized]) -> Synthesized:
    """One of everything."""
    return clouds["small"]


@pytest.fixture(scope="session")
def all_fargate(tmp_path_factory: pytest.TempPathFactory, without_credentials: None) -> Synthesized:
    """Production without an instance."""
    return synthesize("prod", tmp_path_factory.mktemp("fargate"), replace(CHOICES, nats_on="fargate"))
