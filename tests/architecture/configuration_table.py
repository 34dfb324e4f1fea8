"""The tables of docs/configuration.md from the settings they describe.

    python -m tests.architecture.configuration_table     # writes the tables of the page anew, after a change of the settings
"""

import re
from pathlib import Path
from typing import Final

from clients.cli.configuration import _as_toml
from clients.cli.settings import SETTINGS, Setting

PAGE: Final = Path(__file__).parents[2] / "docs" / "configuration.md"


def _row(setting: Setting) -> str:
    default = "" if setting.default is None else f"`{_as_toml(setting.default)}`"
    kind = " or ".join(f"`{choice}`" for choice in setting.choices) if setting.choices else setting.kind.value.removeprefix("a ").removeprefix("an ")
    option = f"`{setting.option}`" if setting.option else ""
    return f"| `{setting.name}` | {kind} | {default} | {option} | {setting.help} |"


def tables() -> dict[str, str]:
    """Section -> its table."""
    head = "| key | value | default | option | meaning |\n| --- | --- | --- | --- | --- |\n"
    sections = dict.fromkeys(setting.section for setting in SETTINGS)
    return {section: head + "\n".join(_row(setting) for setting in SETTINGS if setting.section == section) for section in sections}


def page_with_tables(text: str) -> str:
    """The page with every table between its markers written anew. Raises KeyError for a marker without a section."""
    made = tables()
    return re.sub(r"(<!-- table (\w+) -->\n).*?(<!-- end -->)", lambda part: part[1] + made[part[2]] + "\n" + part[3], text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(page_with_tables(PAGE.read_text("utf-8")), "utf-8")
