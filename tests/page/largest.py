"""The pages at the size they are built for."""

from msgspec.structs import replace

from reports.page import progress_page
from reports.wave_page import wave_page
from tests.reports.progresses import rising
from tests.reports.wave_reports import after_the_window


def largest_progress():
    """The page of the progress of 100,000 VMs of 3,000 applications, in bytes."""
    progress = rising(vms=100_000)
    applications = tuple(replace(progress.groups[2], name=f"shop {number}") for number in range(3_000))
    return progress_page(replace(progress, groups=(*progress.groups, *applications)))


def largest_wave():
    """The page of a wave of 1,000 VMs with their steps, in bytes."""
    return wave_page(after_the_window(vms=1_000))
