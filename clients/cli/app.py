"""Commands of parkex. Each one's work is in a module of its own, imported when the command runs, so that `--help` is quick."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from clients.cli.exits import run

app = typer.Typer(
    name="parkex",
    help="Exchange and market simulator of a zero-carbon industrial park.\n\nStart here: parkex demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
profiles = typer.Typer(help="Meter files and tariffs of your own park.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(profiles, name="profiles")


@app.command(short_help="Trade one day of a park and settle it.")
def demo(
    scenario: Annotated[str, typer.Option(help="Name of a shipped park (park, story, compliance), or a scenario file.")] = "park",
    date: Annotated[str, typer.Option(help="Delivery day, as 2026-07-15.")] = "2026-07-15",
    meters: Annotated[Path | None, typer.Option(help="Your own meters as CSV. See: parkex profiles template")] = None,
    tariff: Annotated[Path | None, typer.Option(help="Your own tariff: TOML or CSV.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of forecast errors and private values.")] = 7,
    speed: Annotated[str, typer.Option(help="Market seconds a wall second, or max. Default: the day in about 90 s.")] = "",
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the exchange and its page. Default: 8765 or the next free one.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for summary.json, statements and the journal; new or empty.")] = None,
    keep_serving: Annotated[bool, typer.Option("--keep-serving", help="Go on serving the page after the day, until Ctrl-C.")] = False,
) -> None:
    """Trade one day of a park: 28 participants over WebSocket, settled against the meters.

    \b
    Examples:
      parkex demo --speed max --seed 7 --out day1
      parkex demo --date 2026-01-15 --keep-serving
      parkex demo --meters meters.csv --tariff tariff.csv
    """
    from clients.cli.demo_command import run_demo_command

    run_demo_command(scenario, date, meters, tariff, seed, speed, port, out, keep_serving)


@app.command(short_help="Run an exchange until Ctrl-C or SIGTERM.")
def serve(
    config: Annotated[Path | None, typer.Option(help="Configuration file (TOML). See: parkex config --help")] = None,
    journal: Annotated[str | None, typer.Option(help="Folder of the journal; made with a new operator key when there is none.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: 8765 or the next free one.")] = None,
    park: Annotated[str | None, typer.Option(help="Name of the park; fixed when the journal is made.")] = None,
    read_model: Annotated[str | None, typer.Option(help="Database URL of the read model; default: a SQLite file beside the journal.")] = None,
    public_name: Annotated[list[str] | None, typer.Option(help="host:port under which clients reach the exchange; repeatable.")] = None,
    origin: Annotated[list[str] | None, typer.Option(help="Origin whose pages may connect besides the exchange's own; repeatable.")] = None,
    tls_cert: Annotated[str | None, typer.Option(help="Certificate chain in PEM: speak TLS.")] = None,
    tls_key: Annotated[str | None, typer.Option(help="Private key of the certificate in PEM.")] = None,
    tls_dev: Annotated[str | None, typer.Option(help="Speak TLS with a certificate for development, made in this folder.")] = None,
    simulation: Annotated[
        bool | None, typer.Option("--simulation", help="Allow instruments of the venue national_simulated; for a new journal.")
    ] = None,
    internal_approval: Annotated[
        str | None, typer.Option(help="Reference of the approval to trade instruments of the venue internal; for a new journal.")
    ] = None,
    log_format: Annotated[str | None, typer.Option(help="text or json.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    assign: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE: any setting of docs/configuration.md; repeatable.")] = None,
) -> None:
    """Run an exchange until Ctrl-C or SIGTERM. A restart recovers everything from the journal.

    The operator admits members and lists instruments over WebSocket with the key written to operator.key: docs/guides/operate.md has a program.
    What options leave open, the environment (PARKEX_...), the file and the defaults say, in this order: docs/configuration.md.

    \b
    Examples:
      parkex serve --journal data --port 8765
      parkex serve --config parkex.toml --log-format json
      parkex serve --tls-dev tls --set limits.max_connections=100
    """
    from clients.cli.serve_command import run_serve_command

    options = {
        "exchange.directory": journal, "exchange.park": park, "exchange.simulation": simulation, "exchange.internal_approval": internal_approval,
        "read_model.url": read_model, "server.host": host, "server.port": port,
        "server.public_names": tuple(public_name) if public_name else None, "server.origins": tuple(origin) if origin else None,
        "tls.certificate": tls_cert, "tls.key": tls_key, "tls.development_directory": tls_dev, "log.format": log_format, "log.level": log_level,
    }  # fmt: skip
    run_serve_command(config, options, assign or ())


@app.command(short_help="Check a configuration, print each value with its source.")
def config(
    file: Annotated[Path | None, typer.Option("--config", help="Configuration file (TOML); default: PARKEX_CONFIG of the environment.")] = None,
    assign: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE, as of parkex serve; repeatable.")] = None,
) -> None:
    """Check the configuration of `parkex serve` and print it: each value with its source, as a file to start from.

    Exit code 2 names everything wrong, with the line of the file or the variable.

    \b
    Examples:
      parkex config > parkex.toml
      parkex config --config parkex.toml
    """
    from clients.cli.serve_command import run_config_command

    run_config_command(file, assign or ())


@app.command()
def bot(
    strategy: Annotated[str, typer.Argument(help="Name of a strategy; parkex bot --list names them.")] = "",
    url: Annotated[str, typer.Option(help="The exchange.")] = "ws://127.0.0.1:8765",
    key: Annotated[Path | None, typer.Option(help="Private file of the member: key, forecasts, limits (JSON).")] = None,
    every: Annotated[
        float, typer.Option(min=0, help="Decide every so many seconds, on an exchange that runs on the wall clock; 0: by its turns.")
    ] = 0,
    ca: Annotated[Path | None, typer.Option(help="Certificate (PEM) of the authority to trust for wss://, besides no other.")] = None,
    list_strategies: Annotated[bool, typer.Option("--list", help="Print the strategies with their sources and the data they need.")] = False,
) -> None:
    """Run one bot against an exchange until its last turn or Ctrl-C.

    The file holds name, key_id, private_key (base64), seed and strategies, each with its private data: parkex bot --list names the fields.
    Without --every it decides once a turn of a stepped clock, such as the demo's.

    \b
    Example:
      parkex bot market_maker --url ws://127.0.0.1:8765 --key member.json --every 5
    """
    from clients.cli.bot_command import run_bot_command

    run_bot_command(strategy, url, key, every, ca, list_strategies=list_strategies)


@app.command(short_help="Verify a journal, fold it, print the hash.")
def replay(
    journal: Annotated[Path, typer.Argument(help="Folder of a journal.")],
    head: Annotated[str, typer.Option(help="A head hash known from a statement; the journal must contain it.")] = "",
) -> None:
    """Verify a journal byte by byte, fold it again and print the hash of the state as the last line.

    Exit code 3 says where committed data is damaged; an unfinished last group, as a crash leaves it, is reported and left out.

    \b
    Examples:
      parkex replay day1/journal
      parkex replay day1/journal --head HASH_OF_A_STATEMENT
    """
    from clients.cli.replay_command import run_replay_command

    run_replay_command(journal, head or None)


@app.command()
def match(
    orders: Annotated[Path | None, typer.Argument(help="File of orders as CSV. See: parkex match --template")] = None,
    trades: Annotated[Path | None, typer.Option(help="Where to write the trades.")] = None,
    book: Annotated[Path | None, typer.Option(help="Where to write the orders that rest or wait at the end.")] = None,
    events: Annotated[Path | None, typer.Option(help="Where to write everything that happened, refused entries included.")] = None,
    bars: Annotated[Path | None, typer.Option(help="Where to write open, high, low, close, VWAP and volume by interval.")] = None,
    interval: Annotated[int, typer.Option(min=1, max=10**9, help="Seconds of a bar, in the time column of the file.")] = 900,
    tick: Annotated[str, typer.Option(help="Step of prices; the default is that of green power.")] = "0.0001",
    lot: Annotated[str, typer.Option(help="Step of quantities; the default is that of green power.")] = "0.1",
    template: Annotated[bool, typer.Option("--template", help="Print a file to start from, with a line of each kind.")] = False,
) -> None:
    """Match a file of orders from empty books, without an exchange. Every bad line is named; nothing is half written.

    Example: parkex match orders.csv --trades trades.csv --book book.csv
    """
    from clients.cli.match_command import run_match_command

    run_match_command(orders, trades, book, events, bars, interval, tick, lot, template=template)


@profiles.command("import")
def profiles_import(
    file: Annotated[Path, typer.Argument(help="Meters as CSV.")],
    scenario: Annotated[str, typer.Option(help="Park whose members the file names.")] = "park",
) -> None:
    """Check a file of meters and say what is in it; every bad line is named. Nothing is half imported.

    \b
    Example:
      parkex profiles import meters.csv
    """
    from clients.scenarios import check_meters

    typer.echo(check_meters(file, scenario).describe())


@profiles.command("template")
def profiles_template(
    scenario: Annotated[str, typer.Option(help="Park whose members to write.")] = "park",
    tariff: Annotated[bool, typer.Option("--tariff", help="Print a tariff instead of meters.")] = False,
) -> None:
    """Print a file of meters, or a tariff, to start from.

    \b
    Examples:
      parkex profiles template > meters.csv
      parkex profiles template --tariff > tariff.csv
    """
    from clients.scenarios import meters_template, tariff_template

    typer.echo(tariff_template() if tariff else meters_template(scenario), nl=False)


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    typer.echo(f"parkex {installed('parkex')}")


def main() -> None:
    """Entry point of the command."""
    sys.exit(run(app))
