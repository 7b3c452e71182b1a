/* SPDX-License-Identifier: BSD-3-Clause
 *
 * logreg: batch logistic regression by gradient descent, one pass over X in memory per iteration.
 *
 * This header is the whole interface of the kernel. The kernel is C11 without Python, NumPy or
 * libm. It allocates nothing and prints nothing: the caller hands in every byte it works on, so a
 * call can fail only in the ways its comment names. It trusts its caller: shapes, pointers and
 * ranges (labels within [0, 1], weights >= 0, alpha > 0 ...) have been checked before.
 *
 * The model. X is (n_x, m), with one example per column; Y holds m labels. An iteration is
 *
 *     Z = w'X + b        A = sigmoid(Z)        J = -mean(Y log A + (1 - Y) log(1 - A))
 *     dZ = A - Y         dw = X dZ' / m        db = sum(dZ) / m
 *     w = w - alpha dw   b = b - alpha db
 *
 * with every mean a weighted mean where there are sample weights (then m is the sum of the
 * weights), and with l2: J + l2/2 sum(w^2), dw + l2 w.
 *
 * The bits. Results depend on the data, the layout and the settings; never on the number of
 * threads, the instruction set, the compiler, the caller's floating-point modes, or whether the
 * data are summed in one call or in parts. docs/architecture.md explains how.
 */
#ifndef LOGREG_H
#define LOGREG_H

#include <stddef.h>
#include <stdint.h>

/* ---- Data ------------------------------------------------------------------------------------ */

/* How a value is stored. A bool is a byte, 1 wherever it is not 0. */
typedef enum logreg_type {
    LOGREG_FLOAT64,
    LOGREG_FLOAT32,
    LOGREG_FLOAT16,
    LOGREG_INT64,
    LOGREG_INT32,
    LOGREG_INT16,
    LOGREG_INT8,
    LOGREG_UINT16,
    LOGREG_UINT8,
    LOGREG_BOOL
} logreg_type;

/* One value per example: that of example i lies i times `stride` bytes after `values`. Any stride
 * and any alignment will do; values side by side are read fastest. */
typedef struct logreg_column {
    const void *values;
    int64_t stride;
    logreg_type type;
} logreg_column;

/* The examples, read where they are.
 *
 * Feature-major, each feature is a column: either the columns are `features`, each of its own type,
 * or feature j is X moved on by j times feature_stride bytes.
 *
 * Example-major, the features of an example lie side by side, in the type of X, and aligned;
 * X.stride is the distance from one example to the next, and feature_stride the size of the type.
 *
 * Sparse, where `starts` is not NULL, X is the values that are stored, side by side and aligned.
 * Those of example i are number starts[i] to ends[i] - 1, in any order, and value k belongs to
 * feature indices[k]. No feature comes twice in an example; one that does not come is 0.
 * logreg_check_sparse finds what is wrong. A standardization must not centre.
 *
 * With categories, where `codes` is not NULL, X is feature-major, but the last of its n_x features
 * are made of codes: column k of n_codes, aligned and of any type of integers, has the code of a
 * category for each example, and code c stands for a 1 in feature categories[k] + c and a 0 in the
 * others up to categories[k + 1], which c must be below; categories[n_codes] is n_x. A
 * standardization has the mean 0 and the deviation 1 for them where it centres or scales. Not for
 * softmax, leverages, nor moments and Grams in parts.
 *
 * The sums of these run in different orders, so their bits may differ. The layout is the
 * caller's to state: an array that is both (n_x == 1 or m == 1) is feature-major unless it is a
 * chunk of data that are example-major. How the values are stored changes no bit, but their order
 * does where they are sparse. */
typedef struct logreg_data {
    int64_t n_x; /* features, >= 0 */
    int64_t m;   /* examples, >= 1 */
    int example_major;
    logreg_column X;
    int64_t feature_stride;
    const logreg_column *features; /* n_x, or NULL */
    const int64_t *starts, *ends;  /* m each, or NULL */
    const void *indices;
    logreg_type index_type;     /* LOGREG_INT32 or LOGREG_INT64 */
    int64_t width;              /* values per example of the whole, on average: rounded up, >= 1 */
    const logreg_column *codes; /* n_codes, or NULL */
    const int64_t *categories;  /* n_codes + 1 */
    int64_t n_codes;
    logreg_column Y;             /* labels in [0, 1]; for J and its gradient */
    logreg_column sample_weight; /* weights >= 0 with a positive sum; values NULL: all are 1 */
    /* LOGREG_FLOAT64; or LOGREG_FLOAT32, if no feature is a float64, int64 or int32: then
     * everything is computed in float32 within a block of examples, and in float64 across blocks.
     */
    logreg_type arithmetic;
} logreg_data;

/* ---- How to run ------------------------------------------------------------------------------ */

typedef struct logreg_run {
    /* The most threads to use, >= 1. Fewer are used where there is not enough work for them or the
     * system does not let them start, and one in a forked child process. */
    int n_threads;
    /* Asked by the calling thread alone, between blocks, at most once every 50 ms; anything but 0
     * ends the call with LOGREG_STOPPED. NULL: never asked. */
    int (*should_stop)(void *context);
    void *context;
    /* As many bytes as the size function of the call says, aligned to 64. Calls keep nothing in
     * it. */
    void *workspace;
} logreg_run;

/* For logreg_descend and logreg_cost_and_gradient (centred: whether there is a standardization that
 * centres); for logreg_standardize; and for logreg_decision and logreg_predict_proba. */
size_t logreg_workspace_size(const logreg_data *data, int centred, int n_threads);
size_t logreg_standardize_workspace_size(const logreg_data *data, int n_threads);
size_t logreg_predict_workspace_size(const logreg_data *data, int n_threads);

/* How a call ended. */
enum {
    LOGREG_OK = 0,          /* everything that was asked for is done */
    LOGREG_CONVERGED,       /* descend: max(|dw|, |db|) <= tol */
    LOGREG_STOPPED,         /* should_stop said so */
    LOGREG_PASS_OVERFLOW,   /* Z, J, dw or db is not finite: X holds NaN or inf, or values left the
                             * range of the arithmetic; also where the weights sum to less than
                             * 2^-960 (in float32 2^-100) */
    LOGREG_UPDATE_OVERFLOW, /* descend: J, dw and db are finite, the updated w or b is not */
    LOGREG_INCOMPLETE,      /* finish: the nodes do not cover every segment once */
    LOGREG_ROUNDING,        /* minimize: rounding hides whatever could still be gained */
    LOGREG_SEPARATED,       /* minimize: no penalty, and a plane separates the classes: J falls to 0
                             * as w grows without bound, and has no minimum */
};

/* ---- Standardized features ------------------------------------------------------------------- */

/* The features that a descent or a gradient sees: x, less the mean if `centre`, divided by sd if
 * `scale`. The arrays have n_x values.
 *
 * mean + mean_lo is the (weighted) mean to about twice the precision of float64 (mean alone is a
 * value of the arithmetic, which the pass subtracts), sd the root of the (weighted) mean squared
 * deviation. A constant feature has sd == 0 exactly, and only a constant feature has. Examples of
 * weight 0 count for nothing.
 *
 * A constant feature that is centred counts as 0, and a descent leaves its w alone. One that is
 * scaled but not centred keeps its values, as if its sd were 1. */
typedef struct logreg_standardization {
    double *mean;
    double *mean_lo;
    double *sd;
    int centre, scale;
} logreg_standardization;

/* Finds the three arrays in one pass over X, in float64; centre and scale are not looked at.
 * LOGREG_OK, LOGREG_STOPPED, or LOGREG_PASS_OVERFLOW where a mean or a deviation is not finite, or
 * the squares of a feature that varies underflow. */
int logreg_standardize(const logreg_data *data, const logreg_standardization *out,
                       const logreg_run *run);

/* ---- Gradient descent ------------------------------------------------------------------------ */

typedef struct logreg_settings {
    double alpha; /* learning rate, > 0 */
    double l2;    /* >= 0 */
    double tol;   /* stop when max(|dw|, |db|) <= tol; negative: never */
    /* NULL, or what logreg_standardize found: then the descent, J, l2 and tol are those of the
     * standardized features, while w and b stay those of the raw features. */
    const logreg_standardization *standardization;
    /* b stays as it is, and tol ignores db. A standardization must not centre then. */
    int fixed_b;
} logreg_settings;

/* The state of a descent; the caller sets it to the start, and each call continues from it. The
 * bits after 10 calls of one iteration are those after one call of 10. */
typedef struct logreg_state {
    double *w; /* (n_x,) */
    double b;
    double b_lo; /* low-order part of b: 0 at the start, see descend.c */
} logreg_state;

/* Up to `iters` iterations. Iteration k writes J at the present w, b to costs[k] (k counts from 0
 * in each call), then updates w and b, unless max(|dw|, |db|) <= tol. `*n_costs` is how many costs
 * were written, all of them finite. On return
 *     LOGREG_OK               iters costs, iters updates
 *     LOGREG_CONVERGED        n_costs costs, n_costs - 1 updates: the last cost is J at w, b
 *     LOGREG_STOPPED          n_costs costs, n_costs updates (the iteration under way is undone)
 *     LOGREG_PASS_OVERFLOW    n_costs costs, n_costs updates; J, dw or db at w, b is not finite
 *     LOGREG_UPDATE_OVERFLOW  n_costs costs, n_costs - 1 updates; w, b are as before the last one
 */
int logreg_descend(const logreg_data *data, const logreg_settings *settings, logreg_state *state,
                   double *costs, int64_t iters, int64_t *n_costs, const logreg_run *run);

/* J, dw (n_x,) and db at w (n_x,), b. With a standardization (it may be NULL) all of them, w and b
 * included, are those of the standardized features. LOGREG_OK, LOGREG_STOPPED or
 * LOGREG_PASS_OVERFLOW. */
int logreg_cost_and_gradient(const logreg_data *data, const logreg_standardization *standardization,
                             const double *w, double b, double l2, double *J, double *dw,
                             double *db, const logreg_run *run);

/* ---- The minimum ----------------------------------------------------------------------------- */

/* Finds the minimum of J of features as they are, by quasi-Newton steps from a factor of the
 * Hessian of a sample; minimize.c explains how. */
typedef struct logreg_goal {
    double l2;      /* >= 0 */
    double tol;     /* the relative gap (J - min J) / J, as predicted, to stop at; >= 0 */
    double slope;   /* and max(|dw|, |db|), which has to be within this, too; >= 0 or infinite */
    int64_t passes; /* at most, >= 0 */
    int fixed_b;    /* b stays as it is */
    int warm;       /* w and b are close to the minimum: no sample is solved first */
} logreg_goal;

/* The state: logreg_minimizer_size bytes, aligned to 8, in which there are no pointers, so that a
 * copy of the bytes continues as the original does. */
typedef struct logreg_minimizer logreg_minimizer;
size_t logreg_minimizer_size(const logreg_data *data);

/* Begins at w (n_x,) and b. */
void logreg_minimizer_open(logreg_minimizer *minimizer, const logreg_data *data,
                           const logreg_goal *goal, const double *w, double b);

/* Up to `steps` costs, each J at the point that a step has come to (the first at the point to start
 * from, which the samples have given). With a standardization (it may be NULL) l2 and slope are
 * about the standardized features, while w and b are those of the raw features. The state counts
 * passes over the data.
 *
 *     LOGREG_OK             `steps` costs, or goal.passes passes: more where none has a cost yet
 *     LOGREG_CONVERGED      the predicted gap is at most tol
 *     LOGREG_ROUNDING, LOGREG_SEPARATED
 *     LOGREG_STOPPED        the step under way is undone
 *     LOGREG_PASS_OVERFLOW  J or its gradient at the point to start from, or a square of a feature,
 *                           is not finite
 *
 * The bits after 10 calls of one step are those after one call of 10. */
size_t logreg_minimize_workspace_size(const logreg_data *data, int n_threads);
int logreg_minimize(const logreg_data *data, const logreg_standardization *standardization,
                    logreg_minimizer *minimizer, double *costs, int64_t steps, int64_t *n_costs,
                    const logreg_run *run);

/* One of several searches over the same X: Y, weights, arithmetic, standardization and goals are
 * its own. */
typedef struct logreg_member {
    const logreg_data *data;
    const logreg_standardization *standardization;
    logreg_minimizer *minimizer;
    int status; /* as logreg_minimize returns it */
} logreg_member;

/* Takes all searches as far as their passes go, each with the bits that logreg_minimize gives it on
 * its own. One pass over X serves all of them that want a gradient. LOGREG_OK, or LOGREG_STOPPED:
 * then another call goes on. */
size_t logreg_minimize_together_workspace_size(const logreg_member *members, int64_t count,
                                               int n_threads);
int logreg_minimize_together(logreg_member *members, int64_t count, const logreg_run *run);

/* Continues a search of the same data from a copy of its state, with another goal.passes. 0, or -1
 * where the bytes can be no such state; then nothing has changed. */
int logreg_minimizer_resume(logreg_minimizer *minimizer, const logreg_data *data, const void *state,
                            int64_t passes);

/* Sets a search that has found a minimum on its way to that of another l2, which it starts from
 * where it is: J and its gradient follow without a pass, and so does the factor where the curvature
 * is still the same. Passes count from 0 again. With the standardization of the calls before, and
 * the workspace of logreg_give. LOGREG_OK, LOGREG_STOPPED, or LOGREG_INCOMPLETE where the search
 * ended otherwise, or J would lose digits or overflow; then nothing has changed. */
int logreg_minimizer_retarget(logreg_minimizer *minimizer, const logreg_data *data,
                              const logreg_standardization *standardization, double l2,
                              const logreg_run *run);

/* A search by what it asks for, where logreg_minimize cannot give it that: of data in files, or on
 * a cluster. Then `whole` is the shape of the data: n_x, m, the layout, the arithmetic, and as the
 * type of X that of the samples; nothing is read from it. Sums in parts, below, make what is
 * wanted. A search of at most LOGREG_LOW_RANK_EXAMPLES examples may need all of them in memory, and
 * is not for this. */
enum { LOGREG_LOW_RANK_EXAMPLES = 2048 };
typedef enum logreg_wanted {
    LOGREG_WANT_NOTHING,   /* it has ended, or used up its passes */
    LOGREG_WANT_SURVEY,    /* of all examples */
    LOGREG_WANT_SAMPLE,    /* `sample` examples */
    LOGREG_WANT_MOMENTS,   /* of all examples in float64: means and deviations */
    LOGREG_WANT_CURVATURE, /* of all examples, weighted by logreg_factor_weights at w, b: the Gram
                            * about `centre` if `dense`, or else means and deviations */
    LOGREG_WANT_GRADIENT   /* J, dw and db at w, b, in `arithmetic`, with `l2` */
} logreg_wanted;

typedef struct logreg_request {
    logreg_wanted wanted;
    int64_t sample;
    const double *w, *centre; /* of the state: they change when it is given what it wants */
    double b, l2, least;      /* least: of the weights of a factor */
    int dense;
    int64_t block; /* if not: of so many features, the Gram, too */
    logreg_type arithmetic;
} logreg_request;

logreg_request logreg_minimizer_wants(const logreg_minimizer *minimizer, const logreg_data *whole,
                                      const logreg_standardization *standardization);

/* The sizes of the samples that a search will want before it is given the first gradient and its
 * factor, one after the other, the same one twice perhaps; returns how many these are. So all can
 * be gathered in one pass. */
enum { LOGREG_MOST_SAMPLES = 9 };
int logreg_minimizer_samples(const logreg_minimizer *minimizer, const logreg_data *whole,
                             int64_t *sizes);

/* Sums over the labels and weights: zeros at first. Parts come in their order, and all but the last
 * hold a multiple of LOGREG_SURVEYED examples. */
enum { LOGREG_SURVEYED = 512 };
typedef struct logreg_survey {
    double positive, negative; /* sums of the weights of labels above 1/2, and of the others */
    double labels;             /* sum of weight times label */
    double least;              /* least weight above 0 */
    int64_t soft;              /* 1: a label of positive weight is neither 0 nor 1 */
} logreg_survey;

void logreg_survey_add(logreg_survey *survey, const logreg_data *part);

/* Which examples a sample of `count` has. Parts come in their order; each call writes what it
 * chooses of its part: where an example lies in the part, its Y and its weight in the sample. There
 * is room for count - chosen more. The places that are left in the end take the last example, with
 * Y and weight 0. */
typedef struct logreg_choice {
    int64_t count, chosen, hit;
    double positive, negative, step, size_so_far;
} logreg_choice;

logreg_choice logreg_choice_open(const logreg_survey *survey, int64_t count);
int64_t logreg_choose(logreg_choice *choice, const logreg_data *part, int64_t *index, double *Y,
                      double *h);

/* The weights h (m,) of a factor at w, b, those of logreg_curvature but with an a (1 - a) of at
 * least `least`; adds their sum to S, where parts come in their order and
 * all but the last hold a multiple of LOGREG_SURVEYED. Takes the workspace of a prediction in
 * float64, and returns what logreg_curvature does. */
int logreg_factor_weights(const logreg_data *data, const double *w, double b, double least,
                          double *h, double *S, const logreg_run *run);

/* What was wanted. A sample is example-major, with Y and weights, in float64. */
typedef struct logreg_given {
    int status; /* LOGREG_OK, or LOGREG_PASS_OVERFLOW where a value is not finite */
    logreg_survey survey;
    logreg_data sample;
    const double *mean;  /* of moments and curvature */
    const double *sums;  /* deviations, the Gram (n_x, n_x), or dw */
    const double *block; /* the Gram (block, block), if there is one */
    double S, J, db;
} logreg_given;

/* Goes on until the search wants something else. *J is the cost of the step, or NaN while it is
 * under way. LOGREG_OK, or LOGREG_STOPPED, and then it wants the same again. */
size_t logreg_give_workspace_size(const logreg_data *whole, int n_threads);
int logreg_give(logreg_minimizer *minimizer, const logreg_data *whole,
                const logreg_standardization *standardization, const logreg_given *given, double *J,
                const logreg_run *run);

/* How the search ended, as logreg_minimize returns it; LOGREG_OK while it goes on. */
int logreg_minimizer_ended(const logreg_minimizer *minimizer);

/* Where a search stands. */
typedef struct logreg_progress {
    double b, gap;  /* gap: predicted, relative; infinite at first */
    double fall;    /* of J in the last step; infinite before that */
    double slope;   /* max(|dw|, |db|); infinite at first */
    int64_t passes; /* over all examples */
} logreg_progress;

logreg_progress logreg_minimizer_progress(const logreg_minimizer *minimizer, double *w);

/* What the search would add to w and, as it returns, to b in its next step; 0 before its first. */
double logreg_minimizer_step(const logreg_minimizer *minimizer, double *step);

/* One of many fits. */
typedef struct logreg_fit {
    logreg_data data;
    double l2;
    double *w;             /* (n_x,): where to start, then where the search ended */
    double J;              /* there; written once there is a cost */
    logreg_progress found; /* found.b: likewise */
    int status;            /* as logreg_minimize returns it */
} logreg_fit;

/* Makes every fit, each with the bits that logreg_minimize gives it on its own. Threads work
 * together on large fits, and those of one X that follow one another share its passes; then the
 * threads share the small ones, one fit to a thread. goal.l2 is not looked at. LOGREG_OK, or
 * LOGREG_STOPPED: then the fits mean nothing. */
size_t logreg_minimize_many_workspace_size(const logreg_fit *fits, int64_t count, int n_threads);
int logreg_minimize_many(logreg_fit *fits, int64_t count, const logreg_goal *goal,
                         const logreg_run *run);

/* ---- Prediction ------------------------------------------------------------------------------ */

/* Z = w'X + b, or A = sigmoid(Z), (m,). LOGREG_OK, LOGREG_STOPPED, or LOGREG_PASS_OVERFLOW where a
 * Z is not finite. */
int logreg_decision(const logreg_data *data, const double *w, double b, double *Z,
                    const logreg_run *run);
int logreg_predict_proba(const logreg_data *data, const double *w, double b, double *A,
                         const logreg_run *run);

/* A[i] = 1 / (1 + exp(-Z[i])), in float64, within 2 ulp: 1 at inf, 0 at -inf, nan at nan. A may be
 * Z. */
void logreg_sigmoid(const double *Z, double *A, int64_t n);

/* ---- Softmax --------------------------------------------------------------------------------- */

/* Several outputs, at least 2: one for each class of Y, which holds 0, 1, ... n_outputs - 1. With
 *
 *     Z = w'X + b        A = exp(Z) / sum(exp(Z))        J = -mean(log A[Y])
 *     dZ = A - (k == Y)  dw = X dZ' / m                  db = mean(dZ)
 *
 * w and dw are (n_x, n_outputs), one row after the other, b and db (n_outputs,); means are
 * weighted, and with l2 it is J + l2/2 sum(w^2). One pass over X serves all outputs. In float64
 * whatever the arithmetic. LOGREG_OK, LOGREG_STOPPED or LOGREG_PASS_OVERFLOW. */
size_t logreg_softmax_workspace_size(const logreg_data *data, int64_t n_outputs, int n_threads);
int logreg_softmax_cost_and_gradient(const logreg_data *data, int64_t n_outputs, const double *w,
                                     const double *b, double l2, double *J, double *dw, double *db,
                                     const logreg_run *run);

/* The diagonal of the Hessian of the sum of the losses, by w and by b: D = sum(s A (1 - A) x^2),
 * (n_x, n_outputs), and d = sum(s A (1 - A)), with s the weights and x less the `centre` of dense
 * X, n_x values; then Z = w'(X - centre) + b. Y is not read. The workspace and the status are as
 * above. */
int logreg_softmax_curvature(const logreg_data *data, int64_t n_outputs, const double *w,
                             const double *b, const double *centre, double *D, double *d,
                             const logreg_run *run);

/* The Hessian of the sum of the losses at A (m, n_outputs), by w and b + centre'w:
 *
 *     H = (n_outputs, n_x + 1, n_outputs, n_x + 1): sum(s a_k (delta_kl - a_l) x x')
 *
 * with s the m weights, or NULL, and x less the centre, n_x values, and 1 as the last feature. As a
 * matrix, only its lower triangle is complete. With `least` > 0, each pair of outputs leaves out
 * the examples whose s a_k a_l is below that share of the mean. An example that is left out, or
 * whose s a_k a_l is 0, is not read for that pair: what is not finite in X shows in the predictions
 * that make A. Y and sample_weight are not read.
 * LOGREG_OK, LOGREG_STOPPED or LOGREG_PASS_OVERFLOW. */
size_t logreg_softmax_hessian_workspace_size(const logreg_data *data, int n_threads);
int logreg_softmax_hessian(const logreg_data *data, int64_t n_outputs, const double *A,
                           const double *s, double least, const double *centre, double *H,
                           const logreg_run *run);

/* Z or, with `probabilities`, A of every example, (m, n_outputs). */
size_t logreg_softmax_predict_workspace_size(const logreg_data *data, int64_t n_outputs,
                                             int n_threads);
int logreg_softmax_predict(const logreg_data *data, int64_t n_outputs, const double *w,
                           const double *b, int probabilities, double *out, const logreg_run *run);

/* ---- Curvature ------------------------------------------------------------------------------- */

/* h[i], (m,), at w and b: with s the weight of example i and a its A, s a (1 - a), which makes the
 * Gram below the Hessian of the sum of the losses; or, `squared`, (s (a - y))^2, which makes it the
 * sum of the outer products of their gradients. Takes the workspace of a prediction. LOGREG_OK,
 * LOGREG_STOPPED, or LOGREG_PASS_OVERFLOW where a Z or an h is not finite. */
int logreg_curvature(const logreg_data *data, const double *w, double b, int squared, double *h,
                     const logreg_run *run);

/* logreg_cost_and_gradient without a penalty, and logreg_curvature, in one pass over X. */
int logreg_gradient_and_curvature(const logreg_data *data, const double *w, double b, double *J,
                                  double *dw, double *db, double *h, const logreg_run *run);

/* The weighted sum of squares and products about the mean, where the weights h are the data's
 * sample_weight (which may all be 0) and Y is not looked at:
 *
 *     S = sum h      mu = sum h x / S      G = sum h (x - mu) (x - mu)'
 *
 * G is (n_x, n_x), one row after the other, and only its lower triangle, with the diagonal, is
 * written; mu is (n_x,). The means should be close to `centre` (n_x,), measured in deviations: it
 * is what is subtracted as the products are summed. In float64 whatever the arithmetic. LOGREG_OK,
 * LOGREG_STOPPED, or LOGREG_PASS_OVERFLOW where a sum is not finite. */
size_t logreg_gram_workspace_size(const logreg_data *data, int n_threads);
int logreg_gram(const logreg_data *data, const double *centre, double *G, double *mu, double *S,
                const logreg_run *run);

/* A = L L', by Cholesky's algorithm; A is (n, n), one row after the other, and its lower triangle
 * is overwritten with that of L. Returns 0, or k + 1 where pivot k is not above `least` (>= 0)
 * times the diagonal entry that it came from: then rows before k are those of L, and the rest means
 * nothing. -1 if stopped. */
int64_t logreg_cholesky(double *A, int64_t n, double least, const logreg_run *run);
size_t logreg_cholesky_workspace_size(int64_t n, int n_threads);

/* x = L^-1 x, and x = L'^-1 x; both after one another solve A. */
void logreg_solve_lower(const double *L, int64_t n, double *x);
void logreg_solve_upper(const double *L, int64_t n, double *x);

/* out[r] = v_r'x for each row v_r of V (n_rows, n), and y += sum of c_r v_r. */
void logreg_multiply_rows(const double *V, int64_t n_rows, int64_t n, const double *x, double *out);
void logreg_add_rows(const double *V, int64_t n_rows, int64_t n, const double *c, double *y);

/* ln |A| of the matrix that L is the factor of, whose entries on the diagonal are normal. */
double logreg_log_determinant(const double *L, int64_t n);

/* out[i] = |L^-1 (x - centre)|^2 of example i, (m,), with L as logreg_cholesky leaves it and centre
 * (n_x,). Y and sample_weight are not looked at. In float64 whatever the arithmetic. LOGREG_OK or
 * LOGREG_STOPPED. */
size_t logreg_leverage_workspace_size(const logreg_data *data, int n_threads);
int logreg_leverage(const logreg_data *data, const double *centre, const double *L, double *out,
                    const logreg_run *run);

/* ---- A quadratic with an l1 penalty and bounds ----------------------------------------------- */

/* (v - start)' H (v - start) / 2 + slope' (v - start) + sum l1_j |v_j| of v with n entries, each
 * within its bounds, which may be infinite. H is (n, n), symmetric and positive semidefinite, all
 * of it filled; an entry with 0 on the diagonal has no curvature. l1 >= 0. */
typedef struct logreg_quadratic {
    int64_t n;
    const double *H, *l1, *lower, *upper;
} logreg_quadratic;

/* Minimizes it from v, which is the start and ends at the minimum; so does slope, (n,). Entries of
 * v are 0, or at a bound, exactly. Ends where a sweep over all entries gains at most tol times all
 * that was gained, which is *decrease. LOGREG_OK or LOGREG_STOPPED. */
size_t logreg_quadratic_workspace_size(int64_t n, int n_threads);
int logreg_minimize_quadratic(const logreg_quadratic *quadratic, double tol, double *v,
                              double *slope, double *decrease, const logreg_run *run);

/* Sparse X by feature: the values of feature j are number starts[j] to starts[j + 1] - 1, in the
 * order of their examples, of which there are at most 2^31 - 1. logreg_sort_by_feature fills
 * `starts`, (n_x + 1,), and the others, of all stored values; LOGREG_OK or LOGREG_STOPPED. */
typedef struct logreg_columns {
    int64_t n_x, m;
    const int64_t *starts;
    const int32_t *examples;
    const double *values;
} logreg_columns;

int logreg_sort_by_feature(const logreg_data *data, int64_t *starts, int32_t *examples,
                           double *values, const logreg_run *run);

/* A model of J and penalties at w and b, whose Hessian is X diag(h) X' / total, by w and b, and l2
 * on the diagonal. The Hessian is not formed: a step by one w takes its stored values. `slope` is
 * that of J and the l2 penalty, by w, and db by b. Arrays are (n_x,), and h is (m,). */
typedef struct logreg_column_model {
    logreg_columns X;
    const double *h;
    double total;
    const double *slope, *l1, *l2, *lower, *upper;
    double db;
    int fixed_b; /* b stays as it is, and db is not looked at */
} logreg_column_model;

/* Moves v, (n_x,), and b from the w and b of the model to its minimum; v is within its bounds. Ends
 * where what is left is about tol times what was gained, *decrease; or, where `enough` or less was
 * gained, once what is left is known to be less than that. Entries of v are 0, or at a bound,
 * exactly. LOGREG_OK or LOGREG_STOPPED. */
size_t logreg_column_workspace_size(int64_t n_x, int64_t m, int64_t n_values);
int logreg_minimize_by_columns(const logreg_column_model *model, double tol, double enough,
                               double *v, double *b, double *decrease, const logreg_run *run);

/* ---- Sums in parts --------------------------------------------------------------------------- */

/* A pass over an array, over the chunks of a file or over the machines of a cluster gives the same
 * bits, because its sums form one tree. Examples are cut into segments of logreg_segment_size; node
 * (level, index) is the sum of the segments [index 2^level, (index + 1) 2^level) of the whole; two
 * siblings merge into their parent. Chunks must begin at a multiple of the segment size, hold whole
 * segments (the last chunk excepted), and have the n_x, layout and arithmetic of the whole.
 *
 *     logreg_sum               sums a chunk, or some segments of one, into nodes
 *     logreg_merge             joins nodes, in whatever order they arrive
 *     logreg_finish_gradient   J, dw and db, once every segment is in
 *     logreg_finish_moments    means and deviations
 *     logreg_finish_gram       a Gram
 *
 * logreg_descend and the other calls above are made of the same three steps. */

typedef struct logreg_sum_kind logreg_sum_kind;
extern const logreg_sum_kind logreg_gradient_sums; /* J, dw and db */
extern const logreg_sum_kind logreg_moment_sums;
extern const logreg_sum_kind logreg_gram_sums;       /* of a group of features with itself */
extern const logreg_sum_kind logreg_cross_gram_sums; /* and with another group */

/* Segments [first, end) of the data, whose own first segment is number `offset` of the whole. */
typedef struct logreg_part {
    int64_t offset, first, end;
} logreg_part;

typedef struct logreg_node {
    int level;
    int64_t index;
    double *sums; /* logreg_node_size doubles */
} logreg_node;

/* The first `count` entries are nodes, in the order of their segments. The entries after them are
 * room for more: their sums point to memory too. Calls permute the pointers, so who owns the memory
 * should keep its address elsewhere. */
typedef struct logreg_nodes {
    logreg_node *nodes;
    int64_t count;
} logreg_nodes;

/* Where a gradient is taken; with a standardization (or NULL) w and b are those of the standardized
 * features, as in logreg_cost_and_gradient. */
typedef struct logreg_point {
    const double *w;
    double b;
    const logreg_standardization *standardization;
    int raw_w; /* w, but not b, is that of the raw features: a descent's */
} logreg_point;

int64_t logreg_segment_size(const logreg_data *data);               /* examples */
int64_t logreg_node_size(const logreg_sum_kind *kind, int64_t n_x); /* doubles */
int64_t logreg_node_count(int64_t first, int64_t end); /* nodes that segments [first, end) make */

/* Adds the nodes of a part to `nodes`, which must have room for logreg_node_count more. Moments
 * take no point, and at most LOGREG_MOMENTS_FEATURES features at a time: hand in the features in
 * groups of so many, each with segments and nodes of its own. LOGREG_OK, or LOGREG_STOPPED, which
 * leaves `nodes` as they were. */
enum { LOGREG_MOMENTS_FEATURES = 512 };
size_t logreg_sum_workspace_size(const logreg_sum_kind *kind, const logreg_data *data,
                                 const logreg_part *part, int centred, int n_threads);
int logreg_sum(const logreg_sum_kind *kind, const logreg_data *data, const logreg_part *part,
               const logreg_point *point, logreg_nodes *nodes, const logreg_run *run);

/* Adds copies of the nodes of `from` to `into`, which must have room for them, and merges all that
 * can be merged. No segment may come twice. */
void logreg_merge(const logreg_sum_kind *kind, int64_t n_x, logreg_nodes *into,
                  const logreg_nodes *from);

/* What logreg_cost_and_gradient or logreg_standardize give of the whole: n_segments of it, in
 * `arithmetic`. Uses up the nodes. LOGREG_OK, LOGREG_PASS_OVERFLOW, or LOGREG_INCOMPLETE. */
int logreg_finish_gradient(logreg_nodes *nodes, int64_t n_segments, int64_t n_x,
                           logreg_type arithmetic, const logreg_point *point, double l2, double *J,
                           double *dw, double *db);
int logreg_finish_moments(logreg_nodes *nodes, int64_t n_segments, int64_t n_x,
                          logreg_type arithmetic, const logreg_standardization *out);

/* A Gram is made of pairs of groups of features, each pair with nodes of its own: those of
 * logreg_gram_sums for a group with itself, or else of logreg_cross_gram_sums, and of as many
 * features as a group has, which decides on the segments too. logreg_sum_gram takes the data with
 * all features, weighted by h. logreg_finish_gram adds a pair to what logreg_gram returns, in the
 * order of rows, and for each of `of_rows` the columns down from it: (0, 0), (1, 1), (1, 0), ... */
int64_t logreg_gram_groups_of(int64_t n_x);
int64_t logreg_gram_group_size(int64_t n_x);
size_t logreg_sum_gram_workspace_size(const logreg_data *data, const logreg_part *part,
                                      int64_t of_rows, int64_t of_columns, int n_threads);
int logreg_sum_gram(const logreg_data *data, const logreg_part *part, const double *centre,
                    int64_t of_rows, int64_t of_columns, logreg_nodes *nodes,
                    const logreg_run *run);
int logreg_finish_gram(logreg_nodes *nodes, int64_t n_segments, int64_t n_x, const double *centre,
                       int64_t of_rows, int64_t of_columns, double *G, double *mu, double *S);

/* Categories have sums of their own, which parts add to in their order, and all of which are 0 at
 * first: the weights by category in mu (n_x,) and, unless G (n_x, n_x) is NULL, the rows of G that
 * belong to categories. For these the means of the numbers are in mu already. What they add up to
 * completes the moments (out->mean is that mu) or the Gram of the numbers. LOGREG_OK,
 * LOGREG_STOPPED or LOGREG_PASS_OVERFLOW. */
int logreg_add_categories(const logreg_data *part, double *G, double *mu, const logreg_run *run);
int logreg_finish_category_moments(const logreg_data *whole, const logreg_standardization *out);
int logreg_finish_category_gram(const logreg_data *whole, double *G, double *mu);

/* A softmax of dense X: each number of outputs is a kind of its own, whose nodes have
 * logreg_softmax_node_size doubles. logreg_sum_softmax sums J and its gradient or, where `centre`
 * is n_x values and not NULL, the curvature about it; the rest is as in
 * logreg_softmax_cost_and_gradient and logreg_softmax_curvature. */
int64_t logreg_softmax_node_size(int64_t n_x, int64_t n_outputs);
void logreg_merge_softmax(int64_t n_x, int64_t n_outputs, logreg_nodes *into,
                          const logreg_nodes *from);
size_t logreg_sum_softmax_workspace_size(const logreg_data *data, const logreg_part *part,
                                         int64_t n_outputs, int n_threads);
int logreg_sum_softmax(const logreg_data *data, const logreg_part *part, int64_t n_outputs,
                       const double *w, const double *b, const double *centre, logreg_nodes *nodes,
                       const logreg_run *run);
int logreg_finish_softmax(logreg_nodes *nodes, int64_t n_segments, int64_t n_x, int64_t n_outputs,
                          const double *w, double l2, double *J, double *dw, double *db);
int logreg_finish_softmax_curvature(logreg_nodes *nodes, int64_t n_segments, int64_t n_x,
                                    int64_t n_outputs, double *D, double *d);

/* One iteration of a descent, from sums of its gradient at logreg_descent_point: adds J to costs[0]
 * and updates the state, as logreg_descend does. next_w is room for n_x values. Returns what
 * logreg_descend does, or LOGREG_INCOMPLETE. */
logreg_point logreg_descent_point(const logreg_settings *settings, const logreg_state *state,
                                  int64_t n_x);
int logreg_descend_by(logreg_nodes *nodes, int64_t n_segments, int64_t n_x, logreg_type arithmetic,
                      const logreg_settings *settings, logreg_state *state, double *next_w,
                      double *J);

/* ---- Looking for what is wrong --------------------------------------------------------------- */

/* The lowest i < n whose value is not within [low, high] (NaN never is), or -1. */
int64_t logreg_first_outside(const logreg_column *column, int64_t n, double low, double high);

/* The first value of X that is NaN or infinite (in float64): the lowest example that has one, then
 * the lowest feature; -1 and -1 if there is none. LOGREG_OK or LOGREG_STOPPED. Needs no workspace,
 * and runs on one thread. */
int logreg_first_nonfinite(const logreg_data *data, int64_t *feature, int64_t *example,
                           const logreg_run *run);

/* Sparse X, of which Y and sample_weight are not looked at: *outside is the first k, in the order
 * of the examples, whose indices[k] is not within [0, n_x), or -1; *repeats is whether a feature
 * comes twice in an example, as far as was looked. The examples' starts and ends have been checked
 * before. `scratch`: n_x values, all 0, which are read and written only for examples whose indices
 * do not rise. LOGREG_OK or LOGREG_STOPPED. Runs on one thread. */
int logreg_check_sparse(const logreg_data *data, int64_t *scratch, int64_t *outside, int *repeats,
                        const logreg_run *run);

/* ---- The machine ----------------------------------------------------------------------------- */

/* The instruction sets that this build has kernels for, the plainest first, and whether this CPU
 * and its operating system can run one. */
int logreg_isa_count(void);
const char *logreg_isa_name(int index);
int logreg_isa_supported(int index);

/* Use one by name from now on; NULL or "": the last supported. 0, or -1 where no kernel has this
 * name, or -2 where this CPU cannot run it; then nothing has changed. Call it before any other
 * thread calls the kernel. Without a call the plainest is used. */
int logreg_isa_select(const char *name);
const char *logreg_isa(void); /* in use */

const char *logreg_threads_backend(void); /* "openmp", "dispatch" or "serial" */
int logreg_max_threads(void);             /* what the backend would use by itself, >= 1 */

/* To be called when the kernel is loaded, before any other call: every child that is forked from
 * now on works on one thread, since the threads of OpenMP and Dispatch do not survive a fork,
 * whoever started them. */
void logreg_threads_open(void);

#endif
