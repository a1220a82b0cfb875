import pytest

from tests.fixtures.model_server import model_server, shared_model_server
from tests.integration.providers.calls import Way

__all__ = ["each_way", "model_server", "shared_model_server"]


@pytest.fixture(params=["yielded", "pushed"])
def each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chunks come in both ways in which a provider may give them away."""
    monkeypatch.setattr(Way, "pushed", request.param == "pushed")
