"""Which ids other catalogues of controls give to what a control asks for.

Azure's regulatory compliance initiatives say which of their controls a built-in policy belongs to; a control
here takes the ids of the policies it names. Compliance with an id always takes more than its policies ask.
"""

import re
from collections.abc import Iterable

from readiness.model.reference import Framework
from readiness.rules.controls.control import Control


def framework_ids(control: Control, frameworks: Iterable[Framework]) -> dict[str, tuple[str, ...]]:
    """Return the ids of a control by the framework's name; a framework that maps none is left out."""
    found = {
        framework.name: {one for policy in control.policies for one in framework.controls.get(policy, ())}
        for framework in frameworks
    }
    return {name: tuple(sorted(ids, key=_in_order)) for name, ids in found.items() if ids}


def _in_order(framework_id: str) -> list[tuple[int, str]]:
    parts = re.findall(r"\d+|\D+", framework_id)
    return [(int(part), "") if part.isdigit() else (0, part) for part in parts]
