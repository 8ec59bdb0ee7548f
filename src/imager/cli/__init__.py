"""The command line: one module per group of commands, human output by default, `--json` everywhere.

What a program reads goes to standard output, everything else to standard error. Exit status: 0 done, 1 not possible,
2 wrong usage, 130 interrupted.
"""

from imager.cli.main import main

__all__ = ["main"]
