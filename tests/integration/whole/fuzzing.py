"""Requests made up by schemathesis after a service's own OpenAPI document; the answers are held to the document."""

import time
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import requests
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import APIOperation, Case, GenerationMode, SerializationContext
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from tests.builders import present
from tests.polling import DEADLINE_SECONDS, POLL_SECONDS

CHECKS: Final = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
EXAMPLES: Final = 4
"""Of each operation: so many that fit the document, and so many that do not."""
Dress = Callable[[Case[Any]], None]
"""Gives a made-up request what it needs to get further."""


@schemathesis.serializer("application/jose")
def _as_it_is(_context: SerializationContext, value: Any) -> bytes:
    return str(value).encode()


class Fuzzer:
    """Asks one service.

    Attributes:
        statuses: How often each status was answered, by operation, as ``POST /sign-in``.

    """

    def __init__(
        self, url: str, dress: Dress = lambda _case: None, examples: int = EXAMPLES, document: Path | None = None
    ) -> None:
        self.statuses: dict[str, Counter[int]] = {}
        self._url = url
        self._dress = dress
        self._examples = examples
        self._session = requests.Session()
        openapi = schemathesis.openapi
        self._schema = openapi.from_url(f"{url}/openapi.yaml") if document is None else openapi.from_path(document)

    def ask_all(self, wanted: Callable[[str], bool] = lambda _label: True) -> None:
        """Ask for each operation whose label is wanted."""
        with self._session:
            for found in self._schema.get_all_operations():
                assert isinstance(found, Ok), found
                if wanted(found.ok().label):
                    self._ask(found.ok())

    def ask(self, label: str, strategy: SearchStrategy[Any], body: Callable[[Any], Any]) -> None:
        """Ask for one operation with bodies that are made of what a strategy draws."""
        operation = present(self._schema.find_operation_by_label(label))
        self._try(strategy, lambda drawn: self._send(operation.Case(body=body(drawn), media_type="application/jose")))

    def _ask(self, operation: APIOperation[Any, Any, Any, Any]) -> None:
        self._try(operation.as_strategy(generation_mode=GenerationMode.POSITIVE), self._send)
        if operation.body or operation.query or operation.path_parameters:
            self._try(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE), self._send)

    def _try(self, strategy: SearchStrategy[Any], use: Callable[[Any], None]) -> None:
        bounded = settings(max_examples=self._examples, database=None, suppress_health_check=list(HealthCheck))
        bounded(given(strategy)(use))()

    def _answer(self, case: Case[Any]) -> Any:
        """Return the answer, that of a later try if the service was "back in a moment", as its document has it do."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            answer = case.call(
                base_url=self._url, session=self._session, allow_redirects=False, timeout=DEADLINE_SECONDS
            )
            if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                return answer
            time.sleep(POLL_SECONDS)

    def _send(self, case: Case[Any]) -> None:
        self._dress(case)
        # A name that is made up can be another operation's path by chance, which answers as its own document says.
        assume(
            case.formatted_path == case.operation.path or case.formatted_path not in self._schema.raw_schema["paths"]
        )
        answer = self._answer(case)
        self.statuses.setdefault(case.operation.label, Counter())[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)
