# SPDX-License-Identifier: BSD-3-Clause
# A quadratic with an l1 penalty and bounds.


def minimize_quadratic(Problem problem, H, l1, lower, upper, double tol, v, slope):
    """What is gained from v (n,), which moves to the minimum, as does slope (n,)."""
    cdef Buffer H_in = Buffer(H, IN), l1_in = Buffer(l1, IN)
    cdef Buffer lower_in = Buffer(lower, IN), upper_in = Buffer(upper, IN)
    cdef Buffer v_out = Buffer(v, OUT), slope_out = Buffer(slope, OUT)
    cdef int64_t n = v_out.view.len // sizeof(double)
    cdef logreg_quadratic quadratic = logreg_quadratic(
        n, H_in.data(), l1_in.data(), lower_in.data(), upper_in.data()
    )
    cdef double decrease = 0
    cdef int status
    problem.reserve(logreg_quadratic_workspace_size(n, problem.run.n_threads))
    with nogil:
        status = logreg_minimize_quadratic(&quadratic, tol, v_out.data(), slope_out.data(),
                                           &decrease, &problem.run)
    problem.status(status)
    return decrease
