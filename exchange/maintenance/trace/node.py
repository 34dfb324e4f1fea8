"""A link of a chain, as data, and as text in English or Chinese."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

Language = Literal["en", "zh"]

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "certificate": ("certificate", "证书"),
    "trade": ("trade", "成交"),
    "order": ("order", "委托"),
    "reading": ("reading", "计量数据"),
    "settlement": ("settlement", "结算"),
    "line": ("statement line", "结算单项目"),
    "issuance": ("issuance", "签发"),
    "movement": ("movement", "流转"),
    "device": ("device", "计量设备"),
    "posting": ("posting", "分录"),
    "retirement": ("retirement", "核销"),
    "contract": ("contract", "合同电量"),
    "period": ("period", "时段"),
    "holder": ("holder", "持有人"),
    "state": ("state", "状态"),
    "status": ("status", "状态"),
    "hash": ("hash", "哈希"),
    "for": ("for", "用于"),
    "in": ("in", "用电"),
    "out": ("out", "发电"),
    "amount": ("amount", "金额"),
    "revision": ("revision", "版本"),
    "origins": ("comes from", "来源"),
    "outcomes": ("became", "去向"),
    "by_command": ("command", "指令"),
    "nothing": ("nothing recorded", "无记录"),
}

# Values of "state", as exchange.registry.lifecycle.UnitState has them.
_STATES_ZH: Final = {
    "draft": "草稿", "verified": "已核验", "issued": "有效", "reserved": "已预留", "locked": "质押锁定", "frozen": "冻结", "retired": "已核销",
    "surrendered": "已清缴", "expired": "已过期", "withdrawn": "已撤销", "split": "已拆分",
}  # fmt: skip


@dataclass(slots=True)
class Node:
    """One link: what it is, what is known of it in the order it is told, the command that made it (0: none), and its neighbours both ways."""

    kind: str
    name: str
    facts: dict[str, str] = field(default_factory=dict)
    sequence: int = 0
    origins: list["Node"] = field(default_factory=list)
    outcomes: list["Node"] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found: dict[str, Any] = {"kind": self.kind, "name": self.name, **self.facts}
        if self.sequence:
            found["command"] = self.sequence
        for name in ("origins", "outcomes"):
            if getattr(self, name):
                found[name] = [node.to_dict() for node in getattr(self, name)]
        return found

    def to_text(self, language: Language = "en") -> str:
        """Lines of text, indented by how far away a link is."""
        return "\n".join(self._lines(language, 0)) + "\n"

    def _lines(self, language: Language, depth: int) -> list[str]:
        shown = ((word(name, language) if name in _WORDS else name, _shown(name, value, language)) for name, value in self.facts.items())
        facts = ", ".join(f"{name} {value}".strip() for name, value in shown)
        at = f" [{word('by_command', language)} {self.sequence}]" if self.sequence else ""
        lines = [f"{'  ' * depth}{word(self.kind, language)} {self.name}{': ' if facts else ''}{facts}{at}"]
        for name, nodes in (("origins", self.origins), ("outcomes", self.outcomes)):
            if nodes or depth == 0:
                lines.append(f"{'  ' * (depth + 1)}{word(name, language)}")
                lines += [line for node in nodes for line in node._lines(language, depth + 2)]  # noqa: SLF001 - of the same class
                if not nodes:
                    lines.append(f"{'  ' * (depth + 2)}{word('nothing', language)}")
        return lines


def _shown(name: str, value: str, language: Language) -> str:
    return _STATES_ZH[value] if name == "state" and language == "zh" else value


def word(name: str, language: Language) -> str:
    """A word of the chain."""
    return _WORDS[name][0 if language == "en" else 1]
