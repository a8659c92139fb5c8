"""assetbuild: make for pictures that cost money. Nothing is imported here: the nothing-to-do path pays for every import."""

__version__ = "0.1.0"
