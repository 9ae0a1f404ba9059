"""The questions of the notebooks, with answers, usual mistakes, hints and solutions: one module for each notebook.

    from autograd.lessons import a_number_that_remembers as lesson
    lesson.nodes_of_a_square                # asks the question
    lesson.nodes_of_a_square.check(4)       # says where to look

Every question is an `Exercise` (exercises.py). They stand here and not in the notebooks, so that a learner who reads a
cell does not read its answer.
"""
