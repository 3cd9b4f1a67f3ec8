"""Finds and reads estates: a folder, or a sample estate by its name."""

from importlib.resources import files
from pathlib import Path

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.collector import paused_collector
from readiness.app.context_warnings import warnings_of
from readiness.app.ticking import Tick, counted, silent
from readiness.azure.collection import collect
from readiness.errors import EstateError
from readiness.model.estate import Estate
from readiness.rules.catalog import ALL_RULES
from readiness.rules.controls.catalog import ALL_CONTROLS
from readiness.store.context_values import Words
from readiness.store.estate_files import read_context, read_gaps, read_info, read_resources
from readiness.store.reference import read_reference


@paused_collector()
def load(folder: Path, tick: Tick = silent) -> Estate:
    """Read an estate folder. What in its context is probably a mistake is among the gaps."""
    collection = collect(counted(read_resources(folder), "Reading resources", tick), read_gaps(folder))
    context = read_context(folder, collection.names(), known_words())
    estate = collection.estate(read_info(folder), context, read_reference())
    estate.gaps = (*estate.gaps, *warnings_of(estate))
    return estate


def known_words() -> Words:
    """Return the ids that a context may name: one with a typing error would have no effect."""
    return Words(
        rules=tuple(rule.id for rule in ALL_RULES),
        controls=tuple(control.id for control in ALL_CONTROLS),
        playbooks=tuple(playbook.spec.id for playbook in ALL_PLAYBOOKS),
    )


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
