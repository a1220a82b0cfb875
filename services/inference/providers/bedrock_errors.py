"""What Bedrock's errors mean: in the middle of a stream they have names instead of statuses."""

from http import HTTPStatus
from typing import Any

from services.inference.providers.base import ProviderError
from services.inference.providers.errors import error_from_stream

STATUS = {
    "validationexception": HTTPStatus.BAD_REQUEST,
    "accessdeniedexception": HTTPStatus.FORBIDDEN,
    "resourcenotfoundexception": HTTPStatus.NOT_FOUND,
    "throttlingexception": HTTPStatus.TOO_MANY_REQUESTS,
    "internalserverexception": HTTPStatus.INTERNAL_SERVER_ERROR,
    "serviceunavailableexception": HTTPStatus.SERVICE_UNAVAILABLE,
    "modelstreamerrorexception": HTTPStatus.INTERNAL_SERVER_ERROR,
    "modeltimeoutexception": HTTPStatus.INTERNAL_SERVER_ERROR,
}


def error_of_exception(name: str, told: dict[str, Any], secrets: tuple[str, ...]) -> ProviderError:
    """The error of an exception event; one that is not known may pass."""
    status = STATUS.get(name.lower(), HTTPStatus.INTERNAL_SERVER_ERROR)
    return error_from_stream({"message": told.get("message", ""), "status": int(status)}, secrets=secrets)
