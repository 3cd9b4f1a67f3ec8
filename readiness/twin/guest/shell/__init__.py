"""A POSIX shell, as far as administration needs one: `run` carries out a script in a guest."""
