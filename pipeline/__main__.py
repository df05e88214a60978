"""`python -m pipeline` is `manex`."""

from pipeline.cli.app import main

main()
