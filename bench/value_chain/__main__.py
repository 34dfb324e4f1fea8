"""A park-year through settlement and issuance, its verification, and what the registry costs.

    python -m bench.value_chain [--days 365] [--transfers 200000] [--directory DIR] [--json] [--no-record]

What is timed, each in one process on one core but for the read model: `settle_s` and `issue_s`, the fold of the commands that settle a day without
and with the issuance of its certificates; `verify_s`, `parkex verify` of the folder with journal and read model, whose rows a second process compares
where there is a second core, and `verify_journal_s` of the journal alone, `verify_cpu_s` and `verify_journal_cpu_s` the CPU that they took;
`serial_query_us`, the median of looking up one serial number among all of the year; `transfers_per_s`, trades of units through the order path with
their ranges. Listing, trading, delivery and metering of the year are told as well. Checks: every day settled, every invariant held, certificates
equal to metered green energy.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.checks import ResultMismatchError, progress_line
from bench.record import RESULTS, append_result
from bench.value_chain.measures import fill_read_model, measure_serials, measure_transfers, measure_year, verify_seconds
from bench.value_chain.park_year import DAYS


def main() -> int:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="park-year-", dir=arguments.directory) as name:
        result = run(Path(name), arguments.days, arguments.transfers)
    if not arguments.no_record:
        append_result("value_chain", result, RESULTS)
    if not arguments.json:
        for key, value in result.items():
            print(f"{key:20} {value}", file=sys.stderr)
    print(json.dumps(result))
    return 0


def run(directory: Path, days: int, transfers: int) -> dict[str, Any]:
    """All measures. Raises ResultMismatchError where a check does not hold."""
    year, exchange = measure_year(directory, days, progress_line("days", days))
    result: dict[str, Any] = {"days": days, **year, "serial_query_us": measure_serials(exchange)}
    del exchange
    result["verify_journal_s"], result["verify_journal_cpu_s"] = verify_seconds(directory, with_read_model=False)
    result |= fill_read_model(directory)
    result["verify_s"], result["verify_cpu_s"] = verify_seconds(directory, with_read_model=True)
    result["transfers_per_s"] = measure_transfers(transfers)
    return result


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.value_chain", description="a park-year through the value chain")
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--transfers", type=int, default=200_000)
    parser.add_argument("--directory", help="where the journal of the run is made and removed again; needs about 1 GB")
    parser.add_argument("--json", action="store_true", help="one line of JSON, the last of stdout, and nothing else")
    parser.add_argument("--no-record", action="store_true", help="do not append to bench/results")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ResultMismatchError as error:
        print(f"bench.value_chain: {error}", file=sys.stderr)
        sys.exit(1)
