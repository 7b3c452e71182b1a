# SPDX-License-Identifier: BSD-3-Clause
# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: freethreading_compatible=True
"""The binding: Python's buffers in, the kernel of src/logreg.h called with the GIL released.

It checks nothing and computes nothing: the wrapper has checked arrays that nobody else can see.
"""

from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_Release,
    PyObject_GetBuffer,
)
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.exc cimport PyErr_CheckSignals
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Malloc, PyMem_Realloc
from libc.math cimport INFINITY
from libc.stdint cimport int32_t, int64_t, uintptr_t
from libc.string cimport memcpy, memset

from .logreg cimport *

cdef enum:
    ALIGNMENT = 64  # of the workspace
    AT_ONCE = 1 << 22  # values read between two checks for signals
    FITS_AT_ONCE = 1 << 10  # examined between two such checks

logreg_threads_open()

OK = LOGREG_OK
CONVERGED = LOGREG_CONVERGED
PASS_OVERFLOW = LOGREG_PASS_OVERFLOW
UPDATE_OVERFLOW = LOGREG_UPDATE_OVERFLOW
INCOMPLETE = LOGREG_INCOMPLETE
ROUNDING = LOGREG_ROUNDING
SEPARATED = LOGREG_SEPARATED


include "_data.pxi"


cdef int should_stop(void *context) noexcept with gil:
    """Let Python run its signal handlers; what one raises ends the call, which raises it."""
    try:
        PyErr_CheckSignals()
    except BaseException as error:
        (<Work> context).error = error
        return 1
    return 0


cdef class Work:
    """How to run, and the workspace that it takes."""

    cdef logreg_run run
    cdef void *memory
    cdef size_t memory_size
    cdef object error

    def __dealloc__(self):
        PyMem_Free(self.memory)

    cdef void open(self, int n_threads) noexcept:
        self.run.n_threads = n_threads
        self.run.should_stop = should_stop
        self.run.context = <void *> self

    cdef int reserve(self, size_t size) except -1:
        """Make the workspace at least so large."""
        if size <= self.memory_size:
            return 0
        PyMem_Free(self.memory)
        self.memory_size = 0
        self.memory = PyMem_Malloc(size + ALIGNMENT)
        if self.memory == NULL:
            raise MemoryError
        self.memory_size = size
        self.run.workspace = <void *> (
            (<uintptr_t> self.memory + ALIGNMENT - 1) & ~<uintptr_t> (ALIGNMENT - 1)
        )

    cdef int status(self, int status) except -1:
        """Return how a call to the kernel ended, or raise what stopped it."""
        if status == LOGREG_STOPPED:
            error, self.error = self.error, None
            raise error
        return status


cdef class Problem(Work):
    """What can be asked about some examples."""

    cdef Data examples
    cdef const logreg_data *data
    cdef logreg_standardization found
    cdef const logreg_standardization *standardization  # NULL, or found
    cdef Buffer moments

    def __cinit__(self, X, Y, sample_weight, int n_threads, bint float32, example_major=None):
        self.examples = Data(X, Y, sample_weight, float32, example_major)
        self.data = &self.examples.c
        self.open(n_threads)

    cdef int reserve_for_gradient(self) except -1:
        cdef bint centred = self.standardization != NULL and self.standardization.centre
        return self.reserve(logreg_workspace_size(self.data, centred, self.run.n_threads))

    def standardize(self, moments, bint centre, bint scale):
        """Fill moments (3, n_x), and work on features that are centred and scaled from now on.

        Deviations that are changed afterwards are taken as they are.
        """
        cdef int status
        cdef int64_t n_x = self.data.n_x
        self.moments = Buffer(moments, OUT)
        cdef double *mean = self.moments.data()
        self.found = logreg_standardization(mean, mean + n_x, mean + 2 * n_x, centre, scale)
        self.reserve(logreg_standardize_workspace_size(self.data, self.run.n_threads))
        with nogil:
            status = logreg_standardize(self.data, &self.found, &self.run)
        self.standardization = &self.found
        return self.status(status)

    def cost_and_gradient(self, w, double b, double l2, dw):
        """(status, J, db), and dw filled."""
        cdef Buffer w_in = Buffer(w, IN), dw_out = Buffer(dw, OUT)
        cdef double J = 0, db = 0
        cdef int status
        self.reserve_for_gradient()
        with nogil:
            status = logreg_cost_and_gradient(self.data, self.standardization, w_in.data(), b, l2,
                                              &J, dw_out.data(), &db, &self.run)
        return self.status(status), J, db

    def predict(self, w, double b, bint probabilities, out):
        """The status, and out filled with A, or with Z."""
        cdef Buffer w_in = Buffer(w, IN), to = Buffer(out, OUT)
        cdef int status
        self.reserve(logreg_predict_workspace_size(self.data, self.run.n_threads))
        with nogil:
            if probabilities:
                status = logreg_predict_proba(self.data, w_in.data(), b, to.data(), &self.run)
            else:
                status = logreg_decision(self.data, w_in.data(), b, to.data(), &self.run)
        return self.status(status)

    def first_nonfinite(self):
        """(feature, example) of the first NaN or infinity in X, or None."""
        cdef int64_t feature = 0, example = 0
        cdef int status
        with nogil:
            status = logreg_first_nonfinite(self.data, &feature, &example, &self.run)
        self.status(status)
        return None if feature < 0 else (feature, example)

    @property
    def segment_size(self):  # in examples
        return logreg_segment_size(self.data)


include "_descent.pxi"
include "_sums.pxi"
include "_softmax.pxi"
include "_curvature.pxi"
include "_quadratic.pxi"
include "_minimization.pxi"
include "_many.pxi"
include "_sparse.pxi"


def sigmoid(Z, A, int64_t n):
    """Fill A (n values) from Z."""
    cdef Buffer Z_in = Buffer(Z, IN), A_out = Buffer(A, OUT)
    cdef int64_t first
    for first in range(0, n, AT_ONCE):  # in parts, between which Ctrl-C is answered
        with nogil:
            logreg_sigmoid(Z_in.data() + first, A_out.data() + first,
                           min(n - first, <int64_t> AT_ONCE))
        PyErr_CheckSignals()


def first_outside(v, double low, double high):
    """The first index at which v (any shape of one axis) is not within [low, high], or -1."""
    cdef Column column = Column(v)
    cdef logreg_column part = column.column
    cdef int64_t first = 0, n, index
    while first < column.count:  # in parts, between which Ctrl-C is answered
        n = min(column.count - first, <int64_t> AT_ONCE)
        with nogil:
            index = logreg_first_outside(&part, n, low, high)
        if index >= 0:
            return first + index
        first += n
        part.values = <const char *> part.values + n * part.stride
        PyErr_CheckSignals()
    return -1


def max_threads():
    return logreg_max_threads()


def threads_backend():
    return logreg_threads_backend().decode()


def isa():
    """The instruction set in use."""
    return logreg_isa().decode()


def isa_known():
    """{name: whether this machine can run it}, the plainest first."""
    return {
        logreg_isa_name(index).decode(): logreg_isa_supported(index) != 0
        for index in range(logreg_isa_count())
    }


def isa_select(name):
    """Whether `name` ("" for the best) could be chosen, and now is."""
    return logreg_isa_select(name.encode("utf-8", "surrogateescape")) == 0
