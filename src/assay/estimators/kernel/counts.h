/* How often each feature is in one text, in the order in which the text has them. */
#ifndef ASSAY_COUNTS_H
#define ASSAY_COUNTS_H

#include "table.h"

typedef struct {
    uint32_t feature, count;
} Count;

typedef struct {
    Count *counts;
    double *values;  /* for whoever weighs the counts */
    uint32_t *slots; /* a hash table: a number of `counts` plus 1, or 0 */
    size_t size, mask, room;
    void *memory;
} Counts;

static inline void counts_free(Counts *counts) {
    PyMem_RawFree(counts->memory);
    counts->memory = NULL;
    counts->room = 0;
}

/* Begin with a text that has at most `most` distinct features. Return 0, or -1 without memory. */
static inline int counts_begin(Counts *counts, size_t most) {
    size_t slots = 16;
    while (slots < 2 * most)
        slots *= 2;
    size_t room = most * (sizeof(double) + sizeof(Count)) + slots * sizeof(uint32_t);
    if (room > counts->room) {
        counts_free(counts);
        counts->memory = PyMem_RawMalloc(room);
        if (counts->memory == NULL)
            return -1;
        counts->room = room;
    }
    counts->values = counts->memory;
    counts->counts = (Count *)(counts->values + most);
    counts->slots = (uint32_t *)(counts->counts + most);
    memset(counts->slots, 0, slots * sizeof *counts->slots);
    counts->size = 0;
    counts->mask = slots - 1;
    return 0;
}

/* Count a feature. Features are numbered in the order of their hashes: their low bits are spread already. */
static inline void count_feature(Counts *counts, uint32_t feature) {
    size_t at = feature & counts->mask;
    for (; counts->slots[at] != 0; at = (at + 1) & counts->mask) {
        Count *known = counts->counts + counts->slots[at] - 1;
        if (known->feature == feature) {
            known->count++;
            return;
        }
    }
    counts->counts[counts->size] = (Count){feature, 1};
    counts->slots[at] = (uint32_t)++counts->size;
}

/* Count a text's n-grams that are in the vocabulary. Return 0, or -1 without memory. */
static inline int count_text(Counts *counts, Walk *walk, const Table *table, const Ngrams *kind, const Text *text) {
    if (walk_text(walk, kind, text) < 0)
        return -1;
    size_t most = most_grams(walk), features = table->hashes.count;
    if (counts_begin(counts, most < features ? most : features) < 0)
        return -1;
    Gram grams[AT_ONCE];
    Hit hits[AT_ONCE];
    for (size_t size; (size = next_grams(walk, grams, AT_ONCE)) > 0;) {
        size_t found = look_up(table, walk->bytes, grams, size, hits);
        for (size_t at = 0; at < found; at++)
            count_feature(counts, hits[at].feature);
    }
    return 0;
}

#endif
