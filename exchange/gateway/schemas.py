"""Parts that the OpenAPI document shares between routes."""

from pydantic import BaseModel


class Refusal(BaseModel):
    """A reject code and its message (docs/reject-codes.md)."""

    code: int
    message: str


class Refused(BaseModel):
    """Why a request was refused, with the code that the socket would give."""

    detail: Refusal


class Problem(BaseModel):
    """Why a request was not answered; never what was asked."""

    detail: str
