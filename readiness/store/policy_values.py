"""Numbers in `policy.yaml`, refused with their place where they cannot be."""

from readiness.store.marked_yaml import Entry


def number(entry: Entry, least: int, most: int) -> int:
    """Return a whole number within limits.

    Raises:
        EstateError: It is none.
    """
    written = entry.text()
    if not (written.isascii() and written.isdigit()) or not least <= int(written) <= most:
        raise entry.error(f"'{written}' is no whole number from {least} to {most}.", "Write such a number.")
    return int(written)


def decimal(entry: Entry, most: float) -> float:
    """Return a number from 0 on.

    Raises:
        EstateError: It is none.
    """
    try:
        value = float(entry.text())
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        raise entry.error(f"'{entry.text()}' is no number from 0 to {most:g}.", "Write such a number.")
    return value
