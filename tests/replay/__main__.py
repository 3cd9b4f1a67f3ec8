"""The command line: `python -m tests.replay FOLDER [--differences N] [--of TEXT]`."""

import argparse
import sys
from pathlib import Path

from tests.replay.recordings import RecordingError, read_folder
from tests.replay.report import Report


def main() -> int:
    """Replay all recordings of a folder and print what came of it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.replay", description="Replay recorded ARM traffic."
    )
    parser.add_argument("folder", type=Path, help="a folder with recordings")
    parser.add_argument("--differences", type=int, default=40, help="how many differences to print")
    parser.add_argument("--of", default="", help="only operations whose name contains this")
    arguments = parser.parse_args()
    if not arguments.folder.is_dir():
        parser.error(f"{arguments.folder}: no folder")
    report = Report()
    for recording in read_folder(arguments.folder):
        if isinstance(recording, RecordingError):
            sys.stderr.write(f"left out: {recording}\n")
        else:
            report.add(recording)
    sys.stdout.write(report.text(differences=arguments.differences, of=arguments.of))
    return 0


if __name__ == "__main__":
    sys.exit(main())
