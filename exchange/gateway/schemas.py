"""Parts that the OpenAPI document shares between routes."""

from pydantic import BaseModel


class Refusal(BaseModel):
    """A reject code and its message (docs/reject-codes.md)."""

    code: int
    message: str


class Refused(BaseModel):
    """Why a signed request was not let in."""

    detail: Refusal


class Problem(BaseModel):
    """Why a request was not answered; never what was asked."""

    detail: str
