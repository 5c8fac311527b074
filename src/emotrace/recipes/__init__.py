"""Recipes: one short module per system, reading from top to bottom as its paper does."""
