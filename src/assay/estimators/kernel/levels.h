/* Counting n-grams size by size: those of k + 1 tokens are pairs of those of k tokens, one token apart.
 *
 * An n-gram is in no more texts than its parts are. So a pair counts only where both of its halves are in
 * enough texts, and the many n-grams that occur once or twice are never held.
 */
#ifndef ASSAY_LEVELS_H
#define ASSAY_LEVELS_H

#include "tokens.h"

typedef struct {
    uint32_t left, right;
    uint32_t number; /* the n-gram's number + 1; 0 is a free slot */
} Pair;

typedef struct {
    size_t first;         /* where it is found first */
    uint32_t texts, last; /* in how many texts it is, and the last of them + 1 */
} Seen;

/* Distinct n-grams of one size. */
typedef struct {
    Pair *pairs;
    size_t pair_count; /* a power of two */
    Seen *seen;
    size_t seen_room;
    uint32_t count;
} Level;

/* How often one n-gram is in one text. */
typedef struct {
    int32_t row, count;
} Entry;

/* One n-gram that stays: a column of the counts. */
typedef struct {
    size_t first, begin, filled; /* where it is found first; its entries */
    uint32_t size;               /* in tokens */
} Column;

typedef struct {
    Tokens tokens;
    int32_t *at; /* the number of the n-gram that begins at each token, or GAP */
    Entry *entries;
    size_t entries_room, entry_count;
    Column *columns;
    size_t columns_room;
    uint32_t column_count;
    size_t *row_sizes;
} Counter;

static inline void level_free(Level *level) {
    PyMem_RawFree(level->pairs);
    PyMem_RawFree(level->seen);
}

static inline void counter_free(Counter *counter) {
    tokens_free(&counter->tokens);
    PyMem_RawFree(counter->at);
    PyMem_RawFree(counter->entries);
    PyMem_RawFree(counter->columns);
    PyMem_RawFree(counter->row_sizes);
}

static inline size_t hash_pair(uint32_t left, uint32_t right) {
    uint64_t hash = ((uint64_t)left << 32 | right) * 0x9e3779b97f4a7c15u;
    return (size_t)(hash ^ hash >> 32);
}

static inline int double_pairs(Level *level) {
    size_t count = level->pair_count ? 2 * level->pair_count : 4096;
    Pair *pairs = PyMem_RawCalloc(count, sizeof *pairs);
    if (pairs == NULL)
        return -1;
    for (size_t old = 0; old < level->pair_count; old++) {
        Pair pair = level->pairs[old];
        if (pair.number == 0)
            continue;
        size_t at = hash_pair(pair.left, pair.right) & (count - 1);
        while (pairs[at].number != 0)
            at = (at + 1) & (count - 1);
        pairs[at] = pair;
    }
    PyMem_RawFree(level->pairs);
    level->pairs = pairs;
    level->pair_count = count;
    return 0;
}

/* Give out the next number. Return it, or -1 without memory. */
static inline int32_t next_number(Level *level, size_t first) {
    if (level->count >= MOST_NUMBERS - 1)
        return -1;
    MAKE_ROOM(level->seen, level->seen_room, (size_t)level->count + 1);
    level->seen[level->count] = (Seen){first, 0, 0};
    return (int32_t)level->count++;
}

static inline int32_t number_of_pair(Level *level, uint32_t left, uint32_t right, size_t first) {
    if (4 * (size_t)level->count >= 3 * level->pair_count && double_pairs(level) < 0)
        return -1;
    size_t at = hash_pair(left, right) & (level->pair_count - 1);
    for (; level->pairs[at].number != 0; at = (at + 1) & (level->pair_count - 1))
        if (level->pairs[at].left == left && level->pairs[at].right == right)
            return (int32_t)level->pairs[at].number - 1;
    int32_t number = next_number(level, first);
    if (number >= 0)
        level->pairs[at] = (Pair){left, right, (uint32_t)number + 1};
    return number;
}

/* Number the n-grams of one token: they have numbers already. */
static inline int first_level(Counter *counter, Level *level) {
    Tokens *tokens = &counter->tokens;
    for (size_t at = 0; at < tokens->size; at++) {
        counter->at[at] = tokens->numbers[at];
        if (tokens->numbers[at] == (int32_t)level->count && next_number(level, at) < 0)
            return -1;
    }
    return 0;
}

/* Number the n-grams of one token more; `at` changes from their left halves to them. */
static inline int next_level(Counter *counter, Level *level) {
    int32_t *at = counter->at;
    /* The last token is a gap. */
    for (size_t place = 0; place + 1 < counter->tokens.size; place++) {
        if (at[place] < 0)
            continue;
        if (at[place + 1] < 0) {
            at[place] = GAP;
            continue;
        }
        at[place] = number_of_pair(level, (uint32_t)at[place], (uint32_t)at[place + 1], place);
        if (at[place] < 0)
            return -1;
    }
    return 0;
}

/* Count in how many texts each n-gram is. */
static inline void count_texts(const Counter *counter, Level *level) {
    size_t place = 0;
    for (size_t text = 0; text < counter->tokens.texts; text++) {
        for (; place < counter->tokens.ends[text]; place++) {
            if (counter->at[place] < 0)
                continue;
            Seen *seen = level->seen + counter->at[place];
            seen->texts += seen->last != text + 1;
            seen->last = (uint32_t)(text + 1);
        }
    }
}

/* Number anew the n-grams that are in enough texts; the others become gaps. */
static inline int prune(Counter *counter, Level *level, size_t least) {
    int32_t *numbers = PyMem_RawMalloc((level->count + (size_t)1) * sizeof *numbers);
    if (numbers == NULL)
        return -1;
    uint32_t kept = 0;
    for (uint32_t old = 0; old < level->count; old++) {
        numbers[old] = level->seen[old].texts >= least ? (int32_t)kept : GAP;
        if (numbers[old] >= 0)
            level->seen[kept++] = level->seen[old];
    }
    level->count = kept;
    for (size_t place = 0; place < counter->tokens.size; place++)
        if (counter->at[place] >= 0)
            counter->at[place] = numbers[counter->at[place]];
    PyMem_RawFree(numbers);
    return 0;
}

/* Whether an n-gram is a whole word between spaces. */
static inline int is_whole_word(const Tokens *tokens, size_t first, uint32_t size) {
    const uint8_t *begin = tokens->bytes + tokens->starts[tokens->numbers[first]];
    const uint8_t *end = tokens->bytes + tokens->starts[tokens->numbers[first + size - 1]];
    return size > 2 && *begin == ' ' && *end == ' ';
}

/* Make a column of each n-gram of a level, or of those that are whole words only, and room for its entries. */
static inline int add_columns(Counter *counter, Level *level, uint32_t size, int words_only) {
    MAKE_ROOM(counter->columns, counter->columns_room, (size_t)counter->column_count + level->count);
    if (level->count >= MOST_NUMBERS - counter->column_count)
        return -1;
    for (uint32_t number = 0; number < level->count; number++) {
        Seen *seen = level->seen + number;
        seen->last = 0;
        if (words_only && !is_whole_word(&counter->tokens, seen->first, size))
            continue;
        counter->columns[counter->column_count++] = (Column){seen->first, counter->entry_count, 0, size};
        counter->entry_count += seen->texts;
        seen->last = counter->column_count;
    }
    MAKE_ROOM(counter->entries, counter->entries_room, counter->entry_count);
    return 0;
}

static inline void fill_columns(Counter *counter, const Level *level) {
    size_t place = 0;
    for (size_t text = 0; text < counter->tokens.texts; text++) {
        for (; place < counter->tokens.ends[text]; place++) {
            uint32_t number = counter->at[place] < 0 ? 0 : level->seen[counter->at[place]].last;
            if (number == 0)
                continue;
            Column *column = counter->columns + number - 1;
            Entry *next = counter->entries + column->begin + column->filled;
            if (column->filled > 0 && next[-1].row == (int32_t)text) {
                next[-1].count++;
            } else {
                *next = (Entry){(int32_t)text, 1};
                column->filled++;
                counter->row_sizes[text]++;
            }
        }
    }
}

static inline int count_level(Counter *counter, Level *level, const Ngrams *kind, uint32_t size, size_t least) {
    if ((size == 1 ? first_level(counter, level) : next_level(counter, level)) < 0)
        return -1;
    PyMem_RawFree(level->pairs);
    level->pairs = NULL;
    count_texts(counter, level);
    if (prune(counter, level, least) < 0)
        return -1;
    int short_of = size < (uint32_t)kind->low;
    if (short_of && kind->analyzer != CHARACTERS_IN_WORDS)
        return 0;
    if (add_columns(counter, level, size, short_of) < 0)
        return -1;
    fill_columns(counter, level);
    return 0;
}

/* Count all n-grams that are in at least `least` texts. Return 0, or -1 without memory. */
static inline int count_ngrams(Counter *counter, const Ngrams *kind, size_t least) {
    const Tokens *tokens = &counter->tokens;
    counter->at = PyMem_RawMalloc((tokens->size + 1) * sizeof *counter->at);
    counter->row_sizes = PyMem_RawCalloc(tokens->texts + 1, sizeof *counter->row_sizes);
    if (counter->at == NULL || counter->row_sizes == NULL)
        return -1;
    uint32_t left = 1;
    for (uint32_t size = 1; left > 0 && size <= (uint32_t)kind->high; size++) {
        Level level = {0};
        int status = count_level(counter, &level, kind, size, least);
        left = level.count;
        level_free(&level);
        if (status < 0)
            return -1;
    }
    return 0;
}

#endif
