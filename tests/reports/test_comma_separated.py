"""Rows as CSV: what is drawn once for many rows stands in each of them as it would stand there alone."""

import csv
import io

from hypothesis import example, given
from hypothesis import strategies as st

from reports.comma_separated import csv_bytes, csv_bytes_of_parts

CELLS = st.none() | st.integers() | st.text(max_size=20) | st.sampled_from(["", "=1", "a,b", 'a "b"', "a\nb"])
PARTS = st.lists(CELLS, max_size=3).map(tuple)


@example([(("=1",), ("=1",)), (("=1",), ("=1",))])
@given(st.lists(st.tuples(PARTS.filter(bool), PARTS.filter(bool))))
def test_rows_in_parts_are_rows(rows):
    """Rows that come in parts give the same bytes as the rows, however often a part comes back."""
    whole = b"".join(csv_bytes(["one"], [(*first, *second) for first, second in rows]))
    assert whole == b"".join(csv_bytes_of_parts(["one"], [*rows]))


def test_every_row_of_a_long_file_is_there():
    """A file of many pieces has each row once, in order, behind one line of titles."""
    rows = [((number,), ("shared", None)) for number in range(5_001)]
    made = b"".join(csv_bytes_of_parts(["number", "text", "empty"], rows)).decode("utf-8-sig")
    found = list(csv.reader(io.StringIO(made, newline="")))
    assert ["number", "text", "empty"] == found[0]
    assert [[str(number), "shared", ""] for number in range(5_001)] == found[1:]
