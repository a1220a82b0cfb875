"""The fields that both of OpenAI's bodies have."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.edge.openai.asked import OUR_LABELS
from services.edge.openai.errors import Mistake

MAX_TOKENS = 2**31 - 1
MAX_LABELS = 16
MAX_TOOLS = 128

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]
Metadata = Annotated[
    dict[Annotated[str, StringConstraints(max_length=64)], Annotated[str, StringConstraints(max_length=512)]],
    Field(max_length=MAX_LABELS),
]


class Body(BaseModel):
    """A request. Fields that we do not know are ignored: OpenAI adds some every month."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    model: str | None = Field(None, description="an id of GET /v1/models; absent: the default")
    stream: bool | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    parallel_tool_calls: bool | None = None
    metadata: Metadata | None = None
    tools: list[dict[str, Any]] | None = Field(None, max_length=MAX_TOOLS)
    tool_choice: str | dict[str, Any] | None = None

    def labels(self) -> dict[str, str]:
        """What the client wants to find again. Raises Mistake."""
        for name in self.metadata or {}:
            if name.startswith(OUR_LABELS):
                raise Mistake("metadata", f"Keys of metadata that begin with {OUR_LABELS!r} are ours.")
        return dict(self.metadata or {})

    def refuse(self, **wanted: str) -> None:
        """Refuse what would change the answer and is not supported. Raises Mistake."""
        for name, message in wanted.items():
            if getattr(self, name):
                raise Mistake(name, message)
