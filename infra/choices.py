"""What is chosen at each deployment, and belongs in no file: `cdk deploy -c image_tag=… -c certificate=…`."""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from email.utils import parseaddr
from typing import Any

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")
_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
"""Neither has a wildcard: who may deploy is said by a whole name."""


class ChoiceError(Exception):
    """Something needed was not given, or cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Choices:
    """Each field is a context key of the CDK app."""

    image_tag: str = ""
    """Of the product's image in its ECR repository; never `latest`."""
    nats_tag: str = "2-alpine"
    """Of the official NATS image, as it was copied into its ECR repository."""
    certificate: str = ""
    """The ARN of an ACM certificate for `public_url`; without one the balancer speaks plain HTTP."""
    public_url: str = ""
    """Where people reach the edge, for links in e-mails."""
    sender: str = ""
    """The From address of e-mails; its domain is an identity of Amazon SES. Empty: no e-mail goes out."""
    alarm_email: str = ""
    """Who is told of alarms."""
    region: str = "us-east-1"
    nats_on: str = ""
    """`ec2` or `fargate`; empty: what the profile says."""
    bus_keys: str = ""
    """`on` or `off`: only keys open the bus; empty: what the profile says."""
    budget_usd: str = ""
    """A month's, above which somebody is told; empty: what the profile says, in which no token of a model is."""
    budget_of: str = "account"
    """`account`: all that it spends; `profile`: what has this profile's tag, once that tag is activated for costs."""
    github_repository: str = ""
    """`owner/name` on GitHub, whose workflows may push images and deploy; empty: nobody's may."""
    github_branch: str = "main"
    """From which images are pushed. Who deploys is in the GitHub environment of the profile's name."""
    github_provider: str = "make"
    """`make`, or `there` in an account that trusts GitHub already: it can do so once only."""

    def __post_init__(self) -> None:
        if self.image_tag in ("", "latest"):
            raise ChoiceError(
                "image_tag: name the image that is to run, and not `latest`, which nobody can go back to: "
                "-c image_tag=git-0123abc"
            )
        if self.nats_on not in ("", "ec2", "fargate"):
            raise ChoiceError(f"nats_on: {self.nats_on!r} is neither `ec2` nor `fargate`")
        if self.bus_keys not in ("", "on", "off"):
            raise ChoiceError(f"bus_keys: {self.bus_keys!r} is neither `on` nor `off`")
        if self.budget_usd and not (self.budget_usd.isdecimal() and int(self.budget_usd)):
            raise ChoiceError(f"budget_usd: {self.budget_usd!r} is no whole number of dollars")
        if self.budget_of not in ("account", "profile"):
            raise ChoiceError(f"budget_of: {self.budget_of!r} is neither `account` nor `profile`")
        if self.github_repository and not _REPOSITORY.fullmatch(self.github_repository):
            raise ChoiceError(f"github_repository: {self.github_repository!r} is not OWNER/NAME")
        if not _BRANCH.fullmatch(self.github_branch):
            raise ChoiceError(f"github_branch: {self.github_branch!r} is not the name of one branch")
        if self.github_provider not in ("make", "there"):
            raise ChoiceError(f"github_provider: {self.github_provider!r} is neither `make` nor `there`")
        if self.sender and "@" not in self.sender:
            raise ChoiceError(f"sender: {self.sender!r} is no address")

    @property
    def sender_domain(self) -> str:
        """The identity that Amazon SES knows."""
        return self.sender_address.rpartition("@")[2]

    @property
    def sender_address(self) -> str:
        """Without the name that may stand before it."""
        return parseaddr(self.sender)[1]


def from_context(look_up: Callable[[str], Any]) -> Choices:
    """The choices as the CDK app was given them. Raises ChoiceError."""
    given = {one.name: look_up(one.name) for one in fields(Choices)}
    return Choices(**{name: str(value) for name, value in given.items() if value is not None})
