# SPDX-License-Identifier: BSD-3-Clause
# The search for the minimum.


cdef class Search(Work):
    """A search for the minimum, of data of some shape; `done` is the number of costs so far."""

    cdef logreg_minimizer *minimizer
    cdef const logreg_data *data
    cdef size_t size
    cdef Buffer w
    cdef logreg_progress progress
    cdef int64_t most_passes
    cdef readonly int64_t done

    cdef int begin(self, const logreg_data *data, w, double b, const logreg_goal *goal) except -1:
        """Begin at w and b; w is updated in place."""
        self.data = data
        self.most_passes = goal.passes
        self.w = Buffer(w, OUT)
        self.size = logreg_minimizer_size(data)
        self.minimizer = <logreg_minimizer *> PyMem_Malloc(self.size)
        if self.minimizer == NULL:
            raise MemoryError
        logreg_minimizer_open(self.minimizer, data, goal, self.w.data(), b)
        self.progress = logreg_minimizer_progress(self.minimizer, self.w.data())
        return 0

    def __dealloc__(self):
        PyMem_Free(self.minimizer)

    @property
    def b(self):
        return self.progress.b

    @property
    def gap(self):
        """The predicted relative gap."""
        return self.progress.gap

    @property
    def fall(self):
        """Of J in the last step; infinite before that."""
        return self.progress.fall

    @property
    def slope(self):
        """The largest component of the gradient."""
        return self.progress.slope

    @property
    def passes(self):
        return self.progress.passes

    def step(self, w):
        """Write to w what the next step would add to w; return what it would add to b."""
        cdef Buffer out = Buffer(w, OUT)
        return logreg_minimizer_step(self.minimizer, out.data())

    def state(self):
        """The bytes from which another search can continue."""
        return (<const char *> self.minimizer)[:self.size]

    def resume(self, bytes state, int64_t done):
        """Continue where another search of the same data stood after `done` costs, if it can be."""
        if <size_t> len(state) != self.size or logreg_minimizer_resume(
            self.minimizer, self.data, <const char *> state, self.most_passes
        ) != 0:
            return False
        self.progress = logreg_minimizer_progress(self.minimizer, self.w.data())
        self.done = done
        return True


cdef class Minimization(Search):
    """A search for the minimum of a problem."""

    cdef readonly Problem problem

    def __cinit__(self, Problem problem, w, double b, double l2, double tol, double slope,
                  int64_t passes, bint fixed_b, bint warm):
        cdef logreg_goal goal = logreg_goal(l2, tol, slope, passes, fixed_b, warm)
        self.problem = problem
        self.begin(problem.data, w, b, &goal)

    def retarget(self, double l2, Problem worker):
        """Go on to the minimum of another l2, if this one has been found; `done` is 0 again.

        `worker` lends its workspace.
        """
        cdef Problem problem = self.problem
        cdef int status
        worker.reserve(logreg_give_workspace_size(problem.data, worker.run.n_threads))
        with nogil:
            status = logreg_minimizer_retarget(self.minimizer, problem.data,
                                               problem.standardization, l2, &worker.run)
        if worker.status(status) != LOGREG_OK:
            return False
        self.progress = logreg_minimizer_progress(self.minimizer, self.w.data())
        self.done = 0
        return True

    def advance(self, costs, int64_t steps):
        """Take up to `steps` steps, writing to costs[done:]; return the status."""
        cdef Problem problem = self.problem
        cdef Buffer out = Buffer(costs, OUT)
        cdef int64_t n_costs
        cdef int status
        problem.reserve(logreg_minimize_workspace_size(problem.data, problem.run.n_threads))
        with nogil:
            status = logreg_minimize(problem.data, problem.standardization, self.minimizer,
                                     out.data() + self.done, steps, &n_costs, &problem.run)
            self.progress = logreg_minimizer_progress(self.minimizer, self.w.data())
        self.done += n_costs
        return problem.status(status)


def minimize_together(list searches):
    """Take searches over the same X as far as their passes go; return the status of each."""
    cdef Problem first = (<Minimization> searches[0]).problem
    cdef Minimization search
    cdef int64_t k, count = len(searches)
    cdef int status
    cdef logreg_member *members = <logreg_member *> PyMem_Malloc(count * sizeof(logreg_member))
    if members == NULL:
        raise MemoryError
    try:
        for k, search in enumerate(searches):
            members[k] = logreg_member(search.problem.data, search.problem.standardization,
                                       search.minimizer, LOGREG_OK)
        first.reserve(
            logreg_minimize_together_workspace_size(members, count, first.run.n_threads)
        )
        with nogil:
            status = logreg_minimize_together(members, count, &first.run)
        for search in searches:
            search.progress = logreg_minimizer_progress(search.minimizer, search.w.data())
        first.status(status)
        return [members[k].status for k in range(count)]
    finally:
        PyMem_Free(members)


NOTHING = LOGREG_WANT_NOTHING
SURVEY = LOGREG_WANT_SURVEY
SAMPLE = LOGREG_WANT_SAMPLE
MOMENTS_OF_ALL = LOGREG_WANT_MOMENTS
CURVATURE = LOGREG_WANT_CURVATURE
GRADIENT_AT_POINT = LOGREG_WANT_GRADIENT
LOW_RANK_EXAMPLES = LOGREG_LOW_RANK_EXAMPLES


cdef class Survey:
    """Sums over labels and weights, of parts that come in their order."""

    cdef logreg_survey c

    def add(self, Problem problem):
        with nogil:
            logreg_survey_add(&self.c, problem.data)


cdef class Choice:
    """The examples of a sample, of parts that come in their order."""

    cdef logreg_choice c

    def __init__(self, Survey survey, int64_t count):
        self.c = logreg_choice_open(&survey.c, count)

    def choose(self, Problem problem, index, Y, h):
        """Fill what is chosen of a part, from the start of each array, and return its number."""
        cdef Buffer index_out = Buffer(index, OUT), Y_out = Buffer(Y, OUT), h_out = Buffer(h, OUT)
        cdef int64_t count
        with nogil:
            count = logreg_choose(&self.c, problem.data, <int64_t *> index_out.view.buf,
                                  Y_out.data(), h_out.data())
        return count


def factor_weights(Problem problem, w, double b, double least, h, double S):
    """(status, S + their sum), and h (m,) filled with the weights of a factor at w, b."""
    cdef Buffer w_in = Buffer(w, IN), h_out = Buffer(h, OUT)
    cdef logreg_data in_float64 = problem.data[0]
    cdef int status
    in_float64.arithmetic = LOGREG_FLOAT64
    problem.reserve(logreg_predict_workspace_size(&in_float64, problem.run.n_threads))
    with nogil:
        status = logreg_factor_weights(problem.data, w_in.data(), b, least, h_out.data(), &S,
                                       &problem.run)
    return problem.status(status), S


cdef class SearchBySums(Search):
    """A search that is given what it wants, of data that come in parts."""

    cdef logreg_data whole
    cdef Data shape
    cdef Features features

    def __cinit__(self, shape, X, bint float32, bint example_major, int n_threads, w, double b,
                  double l2, double tol, double slope, int64_t passes, bint fixed_b, bint warm):
        """X is any array of the type that samples have, or has categories and no examples."""
        cdef logreg_goal goal = logreg_goal(l2, tol, slope, passes, fixed_b, warm)
        if isinstance(X, tuple):
            self.shape = Data(X, None, None, float32, None)
            self.whole = self.shape.c
        else:
            self.whole.X = Column(X).column
        self.whole.n_x, self.whole.m = shape
        self.whole.example_major = example_major
        self.whole.arithmetic = LOGREG_FLOAT32 if float32 else LOGREG_FLOAT64
        self.open(n_threads)
        self.begin(&self.whole, w, b, &goal)

    cdef const logreg_standardization *standardization(self) noexcept:
        return NULL if self.features is None else &self.features.c

    def standardize(self, Features features):
        """Have l2 and the slope be about these features, or about the features as they are."""
        self.features = features

    def retarget(self, double l2):
        """Go on to the minimum of another l2, as that of `Minimization` does; `done` is 0 again."""
        cdef const logreg_standardization *standardization = self.standardization()
        cdef int status
        self.reserve(logreg_give_workspace_size(&self.whole, self.run.n_threads))
        with nogil:
            status = logreg_minimizer_retarget(self.minimizer, &self.whole, standardization, l2,
                                               &self.run)
        if self.status(status) != LOGREG_OK:
            return False
        self.progress = logreg_minimizer_progress(self.minimizer, self.w.data())
        self.done = 0
        return True

    def wants(self, w, centre):
        """(what, examples of a sample, b, l2, least, dense, block, float32).

        Fills w and centre (n_x,).
        """
        cdef logreg_request r = logreg_minimizer_wants(self.minimizer, &self.whole,
                                                       self.standardization())
        cdef size_t size = self.whole.n_x * sizeof(double)
        memcpy(Buffer(w, OUT).data(), r.w, size)
        memcpy(Buffer(centre, OUT).data(), r.centre, size)
        return (r.wanted, r.sample, r.b, r.l2, r.least, r.dense != 0, r.block,
                r.arithmetic == LOGREG_FLOAT32)

    def samples(self):
        """The sizes of the samples that it will want before its first factor is made."""
        cdef int64_t sizes[LOGREG_MOST_SAMPLES]
        cdef int k, n = logreg_minimizer_samples(self.minimizer, &self.whole, sizes)
        return [sizes[k] for k in range(n)]

    @property
    def ended(self):
        """How the search ended, or OK."""
        return logreg_minimizer_ended(self.minimizer)

    cdef int give(self, logreg_given *given, costs) except -1:
        cdef Buffer out = Buffer(costs, OUT)
        cdef const logreg_standardization *standardization = self.standardization()
        cdef double J = 0
        cdef int status
        self.reserve(logreg_give_workspace_size(&self.whole, self.run.n_threads))
        with nogil:
            status = logreg_give(self.minimizer, &self.whole, standardization, given, &J,
                                 &self.run)
            self.progress = logreg_minimizer_progress(self.minimizer, self.w.data())
        self.status(status)
        if J == J:
            out.data()[self.done] = J
            self.done += 1
        return 0

    def give_survey(self, Survey survey, costs):
        cdef logreg_given given
        given.status = LOGREG_OK
        given.survey = survey.c
        self.give(&given, costs)

    def give_sample(self, Problem sample, costs):
        cdef logreg_given given
        given.status = LOGREG_OK
        given.sample = sample.data[0]
        self.give(&given, costs)

    def give_sums(self, int status, mean, sums, block, double S, costs):
        """Give moments (with deviations as the sums), or curvature, with the Gram of a block."""
        cdef Buffer mean_in = Buffer(mean, IN), sums_in = Buffer(sums, IN)
        cdef Buffer block_in = Buffer(block, IN)
        cdef logreg_given given
        given.block = block_in.data()
        given.status = status
        given.mean, given.sums, given.S = mean_in.data(), sums_in.data(), S
        self.give(&given, costs)

    def give_gradient(self, int status, double J, dw, double db, costs):
        cdef Buffer dw_in = Buffer(dw, IN)
        cdef logreg_given given
        given.status = status
        given.sums, given.J, given.db = dw_in.data(), J, db
        self.give(&given, costs)
