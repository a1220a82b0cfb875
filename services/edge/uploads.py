"""One file out of a request: a form's, or the whole body. The guard counts as it comes: it is no longer than a body."""

from typing import NamedTuple

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from kit.refusal import Refused

FIELD = "file"
MAX_OTHER_FIELDS = 8
"""Of a form, that nobody looks at."""
MAX_NAME_CHARACTERS = 255


class Upload(NamedTuple):
    """A file as its client sent it."""

    name: str
    media_type: str
    data: bytes


async def read_upload(request: Request, name: str | None, max_bytes: int) -> Upload:
    """The file in a request. Raises Refused."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        upload = await _of_form(request, name, max_bytes)
    else:
        if name is None:
            raise Refused("invalid_file", "Say what the file is called: '?name=report.pdf'. Or send a form with it.")
        upload = Upload(name, kind, await request.body())
    if not upload.data:
        raise Refused("invalid_file", "The file is empty.")
    if not 0 < len(upload.name) <= MAX_NAME_CHARACTERS:
        raise Refused("invalid_file", f"A file's name has from 1 to {MAX_NAME_CHARACTERS} characters.")
    return upload


async def _of_form(request: Request, name: str | None, max_bytes: int) -> Upload:
    parser = MultiPartParser(request.headers, request.stream(), max_files=1, max_fields=MAX_OTHER_FIELDS)
    parser.spool_max_size = max_bytes + 1  # in memory: it is sent on in one piece, and there may be no disk
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise Refused("invalid_file", f"The form cannot be read: {error.message}") from error
    try:
        file = form.get(FIELD)
        if not isinstance(file, UploadFile):
            raise Refused("invalid_file", f"The form has no file in its field {FIELD!r}.")
        media_type = (file.content_type or "").partition(";")[0].strip().lower()
        return Upload(name or file.filename or "", media_type, await file.read())
    finally:
        await form.close()
