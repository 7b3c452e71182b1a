# SPDX-License-Identifier: BSD-3-Clause
# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: freethreading_compatible=True
"""The binding: Python's buffers in, the kernel of src/logreg.h called with the GIL released.

It checks nothing and computes nothing: the wrapper has checked types, layouts, shapes and ranges,
of arrays that nobody else can see. Raw Py_buffers, because a typed memoryview costs a microsecond
each.
"""

from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_Release,
    PyObject_GetBuffer,
)
from cpython.exc cimport PyErr_CheckSignals
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int64_t, uintptr_t


cdef extern from "logreg.h" nogil:
    ctypedef enum logreg_type:
        LOGREG_FLOAT64
        LOGREG_FLOAT32
        LOGREG_FLOAT16
        LOGREG_INT64
        LOGREG_INT32
        LOGREG_INT16
        LOGREG_INT8
        LOGREG_UINT16
        LOGREG_UINT8
        LOGREG_BOOL

    ctypedef struct logreg_column:
        const void *values
        int64_t stride
        logreg_type type

    ctypedef struct logreg_data:
        int64_t n_x
        int64_t m
        int example_major
        logreg_column X
        int64_t feature_stride
        const logreg_column *features
        logreg_column Y
        logreg_column sample_weight
        logreg_type arithmetic

    ctypedef struct logreg_run:
        int n_threads
        int (*should_stop)(void *context) noexcept nogil
        void *context
        void *workspace

    ctypedef struct logreg_standardization:
        double *mean
        double *mean_lo
        double *sd
        int centre
        int scale

    ctypedef struct logreg_settings:
        double alpha
        double l2
        double tol
        const logreg_standardization *standardization
        int fixed_b

    ctypedef struct logreg_state:
        double *w
        double b
        double b_lo

    const int LOGREG_OK
    const int LOGREG_CONVERGED
    const int LOGREG_STOPPED
    const int LOGREG_PASS_OVERFLOW
    const int LOGREG_UPDATE_OVERFLOW

    size_t logreg_workspace_size(const logreg_data *data, int centred, int n_threads)
    size_t logreg_standardize_workspace_size(const logreg_data *data, int n_threads)
    size_t logreg_predict_workspace_size(const logreg_data *data, int n_threads)
    int logreg_standardize(const logreg_data *data, const logreg_standardization *out,
                           const logreg_run *run)
    int logreg_descend(const logreg_data *data, const logreg_settings *settings,
                       logreg_state *state, double *costs, int64_t iters, int64_t *n_costs,
                       const logreg_run *run)
    int logreg_cost_and_gradient(const logreg_data *data,
                                 const logreg_standardization *standardization, const double *w,
                                 double b, double l2, double *J, double *dw, double *db,
                                 const logreg_run *run)
    int logreg_decision(const logreg_data *data, const double *w, double b, double *Z,
                        const logreg_run *run)
    int logreg_predict_proba(const logreg_data *data, const double *w, double b, double *A,
                             const logreg_run *run)
    void logreg_sigmoid(const double *Z, double *A, int64_t n)
    int64_t logreg_first_outside(const logreg_column *column, int64_t n, double low, double high)
    int logreg_first_nonfinite(const logreg_data *data, int64_t *feature, int64_t *example,
                               const logreg_run *run)
    int logreg_isa_count()
    const char *logreg_isa_name(int index)
    int logreg_isa_supported(int index)
    int logreg_isa_select(const char *name)
    const char *logreg_isa()
    const char *logreg_threads_backend()
    int logreg_max_threads()
    void logreg_threads_open()


cdef enum:
    ALIGNMENT = 64  # of the workspace
    # Values and columns looked at between two questions about signals.
    AT_ONCE = 1 << 22
    COLUMNS_AT_ONCE = 1 << 12

logreg_threads_open()

OK = LOGREG_OK
CONVERGED = LOGREG_CONVERGED
PASS_OVERFLOW = LOGREG_PASS_OVERFLOW
UPDATE_OVERFLOW = LOGREG_UPDATE_OVERFLOW


cdef class Buffer:
    """The memory of one array, held for as long as this object lives."""

    cdef Py_buffer view

    def __cinit__(self, array, int flags):
        PyObject_GetBuffer(array, &self.view, flags)

    def __dealloc__(self):
        PyBuffer_Release(&self.view)

    cdef double *data(self) noexcept nogil:
        return <double *> self.view.buf


cdef logreg_type type_of(const Py_buffer *view) noexcept:
    """How the values of a buffer are stored; the wrapper passes no others."""
    cdef char code = view.format[0]
    cdef Py_ssize_t size = view.itemsize
    if code == b"<" or code == b">" or code == b"=" or code == b"@":  # the native order, spelt out
        code = view.format[1]
    if code == b"d" or code == b"g":  # a long double comes here only where it is a double
        return LOGREG_FLOAT64
    if code == b"f":
        return LOGREG_FLOAT32
    if code == b"e":
        return LOGREG_FLOAT16
    if code == b"?":
        return LOGREG_BOOL
    if code == b"B":
        return LOGREG_UINT8
    if code == b"H":
        return LOGREG_UINT16
    if size == 8:
        return LOGREG_INT64
    if size == 4:
        return LOGREG_INT32
    return LOGREG_INT16 if size == 2 else LOGREG_INT8


cdef class Column:
    """One value an example: (m,), with any stride."""

    cdef Buffer buffer
    cdef logreg_column column
    cdef int64_t count

    def __cinit__(self, array):
        self.buffer = Buffer(array, PyBUF_STRIDES | PyBUF_FORMAT)
        cdef Py_buffer *view = &self.buffer.view
        self.count = view.shape[0]
        self.column.values = view.buf
        self.column.stride = view.strides[0]
        self.column.type = type_of(view)
        if self.count == 1:  # the stride of a dimension of length 1 may be anything
            self.column.stride = view.itemsize


cdef int should_stop(void *context) noexcept with gil:
    """Let Python run its signal handlers; what one raises ends the call and is raised by it."""
    try:
        PyErr_CheckSignals()
    except BaseException as error:
        (<Problem> context).error = error
        return 1
    return 0


cdef class Problem:
    """The examples, the workspace, and where a descent over them stands.

    X is an array (n_x, m), or a list of n_x arrays (m,). The state of a descent (w, b and `done`,
    the costs written so far) changes inside `descend` alone, so no signal handler ever finds it
    half-changed.
    """

    cdef logreg_data data
    cdef logreg_run run
    cdef logreg_settings settings
    cdef logreg_state state
    cdef logreg_standardization standardization
    cdef Buffer X, w, moments
    cdef list features
    cdef logreg_column *columns
    cdef Column Y, sample_weight
    cdef void *memory
    cdef size_t memory_size
    cdef object error
    cdef readonly int64_t done

    def __cinit__(self, X, Y, sample_weight, int n_threads, bint float32):
        self.data.arithmetic = LOGREG_FLOAT32 if float32 else LOGREG_FLOAT64
        if isinstance(X, list):
            self.read_columns(X)
        else:
            self.read_matrix(X)
        if Y is not None:
            self.Y = Column(Y)
            self.data.Y = self.Y.column
        if sample_weight is not None:
            self.sample_weight = Column(sample_weight)
            self.data.sample_weight = self.sample_weight.column
        self.run.n_threads = n_threads
        self.run.should_stop = should_stop
        self.run.context = <void *> self

    cdef int read_matrix(self, X) except -1:
        self.X = Buffer(X, PyBUF_STRIDES | PyBUF_FORMAT)
        cdef Py_buffer *view = &self.X.view
        self.data.n_x = view.shape[0]
        self.data.m = view.shape[1]
        self.data.X.values = view.buf
        self.data.X.type = type_of(view)
        # The stride of a dimension of length 1 is never used, and may be anything.
        self.data.X.stride = view.strides[1] if view.shape[1] > 1 else view.itemsize
        self.data.feature_stride = view.strides[0] if view.shape[0] > 1 else 0
        self.data.example_major = (
            self.data.X.stride != view.itemsize and self.data.feature_stride == view.itemsize
        )

    cdef int read_columns(self, X) except -1:
        """Hold the arrays rather than their Py_buffers, which would take 300 bytes a column."""
        cdef Py_ssize_t j
        cdef Column column
        self.data.n_x = len(X)
        self.columns = <logreg_column *> PyMem_Malloc(len(X) * sizeof(logreg_column))
        if self.columns == NULL:
            raise MemoryError
        self.features = X
        for j in range(len(X)):
            column = Column(X[j])
            self.columns[j] = column.column
            if j % COLUMNS_AT_ONCE == 0:
                PyErr_CheckSignals()
        self.data.m = column.count
        self.data.features = self.columns

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

    cdef int reserve_for_descent(self) except -1:
        return self.reserve(logreg_workspace_size(
            &self.data, self.settings.standardization != NULL and self.standardization.centre,
            self.run.n_threads
        ))

    def __dealloc__(self):
        PyMem_Free(self.columns)
        PyMem_Free(self.memory)

    cdef int status(self, int status) except -1:
        """Hand on how a call to the kernel ended, or raise what stopped it."""
        if status == LOGREG_STOPPED:
            error, self.error = self.error, None
            raise error
        return status

    @property
    def b(self):
        return self.state.b

    def start(self, w, double b, double alpha, double l2, double tol, bint fixed_b):
        """Begin a descent from w and b; `descend` updates w in place."""
        self.w = Buffer(w, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
        self.state.w = self.w.data()
        self.state.b = b
        self.settings.alpha = alpha
        self.settings.l2 = l2
        self.settings.tol = tol
        self.settings.fixed_b = fixed_b

    @property
    def b_rest(self):
        return self.state.b_lo

    def resume(self, double b, double b_rest, int64_t done):
        """Take the descent up where another stood after `done` iterations; w has been set."""
        self.state.b = b
        self.state.b_lo = b_rest
        self.done = done

    def standardize(self, moments, bint centre, bint scale):
        """Fill moments (3, n_x), and work on features that are centred and scaled from now on.

        Moments that are changed afterwards are taken as they are.
        """
        cdef int status
        self.moments = Buffer(moments, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
        self.standardization.mean = self.moments.data()
        self.standardization.mean_lo = self.standardization.mean + self.data.n_x
        self.standardization.sd = self.standardization.mean_lo + self.data.n_x
        self.standardization.centre = centre
        self.standardization.scale = scale
        self.reserve(logreg_standardize_workspace_size(&self.data, self.run.n_threads))
        with nogil:
            status = logreg_standardize(&self.data, &self.standardization, &self.run)
        self.settings.standardization = &self.standardization
        return self.status(status)

    def descend(self, costs, int64_t iters):
        """Carry the descent on by up to `iters` iterations, writing to costs[done:]."""
        cdef Buffer out = Buffer(costs, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
        cdef double *here = out.data() + self.done
        cdef int64_t n_costs
        cdef int status
        self.reserve_for_descent()
        with nogil:
            status = logreg_descend(&self.data, &self.settings, &self.state, here, iters,
                                    &n_costs, &self.run)
        self.done += n_costs
        return self.status(status)

    def cost_and_gradient(self, w, double b, double l2, dw):
        """(status, J, db), and dw filled."""
        cdef Buffer w_in = Buffer(w, PyBUF_C_CONTIGUOUS)
        cdef Buffer dw_out = Buffer(dw, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
        cdef double J = 0, db = 0
        cdef int status
        self.reserve_for_descent()
        with nogil:
            status = logreg_cost_and_gradient(&self.data, self.settings.standardization,
                                              w_in.data(), b, l2, &J, dw_out.data(), &db,
                                              &self.run)
        return self.status(status), J, db

    def predict(self, w, double b, bint probabilities, out):
        """The status, and out filled with A, or with Z."""
        cdef Buffer w_in = Buffer(w, PyBUF_C_CONTIGUOUS)
        cdef Buffer to = Buffer(out, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
        cdef int status
        self.reserve(logreg_predict_workspace_size(&self.data, self.run.n_threads))
        with nogil:
            if probabilities:
                status = logreg_predict_proba(&self.data, w_in.data(), b, to.data(), &self.run)
            else:
                status = logreg_decision(&self.data, w_in.data(), b, to.data(), &self.run)
        return self.status(status)

    def first_nonfinite(self):
        """(feature, example) of the first NaN or infinity in X, or None."""
        cdef int64_t feature = 0, example = 0
        cdef int status
        with nogil:
            status = logreg_first_nonfinite(&self.data, &feature, &example, &self.run)
        self.status(status)
        return None if feature < 0 else (feature, example)


def sigmoid(Z, A, int64_t n):
    """Fill A (n values) from Z."""
    cdef Buffer Z_in = Buffer(Z, PyBUF_C_CONTIGUOUS)
    cdef Buffer A_out = Buffer(A, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
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
