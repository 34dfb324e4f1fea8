"""`parkex carbon`: the options. The work is in carbon_command.py, imported when a command runs."""

from pathlib import Path
from typing import Annotated

import typer

carbon = typer.Typer(
    help="Carbon accounts: report of a year, statements of products, factors, and which claim counts where.", no_args_is_help=True,
    rich_markup_mode=None,
)  # fmt: skip

Data = Annotated[Path, typer.Argument(metavar="OUT", help="Folder of an exchange, or of its journal.")]
Archive = Annotated[Path | None, typer.Option(help="Folder that parkex archive moved its oldest segments to.")]
Year = Annotated[int, typer.Option(min=1990, max=2199, help="Calendar year of the park.")]
Language = Annotated[str, typer.Option(help="Language: en or zh.")]


@carbon.command("report", short_help="Park account, indicators, Scope 2 of a year.")
def report(
    out: Data,
    year: Year = 2026,
    lang: Language = "en",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object: grams, Wh, ppm.")] = False,
    factor: Annotated[str, typer.Option(help="Factor of received power in the park account: average or residual.")] = "average",
    region: Annotated[str, typer.Option(help="Region of the average factor: national, north, east, central and so on.")] = "national",
    net_export: Annotated[bool, typer.Option("--net-export", help="Deduct exports whose GEC is neither sold nor tradable.")] = False,
    archive: Archive = None,
) -> None:
    """Replay a journal and print the carbon accounts of a year, made of its settled days. Nothing is changed.

    \b
    Examples:
      parkex carbon report day1 --year 2026
      parkex carbon report day1 --lang zh
      parkex carbon report day1 --factor residual --json
    """
    from clients.cli.carbon_command import run_report

    run_report(out, year, lang, factor, region, archive, as_json=as_json, deduct_export=net_export)


@carbon.command("product", short_help="Green share and kg CO2 a unit of a product.")
def product(
    out: Data,
    account: Annotated[int, typer.Argument(help="Account of the enterprise.")],
    name: Annotated[str, typer.Argument(metavar="PRODUCT", help="Product, as its output was recorded.")],
    year: Year = 2026,
    lang: Language = "en",
    html: Annotated[Path | None, typer.Option(help="Write the statement as a page to this file instead of JSON.")] = None,
    archive: Archive = None,
) -> None:
    """Print what an enterprise hands on to its customers about a product, as JSON or a page, with the retirements behind it.

    \b
    Example:
      parkex carbon product day1 33 bearings --html bearings.html --lang zh
    """
    from clients.cli.carbon_command import run_product

    run_product(out, account, name, year, lang, html, archive)


@carbon.command("closing", short_help="The document that closes a year, to submit.")
def closing(
    out: Data, year: Year, region: Annotated[str, typer.Option(help="Region of the average factor.")] = "national", archive: Archive = None
) -> None:
    """Print the document close_carbon_year with the factors of the year, as JSON for an operator to check and to submit.

    \b
    Example:
      parkex carbon closing data --year 2026
    """
    from clients.cli.carbon_command import run_closing

    run_closing(out, year, region, archive)


@carbon.command("matrix", short_help="Which instrument lowers which account.")
def matrix(lang: Language = "en") -> None:
    """Print the claims matrix as a table, then the reason and source of each cell."""
    from clients.cli.carbon_command import run_matrix

    run_matrix(lang)


@carbon.command("factors", short_help="The emission factors that are shipped.")
def factors() -> None:
    """Print every emission factor that is shipped, with its source. Later ones are registered with the exchange."""
    from clients.cli.carbon_command import run_factors

    run_factors()
