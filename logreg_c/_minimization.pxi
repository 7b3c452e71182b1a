# SPDX-License-Identifier: BSD-3-Clause
# The search for the minimum.


cdef class Minimization:
    """A search for the minimum; `done` is the number of costs so far."""

    cdef readonly Problem problem
    cdef logreg_minimizer *minimizer
    cdef size_t size
    cdef Buffer w
    cdef logreg_progress progress
    cdef readonly int64_t done

    def __cinit__(self, Problem problem, w, double b, double l2, double tol, bint fixed_b,
                  bint warm):
        """Begin at w and b; w is updated in place."""
        cdef logreg_goal goal = logreg_goal(l2, tol, fixed_b, warm)
        self.problem = problem
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
    def passes(self):
        return self.progress.passes

    def state(self):
        """The bytes from which another search can continue."""
        return (<const char *> self.minimizer)[:self.size]

    def resume(self, bytes state, int64_t done):
        """Continue where another search of the same data stood after `done` costs."""
        memcpy(self.minimizer, <const char *> state, self.size)
        self.progress = logreg_minimizer_progress(self.minimizer, self.w.data())
        self.done = done

    def advance(self, costs, int64_t steps):
        """Take up to `steps` steps, writing to costs[done:]; return the status."""
        cdef Problem problem = self.problem
        cdef Buffer out = Buffer(costs, OUT)
        cdef int64_t n_costs
        cdef int status
        problem.reserve(logreg_minimize_workspace_size(problem.data, problem.run.n_threads))
        with nogil:
            status = logreg_minimize(problem.data, self.minimizer, out.data() + self.done, steps,
                                     &n_costs, &problem.run)
            self.progress = logreg_minimizer_progress(self.minimizer, self.w.data())
        self.done += n_costs
        return problem.status(status)
