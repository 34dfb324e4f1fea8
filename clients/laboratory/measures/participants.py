"""One row a participant: energy, trades, bills, savings, certificates, its part of the gain, its asset. Columns are described in docs/measures.md."""

from clients.laboratory.measures.bills import saving_micro, storage_value_change_micro
from clients.laboratory.measures.carbon import matched_over_run_wh
from clients.laboratory.measures.figures import Figure, cny, cny_of_tick_lots, kwh, kwh_of_lots, percent
from clients.laboratory.measures.financing import plans_of, portfolio
from clients.laboratory.measures.positions import positions_of
from clients.laboratory.measures.sharing import share_gain
from clients.laboratory.run.record import RunRecord


def participant_table(record: RunRecord) -> list[dict[str, str | Figure]]:
    """Rows as in the scenario, all with the same keys."""
    shares = share_gain(record).members_micro
    finance = finance_columns(record)
    money, energy = money_columns(record), energy_columns(record)
    rows: list[dict[str, str | Figure]] = []
    for row, entry in enumerate(record.scenario.participants):
        named: dict[str, str | Figure] = {
            "participant": entry.id, "name_en": entry.name_en, "name_zh": entry.name_zh, "role": entry.role, "population": entry.agent.name,
        }  # fmt: skip
        rows.append({**named, **energy[row], **money[row], "shared_gain_cny": cny(shares[row]), **finance[row]})
    return rows


def energy_columns(record: RunRecord) -> list[dict[str, Figure]]:
    matched = matched_over_run_wh(record)
    return [
        {
            "load_kwh": kwh(record.load_wh[row].sum()),
            "generation_kwh": kwh(record.generation_wh[row].sum()),
            "charge_kwh": kwh(record.charge_wh[row].sum()),
            "discharge_kwh": kwh(record.discharge_wh[row].sum()),
            "curtailed_kwh": kwh(record.curtailed_wh[row].sum()),
            "bought_kwh": kwh_of_lots(record.bought_lots[row].sum()),
            "sold_kwh": kwh_of_lots(record.sold_lots[row].sum()),
            "deficit_kwh": kwh(record.deficit_wh[row].sum()),
            "surplus_kwh": kwh(record.surplus_wh[row].sum()),
            "matched_annual_percent": percent(matched[row], record.load_wh[row].sum()),
            "certificates_issued_kwh": kwh(record.issued_wh[row]),
            "certificates_claimed_kwh": kwh(record.claimed_wh[row]),
            "certificates_expired_kwh": kwh(record.expired_wh[row]),
        }
        for row in range(record.n_participants)
    ]


def money_columns(record: RunRecord) -> list[dict[str, Figure]]:
    saving, stored = saving_micro(record), storage_value_change_micro(record)
    profit = positions_of(record).profit_tick_lots.sum(axis=1)
    return [
        {
            "bill_retail_cny": cny(record.bill_retail_micro[row].sum()),
            "bill_pool_cny": cny(record.bill_pool_micro[row].sum()),
            "bill_market_cny": cny(record.bill_market_micro[row].sum()),
            "storage_value_change_cny": cny(stored[row]),
            "saving_against_pool_cny": cny(saving[row]),
            "saving_against_pool_percent": percent(saving[row], abs(record.bill_pool_micro[row].sum())),
            "trade_cny": cny(record.trade_micro[row].sum()),
            "fees_cny": cny(record.fee_micro[row].sum()),
            "imbalance_cost_cny": cny(record.imbalance_micro[row].sum()),
            "trading_profit_cny": cny_of_tick_lots(profit[row]),
        }
        for row in range(record.n_participants)
    ]


def finance_columns(record: RunRecord) -> list[dict[str, Figure]]:
    """The figures of each participant's own asset; None for everybody else."""
    plans = plans_of(record)
    return [portfolio([plans[row]] if row in plans else []) for row in range(record.n_participants)]
