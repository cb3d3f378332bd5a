/* Counts by n-gram become counts by text, the n-grams in the order of their letters. */
#ifndef ASSAY_COLUMNS_H
#define ASSAY_COLUMNS_H

#include "levels.h"

typedef struct {
    uint64_t head; /* the first eight bytes, which decide most comparisons */
    const uint8_t *bytes;
    size_t size;
    uint32_t column;
} Key;

typedef struct {
    uint8_t *bytes;
    Key *keys;
} Sorted;

static inline void sorted_free(Sorted *sorted) {
    PyMem_RawFree(sorted->bytes);
    PyMem_RawFree(sorted->keys);
}

static inline uint64_t head_of(const uint8_t *bytes, size_t size) {
    uint64_t head = 0;
    for (size_t at = 0; at < 8; at++)
        head = head << 8 | (at < size ? bytes[at] : 0);
    return head;
}

/* The order of UTF-8 bytes is that of code points, which is Python's. */
static int compare_keys(const void *one, const void *other) {
    const Key *left = one, *right = other;
    if (left->head != right->head)
        return left->head < right->head ? -1 : 1;
    size_t common = left->size < right->size ? left->size : right->size;
    int order = memcmp(left->bytes, right->bytes, common);
    if (order != 0)
        return order;
    return (left->size > right->size) - (left->size < right->size);
}

static inline size_t key_size(const Tokens *tokens, const Column *column, size_t gap) {
    size_t size = (column->size - 1) * gap;
    for (uint32_t part = 0; part < column->size; part++)
        size += token_size(tokens, (uint32_t)tokens->numbers[column->first + part]);
    return size;
}

/* Write the tokens of a column's n-gram, words parted by a space. Return where its bytes end. */
static inline uint8_t *write_key(const Tokens *tokens, const Column *column, size_t gap, uint8_t *to) {
    for (uint32_t part = 0; part < column->size; part++) {
        uint32_t number = (uint32_t)tokens->numbers[column->first + part];
        if (part > 0 && gap)
            *to++ = ' ';
        memcpy(to, tokens->bytes + tokens->starts[number], token_size(tokens, number));
        to += token_size(tokens, number);
    }
    return to;
}

/* Return 0, or -1 without memory. */
static inline int sort_columns(const Counter *counter, const Ngrams *kind, Sorted *sorted) {
    size_t gap = kind->analyzer < CHARACTERS, total = 1;
    for (uint32_t number = 0; number < counter->column_count; number++)
        total += key_size(&counter->tokens, counter->columns + number, gap);
    sorted->bytes = PyMem_RawMalloc(total);
    sorted->keys = PyMem_RawMalloc((counter->column_count + (size_t)1) * sizeof *sorted->keys);
    if (sorted->bytes == NULL || sorted->keys == NULL)
        return -1;
    uint8_t *begin = sorted->bytes;
    for (uint32_t number = 0; number < counter->column_count; number++) {
        uint8_t *end = write_key(&counter->tokens, counter->columns + number, gap, begin);
        size_t size = (size_t)(end - begin);
        sorted->keys[number] = (Key){head_of(begin, size), begin, size, number};
        begin = end;
    }
    qsort(sorted->keys, counter->column_count, sizeof *sorted->keys, compare_keys);
    return 0;
}

/* Write each text's columns and counts, the columns rising, and where each text begins. */
static inline void write_rows(Counter *counter, const Sorted *sorted, int64_t *starts, int32_t *columns,
                              int32_t *counts) {
    size_t begin = 0;
    for (size_t text = 0; text < counter->tokens.texts; text++) {
        starts[text] = (int64_t)begin;
        begin += counter->row_sizes[text];
        counter->row_sizes[text] = (size_t)starts[text];
    }
    starts[counter->tokens.texts] = (int64_t)begin;
    for (uint32_t number = 0; number < counter->column_count; number++) {
        const Column *column = counter->columns + sorted->keys[number].column;
        for (size_t at = 0; at < column->filled; at++) {
            Entry entry = counter->entries[column->begin + at];
            size_t place = counter->row_sizes[entry.row]++;
            columns[place] = (int32_t)number;
            counts[place] = entry.count;
        }
    }
}

#endif
