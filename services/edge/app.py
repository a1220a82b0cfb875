"""The FastAPI application: routes, errors, documents. It is given everything it needs."""

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from services.edge import problems, tracing
from services.edge.follow import RUN_HEADER
from services.edge.gateway import Gateway
from services.edge.guard import Guard
from services.edge.identity import Identity
from services.edge.routes import (
    aisdk,
    aisdk_assistants,
    aisdk_compare,
    assistant_files,
    assistant_runs,
    assistants,
    asyncapi,
    comparison_parts,
    comparisons,
    completions,
    conversations,
    files,
    health,
    kept_responses,
    message_parts,
    messages,
    models,
    notifications,
    responses,
    runs,
    steps,
    unsubscribe,
    webhooks,
)

DESCRIPTION = """
A streaming backend for AI features: every token is durable before you see it, every stream resumes by cursor.

Sign in with `Authorization: Bearer <token>`; local mode needs nothing on the same machine.
Errors are problem documents (RFC 9457) with a stable `code`.
"""


def make_app(gateway: Gateway) -> ASGIApp:
    """The application with its guard."""
    settings = gateway.settings
    app = FastAPI(
        title="AI Studio",
        version="1",
        description=DESCRIPTION,
        responses=problems.DOCUMENTED,
        telemetry=tracing.config(),
    )
    app.state.gateway = gateway
    problems.install(app)
    for routes in (
        runs,  # first: routes are tried in this order, and after a deploy everybody asks for events
        conversations,
        messages,
        message_parts,
        comparisons,
        comparison_parts,
        assistant_files,  # before the routes with an id in their place
        assistant_runs,
        assistants,
        steps,
        files,
        models,
        aisdk,
        aisdk_compare,
        aisdk_assistants,
        completions,
        responses,
        kept_responses,
        webhooks,
        notifications,
        unsubscribe,
        health,
        asyncapi,
    ):
        app.include_router(routes.router)
    guarded = Guard(app, Identity(settings.auth, settings.edge), gateway.sessions, settings.edge.max_body_bytes)
    if not settings.edge.allowed_origins:
        return guarded
    return CORSMiddleware(
        guarded,
        allow_origins=settings.edge.allowed_origins,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["location", "etag", "x-conversation-id", RUN_HEADER],
        allow_credentials=True,
    )
