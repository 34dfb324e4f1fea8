"""Commands of parkex. Each one's work is in a module of its own, imported when the command runs, so that `--help` is quick."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from clients.cli.administration_app import clock, keys, proposals
from clients.cli.carbon_app import carbon
from clients.cli.exits import run
from clients.cli.laboratory_app import add_laboratory
from clients.cli.meter_app import meter
from clients.cli.scenario_app import scenario as scenarios

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
app.add_typer(keys, name="keys")
app.add_typer(proposals, name="proposals")
app.add_typer(clock, name="clock")
app.add_typer(carbon, name="carbon")
app.add_typer(meter, name="meter")
app.add_typer(scenarios, name="scenario")


@app.command(short_help="Trade one day of a park and settle it.")
def demo(
    scenario: Annotated[str, typer.Option(help="Name of a shipped park (see: parkex scenario list), or a scenario file.")] = "park",
    date: Annotated[str, typer.Option(help="Delivery day, as 2026-07-15.")] = "2026-07-15",
    meters: Annotated[Path | None, typer.Option(help="Your own meters as CSV. See: parkex profiles template")] = None,
    tariff: Annotated[Path | None, typer.Option(help="Your own tariff: TOML or CSV.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of forecast errors and private values.")] = 7,
    speed: Annotated[str, typer.Option(help="Market seconds a wall second, or max. Default: the day in about 90 s.")] = "",
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the exchange and its page. Default: 8765 or the next free one.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for summary.json, statements and the journal; new or empty.")] = None,
    keep_serving: Annotated[bool, typer.Option("--keep-serving", help="Go on serving the page after the day, until Ctrl-C.")] = False,
    read_model: Annotated[str, typer.Option(help="URL of an empty database for the read model; default: a SQLite file beside the journal.")] = "",
) -> None:
    """Trade one day of a park: 28 participants over WebSocket, settled against the meters.

    \b
    Examples:
      parkex demo --speed max --seed 7 --out day1
      parkex demo --date 2026-01-15 --keep-serving
      parkex demo --meters meters.csv --tariff tariff.csv
    """
    from clients.cli.demo_command import run_demo_command

    run_demo_command(scenario, date, meters, tariff, seed, speed, port, out, keep_serving, read_model)


@app.command(short_help="Run an exchange until Ctrl-C or SIGTERM.")
def serve(
    config: Annotated[Path | None, typer.Option(help="Configuration file (TOML). See: parkex config --help")] = None,
    journal: Annotated[str | None, typer.Option(help="Folder of the journal; made with a new operator key when there is none.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: 8765 or the next free one.")] = None,
    park: Annotated[str | None, typer.Option(help="Name of the park; fixed when the journal is made.")] = None,
    read_model: Annotated[
        str | None, typer.Option(help="Database of the read model: sqlite:///FILE or postgresql+psycopg://...; default: a file beside the journal.")
    ] = None,
    public_name: Annotated[list[str] | None, typer.Option(help="host:port under which clients reach the exchange; repeatable.")] = None,
    backend: Annotated[str | None, typer.Option(help="WebSocket stack: picows or websockets.")] = None,
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
    operator: Annotated[
        list[str] | None,
        typer.Option(help="NAME=PUBLIC_KEY of a person who operates, for a new journal; repeatable. Two persons: each act of weight needs both."),
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
      parkex serve --journal data --read-model postgresql+psycopg://parkex@db.example.org/parkex
    """
    from clients.cli.serve_command import run_serve_command

    options = {
        "exchange.directory": journal, "exchange.park": park, "exchange.simulation": simulation, "exchange.internal_approval": internal_approval,
        "exchange.operators": tuple(operator) if operator else None, "read_model.url": read_model, "server.host": host, "server.port": port,
        "server.backend": backend, "server.public_names": tuple(public_name) if public_name else None,
        "server.origins": tuple(origin) if origin else None,
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


@app.command(short_help="Trade by hand, in a terminal or a script.")
def shell(
    url: Annotated[str, typer.Option(help="The exchange.")] = "ws://127.0.0.1:8765",
    key: Annotated[Path | None, typer.Option(help="Private file of the member (JSON), or a key in base64. Without: public data only.")] = None,
    key_id: Annotated[str, typer.Option(help="Key id of a bare private key, as operator of operator.key.")] = "",
    lang: Annotated[str, typer.Option(help="Language: en or zh.")] = "en",
    command: Annotated[list[str] | None, typer.Option("-c", "--command", help="Run this and leave; repeatable, ; between commands.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    confirm_above: Annotated[str, typer.Option(help="Ask before market orders that may cost more than so many CNY.")] = "1000",
    cancel_on_exit: Annotated[bool, typer.Option("--cancel-on-exit", help="Withdraw this session's orders when it ends, also by a crash.")] = False,
    history: Annotated[Path | None, typer.Option(help="File of the lines typed; default: in ~/.local/state/parkex.")] = None,
) -> None:
    """Trade by hand: books, quotes, orders, balances, positions, with events as they come. help inside lists the commands.

    From a pipe or with -c it is a program's tool: it stops at the first command that is refused, with exit code 1 (2: no command).

    \b
    Examples:
      parkex shell --key data/E01.json
      parkex shell --key data/E01.json --lang zh
      parkex shell --key data/E01.json -c "buy GP-20260715-1015 12.5 0.4100; orders"
    """
    from clients.cli.shell_command import HISTORY_FILE, ShellOptions, run_shell_command

    options = ShellOptions(url, key, key_id, lang, tuple(command or ()), yes, confirm_above, cancel_on_exit, history or HISTORY_FILE)
    run_shell_command(options)


@app.command(short_help="Verify a journal, fold it, print the hash.")
def replay(
    journal: Annotated[Path, typer.Argument(help="Folder of a journal.")],
    head: Annotated[str, typer.Option(help="A head hash known from a statement; the journal must contain it.")] = "",
    archive: Annotated[Path | None, typer.Option(help="Folder that parkex archive moved its oldest segments to.")] = None,
) -> None:
    """Verify a journal byte by byte, fold it again and print the hash of the state as the last line.

    Exit code 3 says where committed data is damaged; an unfinished last group, as a crash leaves it, is reported and left out.

    \b
    Examples:
      parkex replay day1/journal
      parkex replay day1/journal --head HASH_OF_A_STATEMENT
    """
    from clients.cli.replay_command import run_replay_command

    run_replay_command(journal, head or None, archive)


@app.command(short_help="Check a data folder, journal or backup.")
def verify(
    path: Annotated[Path, typer.Argument(help="Folder of an exchange, of a journal, or of a backup.")],
    archive: Annotated[Path | None, typer.Option(help="Folder that parkex archive moved its oldest segments to.")] = None,
    read_model: Annotated[str, typer.Option(help="URL of the read model's database; default: the SQLite file beside the journal.")] = "",
) -> None:
    """Check everything there: digests, chain, watermarks of snapshots and read model, replay to every checkpoint. Nothing is changed.

    Prints what was checked; exit code 1 and the last line name the first breach. It may run beside the exchange.

    \b
    Examples:
      parkex verify data
      parkex verify data --archive old-segments
      parkex verify backups/monday
    """
    from clients.cli.storage_commands import run_verify_command

    run_verify_command(path, archive, read_model)


@app.command(short_help="Follow a certificate, trade or statement line both ways.")
def trace(
    data: Annotated[Path, typer.Argument(help="Folder of an exchange, or of its journal.")],
    what: Annotated[str, typer.Argument(help="A serial number (PARK-...), a trade (SYMBOL#NUMBER), or a line (DAY/ACCOUNT/ITEM).")],
    archive: Annotated[Path | None, typer.Option(help="Folder that parkex archive moved segments to.")] = None,
    lang: Annotated[str, typer.Option(help="Language of the text: en or zh.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Follow one thing through the journal both ways: meters, orders, trades, settlement, certificates, claims.

    \b
    Examples:
      parkex trace data GP-20260715-1015#3
      parkex trace data 2026-07-15/E02/energy_bought --lang zh
      parkex trace data PARK-GC-D1-202607-12-1-250-K --json
    """
    from clients.cli.trace_command import run_trace_command

    run_trace_command(data, what, archive, lang, as_json=as_json)


@app.command(short_help="Copy a journal, also while it is written.")
def backup(
    data: Annotated[Path, typer.Argument(help="Folder of an exchange, or of its journal.")],
    target: Annotated[Path, typer.Argument(help="Folder of the backup; new or empty.")],
    archive: Annotated[Path | None, typer.Option(help="Folder that parkex archive moved segments to: they go into the backup too.")] = None,
) -> None:
    """Back up the journal as of now, with the newest snapshot and a manifest of sequences, sizes and digests. The exchange may run.

    The operator's key is not in it: keep that apart. The read model is filled again from the journal.

    \b
    Example:
      parkex backup data backups/monday
    """
    from clients.cli.storage_commands import run_backup_command

    run_backup_command(data, target, archive)


@app.command(short_help="Make a data folder of a backup.")
def restore(
    source: Annotated[Path, typer.Argument(metavar="BACKUP", help="Folder of a backup.")],
    target: Annotated[Path, typer.Argument(help="Folder of the exchange to be made; new or empty.")],
) -> None:
    """Make a new folder of an exchange of a backup; the backup is verified before, the copy after. Then: parkex serve --journal TARGET

    Never run it beside the exchange that was backed up: both would go on from the same place.

    \b
    Example:
      parkex restore backups/monday data2
    """
    from clients.cli.storage_commands import run_restore_command

    run_restore_command(source, target)


@app.command(short_help="Move old segments away behind a snapshot.")
def archive(
    data: Annotated[Path, typer.Argument(help="Folder of an exchange, or of its journal.")],
    to: Annotated[Path, typer.Option(help="Folder of the archive; it may hold earlier segments of the same journal.")],
    read_model: Annotated[str, typer.Option(help="URL of the read model's database; default: the SQLite file beside the journal.")] = "",
) -> None:
    """Replay the journal, leave a snapshot that the replay confirms, and move the full segments before it. The exchange may run.

    The exchange then starts from the snapshot and the rest. Keep the archive: with it the whole history verifies and replays.

    \b
    Examples:
      parkex archive data --to old-segments
      parkex verify data --archive old-segments
    """
    from clients.cli.storage_commands import run_archive_command

    run_archive_command(data, to, read_model)


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


@app.command(short_help="Print the audit log of a journal and verify it.")
def audit(
    directory: Annotated[Path, typer.Argument(help="Data directory of an exchange, or its journal.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, from which anybody can verify the chain.")] = False,
    alerts: Annotated[bool, typer.Option("--alerts", help="The alerts of surveillance over the whole journal instead.")] = False,
    security: Annotated[bool, typer.Option("--security", help="The security log instead: logons, refusals, lockouts.")] = False,
) -> None:
    """Print every administrative act of a journal and verify the chain of the log against the state.

    \b
    Examples:
      parkex audit parkex-data
      parkex audit parkex-data --json > audit.jsonl
    """
    from clients.cli.audit_command import run_audit_command

    run_audit_command(directory, as_json=as_json, alerts=alerts, security=security)


@app.command(short_help="Print a statement of a settled day or month.")
def statement(
    directory: Annotated[Path, typer.Argument(help="Data directory of an exchange, or its journal.")],
    account: Annotated[int, typer.Argument(help="Account id.")],
    day: Annotated[str, typer.Argument(help="Day or month, such as 2026-07-15 or 2026-07.")],
    form: Annotated[str, typer.Option("--format", help="text, json, csv or html.")] = "text",
    language: Annotated[str, typer.Option("--lang", help="en or zh.")] = "en",
    run_number: Annotated[int, typer.Option("--run", help="Which run over the day, 0: the last.")] = 0,
    out: Annotated[Path | None, typer.Option(help="File to write instead of printing.")] = None,
) -> None:
    """Print a statement with the source of every line: its periods, its posting and the version of the rules.

    \b
    Examples:
      parkex statement parkex-data 34 2026-07-15
      parkex statement parkex-data 34 2026-07 --format html --lang zh --out july.html
    """
    from clients.cli.statement_command import run_statement_command

    run_statement_command(directory, account, day, run=run_number, form=form, language=language, out=out)


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    typer.echo(f"parkex {installed('parkex')}")


add_laboratory(app)


def main() -> None:
    """Entry point of the command."""
    sys.exit(run(app))
