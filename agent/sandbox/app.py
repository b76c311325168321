"""The routes of every room of the sandbox, behind one gate."""

from __future__ import annotations

from agent.sandbox.control import control_routes
from agent.sandbox.drive import drive_routes
from agent.sandbox.folders import folder_routes
from agent.sandbox.gate import Gate
from agent.sandbox.messages import message_routes
from agent.sandbox.tenant import Tenant


def sandbox_app(tenant: Tenant, control_token: str | None) -> Gate:
    """The ASGI application; without a control token it has no control interface."""
    routes = [
        *message_routes(tenant),
        *folder_routes(tenant),
        *drive_routes(tenant),
        *tenant.sign_in.routes(),
    ]
    return Gate(tenant, routes, control_routes(tenant, control_token) if control_token else ())
