"""What a month may cost before somebody is told."""

from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.choices import Choices
from infra.profiles import Profile

TOLD_AT = (("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100))
"""Percent of the budget: spent already, or at this rate by the end of the month."""


def add_budget(scope: Construct, profile: Profile, choices: Choices, topic: sns.ITopic) -> None:
    """It tells the topic of alarms, and stops nothing."""
    of_profile = {"TagKeyValue": [f"user:profile${profile.name}"]} if choices.budget_of == "profile" else None
    subscriber = budgets.CfnBudget.SubscriberProperty(subscription_type="SNS", address=topic.topic_arn)
    budgets.CfnBudget(
        scope,
        "Budget",
        budget=budgets.CfnBudget.BudgetDataProperty(
            budget_name=f"ai-studio-{profile.name}",
            budget_type="COST",
            time_unit="MONTHLY",
            budget_limit=budgets.CfnBudget.SpendProperty(
                amount=int(choices.budget_usd or profile.budget_usd), unit="USD"
            ),
            cost_filters=of_profile,
        ),
        notifications_with_subscribers=[
            budgets.CfnBudget.NotificationWithSubscribersProperty(
                notification=budgets.CfnBudget.NotificationProperty(
                    notification_type=kind,
                    comparison_operator="GREATER_THAN",
                    threshold=percent,
                    threshold_type="PERCENTAGE",
                ),
                subscribers=[subscriber],
            )
            for kind, percent in TOLD_AT
        ],
    )
