"""Pictures on their way to a model."""

from contracts.content import Image


def url_of(image: Image) -> str:
    """An address that has the picture in it, or one from which the provider fetches it."""
    if image.url is not None:
        return image.url
    if image.data is None:  # chat gives the data of what it keeps
        raise ValueError("an image without its data was sent to a model")
    return f"data:{image.media_type};base64,{image.data}"
