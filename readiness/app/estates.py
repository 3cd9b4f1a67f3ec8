"""Finds and reads estates: a folder, or a sample estate by its name."""

from importlib.resources import files
from pathlib import Path

from readiness.app.collector import paused_collector
from readiness.azure.collection import collect
from readiness.errors import EstateError
from readiness.model.estate import Estate
from readiness.store.estate_files import read_context, read_gaps, read_info, read_resources
from readiness.store.reference import read_reference


@paused_collector()
def load(folder: Path) -> Estate:
    """Read an estate folder."""
    collection = collect(read_resources(folder), read_gaps(folder))
    return collection.estate(read_info(folder), read_context(folder, collection.names()), read_reference())


def locate(name: str) -> Path:
    """Return the folder of an estate given by its path, or by the name of a sample estate.

    Raises:
        EstateError: There is neither.
    """
    given = Path(name)
    if given.is_dir():
        return given
    samples = Path(str(files("sample_estates")))
    if "/" not in name and (samples / name / "estate.json").exists():
        return samples / name
    known = sorted(entry.parent.name for entry in samples.glob("*/estate.json"))
    raise EstateError(
        f"There is no estate folder '{name}'.",
        remedy=f"Give a folder with an estate.json, or the name of a sample estate: {', '.join(known)}.",
    )
