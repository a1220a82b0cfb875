"""Requests to architect about assistants and the files given to them."""

from typing import Any, ClassVar

from pydantic import Field

from contracts.architect_values import (
    Assistant,
    AssistantPage,
    AssistantVersions,
    ExampleAssistants,
    ExportedAssistant,
    GivenFile,
    ImportedAssistants,
)
from contracts.assistant import Definition, Status
from contracts.chat_values import Deleted
from contracts.ids import Id
from contracts.message import Owner, Request


class ArchitectRequest(Request[Any]):
    """Something that is asked of architect, for an owner."""

    SERVICE: ClassVar[str] = "architect"
    owner: Owner


class CreateAssistant(ArchitectRequest):
    """A new assistant. With an id that the owner has already it is that one, as it is now."""

    VERB: ClassVar[str] = "create_assistant"
    RESULT: ClassVar[Any] = Assistant
    AGAIN: ClassVar[bool] = True
    assistant_id: Id
    name: str = Field(min_length=1, max_length=200)
    description: str = Field("", max_length=10_000)
    status: Status = "draft"
    definition: Definition


class UpdateAssistant(ArchitectRequest):
    """Change what is given. Another definition makes a new version; runs keep the one they began with."""

    VERB: ClassVar[str] = "update_assistant"
    RESULT: ClassVar[Any] = Assistant
    AGAIN: ClassVar[bool] = True
    assistant_id: Id
    name: str | None = Field(None, min_length=1, max_length=200)
    description: str | None = Field(None, max_length=10_000)
    status: Status | None = None
    definition: Definition | None = None
    note: str = Field("", max_length=1_000, description="for the history")
    expected_version: int | None = Field(
        None, description="the newest version that the author has seen; refused if another has been saved since"
    )


class GetAssistant(ArchitectRequest):
    """One assistant, in its newest version or an older one."""

    VERB: ClassVar[str] = "get_assistant"
    RESULT: ClassVar[Any] = Assistant
    AGAIN: ClassVar[bool] = True
    assistant_id: Id
    version: int | None = None


class ListAssistants(ArchitectRequest):
    """A page of the owner's assistants, and of those that others of the tenant have published."""

    VERB: ClassVar[str] = "list_assistants"
    RESULT: ClassVar[Any] = AssistantPage
    AGAIN: ClassVar[bool] = True
    mine: bool | None = Field(None, description="true: only the owner's; false: only others'")
    search: str = Field("", max_length=200, description="in name and description")
    limit: int = Field(50, ge=1, le=200)
    before: str | None = None


class DeleteAssistant(ArchitectRequest):
    """Delete an assistant with its history. Its runs stay, and go on."""

    VERB: ClassVar[str] = "delete_assistant"
    RESULT: ClassVar[Any] = Deleted
    assistant_id: Id


class CopyAssistant(ArchitectRequest):
    """A draft of one's own of an assistant that one may see."""

    VERB: ClassVar[str] = "copy_assistant"
    RESULT: ClassVar[Any] = Assistant
    AGAIN: ClassVar[bool] = True
    assistant_id: Id = Field(description="of the copy")
    source_id: Id
    version: int | None = None
    name: str | None = Field(None, min_length=1, max_length=200)


class ListVersions(ArchitectRequest):
    """The history of an assistant. Only its owner is told."""

    VERB: ClassVar[str] = "list_versions"
    RESULT: ClassVar[Any] = AssistantVersions
    AGAIN: ClassVar[bool] = True
    assistant_id: Id


class ImportAssistants(ArchitectRequest):
    """Make drafts of a file: one of ours, or the predecessor's export (JSON v1.0)."""

    VERB: ClassVar[str] = "import_assistants"
    RESULT: ClassVar[Any] = ImportedAssistants
    AGAIN: ClassVar[bool] = True
    ids_from: Id = Field(description="what the new ids are made of: the same file again makes no second assistant")
    document: dict[str, Any]
    models: dict[str, str] = Field({}, description="models of ours, by the names that the file has for them")


class ExportAssistant(ArchitectRequest):
    """An assistant as a file."""

    VERB: ClassVar[str] = "export_assistant"
    RESULT: ClassVar[Any] = ExportedAssistant
    AGAIN: ClassVar[bool] = True
    assistant_id: Id
    version: int | None = None


class ListExamples(ArchitectRequest):
    """The library of assistants that comes with the product."""

    VERB: ClassVar[str] = "list_examples"
    RESULT: ClassVar[Any] = ExampleAssistants
    AGAIN: ClassVar[bool] = True


class GiveFile(ArchitectRequest):
    """Keep a file for runs: its text is found at once. With an id that the owner has already it is that file."""

    VERB: ClassVar[str] = "give_file"
    RESULT: ClassVar[Any] = GivenFile
    AGAIN: ClassVar[bool] = True
    file_id: Id
    name: str = Field(min_length=1, max_length=255)
    media_type: str = Field("", max_length=255, description="as the client tells it; empty: by the name")
    data: str = Field(description="the file in base64")


class GetFile(ArchitectRequest):
    """One file of the owner's, with its text."""

    VERB: ClassVar[str] = "get_file"
    RESULT: ClassVar[Any] = GivenFile
    AGAIN: ClassVar[bool] = True
    file_id: Id


class DeleteFile(ArchitectRequest):
    """Delete a file. Runs that it was given to keep its text."""

    VERB: ClassVar[str] = "delete_file"
    RESULT: ClassVar[Any] = Deleted
    file_id: Id
