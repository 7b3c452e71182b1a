# SPDX-License-Identifier: BSD-3-Clause
# Several outputs in one pass: softmax.


def softmax_cost_and_gradient(Problem problem, w, b, double l2, dw, db):
    """(status, J), and dw (n_x, K) and db (K,) filled, at w (n_x, K) and b (K,)."""
    cdef Buffer w_in = Buffer(w, IN), b_in = Buffer(b, IN)
    cdef Buffer dw_out = Buffer(dw, OUT), db_out = Buffer(db, OUT)
    cdef int64_t outputs = len(b)
    cdef double J = 0
    cdef int status
    problem.reserve(logreg_softmax_workspace_size(problem.data, outputs, problem.run.n_threads))
    with nogil:
        status = logreg_softmax_cost_and_gradient(
            problem.data, outputs, w_in.data(), b_in.data(), l2, &J, dw_out.data(), db_out.data(),
            &problem.run,
        )
    return problem.status(status), J


def softmax_curvature(Problem problem, w, b, centre, D, d):
    """The status, and D (n_x, K) and d (K,) filled: the diagonal of the Hessian."""
    cdef Buffer w_in = Buffer(w, IN), b_in = Buffer(b, IN), less = Buffer(centre, IN)
    cdef Buffer D_out = Buffer(D, OUT), d_out = Buffer(d, OUT)
    cdef int64_t outputs = len(b)
    cdef int status
    problem.reserve(logreg_softmax_workspace_size(problem.data, outputs, problem.run.n_threads))
    with nogil:
        status = logreg_softmax_curvature(problem.data, outputs, w_in.data(), b_in.data(),
                                          less.data(), D_out.data(), d_out.data(), &problem.run)
    return problem.status(status)


def softmax_hessian(Problem problem, int64_t outputs, A, s, double least, centre, H):
    """The status, and the lower triangle of H filled; s are the weights, or None."""
    cdef Buffer A_in = Buffer(A, IN), less = Buffer(centre, IN), H_out = Buffer(H, OUT)
    cdef Buffer s_in = None if s is None else Buffer(s, IN)
    cdef const double *weights = NULL if s is None else s_in.data()
    cdef int status
    problem.reserve(logreg_softmax_hessian_workspace_size(problem.data, problem.run.n_threads))
    with nogil:
        status = logreg_softmax_hessian(problem.data, outputs, A_in.data(), weights, least,
                                        less.data(), H_out.data(), &problem.run)
    return problem.status(status)


def softmax_predict(Problem problem, w, b, bint probabilities, out):
    """The status, and out (m, K) filled with A, or else Z."""
    cdef Buffer w_in = Buffer(w, IN), b_in = Buffer(b, IN), to = Buffer(out, OUT)
    cdef int64_t outputs = len(b)
    cdef int status
    problem.reserve(
        logreg_softmax_predict_workspace_size(problem.data, outputs, problem.run.n_threads)
    )
    with nogil:
        status = logreg_softmax_predict(problem.data, outputs, w_in.data(), b_in.data(),
                                        probabilities, to.data(), &problem.run)
    return problem.status(status)
