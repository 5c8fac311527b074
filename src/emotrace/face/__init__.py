"""The face view: find, follow, align and measure faces."""
