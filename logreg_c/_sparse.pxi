# SPDX-License-Identifier: BSD-3-Clause
# Sparse examples.


def check_sparse(X, scratch):
    """(position of the first index out of range or -1, whether a feature comes twice).

    X is sparse, as Data reads it; `scratch`: n_x zeros, int64.
    """
    cdef Data examples = Data(X, None, None, False, None)
    cdef Work work = Work()
    cdef Buffer seen = Buffer(scratch, OUT)
    cdef int64_t outside = -1
    cdef int repeats = 0, status
    work.open(1)
    with nogil:
        status = logreg_check_sparse(&examples.c, <int64_t *> seen.view.buf, &outside, &repeats,
                                     &work.run)
    work.status(status)
    return outside, repeats != 0
