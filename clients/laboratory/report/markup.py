"""HTML in two languages: both are in the page, and the page's language says which one is shown."""

import html
import json
from collections.abc import Iterable
from typing import NamedTuple


class Text(NamedTuple):
    """What a person reads, in both languages; not yet escaped."""

    en: str
    zh: str


def same(text: object) -> Text:
    """A name, number or key that is written alike in both languages."""
    return Text(str(text), str(text))


def escape(text: object) -> str:
    return html.escape(str(text), quote=True)


def words(text: Text | str) -> str:
    """Escaped HTML of a text, each language in an element of its own where they differ."""
    if isinstance(text, str) or text.en == text.zh:
        return escape(text if isinstance(text, str) else text.en)
    return f'<span lang="en">{escape(text.en)}</span><span lang="zh-CN">{escape(text.zh)}</span>'


def table(head: Iterable[Text | str], rows: Iterable[Iterable[Text | str]], *, n_names: int = 1, caption: Text | None = None) -> str:
    """A table that scrolls in itself on a narrow screen; the first `n_names` columns are text, all others figures."""
    titles = list(head)
    cells = "".join(f'<th scope="col"{_figure(column, n_names)}>{words(title)}</th>' for column, title in enumerate(titles))
    body = "".join(f"<tr>{''.join(_cell(column, cell, n_names) for column, cell in enumerate(row))}</tr>" for row in rows)
    said = f"<figcaption>{words(caption)}</figcaption>" if caption else ""
    grid = f'<div class="scroll" tabindex="0"><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'
    return f"<figure>{said}{grid}</figure>"


def embedded_json(value: object) -> str:
    """JSON that can stand in a script element, whatever its strings hold."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _cell(column: int, cell: Text | str, n_names: int) -> str:
    return f'<th scope="row">{words(cell)}</th>' if column == 0 else f"<td{_figure(column, n_names)}>{words(cell)}</td>"


def _figure(column: int, n_names: int) -> str:
    return "" if column < n_names else ' class="figure"'
