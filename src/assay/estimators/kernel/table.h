/* The vocabulary's hash table: n-grams to feature numbers, many at a time.
 *
 * Nearly all of the time of a look-up is spent waiting for memory, so each step is done for all n-grams
 * before the next, and asks for what the next will read.
 */
#ifndef ASSAY_TABLE_H
#define ASSAY_TABLE_H

#include "arrays.h"
#include "ngrams.h"

/* N-grams looked up at a time: what is known of them fits the first-level cache. */
#define AT_ONCE 512

/* Rows of another array, one a feature, that will be read for the features found. */
typedef struct {
    const void *data;
    size_t stride;
} Along;

/* Ask for what lies so far behind an address. A number, since what a broken file says may lie anywhere. */
static inline void ask_for(const void *data, uint64_t distance) {
    __builtin_prefetch((const void *)((uintptr_t)data + (uintptr_t)distance));
}

typedef struct {
    Array hashes, offsets, keys, buckets;
    unsigned shift;
    Along along[2];
} Table;

/* An n-gram's place among those looked up, and its feature. */
typedef struct {
    uint32_t gram, feature;
} Hit;

static inline void table_free(Table *table) {
    array_free(&table->hashes);
    array_free(&table->offsets);
    array_free(&table->keys);
    array_free(&table->buckets);
}

/* Needs the lock. Whether the arrays have the lengths that `vocabulary.py` gives them. What they hold is
 * checked where it is read: it may be a file that someone else writes to. */
static inline int table_check(Table *table) {
    size_t features = table->hashes.count;
    unsigned bits = 1;
    while (features >> bits != 0)
        bits++;
    table->shift = 32 - bits;
    if (bits < 32 && table->offsets.count == features + 1 && table->buckets.count == ((size_t)1 << bits) + 1)
        return 0;
    PyErr_Format(
        PyExc_ValueError, "%zu hashes, %zu offsets and %zu buckets do not make a table", features,
        table->offsets.count, table->buckets.count
    );
    return -1;
}

/* Compare bytes, eight at a time where both may be read beyond their end. */
static inline int same_bytes(const uint8_t *a, const uint8_t *b, size_t size, size_t readable) {
    if (size + 8 > readable)
        return memcmp(a, b, size) == 0;
    for (; size > 8; a += 8, b += 8, size -= 8)
        if (load_word(a) != load_word(b))
            return 0;
    return size == 0 || (load_word(a) ^ load_word(b)) << (64 - 8 * size) == 0;
}

/* Whether a feature's key is these bytes; eight beyond them must be readable. */
static inline int holds(const Table *table, uint32_t feature, const uint8_t *bytes, size_t size) {
    const uint64_t *offsets = table->offsets.data;
    uint64_t begin = offsets[feature], end = offsets[feature + 1];
    if (end - begin != size || end < begin || end > table->keys.count)
        return 0;
    return same_bytes((const uint8_t *)table->keys.data + begin, bytes, size, table->keys.count - begin);
}

/* The first two steps: to the n-grams whose bucket is not empty, each with its bucket's first feature. */
static inline size_t enter_buckets(const Table *table, const Gram *grams, size_t count, Hit *hits) {
    const uint32_t *buckets = table->buckets.data, *hashes = table->hashes.data;
    for (size_t at = 0; at < count; at++)
        ask_for(buckets, (grams[at].hash >> table->shift) * sizeof *buckets);
    size_t found = 0;
    for (size_t at = 0; at < count; at++) {
        uint32_t bucket = grams[at].hash >> table->shift, first = buckets[bucket];
        hits[found] = (Hit){(uint32_t)at, first};
        ask_for(hashes, first * sizeof *hashes);
        found += first < buckets[bucket + 1];
    }
    return found;
}

/* The third step: to the n-grams whose hash is in their bucket, each with the first feature that has it. */
static inline size_t match_hashes(const Table *table, const Gram *grams, size_t count, Hit *hits) {
    const uint32_t *hashes = table->hashes.data;
    size_t found = 0;
    for (size_t at = 0; at < count; at++) {
        uint32_t hash = grams[hits[at].gram].hash, feature = hits[at].feature;
        while (feature < table->hashes.count && hashes[feature] < hash)
            feature++;
        if (feature >= table->hashes.count || hashes[feature] != hash)
            continue;
        hits[found++] = (Hit){hits[at].gram, feature};
        ask_for(table->offsets.data, feature * sizeof(uint64_t));
        ask_for(table->along[0].data, feature * table->along[0].stride);
        ask_for(table->along[1].data, feature * table->along[1].stride);
    }
    return found;
}

/* The last steps: to the n-grams that are in the vocabulary. Those that share a hash lie side by side. */
static inline size_t match_keys(
    const Table *table, const uint8_t *bytes, const Gram *grams, size_t count, Hit *hits
) {
    const uint32_t *hashes = table->hashes.data;
    const uint64_t *offsets = table->offsets.data;
    for (size_t at = 0; at < count; at++)
        ask_for(table->keys.data, offsets[hits[at].feature]);
    size_t found = 0;
    for (size_t at = 0; at < count; at++) {
        const Gram *gram = grams + hits[at].gram;
        uint32_t feature = hits[at].feature;
        int same = holds(table, feature, bytes + gram->begin, gram->size);
        while (!same && ++feature < table->hashes.count && hashes[feature] == gram->hash)
            same = holds(table, feature, bytes + gram->begin, gram->size);
        hits[found] = (Hit){hits[at].gram, feature};
        found += (size_t)same;
    }
    return found;
}

/* Find those of at most AT_ONCE n-grams that are in the vocabulary; return how many, in the order given. */
static inline size_t look_up(
    const Table *table, const uint8_t *bytes, const Gram *grams, size_t count, Hit *hits
) {
    size_t found = enter_buckets(table, grams, count, hits);
    found = match_hashes(table, grams, found, hits);
    return match_keys(table, bytes, grams, found, hits);
}

#endif
