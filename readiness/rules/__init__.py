"""What is wrong, and what stands in the way. Pure functions of a VM and its estate; no I/O, no clock."""
