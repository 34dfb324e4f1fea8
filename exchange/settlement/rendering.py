"""A statement for people: as a dictionary for JSON, and as text in English or Chinese with the line names of an industrial bill."""

import unicodedata
from typing import Any, Final, Literal

from exchange.ledger.records import PostingReason
from exchange.settlement.statement import DaySettlement, Line, LineItem, LineStatus, Statement, fen

Language = Literal["en", "zh"]

LINE_NAMES: Final[dict[LineItem, tuple[str, str]]] = {
    LineItem.ENERGY_BOUGHT: ("Energy bought in the park market", "园区市场购电"),
    LineItem.ENERGY_SOLD: ("Energy sold in the park market", "园区市场售电"),
    LineItem.BLOCK_BOUGHT: ("of which bought in block contracts", "其中：多时段合约购电"),
    LineItem.BLOCK_SOLD: ("of which sold in block contracts", "其中：多时段合约售电"),
    LineItem.CONTRACT_ENERGY: ("Contract energy, settled bilaterally", "合同电量（双边结算）"),
    LineItem.GREEN_CONTRACT: ("Green contract energy", "绿电合同电量"),
    LineItem.DEFICIT: ("Deficit energy at the retail tariff", "不足偏差电量（零售电价）"),
    LineItem.SURPLUS: ("Surplus energy at the feed-in price", "剩余偏差电量（上网电价）"),
    LineItem.NETTING_REFUND: ("Refund of imbalance netting", "偏差互抵返还"),
    LineItem.ENVIRONMENT: ("Environmental attribute", "环境权益"),
    LineItem.ENVIRONMENT_SOLD: ("Environmental attribute sold", "环境权益（售出）"),
    LineItem.DEVIATION: ("Green contract deviation", "绿电合同偏差补偿"),
    LineItem.CURTAILMENT: ("Compensation for curtailed energy", "调度限电补偿"),
    LineItem.HEAT: ("Heat, metered", "热力（仅计量）"),
    LineItem.COLD: ("Cooling, metered", "冷量（仅计量）"),
    LineItem.PARK_FEE: ("Park network fee", "园区网费"),
    LineItem.TRADING_FEE: ("Trading fees", "交易手续费"),
    LineItem.VOLTAGE_ADDER: ("Transmission and distribution: voltage level adder", "输配电费（电压等级差价）"),
    LineItem.CAPACITY_CHARGE: ("Capacity or demand charge", "基本电费"),
    LineItem.NETWORK_ENERGY: ("Transmission and distribution: energy charge", "输配电费（电量电价）"),
    LineItem.DEMAND_CHARGE: ("Demand charge", "需量电费"),
    LineItem.MECHANISM: ("Mechanism price difference", "机制电价差价结算"),
    LineItem.POWER_FACTOR: ("Power factor adjustment", "力调电费"),
    LineItem.SYSTEM_OPERATION: ("System operation fee", "系统运行费"),
    LineItem.GOVERNMENT_FUNDS: ("Government funds and surcharges", "政府性基金及附加"),
}
STATUS_NOTES: Final[dict[LineStatus, tuple[str, str]]] = {
    LineStatus.CHARGED: ("", ""),
    LineStatus.INFORMATION: ("not in the total", "不计入合计"),
    LineStatus.INSIDE_TARIFF: ("inside the retail tariff of deficit energy", "含在不足偏差电量的零售电价内"),
    LineStatus.EXCLUDED: ("excluded: billed by the grid company", "不含：由电网企业另行结算"),
}
ROLE_NAMES: Final[dict[str, tuple[str, str]]] = {
    "operator": ("park operator", "园区运营方"),
    "enterprise": ("enterprise", "企业"),
    "generator": ("generator", "发电企业"),
    "prosumer": ("prosumer", "产消者"),
    "storage": ("storage", "储能"),
    "market_maker": ("market maker", "做市商"),
    "esco": ("energy service company", "节能服务公司"),
    "bank": ("bank", "银行"),
    "verifier": ("verifier", "核查机构"),
    "registrar": ("registrar", "登记机构"),
    "regulator": ("regulator", "监管机构"),
    "auditor": ("auditor", "审计方"),
}
_COLUMN: Final[dict[Language, int]] = {"en": 0, "zh": 1}
# Width of the columns of the text, in cells of a terminal.
_NAME_CELLS: Final = 52
_NUMBER_CELLS: Final = 16


def statement_to_dict(statement: Statement) -> dict[str, Any]:
    """Plain data for JSON: integers in micro-CNY, fen and Wh, both names of every line."""
    return {
        "day": statement.day,
        "account": statement.account,
        "name": statement.name,
        "role": statement.role,
        "lines": [_line_to_dict(line) for line in statement.lines],
        "total_micro": statement.total_micro,
        "total_fen": fen(statement.total_micro),
        "consumption_wh": statement.consumption_wh,
        "generation_wh": statement.generation_wh,
        "park_fee_held_micro": statement.park_fee_held_micro,
        "guarantee_held_micro": statement.guarantee_held_micro,
        "claim_micro": statement.claim_micro,
        "substituted_periods": statement.substituted_periods,
        "nominated_periods": statement.nominated_periods,
        "schedule_deviation_wh": statement.schedule_deviation_wh,
        "run": statement.run,
        "adjustments_micro": list(statement.adjustments_micro),
        "source": {
            "sequence": statement.source.sequence,
            "rules_version": statement.source.rules_version,
            "first_period": statement.source.first_period,
            "last_period": statement.source.last_period,
            "periods": statement.source.periods,
            "postings": list(statement.source.postings),
        },
    }


def settlement_to_dict(settlement: DaySettlement) -> dict[str, Any]:
    """The report of a settled day for JSON: totals in micro-CNY and Wh, claims, and every statement."""
    totals = {
        field: getattr(settlement, field) for field in settlement.__struct_fields__ if field not in {"statements", "claims"}
    }
    claims = [
        {"account": account, "amount_micro": amount_micro, "reason": PostingReason(reason).name.lower()}
        for account, amount_micro, reason in settlement.claims
    ]
    return {**totals, "claims": claims, "statements": [statement_to_dict(statement) for statement in settlement.statements]}


def statement_to_text(statement: Statement, language: Language = "en", chain_head: str = "") -> str:
    """The statement as lines of text. `chain_head` is the hash of the journal's head, printed so that a holder can prove the journal later."""
    zh = language == "zh"
    title = "结算单" if zh else "Statement"
    heads = ("项目", "电量 kWh", "金额 元") if zh else ("Line", "energy kWh", "amount CNY")
    lines = [f"{title} {statement.day}  {holder(statement, language)}"]
    lines.append("收入为正，支出为负" if zh else "received positive, paid negative")
    lines.append(_row(*heads))
    lines.extend(_line_to_text(line, language) for line in statement.lines)
    lines.append(_row("合计" if zh else "Total", "", cny(statement.total_micro)))
    lines.extend(remarks(statement, zh))
    if chain_head:
        lines.append(f"{'日志链头' if zh else 'journal head'} {chain_head}")
    return "\n".join(lines) + "\n"


def holder(statement: Statement, language: Language) -> str:
    """Whose statement it is: name, account and role."""
    return f"{statement.name} ({statement.account}, {ROLE_NAMES[statement.role][_COLUMN[language]]})"


def cny(amount_micro: int) -> str:
    """Micro-CNY as yuan to the fen, such as -1,234.50."""
    amount_fen = fen(amount_micro)
    yuan, cents = divmod(abs(amount_fen), 100)
    return f"{'-' if amount_fen < 0 else ''}{yuan:,}.{cents:02}"


def kwh(energy_wh: int) -> str:
    """Wh as kWh, exact."""
    whole, rest = divmod(abs(energy_wh), 1000)
    return f"{'-' if energy_wh < 0 else ''}{whole:,}.{rest:03}"


def pad(text: str, cells: int, right: bool = False) -> str:
    """Text filled with spaces to a width in terminal cells; a Chinese character takes two."""
    used = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
    spaces = " " * max(cells - used, 0)
    return spaces + text if right else text + spaces


def _line_to_dict(line: Line) -> dict[str, Any]:
    name_en, name_zh = LINE_NAMES[line.item]
    return {
        "item": str(line.item),
        "name_en": name_en,
        "name_zh": name_zh,
        "status": str(line.status),
        "energy_wh": line.energy_wh,
        "amount_micro": line.amount_micro,
        "amount_fen": fen(line.amount_micro),
    }


def _line_to_text(line: Line, language: Language) -> str:
    column = _COLUMN[language]
    has_amount = line.status in {LineStatus.CHARGED, LineStatus.INFORMATION}
    text = _row(LINE_NAMES[line.item][column], kwh(line.energy_wh) if line.energy_wh else "", cny(line.amount_micro) if has_amount else "-")
    note = STATUS_NOTES[line.status][column]
    return f"{text}  {note}" if note else text


def _row(name: str, energy: str, amount: str) -> str:
    return pad(name, _NAME_CELLS) + pad(energy, _NUMBER_CELLS, right=True) + pad(amount, _NUMBER_CELLS, right=True)


def remarks(statement: Statement, zh: bool) -> list[str]:
    """What a reader must know beside the lines; only what applies."""
    remarks = []
    if statement.park_fee_held_micro:
        released = cny(statement.park_fee_held_micro + statement.amount_micro(LineItem.PARK_FEE))
        held = cny(statement.park_fee_held_micro)
        remarks.append(f"园区网费冻结 {held} 元，解冻 {released} 元" if zh else f"park fee held {held}, released {released}")
    if statement.claim_micro:
        claim = cny(statement.claim_micro)
        remarks.append(f"履约保证金池垫付 {claim} 元，为对本账户的债权" if zh else f"paid by the guarantee fund, a claim on this account: {claim}")
    if statement.substituted_periods:
        count = statement.substituted_periods
        remarks.append(f"{count} 个时段的读数为更正或替代值" if zh else f"{count} periods have substituted readings")
    if statement.nominated_periods:
        deviation, count = kwh(statement.schedule_deviation_wh), statement.nominated_periods
        remarks.append(
            f"{count} 个时段的申报与计量相差 {deviation} kWh，以计量结算" if zh
            else f"meter against nomination of {count} periods: {deviation} kWh apart; the meter is settled"
        )
    return remarks
