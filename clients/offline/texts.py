"""From the texts of one column to integers, each text read once. What a text may be is said where it is refused."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.errors import InputError
from exchange.protocol.decimals import MALFORMED, TOO_LARGE, TOO_MANY_DECIMALS, format_decimal, parse_decimal

Integers = NDArray[np.int64]

# Outside everything that a column can hold.
EMPTY: Final = -(2**62)
BAD: Final = EMPTY - 1

NAME_CHARACTERS_MAX: Final = 64
ORDER_ID_CHARACTERS_MAX: Final = 36
TIME_DECIMALS: Final = 9
TIME_NS_END: Final = 2**62
_DIGITS: Final = (ord("0"), ord("9"))
_POINT: Final = ord(".")
_PLAIN_CHARACTERS_MAX: Final = 20
_KEPT_TEXTS_MAX: Final = 1 << 20
_SCALE_DECIMALS_MAX: Final = 9


class Texts(dict[str, int]):
    """Numbers by text; EMPTY for none and BAD for what is not to be read. Fills itself as texts are asked for."""

    expected = ""

    def __missing__(self, text: str) -> int:
        number = self.read(text) if text else EMPTY
        if len(self) >= _KEPT_TEXTS_MAX:
            self.clear()
        self[text] = number
        return number

    def read(self, text: str) -> int:
        """The number of a text that is not empty, or BAD."""
        raise NotImplementedError

    def numbers(self, column: tuple[str, ...]) -> Integers:
        """Numbers of a column. Shape (rows,)."""
        return np.fromiter(map(self.__getitem__, column), np.int64, len(column))


class Words(Texts):
    """One word of a list."""

    def __init__(self, words: dict[str, int]) -> None:
        super().__init__()
        self._words = words
        self.expected = "one of " + ", ".join(words)

    def read(self, text: str) -> int:
        return self._words.get(text, BAD)


class WordSets(Texts):
    """Words of a list joined by +, as a set of bits."""

    def __init__(self, words: dict[str, int]) -> None:
        super().__init__()
        self._words = words
        self.expected = "one of " + ", ".join(words) + ", or several joined by +"

    def read(self, text: str) -> int:
        bits = 0
        for word in text.split("+"):
            if word not in self._words:
                return BAD
            bits |= self._words[word]
        return bits


class Whole(Texts):
    """A whole number from 0 to a most."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        self.expected = f"a whole number from 0 to {most}"

    def read(self, text: str) -> int:
        number = parse_decimal(text, 0)
        return number if 0 <= number <= self._most else BAD


class Times(Texts):
    """Seconds with up to nine decimals, in nanoseconds."""

    expected = "seconds, such as 1752537600 or 0.000125, with at most 9 decimals"

    def read(self, text: str) -> int:
        whole, point, fraction = text.partition(".")
        seconds = parse_decimal(whole, 0)
        part = parse_decimal(f"0.{fraction}", TIME_DECIMALS) if point else 0
        time_ns = seconds * 10**TIME_DECIMALS + part
        return time_ns if seconds >= 0 and part >= 0 and time_ns < TIME_NS_END else BAD

    def numbers(self, column: tuple[str, ...]) -> Integers:
        # Times seldom repeat: not kept, but read all at once, and one by one only those that are not plain.
        times_ns, is_plain = _plain_times(column)
        for row in np.flatnonzero(~is_plain).tolist():
            times_ns[row] = self.read(column[row]) if column[row] else EMPTY
        return times_ns


def _plain_times(column: tuple[str, ...]) -> tuple[Integers, NDArray[np.bool_]]:
    """Nanoseconds of the times that are plain, and which these are: no leading zero, digits on both sides of a point, well within int64."""
    try:
        texts = np.array(column, np.bytes_)
        is_readable = "\0" not in "".join(column)  # an array of bytes drops those at an end
    except UnicodeEncodeError:
        is_readable = False
    if not is_readable or not column:
        return np.zeros(len(column), np.int64), np.zeros(len(column), np.bool_)
    characters = texts.view(np.uint8).reshape(len(column), -1)
    whole = np.zeros(len(column), np.int64)
    fraction = np.zeros(len(column), np.int64)
    unit_ns = np.full(len(column), 10**TIME_DECIMALS, np.int64)
    has_point = np.zeros(len(column), np.bool_)
    has_ended = np.zeros(len(column), np.bool_)
    is_plain = (characters[:, 0] >= _DIGITS[0] + 1) & (characters[:, 0] <= _DIGITS[1])
    for character in characters.T[: _PLAIN_CHARACTERS_MAX + 1]:
        is_digit = (character >= _DIGITS[0]) & (character <= _DIGITS[1])
        is_point = character == _POINT
        has_ended |= character == 0
        is_plain &= (has_ended & (character == 0)) | (~has_ended & (is_digit | (is_point & ~has_point)))
        has_point |= is_point
        digit = character.astype(np.int64) - _DIGITS[0]
        # Kept within int64: what has so many digits is not plain, whatever they are.
        whole = np.where(is_digit & ~has_point, np.minimum(whole, 10**17) * 10 + digit, whole)
        fraction = np.where(is_digit & has_point, fraction * 10 + digit, fraction)
        unit_ns = np.where(is_digit & has_point, unit_ns // 10, unit_ns)
    is_plain &= (characters.shape[1] <= _PLAIN_CHARACTERS_MAX) & (whole < TIME_NS_END // 10**TIME_DECIMALS)
    is_plain &= (unit_ns > 0) & ~(has_point & (unit_ns == 10**TIME_DECIMALS))
    return whole * 10**TIME_DECIMALS + fraction * unit_ns, is_plain


class Names(Texts):
    """Names as numbers from 0, in the order of their first mention; never forgotten."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.names: list[str] = []
        self._most = most
        self.expected = f"a name of at most {NAME_CHARACTERS_MAX} characters, at most {most:,} different ones in a file"

    def __missing__(self, text: str) -> int:
        if not text:
            return EMPTY
        if len(text) > NAME_CHARACTERS_MAX or len(self.names) >= self._most:
            return BAD
        number = self[text] = len(self.names)
        self.names.append(text)
        return number


class Scale:
    """The step of a price or a quantity as a decimal: what is one tick or one lot."""

    def __init__(self, option: str, text: str) -> None:
        """Raises InputError, naming the option, for a text that is not a decimal above zero with at most nine decimals."""
        self.text = text
        self.decimals = len(text.partition(".")[2])
        self.step = parse_decimal(text, self.decimals) if self.decimals <= _SCALE_DECIMALS_MAX else MALFORMED
        if self.step <= 0:
            raise InputError(f"{option} {text[:30]!r}: expected a decimal above zero, such as 0.01")

    def text_of(self, steps: int) -> str:
        """A number of steps as a decimal."""
        return format_decimal(steps * self.step, self.decimals)


class Steps(Texts):
    """A decimal as a number of steps of a scale, between two bounds."""

    def __init__(self, scale: Scale, least: int, most: int) -> None:
        super().__init__()
        self._scale = scale
        self._least = least
        self._most = most
        self.expected = f"a multiple of {scale.text} from {scale.text_of(least)} to {scale.text_of(most)}, written as {scale.text_of(12)}"

    def read(self, text: str) -> int:
        negative = self._least < 0 and text.startswith("-")
        value = parse_decimal(text[1:] if negative else text, self._scale.decimals)
        if value in (MALFORMED, TOO_MANY_DECIMALS, TOO_LARGE) or value % self._scale.step:
            return BAD
        steps = value // self._scale.step * (-1 if negative else 1)
        return steps if self._least <= steps <= self._most else BAD


def shown(text: str) -> str:
    """A text of a file as a message shows it."""
    return repr(text if len(text) <= 40 else text[:40] + "...")
