# SPDX-License-Identifier: BSD-3-Clause
# The weights of the Hessian, Grams, and Cholesky's factorization.


def curvature(Problem problem, w, double b, bint squared, h):
    """The status, and h (m,) filled with s a (1 - a), or with (s (a - y))^2."""
    cdef Buffer w_in = Buffer(w, IN), h_out = Buffer(h, OUT)
    cdef int status
    problem.reserve(logreg_predict_workspace_size(problem.data, problem.run.n_threads))
    with nogil:
        status = logreg_curvature(problem.data, w_in.data(), b, squared, h_out.data(),
                                  &problem.run)
    return problem.status(status)


def gradient_and_curvature(Problem problem, w, double b, dw, h):
    """(status, J, db), and dw and h (m,) filled, of features as they are and without a penalty."""
    cdef Buffer w_in = Buffer(w, IN), dw_out = Buffer(dw, OUT), h_out = Buffer(h, OUT)
    cdef double J = 0, db = 0
    cdef int status
    problem.reserve_for_gradient()
    with nogil:
        status = logreg_gradient_and_curvature(problem.data, w_in.data(), b, &J, dw_out.data(),
                                               &db, h_out.data(), &problem.run)
    return problem.status(status), J, db


def gram(Problem problem, centre, G, mu):
    """(status, S), and the lower triangle of G (n_x, n_x) and mu (n_x,) filled.

    The weights are the problem's.
    """
    cdef Buffer centre_in = Buffer(centre, IN), G_out = Buffer(G, OUT), mu_out = Buffer(mu, OUT)
    cdef double S = 0
    cdef int status
    problem.reserve(logreg_gram_workspace_size(problem.data, problem.run.n_threads))
    with nogil:
        status = logreg_gram(problem.data, centre_in.data(), G_out.data(), mu_out.data(), &S,
                             &problem.run)
    return problem.status(status), S


def add_categories(Problem problem, G, mu):
    """Add what a part has to the sums of categories in mu (n_x,) and G (n_x, n_x), or None."""
    cdef Buffer mu_out = Buffer(mu, OUT), G_out
    cdef double *products = NULL
    cdef int status
    if G is not None:
        G_out = Buffer(G, OUT)
        products = G_out.data()
    with nogil:
        status = logreg_add_categories(problem.data, products, mu_out.data(), &problem.run)
    problem.status(status)


def finish_category_moments(Problem shape, Features out):
    """The status, and moments of categories where the first row has their sums."""
    return logreg_finish_category_moments(shape.data, &out.c)


def finish_category_gram(Problem shape, G, mu):
    """The status, and the Gram and the means of categories where their sums are."""
    return logreg_finish_category_gram(shape.data, Buffer(G, OUT).data(), Buffer(mu, OUT).data())


def cholesky(Problem problem, A, int64_t n, double least):
    """0, or 1 + the index of a pivot that is too small; A (n, n) becomes L."""
    cdef Buffer out = Buffer(A, OUT)
    cdef int64_t failed
    problem.reserve(logreg_cholesky_workspace_size(n, problem.run.n_threads))
    with nogil:
        failed = logreg_cholesky(out.data(), n, least, &problem.run)
    problem.status(LOGREG_STOPPED if failed < 0 else LOGREG_OK)
    return failed


def solve_lower(L, int64_t n, x):
    """x (n,) = L^-1 x."""
    logreg_solve_lower(Buffer(L, IN).data(), n, Buffer(x, OUT).data())


def solve_upper(L, int64_t n, x):
    """x (n,) = L'^-1 x."""
    logreg_solve_upper(Buffer(L, IN).data(), n, Buffer(x, OUT).data())


def multiply_rows(V, int64_t n_rows, x, out):
    """out (n_rows,) filled with the inner products of the first rows of V and x."""
    cdef Buffer rows = Buffer(V, IN), x_in = Buffer(x, IN), to = Buffer(out, OUT)
    cdef int64_t n = x_in.view.len // 8
    with nogil:
        logreg_multiply_rows(rows.data(), n_rows, n, x_in.data(), to.data())


def add_rows(V, int64_t n_rows, c, y):
    """y += the first rows of V, times c."""
    cdef Buffer rows = Buffer(V, IN), c_in = Buffer(c, IN), to = Buffer(y, OUT)
    cdef int64_t n = to.view.len // 8
    with nogil:
        logreg_add_rows(rows.data(), n_rows, n, c_in.data(), to.data())


def log_determinant(L, int64_t n):
    """ln |L L'|"""
    return logreg_log_determinant(Buffer(L, IN).data(), n)


def leverage(Problem problem, centre, L, out):
    """out (m,) filled with |L^-1 (x - centre)|^2 of every example."""
    cdef Buffer centre_in = Buffer(centre, IN), L_in = Buffer(L, IN), to = Buffer(out, OUT)
    cdef int status
    problem.reserve(logreg_leverage_workspace_size(problem.data, problem.run.n_threads))
    with nogil:
        status = logreg_leverage(problem.data, centre_in.data(), L_in.data(), to.data(),
                                 &problem.run)
    problem.status(status)
