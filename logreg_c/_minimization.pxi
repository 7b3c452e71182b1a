# SPDX-License-Identifier: BSD-3-Clause
# The search for the minimum.


cdef class Minimization:
    """A search for the minimum; `done` is the number of costs so far."""

    cdef readonly Problem problem
    cdef logreg_minimizer *minimizer
    cdef size_t size
    cdef Buffer w
    cdef logreg_progress progress
    cdef int64_t most_passes
    cdef readonly int64_t done

    def __cinit__(self, Problem problem, w, double b, double l2, double tol, double slope,
                  int64_t passes, bint fixed_b, bint warm):
        """Begin at w and b; w is updated in place."""
        cdef logreg_goal goal = logreg_goal(l2, tol, slope, passes, fixed_b, warm)
        self.problem = problem
        self.most_passes = passes
        self.w = Buffer(w, OUT)
        self.size = logreg_minimizer_size(problem.data)
        self.minimizer = <logreg_minimizer *> PyMem_Malloc(self.size)
        if self.minimizer == NULL:
            raise MemoryError
        logreg_minimizer_open(self.minimizer, problem.data, &goal, self.w.data(), b)
        self.progress = logreg_minimizer_progress(self.minimizer, self.w.data())

    def __dealloc__(self):
        PyMem_Free(self.minimizer)

    @property
    def b(self):
        return self.progress.b

    @property
    def gap(self):
        """The predicted relative gap."""
        return self.progress.gap

    @property
    def slope(self):
        """The largest component of the gradient."""
        return self.progress.slope

    @property
    def passes(self):
        return self.progress.passes

    def state(self):
        """The bytes from which another search can continue."""
        return (<const char *> self.minimizer)[:self.size]

    def resume(self, bytes state, int64_t done):
        """Continue where another search of the same data stood after `done` costs, if it can be."""
        if <size_t> len(state) != self.size or logreg_minimizer_resume(
            self.minimizer, self.problem.data, <const char *> state, self.most_passes
        ) != 0:
            return False
        self.progress = logreg_minimizer_progress(self.minimizer, self.w.data())
        self.done = done
        return True

    def advance(self, costs, int64_t steps):
        """Take up to `steps` steps, writing to costs[done:]; return the status."""
        cdef Problem problem = self.problem
        cdef Buffer out = Buffer(costs, OUT)
        cdef int64_t n_costs
        cdef int status
        problem.reserve(logreg_minimize_workspace_size(problem.data, problem.run.n_threads))
        with nogil:
            status = logreg_minimize(problem.data, problem.standardization, self.minimizer,
                                     out.data() + self.done, steps, &n_costs, &problem.run)
            self.progress = logreg_minimizer_progress(self.minimizer, self.w.data())
        self.done += n_costs
        return problem.status(status)
