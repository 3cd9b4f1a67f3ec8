"""What to do, and in which order. Pure: the calendar comes in as `as_of`, nothing is read or written."""
