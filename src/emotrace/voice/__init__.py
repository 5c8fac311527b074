"""The voice view: where somebody speaks, who, and what the sound of it tells."""
