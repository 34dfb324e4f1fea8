"""Whole numbers as the decimals of a scenario file: the inverse of clients.scenarios.decimals.parse_scaled."""


def decimal_text(value: int, decimals: int) -> str:
    """The number `value` / 10**decimals without trailing zeros: 280,000 at six decimals is "0.28"."""
    whole, fraction = divmod(abs(value), 10**decimals)
    digits = f"{fraction:0{decimals}d}".rstrip("0") if decimals else ""
    return f"{'-' if value < 0 else ''}{whole}{'.' + digits if digits else ''}"
