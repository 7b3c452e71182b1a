# SPDX-License-Identifier: BSD-3-Clause
# Gradient descent.


cdef class Descent:
    """A descent; `done` is the number of costs so far.

    It changes inside `descend` alone, so no signal handler finds w and b half-changed.
    """

    cdef readonly Problem problem
    cdef logreg_settings settings
    cdef logreg_state state
    cdef Buffer w
    cdef readonly int64_t done

    def __cinit__(self, Problem problem, w, double b, double alpha, double l2, double tol,
                  bint fixed_b):
        """Begin at w and b; w is updated in place."""
        self.problem = problem
        self.w = Buffer(w, OUT)
        self.state = logreg_state(self.w.data(), b, 0.0)
        self.settings = logreg_settings(alpha, l2, tol, NULL, fixed_b)

    @property
    def b(self):
        return self.state.b

    @property
    def b_lo(self):
        return self.state.b_lo

    def resume(self, double b, double b_lo, int64_t done):
        """Continue where another descent stood after `done` iterations; w has been set."""
        self.state.b = b
        self.state.b_lo = b_lo
        self.done = done

    def descend(self, costs, int64_t iters):
        """Make up to `iters` more iterations, writing to costs[done:]; return the status."""
        cdef Problem problem = self.problem
        cdef Buffer out = Buffer(costs, OUT)
        cdef int64_t n_costs
        cdef int status
        self.settings.standardization = problem.standardization
        problem.reserve_for_gradient()
        with nogil:
            status = logreg_descend(problem.data, &self.settings, &self.state,
                                    out.data() + self.done, iters, &n_costs, &problem.run)
        self.done += n_costs
        return problem.status(status)
