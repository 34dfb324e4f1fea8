"""What a refusal says when it is printed."""

from typing import Any

import pytest

from clients.sdk.errors import OrderRejected, RequestRefused

TEXTS = [
    (None, "3016 refused"),
    ({"sequence": 4}, "3016 refused"),
    ({"sequence": 4, "rule": "no_block_trades"}, "3016 refused · rule no_block_trades"),
    ({"leg": 0, "sequence": 4}, "3016 refused · leg 0"),
    ("something of a newer server", "3016 refused"),
]


@pytest.mark.parametrize("kind", [RequestRefused, OrderRejected])
@pytest.mark.parametrize(("data", "text"), TEXTS)
def test_the_text_of_a_refusal(kind: type[RequestRefused], data: Any, text: str) -> None:
    error = kind(3016, "refused", data)
    assert str(error) == text
    assert error.message == "refused"
