"""Finds and reads estates: a folder, or a sample estate by its name."""

from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from readiness.app.collector import paused_collector
from readiness.azure.collection import collect
from readiness.errors import EstateError
from readiness.model.context import Context
from readiness.model.estate import Estate
from readiness.rules.catalog import ALL_RULES
from readiness.rules.controls.catalog import ALL_CONTROLS
from readiness.store.estate_files import read_context, read_gaps, read_info, read_resources
from readiness.store.reference import read_reference


@paused_collector()
def load(folder: Path) -> Estate:
    """Read an estate folder."""
    collection = collect(read_resources(folder), read_gaps(folder))
    context = read_context(folder, collection.names())
    _insist_on_known_questions(context)
    return collection.estate(read_info(folder), context, read_reference())


def _insist_on_known_questions(context: Context) -> None:
    """Refuse a rule or control that does not exist: an exception with a typing error would permit nothing."""
    controls = {control.id for control in ALL_CONTROLS}
    known = controls | {rule.id for rule in ALL_RULES}
    asked = [(f"exception {entry.id}", entry.rule, known) for entry in context.exceptions if entry.rule]
    asked += [("attestation", entry.control, controls) for entry in context.attestations]
    for what, name, names in asked:
        if name not in names:
            near = get_close_matches(name, sorted(names), n=3, cutoff=0.5)
            raise EstateError(
                f"context.yaml: the {what} names {name!r}, and there is no such rule or control.",
                remedy=f"Did you mean {', '.join(near)}?" if near else "Their ids are in the documentation.",
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
