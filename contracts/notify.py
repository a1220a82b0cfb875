"""What the owner of a run wants to hear of its end."""

from typing import Literal

NotifyPolicy = Literal["always", "when_away", "never"]
"""`when_away`: if nobody has seen the run's end within a grace time."""

Channel = Literal["email", "webhook"]
"""How a notification goes out."""

Occasion = Literal["ended", "approval"]
"""What is told: that a run has ended, or that one of its steps waits for approval."""
