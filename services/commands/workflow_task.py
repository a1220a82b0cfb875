"""`workflow-task`: one run for AWS Step Functions, started at an edge as any client would, and followed to its end."""

import asyncio

from kit.runtime.errors import StartError
from services.commands.settings import load_settings


def workflow_task() -> None:
    """Do what an execution of the state machine asks for. Only Step Functions starts this (docs/aws.md)."""
    settings = load_settings().workflow
    missing = [name for name in ("task_token", "execution", "bucket", "token") if not getattr(settings, name)]
    if missing:
        raise StartError(f"STUDIO_WORKFLOW_{missing[0].upper()} is not set; only Step Functions starts this")
    from services.commands.workflow_run import perform  # the client in it costs the other commands 0.1 s
    from services.commands.workflow_step import WorkflowStep

    asyncio.run(perform(settings, WorkflowStep(settings)))


command = workflow_task
