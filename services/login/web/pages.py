"""Renders Account Manager's pages, by Jinja."""

from base64 import b64encode
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import jinja2
import structlog
from aiohttp import hdrs, web

from services.login.settings import LoginSettings
from services.login.web import page_messages
from services.login.web.cookies import BROWSER, BROWSER_SECONDS, Cookies

log = structlog.get_logger(__name__)
HERE: Final = Path(__file__).parents[1]
SCRIPT_GUARD: Final = HERE / "templates" / "script_guard.html"


def _script_hash(path: Path) -> str:
    """Return the hash of the script in a template, as a source of scripts (CSP level 3, section 2.3.1)."""
    script = path.read_text(encoding="utf-8").partition("<script>")[2].partition("</script>")[0]
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"


CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; script-src 'self' {_script_hash(SCRIPT_GUARD)}; "
    "style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Pages:
    """Renders the templates.

    Attributes:
        names: The products' names.

    """

    def __init__(self, settings: LoginSettings, cookies: Cookies) -> None:
        self._cookies = cookies
        self.names = page_messages.Names(settings.product_name, settings.authenticator_name)
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            auto_reload=False,
        )
        self._environment.globals.update(
            remember_days=settings.remember_days,
            product_name=settings.product_name,
            authenticator_name=settings.authenticator_name,
            authenticator_url=settings.authenticator_url,
        )

    def render(
        self, request: web.Request, template: str, http_status: int = 200, *, events_detail: str = "", **context: Any
    ) -> web.Response:
        """Render a page, and set the browser's cookie.

        Args:
            request: The request.
            template: The template's name, without ``.html``.
            http_status: The response's status.
            events_detail: A further part of the query with which the page opens its event stream.
            context: The template's variables.

        """
        token = self._cookies.browser_token(request)
        text = self._environment.get_template(f"{template}.html").render(
            page=template,
            csrf=self._cookies.csrf_token(token),
            events_url=f"/events?at={request.path}{events_detail}",
            **context,
        )
        response = web.Response(
            text=text, status=http_status, content_type="text/html", headers={"Cache-Control": "no-store"}
        )
        message = context.get("error")
        if (
            http_status == HTTPStatus.TOO_MANY_REQUESTS
            and isinstance(message, page_messages.PageMessage)
            and message.wait_seconds
        ):
            response.headers["Retry-After"] = str(message.wait_seconds)
        self._cookies.write(response, BROWSER, token, BROWSER_SECONDS)
        return response

    def render_error(self, request: web.Request, status: int, _name: str, detail: str, /) -> web.Response:
        """Render the page of an error. The detail goes to the log; people read the message for the status."""
        log.info("error page", status=status, detail=detail)
        message = page_messages.error(status, self.names)
        return self.render(request, "error", status, status=status, title=message.title, detail=message.text)


def status_of(request: web.Request, message: page_messages.PageMessage | None) -> HTTPStatus:
    """Return the status of a page: 200 if no posted form has a message, 429 if the message says to wait, else 422."""
    if message is None or request.method != hdrs.METH_POST:
        return HTTPStatus.OK
    return HTTPStatus.TOO_MANY_REQUESTS if message.wait_seconds else HTTPStatus.UNPROCESSABLE_ENTITY
