"""What is stored when an assistant is made or changed: values in, rows out."""

from datetime import datetime

from contracts.architect_assistants import UpdateAssistant
from contracts.architect_facts import AssistantDeletedFact, AssistantSavedFact
from contracts.architect_values import Assistant
from contracts.assistant import Definition
from contracts.message import Owner
from kit.orchestrate import wording
from kit.refusal import Refused
from services.architect.assistant_models import AssistantRow, DeletionRow, VersionRow


def name_of(text: str) -> str:
    """A name as it is stored. Raises Refused."""
    name = wording.storable(text.strip())
    if not name:
        raise Refused("invalid_assistant", "The name of the assistant is empty.")
    return name


def storable(definition: Definition) -> Definition:
    """A definition that Postgres can store. Raises Refused."""
    wording.check_stored(definition.model_dump_json())
    return definition


def assistant_row(
    owner: Owner,
    assistant_id: str,
    now: datetime,
    *,
    name: str,
    description: str,
    status: str,
    copied_from: str | None = None,
) -> AssistantRow:
    """A new assistant."""
    return AssistantRow(
        id=assistant_id,
        tenant=owner.tenant,
        user=owner.user,
        name=name_of(name),
        description=wording.storable(description),
        status=status,
        copied_from=copied_from,
        created_at=now,
        updated_at=now,
    )


def version_row(row: AssistantRow, definition: Definition, now: datetime, note: str = "") -> VersionRow:
    """The newest version of an assistant."""
    return VersionRow(
        assistant_id=row.id,
        version=row.latest_version,
        definition=definition.model_dump(mode="json"),
        steps=len(definition.steps),
        note=wording.storable(note),
        created_at=now,
    )


def definition_of(version: VersionRow) -> Definition:
    """What a version does."""
    return Definition.model_validate(version.definition)


def changed(
    row: AssistantRow, newest: VersionRow, command: UpdateAssistant, definition: Definition | None, now: datetime
) -> VersionRow | None:
    """Change the row as the command says. Returns the new version, if it makes one. Raises Refused.

    What is already as the command says changes nothing, so the command may come twice, with the same expectation.
    """
    another = definition is not None and definition != definition_of(newest)
    texts = {
        "name": row.name if command.name is None else name_of(command.name),
        "description": row.description if command.description is None else wording.storable(command.description),
        "status": command.status or row.status,
    }
    if texts == row.model_dump(include=set(texts)) and not another:
        return None
    repeated = definition is not None and not another
    if command.expected_version not in {None, row.latest_version} and not repeated:
        raise Refused(
            "version_conflict",
            f"Version {row.latest_version} has been saved since you looked at version {command.expected_version}.",
        )
    for name, value in texts.items():
        setattr(row, name, value)
    row.latest_version += another
    row.revision += 1
    row.updated_at, row.told_at = now, None
    return version_row(row, definition, now, command.note) if another and definition is not None else None


def shown(row: AssistantRow, owner: Owner, version: VersionRow | None = None) -> Assistant:
    """An assistant as somebody sees it, without a version as it is in lists."""
    return Assistant(
        **row.model_dump(
            include={"id", "name", "description", "status", "latest_version", "copied_from", "created_at", "updated_at"}
        ),
        version=row.latest_version if version is None else version.version,
        mine=(row.tenant, row.user) == (owner.tenant, owner.user),
        definition=None if version is None else definition_of(version),
    )


def saved_fact(row: AssistantRow, steps: int) -> AssistantSavedFact:
    """What everybody is told of an assistant that was made or changed."""
    return AssistantSavedFact(
        owner=Owner(tenant=row.tenant, user=row.user),
        assistant_id=row.id,
        version=row.latest_version,
        status="published" if row.status == "published" else "draft",
        steps=steps,
        revision=row.revision,
    )


def deleted_fact(row: DeletionRow) -> AssistantDeletedFact:
    """What everybody is told of an assistant that is gone."""
    return AssistantDeletedFact(owner=Owner(tenant=row.tenant, user=row.user), assistant_id=row.assistant_id)
