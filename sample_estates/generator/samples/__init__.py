"""The hand-made sample estates, each a module that says machine by machine what there is and what to expect.

`python -m sample_estates.generator.samples` writes their folders again; a test fails while they are stale.
"""
