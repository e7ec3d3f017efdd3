"""What the services that devices talk to say alike in their OpenAPI documents: signed requests, nonces, refusals."""

from collections import defaultdict
from typing import Final

from pydantic import BaseModel

from protocol.signed_requests import Refusal
from services.common.web.device_requests import NONCE_HEADER, STATUS
from services.common.web.openapi import RETRY_AFTER, Json, Problem, answer, header, reference

NONCE: Final = {NONCE_HEADER: header("The nonce of the next signed request.", type="string", minLength=1)}
PREFLIGHT: Final[Json] = {
    "summary": "A browser's question before it posts from another origin (CORS)",
    "responses": {
        "204": answer(
            "Any origin may.", headers={"Access-Control-Allow-Origin": header("All.", type="string", const="*")}
        )
    },
}
NONCE_PATH: Final[Json] = {
    "get": {
        "summary": "A nonce for the next signed request",
        "description": "docs/protocol.md, section 3.",
        "responses": {"204": answer("The nonce is in the header.", headers=NONCE)},
    }
}
_EACH: Final = (Refusal.MALFORMED, Refusal.BAD_SIGNATURE, Refusal.WRONG_URL, Refusal.STALE, Refusal.BAD_NONCE)
"""What any signed request can be refused for."""


def problem_answer(description: str, names: list[str], headers: dict[str, Json] | None = None) -> Json:
    """Return the description of a refusal: a problem document with one of some names."""
    types = [f"urn:countersign:problem:{name}" for name in names]
    schema = {**reference(Problem), "properties": {"type": {"enum": types}}}
    return answer(description, {"application/problem+json": schema}, headers)


NOT_FOUND: Final = problem_answer("Nothing is at this address.", ["not-found"])


def signed_request(payload: type[BaseModel], typ: str) -> Json:
    """Return the description of a signed request's body.

    Args:
        payload: The model of what it carries.
        typ: What its header says that it is.

    """
    schema = {
        "type": "string",
        "pattern": r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$",
        "description": f"A compact JWS of type {typ} as in docs/protocol.md, section 3; x-payload is what it carries.",
        "x-payload": reference(payload),
    }
    return {"required": True, "content": {"application/jose": {"schema": schema}}}


def refusals(*further: Refusal) -> dict[str, Json]:
    """Return the answers that refuse a signed request, by status.

    Args:
        further: Why this kind of request can be refused, beside what any can.

    """
    names: defaultdict[int, list[str]] = defaultdict(list)
    for refusal in (*_EACH, *further):
        names[STATUS[refusal]].append(refusal.value)
    found = {
        str(status): problem_answer(f"Refused: {', '.join(named)}.", named, NONCE) for status, named in names.items()
    }
    if (too_many := found.get(str(STATUS[Refusal.TOO_MANY]))) is not None:
        too_many["headers"] = {**NONCE, **RETRY_AFTER}
    return {
        **found,
        "413": problem_answer("The body is too large.", ["request-entity-too-large"]),
        "503": problem_answer("Kafka is away, or the service restarts.", ["unavailable"], RETRY_AFTER),
    }
