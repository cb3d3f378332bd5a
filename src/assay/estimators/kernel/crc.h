/* CRC-32 (zlib's polynomial), carried on from piece to piece of a text. */
#ifndef ASSAY_CRC_H
#define ASSAY_CRC_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A table's entry is linear in its index's bits: eight entries a table make the 256, at compile time. */
#define BIT(index, place, entry) (((index) >> (place)) & 1 ? (uint32_t)(entry) : 0u)
#define ENTRY(i, a, b, c, d, e, f, g, h) \
    (BIT(i, 0, a) ^ BIT(i, 1, b) ^ BIT(i, 2, c) ^ BIT(i, 3, d) ^ BIT(i, 4, e) ^ BIT(i, 5, f) ^ BIT(i, 6, g) ^ \
     BIT(i, 7, h))
#define FOUR(i, ...) \
    ENTRY(i, __VA_ARGS__), ENTRY(i + 1, __VA_ARGS__), ENTRY(i + 2, __VA_ARGS__), ENTRY(i + 3, __VA_ARGS__)
#define SIXTEEN(i, ...) \
    FOUR(i, __VA_ARGS__), FOUR(i + 4, __VA_ARGS__), FOUR(i + 8, __VA_ARGS__), FOUR(i + 12, __VA_ARGS__)
#define SIXTY_FOUR(i, ...) \
    SIXTEEN(i, __VA_ARGS__), SIXTEEN(i + 16, __VA_ARGS__), SIXTEEN(i + 32, __VA_ARGS__), \
        SIXTEEN(i + 48, __VA_ARGS__)
#define ROW(...) \
    {SIXTY_FOUR(0, __VA_ARGS__), SIXTY_FOUR(64, __VA_ARGS__), SIXTY_FOUR(128, __VA_ARGS__), \
     SIXTY_FOUR(192, __VA_ARGS__)}

/* Row k: what a byte adds to the state when k bytes follow it. */
static const uint32_t crc_rows[8][256] = {
    ROW(0x77073096, 0xEE0E612C, 0x076DC419, 0x0EDB8832,
        0x1DB71064, 0x3B6E20C8, 0x76DC4190, 0xEDB88320),
    ROW(0x191B3141, 0x32366282, 0x646CC504, 0xC8D98A08,
        0x4AC21251, 0x958424A2, 0xF0794F05, 0x3B83984B),
    ROW(0x01C26A37, 0x0384D46E, 0x0709A8DC, 0x0E1351B8,
        0x1C26A370, 0x384D46E0, 0x709A8DC0, 0xE1351B80),
    ROW(0xB8BC6765, 0xAA09C88B, 0x8F629757, 0xC5B428EF,
        0x5019579F, 0xA032AF3E, 0x9B14583D, 0xED59B63B),
    ROW(0x3D6029B0, 0x7AC05360, 0xF580A6C0, 0x30704BC1,
        0x60E09782, 0xC1C12F04, 0x58F35849, 0xB1E6B092),
    ROW(0xCB5CD3A5, 0x4DC8A10B, 0x9B914216, 0xEC53826D,
        0x03D6029B, 0x07AC0536, 0x0F580A6C, 0x1EB014D8),
    ROW(0xA6770BB4, 0x979F1129, 0xF44F2413, 0x33EF4E67,
        0x67DE9CCE, 0xCFBD399C, 0x440B7579, 0x8816EAF2),
    ROW(0xCCAA009E, 0x4225077D, 0x844A0EFA, 0xD3E51BB5,
        0x7CBB312B, 0xF9766256, 0x299DC2ED, 0x533B85DA),
};

#undef ROW
#undef SIXTY_FOUR
#undef SIXTEEN
#undef FOUR
#undef ENTRY
#undef BIT

#define CRC_START 0xFFFFFFFFu

/* The first byte in the lowest bits, on any machine. */
static inline uint64_t load_word(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline uint32_t crc_word(uint64_t word) {
    return crc_rows[7][word & 0xFF] ^ crc_rows[6][word >> 8 & 0xFF] ^ crc_rows[5][word >> 16 & 0xFF] ^
           crc_rows[4][word >> 24 & 0xFF] ^ crc_rows[3][word >> 32 & 0xFF] ^ crc_rows[2][word >> 40 & 0xFF] ^
           crc_rows[1][word >> 48 & 0xFF] ^ crc_rows[0][word >> 56];
}

/* Return the state after `size` bytes more. Eight bytes beyond them must be readable.
 *
 * What is left of less than eight bytes is moved to a word's end: zeros before it add nothing. Of a state
 * that is longer than that rest, the upper part stays as it is.
 */
static inline uint32_t crc_on(uint32_t state, const uint8_t *bytes, size_t size) {
    if (size == 1)
        return crc_rows[0][(state ^ *bytes) & 0xFF] ^ state >> 8;
    for (; size >= 8; bytes += 8, size -= 8)
        state = crc_word(load_word(bytes) ^ state);
    if (size == 0)
        return state;
    unsigned bits = 8 * (unsigned)size;
    uint64_t word = (load_word(bytes) & (((uint64_t)1 << bits) - 1)) ^ state;
    return crc_word(word << (64 - bits)) ^ (uint32_t)(word >> bits);
}

static inline uint32_t crc_end(uint32_t state) { return state ^ 0xFFFFFFFFu; }

#endif
