"""Content: values in, bytes out. Knows only the model."""
