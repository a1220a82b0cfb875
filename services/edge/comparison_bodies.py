"""The JSON bodies of comparisons."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from contracts.compare_values import LaneRating, LaneWish, Outcome, Thumb, Vote
from contracts.content import Turn
from contracts.ids import BLIND, is_id
from contracts.notify import NotifyPolicy
from kit.ids import new_id
from kit.refusal import Refused
from services.edge.bodies import NOTIFY, Body, GivenParameters, GivenTimeouts, NewImage, example

MAX_MODELS = 64
"""In a body. How many a comparison may have is a setting of compare's."""
MAX_COMMENT = 2_000
"""Characters."""

UNKNOWN_LANE = "There is no such lane in this comparison."


ModelId = Annotated[str, Field(min_length=1, max_length=256)]


class ComparedModel(Body):
    """A model that is asked otherwise than the others."""

    model: ModelId
    parameters: GivenParameters | None = Field(None, description="instead of the comparison's")


Models = tuple[ModelId | ComparedModel, ...]


class AskedMessage(Body):
    """One message of the conversation so far."""

    role: Literal["user", "assistant"]
    content: str = Field("", description="may be empty beside images")
    images: tuple[NewImage, ...] = Field((), max_length=20)


class NewComparison(Body):
    """What several models are asked: a prompt, or a conversation whose last message is the question."""

    model_config = example(prompt="What is a good name for a cat?", models=["demo-swift", "demo-sage"], blind=True)

    prompt: str | None = None
    messages: tuple[AskedMessage, ...] = ()
    system: str | None = Field(None, description="the system prompt, the same for all")
    models: Models = Field(max_length=MAX_MODELS, description="ids of GET /v1/models, or what each is asked otherwise")
    parameters: GivenParameters = GivenParameters()
    timeouts: GivenTimeouts = GivenTimeouts()
    blind: bool = Field(False, description="nobody is told which model is which before the vote")
    title: str = Field("", description="empty: made from the question")
    notify: NotifyPolicy | None = Field(None, description=NOTIFY)

    @model_validator(mode="after")
    def _one_question(self) -> "NewComparison":
        if (self.prompt is None) == (not self.messages):
            raise ValueError("a comparison has either a prompt or messages")
        return self

    def turns(self) -> tuple[Turn, ...]:
        """What every model is asked, the system prompt first."""
        asked = [
            Turn(role=message.role, content=message.content, images=tuple(image.image() for image in message.images))
            for message in self.messages or (AskedMessage(role="user", content=self.prompt or ""),)
        ]
        return (*([Turn(role="system", content=self.system)] if self.system else []), *asked)


class Extension(Body):
    """What a comparison that has ended is to have beside its finished lanes."""

    model_config = example(add=["demo-thinker"], retry=["lane_01k3x9v4t2n3p4q5r6s7t8v9wx"])

    add: Models = Field((), max_length=MAX_MODELS, description="further models")
    retry: tuple[str, ...] = Field((), max_length=MAX_MODELS, description="lanes to generate anew")
    timeouts: GivenTimeouts = GivenTimeouts()
    notify: NotifyPolicy | None = Field(None, description=NOTIFY)


class NewLaneRating(Body):
    """What you think of one answer."""

    lane: str
    rating: Thumb


class NewVote(Body):
    """Which answer is the best, and what you think of each."""

    model_config = example(
        outcome="winner",
        winner="lane_01k3x9v4t2n3p4q5r6s7t8v9wx",
        ratings=[{"lane": "lane_01k3x9v4t2n3p4q5r6s7t8v9wx", "rating": "up"}],
        comment="The clearest one.",
    )

    outcome: Outcome
    winner: str | None = Field(None, description="its lane; with the outcome `winner`, and only then")
    ratings: tuple[NewLaneRating, ...] = Field((), max_length=MAX_MODELS)
    comment: str | None = Field(None, max_length=MAX_COMMENT)

    def vote(self) -> Vote:
        """The same as compare knows it. Raises Refused."""
        return Vote(
            outcome=self.outcome,
            winner=None if self.winner is None else lane_id(self.winner),
            ratings=tuple(LaneRating(lane=lane_id(each.lane), rating=each.rating) for each in self.ratings),
            comment=self.comment,
        )


class ComparisonAccepted(BaseModel):
    """A comparison has begun; follow it at `events_url`."""

    run_id: str
    events_url: str


def wishes(models: Models) -> tuple[LaneWish, ...]:
    """The models as compare knows them."""
    return tuple(
        LaneWish(model=model) if isinstance(model, str) else LaneWish(model=model.model, parameters=model.parameters)
        for model in models
    )


def new_comparison_id(*, blind: bool) -> str:
    """The id of a comparison that begins: it says whether it is blind."""
    return new_id("cmp") + (BLIND if blind else "")


def lane_id(text: str) -> str:
    """The id of a lane from a path or a body; one that is none is refused like one that is unknown."""
    if not is_id(text):
        raise Refused("unknown_lane", UNKNOWN_LANE)
    return text
