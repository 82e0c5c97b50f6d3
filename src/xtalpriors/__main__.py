"""Runs the command line: `python -m xtalpriors`."""

from xtalpriors.cli import main

main()
