"""The application; `python -m webhook_api` serves it."""

from importlib.metadata import version
from threading import Lock
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from webhook_api import problems
from webhook_api.edge import add_edge
from webhook_api.openapi import describe
from webhook_api.routers import audit, configurations, connect, health, syncs, transactions, webhooks
from webhook_api.startup import lifespan


def create_app() -> FastAPI:
    """A new application with every router; its pages load nothing from elsewhere."""
    application: FastAPI = FastAPIOffline(
        redoc_url=None,
        title="POS integration",
        version=version("pos-integration"),
        summary="Sales of many shops, from their point-of-sale systems.",
        description="Connects tenants' point-of-sale accounts, reads their sales into one set of tables and "
        "gives them out. Every failure is a problem (RFC 9457, `application/problem+json`) with a code for "
        "programs and a request id, which is in `X-Request-ID` of every answer and in the service's log. "
        "Amounts are exact decimals in strings, instants are UTC. Answers say in `RateLimit-*` how often "
        "their caller may go on asking.",
        redirect_slashes=False,
        lifespan=lifespan,
    )
    add_edge(application)
    problems.add_handlers(application)
    # First, since routes are tried in turn and webhooks are what comes by the thousand.
    application.include_router(webhooks.router)
    application.include_router(health.router)
    application.include_router(configurations.router)
    application.include_router(connect.router)
    application.include_router(audit.router)
    application.include_router(syncs.router)
    application.include_router(transactions.router)

    making = Lock()

    def document() -> dict[str, Any]:
        """Made when it is first asked for, when every router is there; FastAPI makes one at a time."""
        with making:
            if application.openapi_schema is None:
                application.openapi_schema = describe(application)
            return application.openapi_schema

    application.openapi = document  # type: ignore[method-assign]
    return application


app = create_app()
