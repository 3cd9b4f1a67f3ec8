"""All hand-made sample estates, by hand. `starter` has no module: its files are edited themselves."""

from collections.abc import Callable

from sample_estates.generator.samples.bank import build as bank
from sample_estates.generator.samples.clean_shop import build as clean_shop
from sample_estates.generator.samples.everything_wrong import build as everything_wrong
from sample_estates.generator.samples.legacy import build as legacy
from sample_estates.generator.samples.sample import Sample

STARTER = "starter"
ALL_SAMPLES: tuple[Callable[[], Sample], ...] = (
    clean_shop,
    legacy,
    bank,
    everything_wrong,
)
