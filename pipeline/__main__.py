"""`python -m pipeline` is `manex`."""

from pipeline.cli import main

main()
