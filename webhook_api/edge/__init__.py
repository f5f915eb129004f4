"""What every request passes before it reaches an endpoint."""

from fastapi import FastAPI

from webhook_api.edge.bodies import BodyLimit
from webhook_api.edge.rates import RateLimits
from webhook_api.edge.requests import Requests


def add_edge(application: FastAPI) -> None:
    """Puts the edge around an application: what is added last comes first."""
    for middleware in (BodyLimit, RateLimits, Requests):
        application.add_middleware(middleware)
