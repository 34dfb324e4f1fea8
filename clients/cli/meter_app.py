"""`parkex meter`: files of readings by device, checked against an exchange and loaded into it."""

from pathlib import Path
from typing import Annotated

import typer

from clients.cli.administration_app import LOCAL, OPERATOR_FILE, KeyFile, KeyId

meter = typer.Typer(help="Files of meter readings by device, as CSV or Parquet.", no_args_is_help=True, rich_markup_mode=None)

File = Annotated[Path, typer.Argument(help="Readings as CSV or Parquet. See: parkex meter template")]
Data = Annotated[Path | None, typer.Option(help="Data folder of an exchange that does not run; instead of --url.")]
Url = Annotated[str, typer.Option(help="The running exchange.")]
Revision = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="A reading that is there is replaced by one of a higher revision.")]
Version = Annotated[str, typer.Option(help="preliminary, final, or correction of a closed month.")]
Zone = Annotated[str, typer.Option(help="Time zone of times without an offset; default: that of the exchange.")]
Digits = Annotated[int, typer.Option(min=1, max=12, help="Digits before the point of cumulative registers, behind which they begin again.")]
Ca = Annotated[Path | None, typer.Option(help="Certificate authority to trust, for an exchange with a certificate of its own.")]


@meter.command("check")
def meter_check(
    file: File,
    data: Data = None,
    url: Url = LOCAL,
    revision: Revision = 1,
    version: Version = "preliminary",
    zone: Zone = "",
    digits: Digits = 8,
    key: KeyFile = OPERATOR_FILE,
    key_id: KeyId = "operator",
    ca: Ca = None,
) -> None:
    """Check a whole file against the devices and readings of an exchange; nothing is loaded. Every finding is named by its line.

    \b
    Examples:
      parkex meter check july.csv --data parkex-data
      parkex meter check july.parquet --url https://park.example
    """
    from clients.cli.meter_command import MeterFile, run_meter_command

    run_meter_command(MeterFile(file, revision, version, zone, digits), data, url, key, key_id, ca, load=False)


@meter.command("load")
def meter_load(
    file: File,
    data: Data = None,
    url: Url = LOCAL,
    revision: Revision = 1,
    version: Version = "preliminary",
    zone: Zone = "",
    digits: Digits = 8,
    key: KeyFile = OPERATOR_FILE,
    key_id: KeyId = "operator",
    ca: Ca = None,
) -> None:
    """Check a whole file, then load it. Interrupted, it is loaded again: what is there is recognised and passed over.

    \b
    Examples:
      parkex meter load 2026.parquet --data parkex-data --key parkex-data/operator.key
      parkex meter load july.csv --version final --revision 2
    """
    from clients.cli.meter_command import MeterFile, run_meter_command

    run_meter_command(MeterFile(file, revision, version, zone, digits), data, url, key, key_id, ca, load=True)


@meter.command("register")
def meter_register(
    account: Annotated[int, typer.Argument(help="Account whose metering point the device is behind.")],
    name: Annotated[str, typer.Argument(help="Its name, unique in the account.")],
    kind: Annotated[str, typer.Option(help="load, pv, wind, biomass, hydro, storage, heat or cold.")],
    capacity_kw: Annotated[str, typer.Option(help="Rated power, at most three decimals.")],
    commissioned: Annotated[str, typer.Option(help="Start of operation, as 2024-05-01T00:00+08:00.")],
    scheme: Annotated[str, typer.Option(help="What its generation is certified by: granular, gec or none.")] = "none",
    location: Annotated[str, typer.Option(help="For its certificates.")] = "",
    ets_source: Annotated[bool, typer.Option("--ets-source", help="It lies inside a source of the national ETS.")] = False,
    url: Url = LOCAL,
    key: KeyFile = OPERATOR_FILE,
    key_id: KeyId = "operator",
) -> None:
    """Register a device with a running exchange and print its id.

    \b
    Example:
      parkex meter register 33 pv2 --kind pv --capacity-kw 500 --commissioned 2024-05-01T00:00+08:00
    """
    from clients.cli.keys_commands import Desk
    from clients.cli.meter_register import register_device

    register_device(Desk(url, key_id, key), account, name, kind, capacity_kw, commissioned, scheme, location, ets_source=ets_source)


@meter.command("template")
def meter_template(registers: Annotated[bool, typer.Option("--registers", help="States of cumulative registers.")] = False) -> None:
    """Print a file to start from.

    \b
    Example:
      parkex meter template > readings.csv
    """
    from clients.cli.meter_command import INTERVALS_TEMPLATE, REGISTERS_TEMPLATE

    typer.echo(REGISTERS_TEMPLATE if registers else INTERVALS_TEMPLATE, nl=False)
