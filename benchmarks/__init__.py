"""How fast and how large: `python -m benchmarks` compares with peers, side by side, in a table of measures.

`python -m benchmarks.scaling` draws how time grows with batch and network; `stepping` and `page` time what one waits
for in the stepper and in the player page.
"""
