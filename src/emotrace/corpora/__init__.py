"""Corpora: one reader per published layout, all giving the same small table."""
