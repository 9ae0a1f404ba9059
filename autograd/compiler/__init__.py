"""The way from a tape to arrays, for `autograd.compile` (compiling.py).

`recording` calls the user's function; `translation` turns its tape into `quantities`, and `backward_pass` adds the
adjoints to these; `groups` are what one array operation computes. Two readers follow: `layout` says where numbers lie,
`binding` turns groups into calls and `execution` runs these; `arrays` says what arrays a person would have, and
`source` prints it. `program` puts these together, `replays` compares with the function itself, and `compiled` is what
the user holds. `straight_line` writes a recorded graph as code, node by node; `dialects` says how primitives are
written elsewhere.
"""
