# SPDX-License-Identifier: BSD-3-Clause
# Arrays as the kernel reads them, through raw Py_buffers: a typed memoryview costs a microsecond.

cdef enum:
    IN = PyBUF_C_CONTIGUOUS
    OUT = PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE
    COLUMNS_AT_ONCE = 1 << 12  # read between two checks for signals


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
    if code == b"<" or code == b">" or code == b"=" or code == b"@":  # native order, spelled out
        code = view.format[1]
    if code == b"d" or code == b"g":  # a long double comes here only where it is a double
        return LOGREG_FLOAT64
    if code == b"f" or code == b"e":
        return LOGREG_FLOAT32 if code == b"f" else LOGREG_FLOAT16
    if code == b"?":
        return LOGREG_BOOL
    if code == b"B" or code == b"H":
        return LOGREG_UINT8 if code == b"B" else LOGREG_UINT16
    if size > 2:
        return LOGREG_INT64 if size == 8 else LOGREG_INT32
    return LOGREG_INT16 if size == 2 else LOGREG_INT8


cdef class Column:
    """One value per example: (m,), with any stride."""

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


cdef int64_t hold(list arrays, logreg_column **columns) except -1:
    """Point to arrays (m,) and return m. Their Py_buffers would take 300 bytes per column."""
    cdef Py_ssize_t j
    cdef Column column
    columns[0] = <logreg_column *> PyMem_Malloc(len(arrays) * sizeof(logreg_column))
    if columns[0] == NULL:
        raise MemoryError
    for j in range(len(arrays)):
        column = Column(arrays[j])
        columns[0][j] = column.column
        if j % COLUMNS_AT_ONCE == 0:
            PyErr_CheckSignals()
    return column.count


cdef class Data:
    """The examples: X is an array (n_x, m), a list of n_x arrays (m,), or a tuple.

    A tuple of 4 has categories, and one of 5 is sparse.
    """

    cdef logreg_data c
    cdef Buffer X, indices, starts
    cdef list features, of_codes
    cdef logreg_column *columns
    cdef logreg_column *codes
    cdef Column Y, sample_weight

    def __cinit__(self, X, Y, sample_weight, bint float32, example_major):
        self.c.arithmetic = LOGREG_FLOAT32 if float32 else LOGREG_FLOAT64
        if isinstance(X, list):
            self.read_columns(X)
        elif isinstance(X, tuple) and len(X) == 4:
            self.read_categories(X)
        elif isinstance(X, tuple):
            self.read_sparse(X)
        else:
            self.read_matrix(X, example_major)
        if Y is not None:
            self.Y = Column(Y)
            self.c.Y = self.Y.column
        if sample_weight is not None:
            self.sample_weight = Column(sample_weight)
            self.c.sample_weight = self.sample_weight.column

    def __dealloc__(self):
        PyMem_Free(self.columns)
        PyMem_Free(self.codes)

    cdef int read_matrix(self, X, example_major) except -1:
        self.X = Buffer(X, PyBUF_STRIDES | PyBUF_FORMAT)
        cdef Py_buffer *view = &self.X.view
        cdef int64_t size = view.itemsize
        # The stride of a dimension of length 1 is never used, and may be anything.
        cdef int64_t over_features = view.strides[0] if view.shape[0] > 1 else 0
        cdef int64_t over_examples = view.strides[1] if view.shape[1] > 1 else size
        if example_major is None:  # the layout of a whole; that of a chunk is the caller's to say
            example_major = over_examples != size and over_features == size
        self.c.n_x = view.shape[0]
        self.c.m = view.shape[1]
        self.c.X = logreg_column(view.buf, over_examples, type_of(view))
        self.c.feature_stride = over_features
        self.c.example_major = example_major

    cdef int read_columns(self, X) except -1:
        self.c.n_x = len(X)
        self.features = X
        self.c.m = hold(X, &self.columns)
        self.c.features = self.columns

    cdef int read_categories(self, X) except -1:
        """Columns of numbers; columns of codes; the first feature of each of these, and n_x."""
        numbers, codes, starts, _ = X
        self.starts = Buffer(starts, IN)
        self.of_codes = codes
        if numbers:
            self.read_columns(numbers)
        self.c.m = hold(codes, &self.codes)
        self.c.codes = self.codes
        self.c.categories = <const int64_t *> self.starts.view.buf
        self.c.n_codes = len(codes)
        self.c.n_x = self.c.categories[self.c.n_codes]
        return 0

    cdef int read_sparse(self, X) except -1:
        """Values and their features (n,); where each example begins (m + 1,), int64; n_x; width."""
        values, indices, starts, n_x, width = X
        cdef Column column = Column(values)
        self.X = column.buffer
        self.indices = Buffer(indices, PyBUF_STRIDES | PyBUF_FORMAT)
        self.starts = Buffer(starts, IN)
        self.c.n_x = n_x
        self.c.m = self.starts.view.shape[0] - 1
        self.c.X = column.column
        self.c.indices = self.indices.view.buf
        self.c.index_type = type_of(&self.indices.view)
        self.c.starts = <const int64_t *> self.starts.view.buf
        self.c.ends = self.c.starts + 1
        self.c.width = width
        return 0
