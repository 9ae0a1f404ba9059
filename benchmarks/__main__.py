"""How fast and how large, side by side with the peers: `python -m benchmarks` measures every row of the table.

    python -m benchmarks                    # all rows, 7 runs of each side; some ten minutes
    python -m benchmarks --rows 1 5-7       # some of them
    python -m benchmarks --runs 3           # sooner, and less certain
    python -m benchmarks --markdown         # the table as Markdown
    python -m benchmarks --write-readme     # and put it into the README

Every row compares with a peer (`pip install -r benchmarks/requirements.txt`), side by side: each side in a new process,
in turns, on the same weights and points, and both must find the same gradients. What is said is the ratio of the two
medians; the spread is that of the ratio from run to run. How fast the machine is, is of no importance; that it does
nothing else meanwhile is of some.
"""

from __future__ import annotations

import sys

from . import compiled, eager, readme
from .table import chosen_rows, command_line, measure

ROWS = sorted([*eager.ROWS, *compiled.ROWS], key=lambda row: row.number)


def main() -> int:
    """Measure; 1 if gradients disagree or the README cannot be written, else 0."""
    parser = command_line("benchmarks", __doc__, ROWS)
    parser.add_argument("--write-readme", action="store_true", help="put the table of all rows into README.md")
    options = parser.parse_args()
    if options.write_readme and (problem := "leave --rows out" if options.rows else readme.problem()):
        parser.error(f"--write-readme: {problem}")
    report = measure(chosen_rows(ROWS, options.rows), options.runs)
    print(report.markdown() if options.markdown else report.text())
    if options.write_readme and not report.complete:
        print("README.md was left as it is, because some rows have no figures", file=sys.stderr)
        return 1
    if options.write_readme:
        readme.write(report.markdown())
    return 1 if report.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
