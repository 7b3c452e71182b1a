# SPDX-License-Identifier: BSD-3-Clause
# Sums over data that come in parts.

GRADIENT, MOMENTS, GRAM, CROSS_GRAM, SOFTMAX = range(5)


cdef const logreg_sum_kind *kind_of(int kind) noexcept:
    if kind == 0:
        return &logreg_gradient_sums
    if kind == 1:
        return &logreg_moment_sums
    return &logreg_gram_sums if kind == 2 else &logreg_cross_gram_sums


cdef class Features:
    """Features that are centred and scaled by moments (3, n_x), as `Problem.standardize` has them.

    Moments that are changed afterwards are taken as they are.
    """

    cdef Buffer moments
    cdef tuple given
    cdef logreg_standardization c

    def __cinit__(self, moments, int64_t n_x, bint centre, bint scale):
        self.moments = Buffer(moments, OUT)
        cdef double *mean = self.moments.data()
        self.c = logreg_standardization(mean, mean + n_x, mean + 2 * n_x, centre, scale)
        self.given = moments, n_x, centre, scale

    def __reduce__(self):
        return Features, self.given


cdef class Point:
    """Where a gradient is taken: w and b of these features, or of the features as they are."""

    cdef Buffer w
    cdef Features features
    cdef logreg_point c

    def __cinit__(self, w, double b, Features features, bint raw_w=False):
        self.w = Buffer(w, IN)
        self.features = features
        self.c = logreg_point(self.w.data(), b, NULL, raw_w)
        if features is not None:
            self.c.standardization = &features.c

    def __reduce__(self):
        w = PyBytes_FromStringAndSize(<const char *> self.c.w, self.w.view.len)
        return Point, (w, self.c.b, self.features, self.c.raw_w)


cdef class Sums:
    """Sums of one kind over data that come in parts, in any order: nodes of one tree.

    Those of a softmax have several outputs.
    """

    cdef const logreg_sum_kind *kind
    cdef logreg_nodes nodes
    cdef int64_t capacity, n_x, outputs
    cdef int number

    def __cinit__(self, int kind, int64_t n_x, int64_t outputs=0, nodes=()):
        self.number = kind
        self.kind = kind_of(kind)
        self.n_x = n_x
        self.outputs = outputs
        self.reserve(len(nodes))
        for level, index, sums in nodes:
            self.take(level, index, sums)

    cdef int take(self, int level, int64_t index, const unsigned char[::1] sums) except -1:
        """Have one more node, after those that there are."""
        cdef logreg_node *node = &self.nodes.nodes[self.nodes.count]
        node.level, node.index = level, index
        memcpy(node.sums, &sums[0], sums.shape[0])
        self.nodes.count += 1
        return 0

    cdef size_t node_size(self) noexcept:
        """The bytes of a node."""
        if self.outputs:
            return logreg_softmax_node_size(self.n_x, self.outputs) * sizeof(double)
        return logreg_node_size(self.kind, self.n_x) * sizeof(double)

    def __reduce__(self):
        cdef size_t size = self.node_size()
        nodes = [
            (node.level, node.index, PyBytes_FromStringAndSize(<char *> node.sums, size))
            for node in self.nodes.nodes[:self.nodes.count]
        ]
        return Sums, (self.number, self.n_x, self.outputs, nodes)

    def __dealloc__(self):
        for k in range(self.capacity):
            PyMem_Free(self.nodes.nodes[k].sums)
        PyMem_Free(self.nodes.nodes)

    cdef int reserve(self, int64_t more) except -1:
        cdef int64_t wanted = self.nodes.count + more
        cdef size_t size = self.node_size()
        if wanted <= self.capacity:
            return 0
        cdef void *grown = PyMem_Realloc(self.nodes.nodes, wanted * sizeof(logreg_node))
        if grown == NULL:
            raise MemoryError
        self.nodes.nodes = <logreg_node *> grown
        while self.capacity < wanted:
            self.nodes.nodes[self.capacity].sums = <double *> PyMem_Malloc(size)
            if self.nodes.nodes[self.capacity].sums == NULL:
                raise MemoryError
            self.capacity += 1

    def add(self, Problem problem, Point point, int64_t offset, int64_t first, int64_t end):
        """Add segments [first, end) of a problem, whose own first one is `offset` in the whole.

        Moments have no point.
        """
        cdef logreg_part part = logreg_part(offset, first, end)
        cdef const logreg_point *at = NULL
        cdef int status, centred = 0
        if point is not None:
            at = &point.c
            centred = at.standardization != NULL and at.standardization.centre
        self.reserve(logreg_node_count(offset + first, offset + end))
        problem.reserve(logreg_sum_workspace_size(self.kind, problem.data, &part, centred,
                                                  problem.run.n_threads))
        with nogil:
            status = logreg_sum(self.kind, problem.data, &part, at, &self.nodes, &problem.run)
        problem.status(status)

    def add_products(self, Problem problem, centre, int64_t of_rows, int64_t of_columns,
                     int64_t offset, int64_t end):
        """Add the first `end` segments of a problem to the Gram of two groups of features."""
        cdef Buffer centre_in = Buffer(centre, IN)
        cdef logreg_part part = logreg_part(offset, 0, end)
        cdef int status
        self.reserve(logreg_node_count(offset, offset + end))
        problem.reserve(logreg_sum_gram_workspace_size(problem.data, &part, of_rows, of_columns,
                                                       problem.run.n_threads))
        with nogil:
            status = logreg_sum_gram(problem.data, &part, centre_in.data(), of_rows, of_columns,
                                     &self.nodes, &problem.run)
        problem.status(status)

    def add_softmax(self, Problem problem, w, b, centre, int64_t offset, int64_t end):
        """Add the first `end` segments of a problem to J and its gradient at w (n_x, K) and b (K,).

        With a centre (n_x,) these are sums of the curvature.
        """
        cdef Buffer w_in = Buffer(w, IN), b_in = Buffer(b, IN), less
        cdef const double *centred = NULL
        cdef logreg_part part = logreg_part(offset, 0, end)
        cdef int status
        if centre is not None:
            less = Buffer(centre, IN)
            centred = less.data()
        self.reserve(logreg_node_count(offset, offset + end))
        problem.reserve(logreg_sum_softmax_workspace_size(problem.data, &part, self.outputs,
                                                          problem.run.n_threads))
        with nogil:
            status = logreg_sum_softmax(problem.data, &part, self.outputs, w_in.data(),
                                        b_in.data(), centred, &self.nodes, &problem.run)
        problem.status(status)

    def merge(self, Sums other):
        """Add what another has summed."""
        self.reserve(other.nodes.count)
        if self.outputs:
            logreg_merge_softmax(self.n_x, self.outputs, &self.nodes, &other.nodes)
        else:
            logreg_merge(self.kind, self.n_x, &self.nodes, &other.nodes)

    def gradient(self, int64_t n_segments, bint float32, Point point, double l2, dw):
        """(status, J, db) of the whole, and dw filled; uses up the sums."""
        cdef Buffer dw_out = Buffer(dw, OUT)
        cdef double J = 0, db = 0
        cdef int status = logreg_finish_gradient(
            &self.nodes, n_segments, self.n_x, LOGREG_FLOAT32 if float32 else LOGREG_FLOAT64,
            &point.c, l2, &J, dw_out.data(), &db,
        )
        return status, J, db

    def softmax(self, int64_t n_segments, w, double l2, dw, db):
        """(status, J) of the whole, and dw (n_x, K) and db (K,) filled; uses up the sums."""
        cdef Buffer w_in = Buffer(w, IN), dw_out = Buffer(dw, OUT), db_out = Buffer(db, OUT)
        cdef double J = 0
        cdef int status = logreg_finish_softmax(&self.nodes, n_segments, self.n_x, self.outputs,
                                                w_in.data(), l2, &J, dw_out.data(), db_out.data())
        return status, J

    def softmax_curvature(self, int64_t n_segments, D, d):
        """The status, and D (n_x, K) and d (K,) of the whole filled; uses up the sums."""
        cdef Buffer D_out = Buffer(D, OUT), d_out = Buffer(d, OUT)
        return logreg_finish_softmax_curvature(&self.nodes, n_segments, self.n_x, self.outputs,
                                               D_out.data(), d_out.data())

    def moments(self, int64_t n_segments, bint float32, Features out):
        """The status, and the moments of the whole filled; uses up the sums."""
        return logreg_finish_moments(&self.nodes, n_segments, self.n_x,
                                     LOGREG_FLOAT32 if float32 else LOGREG_FLOAT64, &out.c)

    def products(self, int64_t n_segments, int64_t n_x, centre, int64_t of_rows,
                 int64_t of_columns, G, mu, double S):
        """(status, S), and this part of G (n_x, n_x) and mu (n_x,) filled; uses up the sums."""
        cdef Buffer centre_in = Buffer(centre, IN), G_out = Buffer(G, OUT), mu_out = Buffer(mu, OUT)
        cdef int status = logreg_finish_gram(
            &self.nodes, n_segments, n_x, centre_in.data(), of_rows, of_columns, G_out.data(),
            mu_out.data(), &S,
        )
        return status, S


def gram_groups(int64_t n_x):
    """How many groups of features the Gram of n_x has, and how large each is."""
    return logreg_gram_groups_of(n_x), logreg_gram_group_size(n_x)


def segment_size(int64_t n_x):
    """The examples of a segment, where X is dense."""
    cdef logreg_data shape
    memset(&shape, 0, sizeof(shape))
    shape.n_x = n_x
    return logreg_segment_size(&shape)


cdef class DescentBySums:
    """A descent whose gradients are sums; `done` is the number of costs so far."""

    cdef logreg_settings settings
    cdef logreg_state state
    cdef object array
    cdef Buffer w, next_w
    cdef Features features
    cdef int64_t n_x
    cdef readonly int64_t done

    def __cinit__(self, w, next_w, int64_t n_x, double b, double alpha, double l2, double tol,
                  bint fixed_b):
        """Begin at w and b; w is updated in place, and next_w is room."""
        self.array = w
        self.w = Buffer(w, OUT)
        self.next_w = Buffer(next_w, OUT)
        self.n_x = n_x
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

    def point(self, Features features):
        """Where the gradient of the next iteration is taken, of these features."""
        cdef Point point = Point(self.array, 0.0, features)
        self.features = features
        self.settings.standardization = point.c.standardization
        point.c = logreg_descent_point(&self.settings, &self.state, self.n_x)
        return point

    def update(self, Sums sums, int64_t n_segments, bint float32, costs):
        """Update w and b by the gradient at `point`, writing to costs[done]; return the status."""
        cdef Buffer out = Buffer(costs, OUT)
        cdef int status = logreg_descend_by(
            &sums.nodes, n_segments, self.n_x, LOGREG_FLOAT32 if float32 else LOGREG_FLOAT64,
            &self.settings, &self.state, self.next_w.data(), out.data() + self.done,
        )
        if status != LOGREG_PASS_OVERFLOW and status != LOGREG_INCOMPLETE:
            self.done += 1
        return status
