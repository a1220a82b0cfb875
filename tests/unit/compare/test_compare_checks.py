"""What compare refuses, and how a run that begins is planned."""

from typing import Any

import pytest

from contracts import events
from contracts.compare import ExtendComparison, LaneRating, LaneWish, Vote
from contracts.content import Image, Tool, Turn
from contracts.generation import Parameters, Timeouts
from kit.refusal import Refused
from kit.settings import CompareSettings
from services.compare import checks, plan, voting
from tests.unit.compare.rows import NOW, OWNER, TURNS, begun, end

C, F = events.GenerationCompleted, events.GenerationFailed
LIMITS = CompareSettings(max_message_characters=100, max_context_characters=1000, max_images=2, max_image_bytes=30)
PICTURE = Image(media_type="image/png", data="A" * 16)


def user(content: str = "Look", *images: Image) -> Turn:
    return Turn(role="user", content=content, images=images)


def code_of(check: Any, *arguments: Any, **options: Any) -> str | None:
    try:
        check(*arguments, **options)
    except Refused as refusal:
        return refusal.problem.code
    return None


@pytest.mark.parametrize(
    ("turns", "code"),
    [
        (TURNS, None),
        ((user("", PICTURE),), None),
        ((user(" \n"),), "empty_message"),
        ((user(), Turn(role="assistant", content="Yes")), "invalid_message"),
        ((Turn(role="assistant", content="Hello"), user()), "invalid_message"),
        ((user(), Turn(role="assistant", content="So", images=(PICTURE,)), user()), "invalid_message"),
        ((user(""), Turn(role="assistant", content="What?"), user()), "empty_message"),
        ((user("x" * 101),), "message_too_long"),
        ((Turn(role="system", content="x" * 1000), user()), "message_too_long"),
        ((user("a\x00b"),), "invalid_text"),
        ((user("\\u0000 as six characters"),), None),
        ((Turn(role="tool"), user()), "tools_not_supported"),
        ((user("Look", PICTURE, PICTURE, PICTURE),), "too_many_images"),
        ((user("Look", Image(media_type="image/png", data="A" * 44)),), "image_too_large"),
        ((user("Look", Image(media_type="image/png", data="not base64!!")),), "invalid_image"),
        ((user("Look", Image(url="https://example.org/" + "x" * 3000)),), "invalid_image"),
        ((user("Look", Image(attachment="att_1")),), "invalid_image"),
    ],
)
def test_what_can_be_asked(turns: tuple[Turn, ...], code: str | None) -> None:
    assert code_of(checks.check_turns, turns, LIMITS) == code


@pytest.mark.parametrize(("count", "code"), [(0, "too_few_models"), (1, "too_few_models"), (2, None), (8, None)])
def test_how_many_models(count: int, code: str | None) -> None:
    assert code_of(checks.check_count, count, LIMITS) == code
    assert code_of(checks.check_count, 9, LIMITS) == "too_many_models"


def test_a_model_may_be_there_twice_with_other_parameters_only() -> None:
    warm = Parameters(temperature=1)
    assert code_of(checks.check_different, [("m", Parameters()), ("m", warm), ("n", warm)]) is None
    assert code_of(checks.check_different, [("m", warm), ("m", Parameters(temperature=1.0))]) == "duplicate_model"
    assert code_of(checks.check_different, [("m", Parameters()), ("m", Parameters(stop=()))]) == "duplicate_model"


def test_parameters_without_tools() -> None:
    assert code_of(checks.check_parameters, Parameters(temperature=1), 100) is None
    assert code_of(checks.check_parameters, Parameters(tools=(Tool(name="t"),)), 100) == "tools_not_supported"
    assert code_of(checks.check_parameters, Parameters(stop=("x" * 100,)), 100) == "parameters_too_long"
    assert code_of(checks.check_parameters, Parameters(stop=("\x00",)), 100) == "invalid_text"


def test_a_model_that_is_gone_is_not_named_where_names_are_hidden() -> None:
    wish = LaneWish(model="the-secret")
    with pytest.raises(Refused, match="the-secret"):
        checks.check_offered([wish], ["m"])
    with pytest.raises(Refused, match="not offered any more"):
        checks.check_offered([wish], ["m"], named=False)


def extension(**changes: Any) -> ExtendComparison:
    return ExtendComparison(owner=OWNER, run_id="cmp_2", parent_run_id="cmp_1", **changes)


@pytest.mark.parametrize(
    ("parent", "blind", "changes", "code"),
    [
        ("cmp_1", False, {"retry": ("lane_1",)}, None),
        ("cmp_1", False, {"add": (LaneWish(model="m3"),)}, None),
        ("cmp_1", False, {}, "nothing_to_do"),
        ("cmp_1", False, {"retry": ("lane_9",)}, "unknown_lane"),
        ("cmp_1_blind", True, {"retry": ("lane_1",)}, None),
        ("cmp_1_blind", False, {"retry": ("lane_1",)}, "not_voted"),
        ("cmp_1_blind", True, {"add": (LaneWish(model="m3"),)}, "not_voted"),
    ],
)
def test_what_may_follow_a_comparison(parent: str, blind: bool, changes: dict[str, Any], code: str | None) -> None:
    compared = end(begun(run_id=parent), C, F)
    assert code_of(checks.check_extension, compared, extension(**changes), blind=blind) == code
    compared.run.status = "running"
    assert code_of(checks.check_extension, compared, extension(**changes), blind=blind) == "run_in_progress"


def test_the_order_of_a_lane_is_complete() -> None:
    compared = begun()
    order = plan.order_of(compared.lanes[0], plan.turns_of(compared.run))
    assert (order.owner, order.run_id, order.lane, order.model, order.messages, order.fallbacks) == (
        *(OWNER, "cmp_1", "lane_0", "m1", TURNS, ()),
    )


def test_lanes_that_are_kept_name_their_first_origin() -> None:
    parent = end(begun("m1", "m2", "m3"), C, F, C)
    wanted = plan.Wanted("m2", Parameters())
    run = plan.new_run(extension(retry=("lane_1",)), TURNS, Parameters(), "Hello", NOW)
    child = plan.extended_lanes(run, parent.lanes, {"lane_1": wanted}, (), ("a", "b", "c"), Timeouts())
    assert [(lane.lane, lane.status, lane.own) for lane in child] == [
        ("a", "completed", True),
        ("b", "running", False),
        ("c", "completed", True),
    ]
    added = plan.Wanted("m4", Parameters())
    grandchild = plan.extended_lanes(run, child, {}, (added,), ("d", "e", "f", "g"), Timeouts())
    origins = [(lane.origin_run_id, lane.origin_lane) for lane in grandchild]
    assert origins == [("cmp_1", "lane_0"), ("cmp_2", "b"), ("cmp_1", "lane_2"), (None, None)]


def test_a_model_that_does_not_fit_has_failed_before_it_began_and_cost_nothing() -> None:
    run = begun().run
    misfit = plan.Wanted("small", Parameters(), events.Error("context_too_long", "Too long."))
    lane = plan.wanted_lane(run, "lane_0", 0, misfit, Timeouts())
    assert (lane.status, lane.own, lane.cost_usd, lane.total_ms) == ("failed", True, "0", 0)
    assert lane.error == {"code": "context_too_long", "message": "Too long."}


@pytest.mark.parametrize(
    ("vote", "code"),
    [
        (Vote(outcome="winner", winner="lane_0", comment="good"), None),
        (Vote(outcome="tie"), None),
        (Vote(outcome="all_bad", ratings=(LaneRating(lane="lane_1", rating="down"),)), None),
        (Vote(outcome="winner"), "invalid_vote"),
        (Vote(outcome="tie", winner="lane_0"), "invalid_vote"),
        (Vote(outcome="winner", winner="lane_1"), "invalid_vote"),
        (Vote(outcome="winner", winner="lane_9"), "unknown_lane"),
        (Vote(outcome="tie", ratings=(LaneRating(lane="lane_9", rating="up"),)), "unknown_lane"),
        (Vote(outcome="tie", ratings=(LaneRating(lane="lane_0", rating="up"),) * 2), "invalid_vote"),
        (Vote(outcome="tie", comment="a\x00b"), "invalid_text"),
    ],
)
def test_what_a_vote_may_say(vote: Vote, code: str | None) -> None:
    compared = end(begun(), C, F)
    assert code_of(voting.vote_row, compared, vote, NOW) == code
    compared.run.status = "running"
    assert code_of(voting.vote_row, compared, vote, NOW) == "run_in_progress"


def test_a_vote_is_kept_with_the_models() -> None:
    compared = end(begun(), C, F)
    compared.lanes[0].origin_run_id, compared.lanes[0].origin_lane = "cmp_0", "lane_7"
    vote = Vote(outcome="winner", winner="lane_0", ratings=(LaneRating(lane="lane_1", rating="down"),))
    row = voting.vote_row(compared, vote, NOW)
    assert row.lanes == [
        {"lane": "lane_0", "model": "m1", "status": "completed", "origin_run_id": "cmp_0", "origin_lane": "lane_7"},
        {"lane": "lane_1", "model": "m2", "status": "failed", "rating": "down"},
    ]
    assert voting.same(row, voting.vote_row(compared, vote, NOW))
    assert not voting.same(row, voting.vote_row(compared, vote.model_copy(update={"comment": "x"}), NOW))
