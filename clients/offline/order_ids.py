"""Order ids of a file, any text, to the ascending numbers of the core and back.

Every order gets a number of its own, so a text may come again when its order has ended. Texts that name no order have numbers below zero,
which the core knows no order by.
"""

from typing import Final

_FIRST_FOREIGN: Final = -1


class OrderIds:
    """Numbers by text and texts by number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._texts: list[str] = []
        self._books: list[int] = []
        self._foreign: list[str] = []

    @property
    def next_number(self) -> int:
        """The number of the next order."""
        return len(self._texts)

    def add(self, text: str, book: int) -> int:
        """A number for a new order."""
        number = self._numbers[text] = len(self._texts)
        self._texts.append(text)
        self._books.append(book)
        return number

    def known(self, text: str) -> int:
        """The number of the latest order of this text, -1 or less if there is none."""
        return self._numbers.get(text, -1)

    def named(self, text: str) -> int:
        """The number that a text stands for now, that of an order or one below zero."""
        number = self._numbers.get(text)
        return self._add_foreign(text) if number is None else number

    def book_of(self, number: int) -> int:
        """Book of the latest order of a number, -1 for one below zero."""
        return self._books[number] if number >= 0 else -1

    def text_of(self, number: int) -> str:
        """The text of a number."""
        return self._texts[number] if number >= 0 else self._foreign[_FIRST_FOREIGN - number]

    def take_back(self, first: int) -> None:
        """Take the numbers from `first` on back, whose orders were all refused: numbers may not run far ahead of the orders."""
        while len(self._texts) > first:
            text = self._texts.pop()
            self._books.pop()
            if self._numbers[text] == len(self._texts):
                self._add_foreign(text)

    def _add_foreign(self, text: str) -> int:
        number = self._numbers[text] = _FIRST_FOREIGN - len(self._foreign)
        self._foreign.append(text)
        return number
