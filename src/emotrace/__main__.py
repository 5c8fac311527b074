"""`python -m emotrace` is the command line."""

from emotrace.cli import main

main()
