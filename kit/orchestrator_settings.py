"""The settings of the services that own runs; a part of kit/settings.py."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class _OrchestratorSettings(BaseSettings):
    """What kit/orchestrate is to be told by every service that owns runs."""

    sweep_seconds: float = Field(
        5.0, gt=0, description="how often what was left undone, and logs to purge, are looked for"
    )
    watch_seconds: float = Field(10.0, gt=0, description="how often every answer that goes on is looked at")
    unanswered_seconds: float = Field(
        300.0,
        gt=0,
        description="an answer with no new event for so long, and no worker that answers for it, ends as failed; so it "
        "is also the longest time that a request may wait for a free worker",
    )
    retention_seconds: float = Field(
        7 * 24 * 3600, gt=0, description="after its end a run is taken out of the log; what is stored of it stays"
    )
    purges_per_second: float = Field(
        2.0, gt=0, description="runs taken out of the log; each may hold up the bus for 50 ms"
    )
    handlers: int = Field(32, ge=1, description="messages handled at the same time")


class ChatSettings(_OrchestratorSettings):
    """Limits of conversations."""

    model_config = SettingsConfigDict(env_prefix="STUDIO_CHAT_")

    max_message_characters: int = Field(100_000, ge=1, description="of one message; more is refused with 413")
    max_tool_result_characters: int = Field(
        400_000, ge=1, description="of all results of tools in one message; more is refused with 413"
    )
    max_parameters_characters: int = Field(
        60_000, ge=1, le=100_000, description="of a request's parameters as JSON, tools included"
    )
    max_context_characters: int = Field(
        8_000_000, ge=1, description="of the context that a completion brings along, without images"
    )
    max_images: int = Field(10, ge=0, le=20, description="in one message")
    max_context_images: int = Field(50, ge=0, description="in the context that a completion brings along")
    max_image_bytes: int = Field(10 * 1024 * 1024, ge=1, description="of one image")
    max_waiting_runs: int = Field(10, ge=0, description="that wait in one conversation; more are refused with 409")
    default_model: str = Field("", description="empty: the first model of the catalogue")
    completion_retention_seconds: float = Field(
        30 * 24 * 3600, gt=0, description="after its end a completion (OpenAI's protocols) is deleted"
    )


class CompareSettings(_OrchestratorSettings):
    """Limits of comparisons."""

    model_config = SettingsConfigDict(env_prefix="STUDIO_COMPARE_")

    max_lanes: int = Field(8, ge=2, le=64, description="models in one comparison")
    max_message_characters: int = Field(100_000, ge=1, description="of the question; more is refused with 413")
    max_parameters_characters: int = Field(60_000, ge=1, le=100_000, description="of the parameters of a lane as JSON")
    max_context_characters: int = Field(
        2_000_000, ge=1, description="of the whole conversation that is compared, without images"
    )
    max_images: int = Field(10, ge=0, description="in the whole conversation")
    max_image_bytes: int = Field(10 * 1024 * 1024, ge=1, description="of all images of a conversation together")
    leaderboard_days: int = Field(90, ge=1, le=3650, description="how far back the leaderboard looks")
    leaderboard_rows: int = Field(
        50_000, ge=1, description="votes, and answers, that it is computed from at most: the newest"
    )
    leaderboard_seconds: float = Field(5.0, ge=0, description="how long one that was computed is told again")


class ArchitectSettings(_OrchestratorSettings):
    """Limits of assistants and their runs."""

    model_config = SettingsConfigDict(env_prefix="STUDIO_ARCHITECT_")

    max_steps: int = Field(50, ge=1, le=200, description="of one assistant")
    max_fields: int = Field(50, ge=0, le=200, description="of one assistant's input")
    max_prompt_characters: int = Field(200_000, ge=1, description="of one step's prompt and its system prompt, each")
    max_parameters_characters: int = Field(60_000, ge=1, le=100_000, description="of the parameters of a step as JSON")
    max_definition_characters: int = Field(2_000_000, ge=1, description="of an assistant as JSON")
    max_variables: int = Field(200, ge=0, description="in one prompt")
    max_input_characters: int = Field(200_000, ge=1, description="of one field, unless the field sets less")
    max_inputs_characters: int = Field(
        4_000_000, ge=1, description="of all inputs of a run, the texts of files included"
    )
    max_files: int = Field(20, ge=0, description="of one run")
    max_file_bytes: int = Field(10 * 1024 * 1024, ge=1, description="of one file; more is refused with 413")
    max_file_characters: int = Field(1_000_000, ge=1, description="of the text of one file; more is refused with 413")
    file_seconds: float = Field(60.0, gt=0, description="to find the text of a file, before it counts as unreadable")
    file_memory_bytes: int = Field(
        512 * 1024 * 1024, ge=256 * 1024 * 1024, description="of the process that finds the text of a file"
    )
    file_readers: int = Field(2, ge=1, description="files of one process whose texts are found at the same time")
    max_import_bytes: int = Field(10 * 1024 * 1024, ge=1, description="of a file with assistants, as JSON")
    max_imported: int = Field(100, ge=1, description="assistants of one such file")
    max_rendered_characters: int = Field(4_000_000, ge=1, description="of what one step asks, its variables put in")
    max_parallel_steps: int = Field(10, ge=1, description="of one run that are answered at the same time")
    max_timeout_seconds: float = Field(
        366 * 24 * 3600, gt=0, description="that an assistant may set for a step, an approval or a run"
    )
    retry_base_seconds: float = Field(2.0, gt=0, description="before a step's second attempt; doubled for each more")
    retry_max_seconds: float = Field(120.0, gt=0, description="the longest wait before an attempt")
    dry_run_output_tokens: int = Field(800, ge=1, description="assumed of a step that sets no max_tokens")
