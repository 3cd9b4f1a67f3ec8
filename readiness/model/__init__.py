"""What things are: frozen values without I/O. Imports nothing of the floors above."""
