"""All hand-made sample estates, by hand. `starter` was made before them and is kept as it is."""

from collections.abc import Callable

from sample_estates.generator.samples.bank import build as bank
from sample_estates.generator.samples.clean_shop import build as clean_shop
from sample_estates.generator.samples.everything_wrong import build as everything_wrong
from sample_estates.generator.samples.legacy import build as legacy
from sample_estates.generator.samples.sample import Sample

ALL_SAMPLES: tuple[Callable[[], Sample], ...] = (
    clean_shop,
    legacy,
    bank,
    everything_wrong,
)
