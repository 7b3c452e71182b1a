# SPDX-License-Identifier: BSD-3-Clause
# A quadratic with an l1 penalty and bounds, whose Hessian is formed or not.


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


def sort_by_feature(Problem problem, starts, examples, values):
    """Fill starts (n_x + 1,), examples (n,), int32, and values (n,) from sparse X."""
    cdef Buffer starts_out = Buffer(starts, OUT), examples_out = Buffer(examples, OUT)
    cdef Buffer values_out = Buffer(values, OUT)
    cdef int status
    with nogil:
        status = logreg_sort_by_feature(problem.data, <int64_t *> starts_out.view.buf,
                                        <int32_t *> examples_out.view.buf, values_out.data(),
                                        &problem.run)
    problem.status(status)


def minimize_by_columns(Problem problem, columns, h, double total, slope, penalties, double b,
                        double db, bint fixed_b, double tol, double enough, v):
    """(b, what is gained), and v (n_x,) moved.

    `columns`: as sort_by_feature leaves them; `penalties`: l1, l2, and the bounds.
    """
    cdef list of_columns = [Buffer(array, IN) for array in columns]
    cdef list of_penalties = [Buffer(array, IN) for array in penalties]
    cdef Buffer h_in = Buffer(h, IN), slope_in = Buffer(slope, IN), v_out = Buffer(v, OUT)
    cdef const int64_t *starts = <const int64_t *> (<Buffer> of_columns[0]).view.buf
    cdef int64_t n_x = problem.data.n_x, m = problem.data.m
    cdef logreg_columns X = logreg_columns(
        n_x, m, starts, <const int32_t *> (<Buffer> of_columns[1]).view.buf,
        (<Buffer> of_columns[2]).data()
    )
    cdef logreg_column_model model = logreg_column_model(
        X, h_in.data(), total, slope_in.data(), (<Buffer> of_penalties[0]).data(),
        (<Buffer> of_penalties[1]).data(), (<Buffer> of_penalties[2]).data(),
        (<Buffer> of_penalties[3]).data(), db, fixed_b
    )
    cdef double decrease = 0
    cdef int status
    problem.reserve(logreg_column_workspace_size(n_x, m, starts[n_x]))
    with nogil:
        status = logreg_minimize_by_columns(&model, tol, enough, v_out.data(), &b, &decrease,
                                            &problem.run)
    problem.status(status)
    return b, decrease
