"""`parkex carbon`: carbon accounts from the journal of an exchange's folder."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import typer

from exchange.errors import InputError

if TYPE_CHECKING:
    from exchange.carbon.wording import Language
    from exchange.order_path.path import Exchange


def run_report(out: Path, year: int, lang: str, factor: str, region: str, archive: Path | None, *, as_json: bool, deduct_export: bool) -> None:
    """Raises InputError, CorruptionError."""
    from exchange.carbon.rendering import report_to_text
    from exchange.carbon.report import Choices, report_content
    from exchange.order_path.carbon_queries import year_report

    language = _language(lang)
    if factor not in {"average", "residual"}:
        raise InputError(f"--factor is average or residual, not {factor}")
    choices = Choices(region=region, indirect=factor, deduct_export=deduct_export)
    report = year_report(_replayed(out, archive), year, choices)
    typer.echo(_json(report_content(report)) if as_json else report_to_text(report, language), nl=as_json)


def run_product(out: Path, account: int, product: str, year: int, lang: str, html: Path | None, archive: Path | None) -> None:
    """Raises InputError, CorruptionError."""
    from exchange.carbon.product_page import product_page
    from exchange.order_path.carbon_queries import statement_of_product, year_report

    language = _language(lang)
    exchange = _replayed(out, archive)
    statement = statement_of_product(exchange, year_report(exchange, year), account, product)
    if html is None:
        typer.echo(_json(statement))
        return
    html.write_text(product_page(statement, language), "utf-8")
    typer.echo(f"wrote {html}")


def run_closing(out: Path, year: int, region: str, archive: Path | None) -> None:
    """Raises InputError, CorruptionError."""
    from exchange.protocol.value_chain.accounting import CloseCarbonYear

    grid, fuels = _replayed(out, archive).rooms.carbon.factors_of(year).resolved(region)
    document = CloseCarbonYear(year=year, factors=grid, fuels=fuels)
    typer.echo(_json({"schema": CloseCarbonYear.SCHEMA, "document": document}))


def run_matrix(lang: str) -> None:
    """Raises InputError for an unknown language."""
    from exchange.carbon.rendering import matrix_to_text

    typer.echo(matrix_to_text(_language(lang)), nl=False)


def run_factors() -> None:
    from exchange.carbon import packaged
    from exchange.carbon.rendering import factors_to_text

    typer.echo(factors_to_text(packaged.grid_factors(), packaged.fuel_factors()), nl=False)


def _replayed(out: Path, archive: Path | None) -> "Exchange":
    from exchange.maintenance.places import journal_in
    from exchange.replay import replay_directory

    return replay_directory(journal_in(out), archive)[0]


def _language(lang: str) -> "Language":
    if lang == "en":
        return "en"
    if lang == "zh":
        return "zh"
    raise InputError(f"--lang is en or zh, not {lang}")


def _json(content: object) -> str:
    return msgspec.json.format(msgspec.json.encode(content, order="deterministic"), indent=2).decode()
