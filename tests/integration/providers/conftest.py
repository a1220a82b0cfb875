from tests.fixtures.model_server import model_server, shared_model_server

__all__ = ["model_server", "shared_model_server"]
