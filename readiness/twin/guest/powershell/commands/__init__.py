"""The commands of a Windows guest, by name in lower case."""

from readiness.twin.guest.powershell.commands import converting, machine, pipeline
from readiness.twin.guest.powershell.invocation import Command

TABLES = (pipeline, machine, converting)

COMMANDS: dict[str, Command] = {}
for _table in TABLES:
    COMMANDS |= _table.COMMANDS
