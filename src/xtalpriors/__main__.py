"""Runs the command line: `xtalpriors`, or `python -m xtalpriors`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its status; 130 where it was interrupted before it was loaded."""
    try:
        from xtalpriors.cli import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
