"""The gateway's error object, as an exception that a handler raises and the desk answers
(docs/gateway.md, 4).
"""

from __future__ import annotations

from typing import Any


class Problem(Exception):
    """One refusal: HTTP status, machine code and a text for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def document(self) -> dict[str, Any]:
        """The body of the answer."""
        return error_object(self.code, self.message)


def error_object(code: str, message: str) -> dict[str, Any]:
    """The four fields of an error (docs/gateway.md, 4.1)."""
    anchor = code.replace("_", "-")
    return {
        "object": "error",
        "location": f"https://www.omise.co/api-errors#{anchor}",
        "code": code,
        "message": message,
    }


def bad_request(message: str) -> Problem:
    """A parameter is missing or wrong (docs/gateway.md, 4.3)."""
    return Problem(400, "bad_request", message)


def not_found(kind: str, name: str) -> Problem:
    """No such object, or one of the other mode (docs/gateway.md, 4.3)."""
    return Problem(404, "not_found", f"{kind} {name} was not found")


def unauthorised() -> Problem:
    """The key is missing, wrong or of the wrong kind (docs/gateway.md, 1.2)."""
    return Problem(401, "authentication_failure", "authentication failed")
