"""Starts Nightowl, or only its PostgreSQL and Valkey, and stops what it started."""

import argparse
import os
import sys
from pathlib import Path

from supervisor.configuration import read_configuration
from supervisor.executing import execute, serve
from supervisor.output import Output
from supervisor.reaching import is_healthy
from supervisor.refusals import CannotStart, StopRequested
from supervisor.running import run

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m supervisor", description=__doc__)
    modes = parser.add_subparsers(dest="mode", required=True)
    modes.add_parser("run", help="start everything, until Ctrl-C")
    executing = modes.add_parser("exec", help="run one command with PostgreSQL and Valkey")
    modes.add_parser("services", help="PostgreSQL and Valkey only, until Ctrl-C")
    modes.add_parser("healthy", help="exit with 0 if the web process answers")
    executing.add_argument("--fast", action="store_true", help="for a home that may be lost")
    executing.add_argument("command", nargs=argparse.REMAINDER)
    asked = parser.parse_args(arguments)
    try:
        configuration = read_configuration(ROOT, os.environ)
        if asked.mode == "run":
            return run(configuration, Output())
        if asked.mode == "healthy":
            return 0 if is_healthy(configuration) else 1
        if asked.mode == "services":
            return serve(configuration, Output())
        command = asked.command[1:] if asked.command[:1] == ["--"] else asked.command
        if not command:
            executing.error("which command?")
        return execute(configuration, command, Output(sys.stderr), throw_away=asked.fast)
    except CannotStart as refusal:
        Output(sys.stderr).write(str(refusal))
        return 1
    except StopRequested:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
