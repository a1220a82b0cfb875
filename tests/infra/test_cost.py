"""What it costs, computed from the templates that are deployed."""

from dataclasses import replace

import pytest

from infra import prices
from infra.choices import ChoiceError
from infra.cost import USAGE, monthly, per_session
from infra.profiles import PROFILES
from services.roster import ROSTER
from tests.infra.synthesized import CHOICES, Synthesized

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


def test_somebody_is_told_before_a_month_costs_more_than_it_may(clouds: dict[str, Synthesized]) -> None:
    for name, cloud in clouds.items():
        budget = cloud.only("AWS::Budgets::Budget")
        computed = sum(monthly(cloud.templates, USAGE[name]).values())
        assert computed < budget["Budget"]["BudgetLimit"]["Amount"] < 1.5 * computed
        assert "CostFilters" not in budget["Budget"]  # all of the account: a tag that is not activated would be nothing
        told = [
            (one["Notification"]["NotificationType"], one["Notification"]["Threshold"])
            for one in budget["NotificationsWithSubscribers"]
        ]
        assert told == [("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)]
        for one in budget["NotificationsWithSubscribers"]:
            ((kind, address),) = ((each["SubscriptionType"], each["Address"]) for each in one["Subscribers"])
            assert kind == "SNS"
            assert "Alarms" in str(address)
    assert clouds["small"].only("AWS::Budgets::Budget")["Budget"]["BudgetLimit"]["Amount"] <= SMALL_USD


def test_a_budget_may_be_of_one_profile_and_another_sum(without_credentials: None) -> None:
    import aws_cdk as cdk
    from aws_cdk import assertions, aws_sns

    from infra.parts.budget import add_budget

    stack = cdk.Stack()
    choices = replace(CHOICES, budget_usd="1000", budget_of="profile")
    add_budget(stack, PROFILES["dev"], choices, aws_sns.Topic(stack, "Alarms"))
    (made,) = assertions.Template.from_stack(stack).find_resources("AWS::Budgets::Budget").values()
    assert made["Properties"]["Budget"]["BudgetLimit"]["Amount"] == 1000
    assert made["Properties"]["Budget"]["CostFilters"] == {"TagKeyValue": ["user:profile$dev"]}
    for field in ({"budget_usd": "much"}, {"budget_usd": "0"}, {"budget_of": "me"}):
        with pytest.raises(ChoiceError, match=next(iter(field))):
            replace(CHOICES, **field)


def test_a_template_with_more_in_it_costs_more(small: Synthesized, prod: Synthesized) -> None:
    costs = monthly(prod.templates, USAGE["prod"])
    idle = monthly(prod.templates, replace(USAGE["prod"], acu=0.5))
    assert costs["Aurora"] - idle["Aurora"] == pytest.approx(2 * 0.5 * prices.ACU * prices.HOURS)  # writer and reader
    assert costs["NAT"] > 3 * prices.NAT_GATEWAY * prices.HOURS
    assert costs["Container Insights"] == (len(ROSTER) + 3) * prices.INSIGHTS_OF_A_SERVICE  # and three NATS nodes
    assert "firewall" in costs
    assert "firewall" not in monthly(small.templates, USAGE["small"])
