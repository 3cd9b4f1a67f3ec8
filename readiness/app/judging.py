"""Judges the VMs of a large estate on every core of the machine.

A VM's result depends on nothing but the estate, the day and the rules, so any split gives the same result.
Workers are forked with the estate in their memory and send back what they found. Where nothing can be forked
(Windows, macOS) and where it would not pay, one process judges them all.
"""

import os
import pickle
import sys
from datetime import date
from multiprocessing.connection import Connection

from readiness.app.ticking import Tick, silent
from readiness.model.estate import Estate
from readiness.model.virtual_machine import VirtualMachine
from readiness.rules.evaluate import Judged, judge

_WORTH_A_WORKER = 2_000
"""VMs, about a second of work: with fewer, starting a worker costs more than it saves."""
_BLOCK = 1_000
"""VMs whose results a worker packs at once: packing takes more memory than they do."""


def judge_all(estate: Estate, as_of: date, workers: int | None = None, tick: Tick = silent) -> Judged:
    """Judge every VM of the estate as of a day, with as many workers as there are cores to use."""
    if workers is None:
        workers = min(_cores(), len(estate.vms) // _WORTH_A_WORKER)
    own, *others = _blocks(estate.vms, -(-len(estate.vms) // max(1, workers)) or 1) or [()]
    begun = [(share, _begin(estate, as_of, share)) for share in others]
    found = []
    for number, block in enumerate(_blocks(own, _BLOCK), start=1):
        found.append(judge(estate, as_of, block))
        # The others are as far as this one, as near as makes no difference.
        tick("Judging VMs", min(number * _BLOCK * len([own, *others]), len(estate.vms)), len(estate.vms))
    found += [_received(answer) or judge(estate, as_of, share) for share, answer in begun]
    return Judged.joined(found)


def _begin(estate: Estate, as_of: date, share: tuple[VirtualMachine, ...]) -> Connection:
    from multiprocessing import get_context

    system = get_context("fork")
    receiving, sending = system.Pipe(duplex=False)
    system.Process(target=_work, args=(estate, as_of, share, sending), daemon=True).start()
    sending.close()
    return receiving


def _work(estate: Estate, as_of: date, share: tuple[VirtualMachine, ...], answer: Connection) -> None:
    # Packed block by block, and sent when all is done: nobody reads before, and a full pipe would stop it.
    packed = [
        pickle.dumps(judge(estate, as_of, block), pickle.HIGHEST_PROTOCOL) for block in _blocks(share, _BLOCK)
    ]
    for block in packed:
        answer.send_bytes(block)
    answer.send_bytes(b"")


def _received(answer: Connection) -> Judged | None:
    """Return what a worker found, or None where it ended without a word: killed for its memory, perhaps."""
    found = []
    try:
        while packed := answer.recv_bytes():
            found.append(pickle.loads(packed))  # noqa: S301  it comes from a fork of this process
    except EOFError:
        return None
    return Judged.joined(found)


def _blocks(vms: tuple[VirtualMachine, ...], size: int) -> list[tuple[VirtualMachine, ...]]:
    return [vms[start : start + size] for start in range(0, len(vms), size)]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
