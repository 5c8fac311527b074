"""Networks: small torch definitions, each with its published layer table."""
