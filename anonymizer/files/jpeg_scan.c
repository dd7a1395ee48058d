/* Replaces blocks in the entropy-coded data of a sequential JPEG scan (ITU-T T.81, annex F), with the scan's own
 * Huffman codes. The symbols of the blocks that stay are counted, no more, to find where those blocks end; their bits
 * are copied. Nothing but the codes of coefficients gets into the output.
 *
 * Built as a library without Python's headers and called by way of ctypes from jpeg_scan.py, which says what each
 * argument means. Whatever is out of the ordinary ends with an error: the caller then takes the slower way.
 */

#include "../native.h"

enum { MAX_COMPONENTS = 4, MAX_TABLES = 4, BLOCK = 64, LONGEST = 16 };
enum { LOOK = 11 }; /* bits by which most codes can be told */
static const uint8_t ZIGZAG[BLOCK] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}; /* places in a block in the order in which files store them */
enum { DAMAGED = -1, NO_CODE = -2, NO_ROOM = -3, BAD_LAYOUT = -4 };
/* Each of 64 symbols takes at most 16 + 15 bits; some bits wait. */
enum { MOST_BYTES_OF_BLOCK = 64 * 31 / 8 + 32 };

/* Some symbols that begin with certain bits: 0 bits if there are none, or the first one's code is too long. */
typedef struct {
    uint8_t bits;     /* all codes, and the bits behind them */
    uint8_t advances; /* coefficients */
    uint8_t is_end;   /* of the block */
} Stride;

typedef struct {
    int32_t last[LONGEST + 1];        /* largest code of a length, -1 if there is none */
    int32_t first_index[LONGEST + 1]; /* of its first code's symbol, less that code */
    const uint8_t *symbols;
    uint16_t code[256];
    uint8_t length[256]; /* 0: no such symbol */
    uint8_t look_length[1 << LOOK], look_symbol[1 << LOOK]; /* of short codes; length 0: a longer one */
    int has_strides;
    Stride strides[1 << LOOK];
} Table;

/* Without the bytes that are stuffed in, up to the next marker. */
typedef struct {
    const uint8_t *data;
    int64_t size; /* bits; as many bytes as a damaged block takes may be read beyond */
    int64_t at;   /* bit */
} Reader;

typedef struct {
    uint8_t *data, *at, *end;
    uint64_t bits; /* the lowest `count` of them are still to be written */
    int count;
} Writer;

/* Must be as in jpeg_scan.py. */
typedef struct {
    int32_t across, down;   /* blocks in a unit (MCU) */
    int32_t columns, rows;  /* blocks that the component has; units at the borders may go beyond */
    int32_t dc, ac;         /* numbers of its Huffman tables */
    const int32_t *anew;    /* (rows, columns): which block of `blocks` replaces it, -1 if none */
} Component;

/* The symbol whose code the bits begin with, from the highest on, and its length; DAMAGED if there is none. */
static inline int symbol_of(const Table *table, uint32_t bits, int *length) {
    if ((*length = table->look_length[bits >> (32 - LOOK)])) return table->look_symbol[bits >> (32 - LOOK)];
    for (*length = LOOK + 1; *length <= LONGEST; ++*length) {
        int32_t code = (int32_t)(bits >> (32 - *length));
        if (code <= table->last[*length] && code + table->first_index[*length] >= 0)
            return table->symbols[code + table->first_index[*length]];
    }
    return DAMAGED;
}

/* By how many coefficients a symbol goes on, behind the first of a block; DAMAGED for what is no such symbol. */
static inline int advance_of(int symbol) {
    return symbol & 15 || symbol == 0xF0 || symbol == 0 ? (symbol >> 4) + (symbol != 0) : DAMAGED;
}

/* As many symbols as can be told from LOOK bits. */
static Stride stride_of(const Table *table, uint32_t bits) {
    Stride stride = {0, 0, 0};
    while (stride.bits < LOOK && !stride.is_end) {
        int length, symbol = symbol_of(table, bits << stride.bits, &length);
        if (symbol < 0 || advance_of(symbol) < 0 || stride.bits + length > LOOK) break;
        stride.bits += length + (symbol & 15);
        stride.advances += advance_of(symbol);
        stride.is_end = symbol == 0;
    }
    return stride;
}

static int build(Table *table, const uint8_t *lengths, const uint8_t *symbols) {
    int32_t code = 0, index = 0;
    memset(table, 0, sizeof *table);
    table->symbols = symbols;
    for (int length = 1; length <= LONGEST; length++) {
        table->first_index[length] = index - code;
        table->last[length] = lengths[length - 1] ? code + lengths[length - 1] - 1 : -1;
        for (int i = 0; i < lengths[length - 1]; i++, code++, index++) {
            /* Nothing can be told by the choice among several codes of a symbol. */
            if (code >= 1 << length || index >= 256 || table->length[symbols[index]]) return DAMAGED;
            table->code[symbols[index]] = (uint16_t)code;
            table->length[symbols[index]] = (uint8_t)length;
            if (length > LOOK) continue;
            size_t first = (size_t)code << (LOOK - length), count = (size_t)1 << (LOOK - length);
            memset(table->look_length + first, length, count);
            memset(table->look_symbol + first, symbols[index], count);
        }
        code <<= 1;
    }
    return 0;
}

static void build_strides(Table *table) {
    if (table->has_strides) return; /* for another component */
    table->has_strides = 1;
    for (uint32_t bits = 0; bits < 1 << LOOK; bits++) table->strides[bits] = stride_of(table, bits << (32 - LOOK));
}

/* The next 57 bits or more, from the highest on. */
static inline uint64_t peek(const Reader *in) {
    const uint8_t *at = in->data + (in->at >> 3);
    uint64_t next = (uint64_t)at[0] << 56 | (uint64_t)at[1] << 48 | (uint64_t)at[2] << 40 | (uint64_t)at[3] << 32 |
                    (uint64_t)at[4] << 24 | (uint64_t)at[5] << 16 | (uint64_t)at[6] << 8 | at[7];
    return next << (in->at & 7);
}

static inline void put(Writer *out, uint32_t bits, int count) {
    out->bits = out->bits << count | bits;
    out->count += count;
    if (out->count < 32) return;
    uint32_t next = (uint32_t)(out->bits >> (out->count -= 32));
    for (int i = 0; i < 4; i++) out->at[i] = (uint8_t)(next >> (24 - 8 * i));
    out->at += 4;
}

/* Fills the last byte with ones. */
static void finish(Writer *out) {
    int missing = -out->count & 7;
    put(out, (1u << missing) - 1, missing);
    while (out->count) *out->at++ = (uint8_t)(out->bits >> (out->count -= 8));
}

/* Copies some bits of the source. */
static int copy(const Reader *in, Writer *out, int64_t from, int64_t to) {
    Reader part = {in->data, in->size, from};
    if (out->end - out->at < (to - from) / 8 + MOST_BYTES_OF_BLOCK) return NO_ROOM;
    if (part.at < to && (part.at & 7) + (out->count & 7) == 0) {
        while (out->count) *out->at++ = (uint8_t)(out->bits >> (out->count -= 8));
        int64_t bytes = (to - part.at) / 8;
        memcpy(out->at, part.data + part.at / 8, (size_t)bytes);
        out->at += bytes;
        part.at += 8 * bytes;
    }
    for (; part.at + 32 <= to; part.at += 32) put(out, (uint32_t)(peek(&part) >> 32), 32);
    int rest = (int)(to - part.at);
    if (rest) put(out, (uint32_t)(peek(&part) >> 32 >> (32 - rest)), rest);
    return 0;
}

static inline int put_symbol(Writer *out, const Table *table, int symbol, uint32_t extra, int count) {
    if (!table->length[symbol]) return NO_CODE;
    put(out, (uint32_t)table->code[symbol] << count | extra, table->length[symbol] + count);
    return 0;
}

/* Number of bits of a value, and the bits that stand for it (F.1.2.1). */
static inline int size_of(int32_t value) {
    uint32_t rest = (uint32_t)(value < 0 ? -value : value);
    int size = 0;
    for (; rest; rest >>= 1) size++;
    return size;
}

static inline uint32_t bits_of(int32_t value, int size) {
    return (uint32_t)(value < 0 ? value - 1 : value) & ((1u << size) - 1);
}

static inline int put_dc(Writer *out, const Table *table, int32_t difference) {
    int size = size_of(difference);
    return size > 11 ? NO_CODE : put_symbol(out, table, size, bits_of(difference, size), size);
}

/* The coefficients of a block after its first. */
static int put_ac(Writer *out, const Table *table, const int16_t *block) {
    int run = 0, error;
    for (int k = 1; k < BLOCK; k++) {
        int32_t value = block[ZIGZAG[k]];
        if (!value) {
            run++;
            continue;
        }
        for (; run > 15; run -= 16)
            if ((error = put_symbol(out, table, 0xF0, 0, 0))) return error;
        int size = size_of(value);
        if (size > 10) return NO_CODE;
        if ((error = put_symbol(out, table, run << 4 | size, bits_of(value, size), size))) return error;
        run = 0;
    }
    return run ? put_symbol(out, table, 0, 0, 0) : 0;
}

/* Goes through the coefficients of a block after its first. */
static int skip_ac(Reader *in, const Table *table) {
    uint64_t next = 0;
    int known = 0; /* bits of `next`, at least */
    for (int k = 1; k < BLOCK;) {
        if (known < 32) {
            next = peek(in);
            known = 57;
        }
        Stride stride = table->strides[next >> (64 - LOOK)];
        if (!stride.bits || k + stride.advances + stride.is_end > BLOCK) { /* one by one: the block may end in between */
            int length, symbol = symbol_of(table, (uint32_t)(next >> 32), &length);
            if (symbol < 0 || advance_of(symbol) < 0) return DAMAGED;
            stride.bits = (uint8_t)(length + (symbol & 15));
            stride.advances = (uint8_t)advance_of(symbol);
            stride.is_end = symbol == 0;
            if (k + stride.advances > BLOCK) return DAMAGED;
        }
        next <<= stride.bits;
        known -= stride.bits;
        in->at += stride.bits;
        k += stride.advances;
        if (stride.is_end) break;
    }
    return in->at > in->size ? DAMAGED : 0;
}

static int take_dc(Reader *in, const Table *table, int32_t *difference) {
    uint64_t next = peek(in);
    int length, size = symbol_of(table, (uint32_t)(next >> 32), &length);
    if (size < 0 || size > 11) return DAMAGED;
    int32_t bits = size ? (int32_t)(next << length >> (64 - size)) : 0;
    *difference = size && bits < 1 << (size - 1) ? bits - (1 << size) + 1 : bits;
    in->at += length + size;
    return in->at > in->size ? DAMAGED : 0;
}

/* Copies data up to the next marker, without the bytes that are stuffed in; returns its place. */
static const uint8_t *unstuff(const uint8_t *at, const uint8_t *end, uint8_t *plain, Reader *in) {
    in->data = plain;
    in->at = 0;
    while (at < end) {
        const uint8_t *found = memchr(at, 0xFF, (size_t)(end - at)), *next = found ? found : end;
        memcpy(plain, at, (size_t)(next - at));
        plain += next - at;
        at = next;
        if (!found || end - found < 2 || found[1] != 0) break;
        *plain++ = 0xFF;
        at += 2;
    }
    in->size = 8 * (plain - in->data);
    memset(plain, 0, MOST_BYTES_OF_BLOCK);
    return at;
}

/* Moves what was written to the output, stuffed; returns where it ends there, or NULL if there is no room. */
static uint8_t *stuff(Writer *out, uint8_t *output, const uint8_t *end) {
    const uint8_t *at = out->data;
    finish(out);
    while (at < out->at) {
        const uint8_t *found = memchr(at, 0xFF, (size_t)(out->at - at)), *next = found ? found + 1 : out->at;
        if (end - output < next - at + 1) return NULL;
        memcpy(output, at, (size_t)(next - at));
        output += next - at;
        if (found) *output++ = 0;
        at = next;
    }
    out->at = out->data;
    return output;
}

static int is_possible(const Component *components, int count, int columns, int rows) {
    if (count < 1 || count > MAX_COMPONENTS || columns < 1 || rows < 1) return 0;
    for (int i = 0; i < count; i++) {
        const Component *one = &components[i];
        if (one->across < 1 || one->across > 4 || one->down < 1 || one->down > 4) return 0;
        if (one->columns < 1 || one->columns > columns * one->across) return 0;
        if (one->rows < 1 || one->rows > rows * one->down) return 0;
        if (one->dc < 0 || one->dc >= MAX_TABLES || one->ac < 0 || one->ac >= MAX_TABLES) return 0;
    }
    return 1;
}

/* What goes on from block to block, until a restart. */
typedef struct {
    int32_t read[MAX_COMPONENTS], written[MAX_COMPONENTS]; /* the first coefficients before */
    int64_t copied; /* bits of the source before this one are dealt with */
} State;

/* The next block of a component: `anew` in its place, or itself if that is NULL; emptied if it lies beyond the picture,
 * where it shows nothing. */
static int pass_block(
    Reader *in, Writer *out, const Table *dc, const Table *ac, State *state, int c, const int16_t *anew, int is_inside)
{
    int error;
    int32_t difference;
    int64_t start = in->at;
    if ((error = take_dc(in, dc, &difference))) return error;
    state->read[c] += difference;
    if (state->read[c] < -32768 || state->read[c] > 32767) return DAMAGED;
    int stays = is_inside && !anew;
    int32_t value = anew ? anew[0] : is_inside ? state->read[c] : state->written[c];
    if (!stays || value - state->written[c] != difference) {
        if ((error = copy(in, out, state->copied, start))) return error;
        state->copied = in->at;
        if ((error = put_dc(out, dc, value - state->written[c]))) return error;
    }
    state->written[c] = value;
    if ((error = skip_ac(in, ac))) return error;
    if (stays) return 0;
    state->copied = in->at;
    return anew ? put_ac(out, ac, anew) : put_symbol(out, ac, 0, 0, 0);
}

/* The number of bytes written to `output`, or one of the errors. `consumed`: how many bytes of `data` were needed. */
EXPORTED int64_t replace_in_scan(
    const uint8_t *data, int64_t size,
    const Component *components, int32_t component_count,
    int32_t columns, int32_t rows, int32_t restart_interval, /* units */
    const uint8_t *tables, /* (2, 4, 16 + 256): DC and AC; how many codes have each length, and their symbols */
    const int16_t *blocks, int32_t block_count, /* (block_count, 64), row by row */
    uint8_t *plain, /* room for `data` and MOST_BYTES_OF_BLOCK more */
    uint8_t *written, int64_t written_capacity, uint8_t *output, int64_t capacity, int64_t *consumed)
{
    Table dc[MAX_TABLES], ac[MAX_TABLES];
    int error;
    if (!is_possible(components, component_count, columns, rows)) return BAD_LAYOUT;
    for (int i = 0; i < MAX_TABLES; i++) {
        const uint8_t *first = tables + i * (16 + 256), *second = tables + (MAX_TABLES + i) * (16 + 256);
        if (build(&dc[i], first, first + 16) || build(&ac[i], second, second + 16)) return DAMAGED;
    }
    for (int c = 0; c < component_count; c++) build_strides(&ac[components[c].ac]);
    Reader in;
    Writer out = {written, written, written + written_capacity, 0, 0};
    State state = {{0}, {0}, 0};
    const uint8_t *at = unstuff(data, data + size, plain, &in), *end = output + capacity;
    uint8_t *to = output;
    int until_restart = restart_interval, restarts = 0;
    for (int32_t row = 0; row < rows; row++)
        for (int32_t column = 0; column < columns; column++) {
            if (restart_interval && until_restart-- == 0) {
                /* What is left of a byte before the marker does not matter. */
                if (in.size - in.at >= 8 || data + size - at < 2 || at[1] != 0xD0 + (restarts & 7)) return DAMAGED;
                if ((error = copy(&in, &out, state.copied, in.at))) return error;
                if (!(to = stuff(&out, to, end)) || end - to < 2) return NO_ROOM;
                *to++ = 0xFF;
                *to++ = (uint8_t)(0xD0 + (restarts++ & 7));
                at = unstuff(at + 2, data + size, plain, &in);
                memset(&state, 0, sizeof state);
                until_restart = restart_interval - 1;
            }
            for (int c = 0; c < component_count; c++) {
                const Component *one = &components[c];
                for (int part = 0; part < one->down * one->across; part++) {
                    int32_t y = row * one->down + part / one->across, x = column * one->across + part % one->across;
                    int is_inside = y < one->rows && x < one->columns;
                    int32_t index = is_inside ? one->anew[(int64_t)y * one->columns + x] : -1;
                    if (index >= block_count) return BAD_LAYOUT;
                    const int16_t *anew = index < 0 ? NULL : blocks + (int64_t)index * BLOCK;
                    error = pass_block(&in, &out, &dc[one->dc], &ac[one->ac], &state, c, anew, is_inside);
                    if (error) return error;
                }
            }
        }
    if (in.size - in.at >= 8) return DAMAGED; /* data behind the last unit */
    if ((error = copy(&in, &out, state.copied, in.at))) return error;
    if (!(to = stuff(&out, to, end))) return NO_ROOM;
    *consumed = at - data;
    return to - output;
}
