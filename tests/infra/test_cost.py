"""What it costs, computed from the templates that are deployed."""

from dataclasses import replace

import pytest

from infra import prices
from infra.cost import USAGE, monthly, per_session
from services.roster import ROSTER
from tests.infra.synthesized import Synthesized

SMALL_USD = 182
"""What the product before cost (70 to 140), and thirty percent."""
SESSION_USD = 0.10


def test_small_fits_its_budget_and_a_session_costs_less_than_ten_cents(small: Synthesized) -> None:
    total = sum(monthly(small.templates, USAGE["small"]).values())
    assert 50 < total <= SMALL_USD, "infra/profiles.py: smaller or fewer tasks, or somebody decides what it may cost"
    assert per_session(total) < SESSION_USD, "likewise"


def test_dev_is_no_dearer_than_small_and_prod_is_what_the_documents_say(clouds: dict[str, Synthesized]) -> None:
    totals = {name: sum(monthly(cloud.templates, USAGE[name]).values()) for name, cloud in clouds.items()}
    assert totals["dev"] <= totals["small"] < totals["prod"] < 650


def test_every_task_of_every_service_is_counted(small: Synthesized) -> None:
    costs = monthly(small.templates, USAGE["small"])
    task = (0.25 * prices.FARGATE_CPU + 0.5 * prices.FARGATE_GIB) * prices.HOURS
    assert costs["Fargate"] == pytest.approx(task * (1 + (len(ROSTER) - 1) * prices.SPOT))  # the edge is not on Spot
    addresses = len(ROSTER) + 1 + 2  # the tasks, the instance, the balancer in two zones
    assert costs["public addresses"] == pytest.approx(addresses * prices.PUBLIC_ADDRESS * prices.HOURS)


def test_a_template_with_more_in_it_costs_more(small: Synthesized, prod: Synthesized) -> None:
    costs = monthly(prod.templates, USAGE["prod"])
    idle = monthly(prod.templates, replace(USAGE["prod"], acu=0.5))
    assert costs["Aurora"] - idle["Aurora"] == pytest.approx(2 * 0.5 * prices.ACU * prices.HOURS)  # writer and reader
    assert costs["NAT"] > 3 * prices.NAT_GATEWAY * prices.HOURS
    assert costs["Container Insights"] == (len(ROSTER) + 3) * prices.INSIGHTS_OF_A_SERVICE  # and three NATS nodes
    assert "firewall" in costs
    assert "firewall" not in monthly(small.templates, USAGE["small"])
