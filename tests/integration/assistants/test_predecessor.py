"""The predecessor's export, imported and run: what is asked is what the file says, and its time limits are kept."""

from typing import Any

import httpx

from contracts.assistant import Definition
from kit.ids import new_id
from tests.assistants.hashing import CONTINUE, PREFILL, RESTART
from tests.assistants.reference import evaluate
from tests.fixtures.documents import pdf
from tests.fixtures.predecessor import exported
from tests.fixtures.stack import Stack
from tests.integration.assistants.over_http import assert_as, begun, ended, told

MODELS = {"gpt-4o": PREFILL, "demo-sage": CONTINUE, "demo-swift": RESTART}


async def imported(http: httpx.AsyncClient, document: dict[str, Any]) -> dict[str, Any]:
    """The only assistant of a file."""
    answer = await http.post("/v1/assistants/import", json={"document": document, "models": MODELS})
    assert answer.status_code == 201, answer.text
    (item,) = answer.json()["items"]
    return dict(item["assistant"])


async def test_an_exported_assistant_asks_what_it_asked_there(stack: Stack) -> None:
    async with stack.client() as http:
        assistant = await imported(http, exported("lesson"))
        given = await http.post("/v1/files", files={"file": ("reading.pdf", pdf("Leaves are green"))})
        reading = (await http.get(f"/v1/files/{given.json()['id']}")).json()
        assert "Leaves are green" in reading["text"]
        subject = new_id("subject")
        inputs = {"subject": subject, "grade-level": "7", "Lernziele_ubrig": ["know", "judge"], "notes": "N"}
        run_id = await begun(
            http, f"/v1/assistants/{assistant['id']}/runs", inputs={**inputs, "reading": reading["id"]}
        )
        run = await ended(http, run_id)
        definition = Definition.model_validate(assistant["definition"])
        wanted = evaluate(definition, {**inputs, "reading": reading})
        assert_as(run, wanted, definition)
        outline, questions, exercises, combined = wanted.steps.values()
        assert outline.turns == (
            ("system", f"You teach {subject}."),
            (
                "user",
                f"Outline a lesson on {subject} for grade 7.\nN\n"
                'Keep \\LaTeX and "{{ }}" and ${unknown_thing} and {{also.unknown}}.',
            ),
        )
        assert questions.turns[-1][1] == f"Questions on {reading['text']}, from ${{where.ever}}"
        assert exercises.turns[-1][1] == f"Exercises from {outline.output} about {subject}"
        assert combined.turns[-1][1].startswith(f"Combine {questions.output}, {exercises.output} and 7; the first was")
        assert [role for role, _ in combined.turns] == ["user", "assistant"] * 3 + ["user"]
        await told(http, run_id)


async def test_a_time_limit_that_was_only_stored_there_is_kept_here(stack: Stack) -> None:
    prompt = {"name": "Mute", "content": "[[words=5 hang=0]] ${subject}", "model": "gpt-4o", "timeout_seconds": 1}
    field = {"name": "subject", "field_type": "short_text", "options": {"required": True}}
    document = {"version": "1.0", "assistants": [{"name": "Mute", "input_fields": [field], "prompts": [prompt]}]}
    async with stack.client() as http:
        assistant = await imported(http, document)
        run_id = await begun(http, f"/v1/assistants/{assistant['id']}/runs", inputs={"subject": new_id("s")})
        run = await ended(http, run_id)
        assert (run["status"], run["error"]["code"]) == ("failed", "step_failed")
        assert run["steps"][0]["error"]["code"] == "step_timeout"
        await told(http, run_id)
