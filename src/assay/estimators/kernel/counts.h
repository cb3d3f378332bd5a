/* How often each feature is in one text, in the order in which the text has them. */
#ifndef ASSAY_COUNTS_H
#define ASSAY_COUNTS_H

#include "trie.h"

typedef struct {
    uint32_t feature, count;
} Count;

typedef struct {
    Count *counts;
    double *values;  /* for whoever weighs the counts */
    uint32_t *slots; /* a hash table: a number of `counts` plus 1, or 0 */
    size_t size, mask;
    Room room;
} Counts;

static inline void counts_free(Counts *counts) { room_free(&counts->room); }

/* Begin with a text that has at most `most` distinct features. Return 0, or -1 without memory. */
static inline int counts_begin(Counts *counts, size_t most) {
    size_t slots = 16;
    while (slots < 2 * most)
        slots *= 2;
    size_t size = most * (sizeof(double) + sizeof(Count)) + slots * sizeof(uint32_t);
    void *memory = room_for(&counts->room, size);
    if (memory == NULL)
        return -1;
    counts->values = memory;
    counts->counts = (Count *)(counts->values + most);
    counts->slots = (uint32_t *)(counts->counts + most);
    memset(counts->slots, 0, slots * sizeof *counts->slots);
    counts->size = 0;
    counts->mask = slots - 1;
    return 0;
}

/* Count a feature, or a node of a trie. Features are numbered in the order of their hashes, and nodes lie side
 * by side: their low bits are spread already. */
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

/* Count by node, and then put features for nodes, without those that are only the beginnings of others. */
static inline void count_by_trie(Counts *counts, Walk *walk, const Trie *trie) {
    uint32_t nodes[PLACES * MOST_TOKENS];
    while (walk->at < walk->count) {
        size_t found = next_nodes(trie, walk, nodes);
        for (size_t at = 0; at < found; at++)
            count_feature(counts, nodes[at]);
    }
    size_t kept = 0;
    for (size_t at = 0; at < counts->size; at++) {
        Count count = counts->counts[at];
        count.feature = trie->features[count.feature];
        counts->counts[kept] = count;
        kept += count.feature != NO_FEATURE;
    }
    counts->size = kept;
}

static inline void count_by_hash(Counts *counts, Walk *walk, const Table *table) {
    Gram grams[AT_ONCE];
    Hit hits[AT_ONCE];
    for (size_t size; (size = next_grams(walk, grams, AT_ONCE)) > 0;) {
        size_t found = look_up(table, walk->bytes, grams, size, hits);
        for (size_t at = 0; at < found; at++)
            count_feature(counts, hits[at].feature);
    }
}

/* Count a text's n-grams that are in the vocabulary. Return 0, or -1 without memory. */
static inline int count_text(
    Counts *counts, Walk *walk, const Table *table, const Trie *trie, const Ngrams *kind, const Text *text
) {
    if (walk_text(walk, kind, text) < 0)
        return -1;
    int by_trie = trie->nodes != NULL;
    size_t most = most_grams(walk), distinct = by_trie ? trie->size : table->hashes.count;
    if (counts_begin(counts, most < distinct ? most : distinct) < 0)
        return -1;
    if (by_trie)
        count_by_trie(counts, walk, trie);
    else
        count_by_hash(counts, walk, table);
    return 0;
}

#endif
