/* Counts of features to what they add to each logit, as `linear.Block` weighs them. */
#ifndef ASSAY_WEIGHTS_H
#define ASSAY_WEIGHTS_H

#include <math.h>

#include "counts.h"

typedef enum { TF_COUNT, TF_LOG, TF_BINARY } Tf;
typedef enum { NORM_NONE, NORM_L1, NORM_L2 } Norm;

/* Logarithms of counts up to here are computed once. */
#define LOGARITHMS 64

typedef struct {
    Array scale; /* an entry a feature; none: data is NULL */
    Array coef;  /* a row a feature, a column a logit */
    size_t logits;
    Tf tf;
    Norm norm;
    double logarithms[LOGARITHMS];
} Weights;

static inline void weights_free(Weights *weights) {
    array_free(&weights->scale);
    array_free(&weights->coef);
}

static inline void weights_ready(Weights *weights) {
    for (int count = 1; count < LOGARITHMS; count++)
        weights->logarithms[count] = 1.0 + log((double)count);
}

static inline double value_of(const Weights *weights, uint32_t count) {
    if (weights->tf == TF_BINARY)
        return 1.0;
    if (weights->tf == TF_COUNT)
        return count;
    return count < LOGARITHMS ? weights->logarithms[count] : 1.0 + log((double)count);
}

/* Fill in each feature's value before the norm; return the text's length by that norm, or 1. */
static inline double fill_values(const Weights *weights, Counts *counts) {
    const double *scale = weights->scale.data;
    const Count *each = counts->counts;
    double squares = 0.0, sizes = 0.0, *values = counts->values;
    for (size_t at = 0, size = counts->size; at < size; at++) {
        double value = value_of(weights, each[at].count);
        if (scale != NULL)
            value *= scale[each[at].feature];
        values[at] = value;
        squares += value * value;
        sizes += fabs(value);
    }
    double length = weights->norm == NORM_L2 ? sqrt(squares) : weights->norm == NORM_L1 ? sizes : 1.0;
    /* A text whose every n-gram has the scale 0 has no direction: it stays 0, as in scikit-learn. */
    return length > 0.0 ? length : 1.0;
}

/* Add what a text's features weigh to its logits. The order of the sum is the text's own, so that a text
 * gets the same logits alone and among others. */
static inline void add_logits(const Weights *weights, Counts *counts, double *sums, double *logits) {
    const double *coef = weights->coef.data;
    double length = fill_values(weights, counts);
    size_t width = weights->logits;
    if (width == 1) { /* The same sum, in a register. */
        double sum = 0.0;
        for (size_t at = 0; at < counts->size; at++)
            sum += counts->values[at] / length * coef[counts->counts[at].feature];
        logits[0] += sum;
        return;
    }
    memset(sums, 0, width * sizeof *sums);
    for (size_t at = 0; at < counts->size; at++) {
        double value = counts->values[at] / length;
        const double *row = coef + counts->counts[at].feature * width;
        for (size_t logit = 0; logit < width; logit++)
            sums[logit] += value * row[logit];
    }
    for (size_t logit = 0; logit < width; logit++)
        logits[logit] += sums[logit];
}

#endif
