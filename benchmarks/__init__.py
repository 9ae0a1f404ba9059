"""How fast and how large: `python -m benchmarks.eager` compares recording and backward with peers, side by side."""
