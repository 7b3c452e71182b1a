# SPDX-License-Identifier: BSD-3-Clause
# Many searches for the minimum in one call.


cdef class Fits(Work):
    """Many fits of n_x features: (X, Y, sample_weight, float32, l2) each."""

    cdef list examples  # of Data
    cdef logreg_fit *fits
    cdef int64_t count

    def __cinit__(self, fits, int n_threads):
        cdef Data data
        cdef int64_t k
        self.open(n_threads)
        self.count = len(fits)
        self.fits = <logreg_fit *> PyMem_Calloc(self.count, sizeof(logreg_fit))
        if self.fits == NULL:
            raise MemoryError
        self.examples = []
        for k, (X, Y, sample_weight, float32, l2) in enumerate(fits):
            data = Data(X, Y, sample_weight, float32, None)
            self.examples.append(data)
            self.fits[k].data = data.c
            self.fits[k].l2 = l2
            if k % FITS_AT_ONCE == 0:
                PyErr_CheckSignals()

    def __dealloc__(self):
        PyMem_Free(self.fits)

    def minimize(self, double tol, int64_t passes, bint fixed_b, w, b, J, fall, gap, n_passes,
                 status):
        """Start at 0, and fill w (count, n_x) and the other arrays (count,), the last two int64."""
        cdef logreg_goal goal = logreg_goal(0.0, tol, INFINITY, passes, fixed_b, False)
        cdef Buffer w_out = Buffer(w, OUT), b_out = Buffer(b, OUT), J_out = Buffer(J, OUT)
        cdef Buffer fall_out = Buffer(fall, OUT), gap_out = Buffer(gap, OUT)
        cdef Buffer passes_out = Buffer(n_passes, OUT), status_out = Buffer(status, OUT)
        cdef int64_t k, n_x = self.fits[0].data.n_x
        cdef int ended
        for k in range(self.count):
            self.fits[k].w = w_out.data() + k * n_x
        self.reserve(
            logreg_minimize_many_workspace_size(self.fits, self.count, self.run.n_threads)
        )
        with nogil:
            ended = logreg_minimize_many(self.fits, self.count, &goal, &self.run)
        self.status(ended)
        for k in range(self.count):
            b_out.data()[k] = self.fits[k].found.b
            J_out.data()[k] = self.fits[k].J
            fall_out.data()[k] = self.fits[k].found.fall
            gap_out.data()[k] = self.fits[k].found.gap
            (<int64_t *> passes_out.view.buf)[k] = self.fits[k].found.passes
            (<int64_t *> status_out.view.buf)[k] = self.fits[k].status
