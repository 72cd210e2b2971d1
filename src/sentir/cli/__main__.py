"""``python -m sentir.cli``."""

from sentir.cli import main

main()
