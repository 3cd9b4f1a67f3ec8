"""Writes every sample estate into its folder beside this package."""

from pathlib import Path

from sample_estates.generator.samples.catalog import ALL_SAMPLES


def main() -> None:
    """Write the folders."""
    home = Path(__file__).parents[2]
    for build in ALL_SAMPLES:
        sample = build()
        sample.write(home / sample.name)


if __name__ == "__main__":
    main()
