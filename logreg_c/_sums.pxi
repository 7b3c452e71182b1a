# SPDX-License-Identifier: BSD-3-Clause
# Gradients of data that come in parts.


cdef class GradientSums:
    """The sums of J, dw and db of data that come in parts, in any order: nodes of one tree."""

    cdef logreg_nodes nodes
    cdef int64_t capacity, n_x

    def __cinit__(self, int64_t n_x):
        self.n_x = n_x

    def __dealloc__(self):
        for k in range(self.capacity):
            PyMem_Free(self.nodes.nodes[k].sums)
        PyMem_Free(self.nodes.nodes)

    cdef int reserve(self, int64_t more) except -1:
        cdef int64_t wanted = self.nodes.count + more
        cdef size_t size = logreg_node_size(&logreg_gradient_sums, self.n_x) * sizeof(double)
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

    def add(self, Problem problem, w, double b, int64_t offset, int64_t first, int64_t end):
        """Add segments [first, end) of a problem, whose own first one is `offset` in the whole."""
        cdef Buffer w_in = Buffer(w, IN)
        cdef logreg_part part = logreg_part(offset, first, end)
        cdef logreg_point point = logreg_point(w_in.data(), b, NULL)
        cdef int status
        self.reserve(logreg_node_count(offset + first, offset + end))
        problem.reserve(logreg_sum_workspace_size(&logreg_gradient_sums, problem.data, &part, 0,
                                                  problem.run.n_threads))
        with nogil:
            status = logreg_sum(&logreg_gradient_sums, problem.data, &part, &point, &self.nodes,
                                &problem.run)
        problem.status(status)

    def merge(self, GradientSums other):
        """Add what another has summed."""
        self.reserve(other.nodes.count)
        logreg_merge(&logreg_gradient_sums, self.n_x, &self.nodes, &other.nodes)

    def finish(self, int64_t n_segments, bint float32, w, double b, double l2, dw):
        """(status, J, db) of the whole, and dw filled; uses up the sums."""
        cdef Buffer w_in = Buffer(w, IN), dw_out = Buffer(dw, OUT)
        cdef logreg_point point = logreg_point(w_in.data(), b, NULL)
        cdef double J = 0, db = 0
        cdef int status = logreg_finish_gradient(
            &self.nodes, n_segments, self.n_x, LOGREG_FLOAT32 if float32 else LOGREG_FLOAT64,
            &point, l2, &J, dw_out.data(), &db,
        )
        return status, J, db
