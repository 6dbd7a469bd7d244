"""``python -m cyldiff``."""

from cyldiff.cli import main

main()
