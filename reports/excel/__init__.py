"""How tables become an Excel file: style, sheets, the cover, charts, and bytes that never vary."""
