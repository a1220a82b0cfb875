"""One example of everything that architect is asked and tells about assistants; a part of the catalogue."""

from typing import Any

from contracts import architect_assistants, architect_values
from contracts.assistant import Approval, Choice, Definition, InputField, Step
from contracts.chat_values import Deleted
from contracts.example_values import CREATED, ENDED, OWNER
from contracts.generation import Parameters, Timeouts
from contracts.message import Request, Value

ASSISTANT, STEP = "asst_01k3x9v4t2", "summary"

ASKED: dict[str, Any] = {
    "model": "demo-swift",
    "fallbacks": ("demo-sage",),
    "parameters": Parameters(temperature=0.2),
    "timeouts": Timeouts(first_token_seconds=30, silence_seconds=20, total_seconds=600),
    "timeout_seconds": 900,
    "retries": 2,
}
DEFINITION = Definition(
    fields=(
        InputField(
            name="tone",
            kind="select",
            label="Tone",
            description="How it should sound.",
            placeholder="Choose one",
            default="kind",
            choices=(Choice(value="kind", label="Kind"), Choice(value="dry")),
        ),
        InputField(name="topic", kind="short_text", min_length=2, max_length=80),
        InputField(name="points", kind="multi_select", choices=(Choice(value="a"),), min_selections=1),
        InputField(name="paper", kind="file", required=False, accept=(".pdf",), max_files=2),
    ),
    steps=(
        Step(name="draft", prompt="Write about ${topic}.", model="demo-swift", position=1),
        Step(
            name=STEP,
            title="Summary",
            prompt="Sum up, ${tone}: ${text}",
            system="Be brief.",
            **ASKED,
            depends_on=("draft",),
            position=2,
            on_error="skip",
            condition="tone == 'kind'",
            approval=Approval(instructions="Is it polite?", timeout_seconds=3600),
            history=True,
            inputs={"text": "draft.output"},
        ),
    ),
    timeout_seconds=86_400,
)
_assistant = architect_values.Assistant(
    id=ASSISTANT,
    name="Summaries",
    description="Sums up.",
    status="published",
    version=2,
    latest_version=3,
    mine=True,
    definition=DEFINITION,
    copied_from="asst_01k3x9v4t1",
    created_at=CREATED,
    updated_at=ENDED,
)
_imported = architect_values.ImportedAssistant(assistant=_assistant, warnings=("An icon was left out.",))
_file = architect_values.GivenFile(
    id="file_01k3x9v4t2",
    name="paper.pdf",
    media_type="application/pdf",
    bytes=48_211,
    characters=11,
    text="Hello, Ada.",
    created_at=CREATED,
)
_of_assistant: dict[str, Any] = {"owner": OWNER, "assistant_id": ASSISTANT}
_texts: dict[str, Any] = {"name": "Summaries", "description": "Sums up.", "status": "published"}

ASSISTANT_EXCHANGES: tuple[tuple[Request[Any], Value], ...] = (
    (architect_assistants.CreateAssistant(**_of_assistant, **_texts, definition=DEFINITION), _assistant),
    (
        architect_assistants.UpdateAssistant(
            **_of_assistant, **_texts, definition=DEFINITION, note="Kinder.", expected_version=2
        ),
        _assistant,
    ),
    (architect_assistants.GetAssistant(**_of_assistant, version=2), _assistant),
    (
        architect_assistants.ListAssistants(owner=OWNER, mine=True, search="sum", limit=50, before=ASSISTANT),
        architect_values.AssistantPage(items=(_assistant,), next=ASSISTANT),
    ),
    (architect_assistants.DeleteAssistant(**_of_assistant), Deleted()),
    (
        architect_assistants.CopyAssistant(**_of_assistant, source_id="asst_01k3x9v4t1", version=2, name="Mine"),
        _assistant,
    ),
    (
        architect_assistants.ListVersions(**_of_assistant),
        architect_values.AssistantVersions(
            items=(architect_values.AssistantVersion(version=2, steps=3, note="Kinder.", created_at=ENDED),)
        ),
    ),
    (
        architect_assistants.ImportAssistants(
            owner=OWNER, ids_from="7f3c", document={"version": "1.0"}, models={"gpt-4o": "demo-swift"}
        ),
        architect_values.ImportedAssistants(items=(_imported,)),
    ),
    (
        architect_assistants.ExportAssistant(**_of_assistant, version=2),
        architect_values.ExportedAssistant(document={"version": "1.0"}),
    ),
    (
        architect_assistants.ListExamples(owner=OWNER),
        architect_values.ExampleAssistants(
            items=(
                architect_values.ExampleAssistant(
                    name="summaries", title="Summaries", description="Sums up.", definition=DEFINITION
                ),
            )
        ),
    ),
    (
        architect_assistants.GiveFile(
            owner=OWNER,
            file_id="file_01k3x9v4t2",
            name="paper.pdf",
            media_type="application/pdf",
            data="JVBERi0=",
        ),
        _file,
    ),
    (architect_assistants.GetFile(owner=OWNER, file_id="file_01k3x9v4t2"), _file),
    (architect_assistants.DeleteFile(owner=OWNER, file_id="file_01k3x9v4t2"), Deleted()),
)
