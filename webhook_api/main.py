"""The application; `uvicorn webhook_api.main:app` serves it."""

from importlib.metadata import version

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from webhook_api import problems
from webhook_api.routers import health


def create_app() -> FastAPI:
    """A new application with every router; its pages load nothing from elsewhere."""
    application: FastAPI = FastAPIOffline(
        redoc_url=None,
        title="POS integration",
        version=version("pos-integration"),
        description="Sales of many bakeries, from their point-of-sale systems into one set of tables.",
    )
    problems.add_handlers(application)
    application.include_router(health.router)
    return application


app = create_app()
