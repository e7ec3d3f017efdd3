"""What a request is called in metrics and spans: few names, whatever strangers ask for."""

from typing import Final

from aiohttp import hdrs, web

UNMATCHED: Final = "unmatched"
OTHER: Final = "_OTHER"
"""As OpenTelemetry's conventions call a method that is none of HTTP's."""


def route_of(request: web.Request) -> str:
    """Return the pattern of a request's route, such as ``/challenges/{challenge_id}/answer``."""
    resource = request.match_info.route.resource
    if resource is None:
        return UNMATCHED
    return f"{resource.canonical}/*" if isinstance(resource, web.StaticResource) else resource.canonical


def method_of(request: web.Request) -> str:
    """Return a request's method."""
    return request.method if request.method in hdrs.METH_ALL else OTHER
