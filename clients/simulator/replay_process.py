"""Replay of a journal directory for a check: `python -m clients.simulator.replay_process DIRECTORY SEQUENCE YEAR` writes one JSON object.

SEQUENCE is the last command to fold: the server of a demo that keeps serving goes on writing. YEAR is that of the carbon accounts.
"""

import json
import sys
from pathlib import Path

from clients.simulator.journal_counts import replay_and_count


def main() -> int:
    """Entry point of the process."""
    found = replay_and_count(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write(json.dumps(found.to_dict()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
