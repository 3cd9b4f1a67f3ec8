"""Content: one file per upgrade; doing and undoing stand on the same screen. Knows only the model."""
