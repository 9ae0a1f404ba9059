"""The way from a tape to arrays, for `autograd.compile` (compiling.py).

`recording` calls the user's function once; `translation` turns its tape into `quantities`, whose rules give the
backward pass; `groups` are what one array operation computes; `layout` says where numbers lie; `execution` runs it,
`source` prints it. `program` puts these together, `compiled` is what the user holds.
"""
