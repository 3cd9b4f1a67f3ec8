"""The commands of a Linux guest: each a function of its process, in a table by name."""

from readiness.twin.guest.commands import (
    accounts,
    boot,
    builtins,
    editing,
    filing,
    metadata,
    packages,
    services,
    ssh,
    storage,
    text,
)
from readiness.twin.guest.shell.process import CommandCode

TABLES = (builtins, text, editing, filing, services, ssh, accounts, storage, boot, packages, metadata)

COMMANDS: dict[str, CommandCode] = {}
for _table in TABLES:
    COMMANDS |= _table.COMMANDS
