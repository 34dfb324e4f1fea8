"""Parts that the OpenAPI document shares between routes."""

from pydantic import BaseModel


class Problem(BaseModel):
    """Why a request was not answered; never what was asked."""

    detail: str
