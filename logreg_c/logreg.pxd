# SPDX-License-Identifier: BSD-3-Clause
"""src/logreg.h, as far as the binding calls it."""

from libc.stdint cimport int32_t, int64_t


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
        const int64_t *starts
        const int64_t *ends
        const void *indices
        logreg_type index_type
        int64_t width
        const logreg_column *codes
        const int64_t *categories
        int64_t n_codes
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
    const int LOGREG_INCOMPLETE
    const int LOGREG_ROUNDING
    const int LOGREG_SEPARATED

    ctypedef struct logreg_goal:
        double l2
        double tol
        double slope
        int64_t passes
        int fixed_b
        int warm

    ctypedef struct logreg_minimizer:
        pass

    ctypedef struct logreg_progress:
        double b
        double gap
        double fall
        double slope
        int64_t passes

    ctypedef struct logreg_member:
        const logreg_data *data
        const logreg_standardization *standardization
        logreg_minimizer *minimizer
        int status

    ctypedef struct logreg_fit:
        logreg_data data
        double l2
        double *w
        double J
        logreg_progress found
        int status

    ctypedef struct logreg_quadratic:
        int64_t n
        const double *H
        const double *l1
        const double *lower
        const double *upper

    ctypedef struct logreg_columns:
        int64_t n_x
        int64_t m
        const int64_t *starts
        const int32_t *examples
        const double *values

    ctypedef struct logreg_column_model:
        logreg_columns X
        const double *h
        double total
        const double *slope
        const double *l1
        const double *l2
        const double *lower
        const double *upper
        double db
        int fixed_b

    ctypedef struct logreg_sum_kind:
        pass

    ctypedef struct logreg_part:
        int64_t offset
        int64_t first
        int64_t end

    ctypedef struct logreg_node:
        int level
        int64_t index
        double *sums

    ctypedef struct logreg_nodes:
        logreg_node *nodes
        int64_t count

    ctypedef struct logreg_point:
        const double *w
        double b
        const logreg_standardization *standardization
        int raw_w

    const logreg_sum_kind logreg_gradient_sums
    const logreg_sum_kind logreg_moment_sums
    const logreg_sum_kind logreg_gram_sums
    const logreg_sum_kind logreg_cross_gram_sums

    const int LOGREG_LOW_RANK_EXAMPLES
    enum: LOGREG_MOST_SAMPLES

    ctypedef enum logreg_wanted:
        LOGREG_WANT_NOTHING
        LOGREG_WANT_SURVEY
        LOGREG_WANT_SAMPLE
        LOGREG_WANT_MOMENTS
        LOGREG_WANT_CURVATURE
        LOGREG_WANT_GRADIENT

    ctypedef struct logreg_request:
        logreg_wanted wanted
        int64_t sample
        const double *w
        const double *centre
        double b
        double l2
        double least
        int dense
        int64_t block
        logreg_type arithmetic

    ctypedef struct logreg_survey:
        pass

    ctypedef struct logreg_choice:
        pass

    ctypedef struct logreg_given:
        int status
        logreg_survey survey
        logreg_data sample
        const double *mean
        const double *sums
        const double *block
        double S
        double J
        double db

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
    size_t logreg_minimizer_size(const logreg_data *data)
    void logreg_minimizer_open(logreg_minimizer *minimizer, const logreg_data *data,
                               const logreg_goal *goal, const double *w, double b)
    size_t logreg_minimize_workspace_size(const logreg_data *data, int n_threads)
    int logreg_minimize(const logreg_data *data, const logreg_standardization *standardization,
                        logreg_minimizer *minimizer, double *costs, int64_t steps,
                        int64_t *n_costs, const logreg_run *run)
    size_t logreg_minimize_together_workspace_size(const logreg_member *members, int64_t count,
                                                   int n_threads)
    int logreg_minimize_together(logreg_member *members, int64_t count, const logreg_run *run)
    int logreg_minimizer_retarget(logreg_minimizer *minimizer, const logreg_data *data,
                                  const logreg_standardization *standardization, double l2,
                                  const logreg_run *run)
    int logreg_minimizer_resume(logreg_minimizer *minimizer, const logreg_data *data,
                                const void *state, int64_t passes)
    logreg_progress logreg_minimizer_progress(const logreg_minimizer *minimizer, double *w)
    double logreg_minimizer_step(const logreg_minimizer *minimizer, double *step)
    size_t logreg_minimize_many_workspace_size(const logreg_fit *fits, int64_t count,
                                               int n_threads)
    int logreg_minimize_many(logreg_fit *fits, int64_t count, const logreg_goal *goal,
                             const logreg_run *run)
    size_t logreg_softmax_workspace_size(const logreg_data *data, int64_t n_outputs, int n_threads)
    int logreg_softmax_cost_and_gradient(
        const logreg_data *data, int64_t n_outputs, const double *w, const double *b, double l2,
        double *J, double *dw, double *db, const logreg_run *run)
    int logreg_softmax_curvature(
        const logreg_data* data, int64_t n_outputs, const double* w, const double* b,
        const double* centre, double* D, double* d, const logreg_run* run) nogil
    size_t logreg_softmax_hessian_workspace_size(const logreg_data *data, int n_threads)
    int logreg_softmax_hessian(
        const logreg_data *data, int64_t n_outputs, const double *A, const double *s, double least,
        const double *centre, double *H, const logreg_run *run) nogil
    size_t logreg_softmax_predict_workspace_size(
        const logreg_data *data, int64_t n_outputs, int n_threads)
    int logreg_softmax_predict(
        const logreg_data *data, int64_t n_outputs, const double *w, const double *b,
        int probabilities, double *out, const logreg_run *run)

    int logreg_curvature(const logreg_data *data, const double *w, double b, int squared,
                         double *h, const logreg_run *run)
    int logreg_gradient_and_curvature(const logreg_data *data, const double *w, double b,
                                      double *J, double *dw, double *db, double *h,
                                      const logreg_run *run)
    size_t logreg_gram_workspace_size(const logreg_data *data, int n_threads)
    int logreg_gram(const logreg_data *data, const double *centre, double *G, double *mu,
                    double *S, const logreg_run *run)
    int64_t logreg_cholesky(double *A, int64_t n, double least, const logreg_run *run)
    size_t logreg_cholesky_workspace_size(int64_t n, int n_threads)
    size_t logreg_quadratic_workspace_size(int64_t n, int n_threads)
    int logreg_minimize_quadratic(const logreg_quadratic *quadratic, double tol, double *v,
                                  double *slope, double *decrease, const logreg_run *run)
    int logreg_sort_by_feature(const logreg_data *data, int64_t *starts, int32_t *examples,
                               double *values, const logreg_run *run)
    size_t logreg_column_workspace_size(int64_t n_x, int64_t m, int64_t n_values)
    int logreg_minimize_by_columns(const logreg_column_model *model, double tol, double enough,
                                   double *v, double *b, double *decrease, const logreg_run *run)
    void logreg_solve_lower(const double *L, int64_t n, double *x)
    void logreg_solve_upper(const double *L, int64_t n, double *x)
    void logreg_multiply_rows(const double *V, int64_t n_rows, int64_t n, const double *x,
                              double *out)
    void logreg_add_rows(const double *V, int64_t n_rows, int64_t n, const double *c, double *y)
    double logreg_log_determinant(const double *L, int64_t n)
    size_t logreg_leverage_workspace_size(const logreg_data *data, int n_threads)
    int logreg_leverage(const logreg_data *data, const double *centre, const double *L,
                        double *out, const logreg_run *run)
    int64_t logreg_segment_size(const logreg_data *data)
    int64_t logreg_node_size(const logreg_sum_kind *kind, int64_t n_x)
    int64_t logreg_node_count(int64_t first, int64_t end)
    size_t logreg_sum_workspace_size(const logreg_sum_kind *kind, const logreg_data *data,
                                     const logreg_part *part, int centred, int n_threads)
    int logreg_sum(const logreg_sum_kind *kind, const logreg_data *data, const logreg_part *part,
                   const logreg_point *point, logreg_nodes *nodes, const logreg_run *run)
    void logreg_merge(const logreg_sum_kind *kind, int64_t n_x, logreg_nodes *into,
                      const logreg_nodes *from_)
    int logreg_finish_moments(logreg_nodes *nodes, int64_t n_segments, int64_t n_x,
                              logreg_type arithmetic, const logreg_standardization *out)
    int64_t logreg_gram_groups_of(int64_t n_x)
    int64_t logreg_gram_group_size(int64_t n_x)
    size_t logreg_sum_gram_workspace_size(const logreg_data *data, const logreg_part *part,
                                          int64_t of_rows, int64_t of_columns, int n_threads)
    int logreg_sum_gram(const logreg_data *data, const logreg_part *part, const double *centre,
                        int64_t of_rows, int64_t of_columns, logreg_nodes *nodes,
                        const logreg_run *run)
    int logreg_finish_gram(logreg_nodes *nodes, int64_t n_segments, int64_t n_x,
                           const double *centre, int64_t of_rows, int64_t of_columns, double *G,
                           double *mu, double *S)
    int logreg_add_categories(const logreg_data *part, double *G, double *mu,
                              const logreg_run *run)
    int logreg_finish_category_moments(const logreg_data *whole,
                                       const logreg_standardization *out)
    int logreg_finish_category_gram(const logreg_data *whole, double *G, double *mu)
    int64_t logreg_softmax_node_size(int64_t n_x, int64_t n_outputs)
    void logreg_merge_softmax(int64_t n_x, int64_t n_outputs, logreg_nodes *into,
                              const logreg_nodes *from_)
    size_t logreg_sum_softmax_workspace_size(const logreg_data *data, const logreg_part *part,
                                             int64_t n_outputs, int n_threads)
    int logreg_sum_softmax(const logreg_data *data, const logreg_part *part, int64_t n_outputs,
                           const double *w, const double *b, const double *centre,
                           logreg_nodes *nodes, const logreg_run *run)
    int logreg_finish_softmax(logreg_nodes *nodes, int64_t n_segments, int64_t n_x,
                              int64_t n_outputs, const double *w, double l2, double *J, double *dw,
                              double *db)
    int logreg_finish_softmax_curvature(logreg_nodes *nodes, int64_t n_segments, int64_t n_x,
                                        int64_t n_outputs, double *D, double *d)
    logreg_point logreg_descent_point(const logreg_settings *settings, const logreg_state *state,
                                      int64_t n_x)
    int logreg_descend_by(logreg_nodes *nodes, int64_t n_segments, int64_t n_x,
                          logreg_type arithmetic, const logreg_settings *settings,
                          logreg_state *state, double *next_w, double *J)
    logreg_request logreg_minimizer_wants(const logreg_minimizer *minimizer,
                                          const logreg_data *whole,
                                          const logreg_standardization *standardization)
    int logreg_minimizer_samples(const logreg_minimizer *minimizer, const logreg_data *whole,
                                 int64_t *sizes)
    void logreg_survey_add(logreg_survey *survey, const logreg_data *part)
    logreg_choice logreg_choice_open(const logreg_survey *survey, int64_t count)
    int64_t logreg_choose(logreg_choice *choice, const logreg_data *part, int64_t *index,
                          double *Y, double *h)
    int logreg_factor_weights(const logreg_data *data, const double *w, double b, double least,
                              double *h, double *S, const logreg_run *run)
    size_t logreg_give_workspace_size(const logreg_data *whole, int n_threads)
    int logreg_give(logreg_minimizer *minimizer, const logreg_data *whole,
                    const logreg_standardization *standardization, const logreg_given *given,
                    double *J, const logreg_run *run)
    int logreg_minimizer_ended(const logreg_minimizer *minimizer)
    int logreg_finish_gradient(logreg_nodes *nodes, int64_t n_segments, int64_t n_x,
                               logreg_type arithmetic, const logreg_point *point, double l2,
                               double *J, double *dw, double *db)
    int64_t logreg_first_outside(const logreg_column *column, int64_t n, double low, double high)
    int logreg_first_nonfinite(const logreg_data *data, int64_t *feature, int64_t *example,
                               const logreg_run *run)
    int logreg_check_sparse(const logreg_data *data, int64_t *scratch, int64_t *outside,
                            int *repeats, const logreg_run *run)
    int logreg_isa_count()
    const char *logreg_isa_name(int index)
    int logreg_isa_supported(int index)
    int logreg_isa_select(const char *name)
    const char *logreg_isa()
    const char *logreg_threads_backend()
    int logreg_max_threads()
    void logreg_threads_open()
