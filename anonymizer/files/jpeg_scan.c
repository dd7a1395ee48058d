/* Replaces blocks in the entropy-coded data of a sequential JPEG scan (ITU-T T.81, annex F), with the scan's own
 * Huffman codes. Every block is decoded only as far as it takes to write the same symbols again: coefficients of the
 * blocks that stay are never touched, and nothing but coefficients gets into the output.
 *
 * Built as a library without Python's headers and called by way of ctypes from jpeg_scan.py, which says what each
 * argument means. Whatever is out of the ordinary ends with an error: the caller then takes the slower way.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef _WIN32
#define EXPORTED __declspec(dllexport)
#else
#define EXPORTED __attribute__((visibility("default")))
#endif

enum { MAX_COMPONENTS = 4, MAX_TABLES = 4, BLOCK = 64, LOOK = 9, LONGEST = 16 };
enum { DAMAGED = -1, NO_CODE = -2, NO_ROOM = -3, BAD_LAYOUT = -4 };
/* Each of 64 symbols takes at most 16 + 15 bits, each byte perhaps a stuffed one; and some wait, or mark a restart. */
enum { MOST_BYTES_OF_BLOCK = 64 * 31 / 8 * 2 + 32 };

typedef struct {
    uint8_t look_length[1 << LOOK], look_symbol[1 << LOOK]; /* codes of at most LOOK bits; length 0: a longer one */
    int32_t last[LONGEST + 1];                              /* largest code of a length, -1 if there is none */
    int32_t first_index[LONGEST + 1];                       /* of its first code's symbol, less that code */
    const uint8_t *symbols;
    uint16_t code[256];
    uint8_t length[256]; /* 0: no such symbol */
} Table;

typedef struct {
    const uint8_t *at, *end;
    uint64_t bits; /* the lowest `count` of them are still to be read */
    int count;
} Reader;

typedef struct {
    uint8_t *at, *end;
    uint64_t bits;
    int count;
} Writer;

/* Must be as in jpeg_scan.py. */
typedef struct {
    int32_t across, down;   /* blocks in a unit (MCU) */
    int32_t columns, rows;  /* blocks that the component has; units at the borders may go beyond */
    int32_t dc, ac;         /* numbers of its Huffman tables */
    const int32_t *anew;    /* (rows, columns): which block of `blocks` replaces it, -1 if none */
} Component;

static int build(Table *table, const uint8_t *lengths, const uint8_t *symbols) {
    int32_t code = 0, index = 0;
    memset(table, 0, sizeof *table);
    table->symbols = symbols;
    for (int length = 1; length <= LONGEST; length++) {
        table->first_index[length] = index - code;
        table->last[length] = lengths[length - 1] ? code + lengths[length - 1] - 1 : -1;
        for (int i = 0; i < lengths[length - 1]; i++, code++, index++) {
            if (code >= 1 << length || index >= 256) return DAMAGED;
            uint8_t symbol = symbols[index];
            table->code[symbol] = (uint16_t)code;
            table->length[symbol] = (uint8_t)length;
            if (length <= LOOK)
                for (int low = 0; low < 1 << (LOOK - length); low++) {
                    table->look_length[(code << (LOOK - length)) + low] = (uint8_t)length;
                    table->look_symbol[(code << (LOOK - length)) + low] = symbol;
                }
        }
        code <<= 1;
    }
    return 0;
}

static inline int has_ff(uint32_t bytes) { return ((~bytes - 0x01010101u) & bytes & 0x80808080u) != 0; }

/* At least 32 bits, or all up to the next marker. */
static inline void fill(Reader *in) {
    if (in->count >= 32) return;
    if (in->end - in->at >= 4) {
        const uint8_t *at = in->at;
        uint32_t next = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
        if (!has_ff(next)) {
            in->bits = in->bits << 32 | next;
            in->count += 32;
            in->at += 4;
            return;
        }
    }
    while (in->count <= 48 && in->at < in->end) {
        uint8_t byte = *in->at;
        if (byte == 0xFF) {
            if (in->end - in->at < 2 || in->at[1] != 0) return; /* a marker */
            in->at++;
        }
        in->at++;
        in->bits = in->bits << 8 | byte;
        in->count += 8;
    }
}

static inline int32_t take(Reader *in, int count) {
    in->count -= count;
    return (int32_t)(in->bits >> in->count & ((1u << count) - 1));
}

/* The next symbol; needs a filled reader. */
static inline int symbol_of(Reader *in, const Table *table) {
    if (in->count >= LOOK) {
        uint32_t next = (uint32_t)(in->bits >> (in->count - LOOK)) & ((1 << LOOK) - 1);
        if (table->look_length[next]) {
            in->count -= table->look_length[next];
            return table->look_symbol[next];
        }
    }
    int32_t code = 0;
    for (int length = 1; length <= LONGEST && length <= in->count; length++) {
        code = (int32_t)(in->bits >> (in->count - length) & ((1u << length) - 1));
        if (code <= table->last[length] && code + table->first_index[length] >= 0) {
            in->count -= length;
            return table->symbols[code + table->first_index[length]];
        }
    }
    return DAMAGED;
}

static inline void put_byte(Writer *out, uint8_t byte) {
    *out->at++ = byte;
    if (byte == 0xFF) *out->at++ = 0;
}

static inline void put(Writer *out, uint32_t bits, int count) {
    out->bits = out->bits << count | bits;
    out->count += count;
    if (out->count < 32) return;
    uint32_t next = (uint32_t)(out->bits >> (out->count -= 32));
    if (has_ff(next)) {
        for (int shift = 24; shift >= 0; shift -= 8) put_byte(out, (uint8_t)(next >> shift));
        return;
    }
    for (int i = 0; i < 4; i++) out->at[i] = (uint8_t)(next >> (24 - 8 * i));
    out->at += 4;
}

/* Fills the last byte with ones. */
static void finish(Writer *out) {
    int missing = -out->count & 7;
    put(out, (1u << missing) - 1, missing);
    while (out->count) put_byte(out, (uint8_t)(out->bits >> (out->count -= 8)));
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

/* The coefficients of a block after its first, in zigzag order. */
static int put_ac(Writer *out, const Table *table, const int16_t *block) {
    int run = 0, error;
    for (int k = 1; k < BLOCK; k++) {
        if (!block[k]) {
            run++;
            continue;
        }
        for (; run > 15; run -= 16)
            if ((error = put_symbol(out, table, 0xF0, 0, 0))) return error;
        int size = size_of(block[k]);
        if (size > 10) return NO_CODE;
        if ((error = put_symbol(out, table, run << 4 | size, bits_of(block[k], size), size))) return error;
        run = 0;
    }
    return run ? put_symbol(out, table, 0, 0, 0) : 0;
}

/* Reads the coefficients of a block after its first, and writes the same symbols if it is to stay. */
static int pass_ac(Reader *in, Writer *out, const Table *table, int stays) {
    for (int k = 1; k < BLOCK; k++) {
        fill(in);
        int symbol = symbol_of(in, table);
        if (symbol < 0) return DAMAGED;
        int size = symbol & 15;
        if (size == 0 && symbol != 0xF0 && symbol != 0) return DAMAGED;
        if (size > in->count) return DAMAGED;
        uint32_t extra = (uint32_t)take(in, size);
        if (symbol) k += symbol >> 4;
        if (k >= BLOCK) return DAMAGED;
        if (stays) put_symbol(out, table, symbol, extra, size);
        if (!symbol) return 0;
    }
    return 0;
}

static int pass_dc(Reader *in, const Table *table, int32_t *difference) {
    fill(in);
    int size = symbol_of(in, table);
    if (size < 0 || size > 11 || size > in->count) return DAMAGED;
    int32_t bits = take(in, size);
    *difference = size && bits < 1 << (size - 1) ? bits - (1 << size) + 1 : bits;
    return 0;
}

/* The restart marker of a number must come next; what is left of a byte before it does not matter. */
static int restart(Reader *in, Writer *out, int number) {
    if (in->count >= 8 || in->end - in->at < 2 || in->at[0] != 0xFF || in->at[1] != 0xD0 + number) return DAMAGED;
    in->at += 2;
    in->count = 0;
    finish(out);
    *out->at++ = 0xFF;
    *out->at++ = (uint8_t)(0xD0 + number);
    return 0;
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

/* The number of bytes written to `output`, or one of the errors. `consumed`: how many bytes of `data` were needed. */
EXPORTED int64_t replace_in_scan(
    const uint8_t *data, int64_t size,
    const Component *components, int32_t component_count,
    int32_t columns, int32_t rows, int32_t restart_interval, /* units */
    const uint8_t *tables, /* (2, 4, 16 + 256): DC and AC; how many codes have each length, and their symbols */
    const int16_t *blocks, int32_t block_count, /* (block_count, 64), in zigzag order */
    uint8_t *output, int64_t capacity, int64_t *consumed)
{
    Table dc[MAX_TABLES], ac[MAX_TABLES];
    int32_t read[MAX_COMPONENTS] = {0}, written[MAX_COMPONENTS] = {0}; /* the first coefficients before */
    Reader in = {data, data + size, 0, 0};
    Writer out = {output, output + capacity, 0, 0};
    int error;
    if (!is_possible(components, component_count, columns, rows)) return BAD_LAYOUT;
    for (int i = 0; i < MAX_TABLES; i++) {
        const uint8_t *first = tables + i * (16 + 256), *second = tables + (MAX_TABLES + i) * (16 + 256);
        if (build(&dc[i], first, first + 16) || build(&ac[i], second, second + 16)) return DAMAGED;
    }
    int until_restart = restart_interval, restarts = 0;
    for (int32_t row = 0; row < rows; row++)
        for (int32_t column = 0; column < columns; column++) {
            if (restart_interval && until_restart-- == 0) {
                if (out.end - out.at < MOST_BYTES_OF_BLOCK) return NO_ROOM;
                if ((error = restart(&in, &out, restarts++ & 7))) return error;
                memset(read, 0, sizeof read);
                memset(written, 0, sizeof written);
                until_restart = restart_interval - 1;
            }
            for (int c = 0; c < component_count; c++) {
                const Component *one = &components[c];
                for (int part = 0; part < one->down * one->across; part++) {
                    int32_t y = row * one->down + part / one->across, x = column * one->across + part % one->across;
                    int is_inside = y < one->rows && x < one->columns;
                    int32_t index = is_inside ? one->anew[(int64_t)y * one->columns + x] : -1, difference;
                    if (index >= block_count) return BAD_LAYOUT;
                    if (out.end - out.at < MOST_BYTES_OF_BLOCK) return NO_ROOM;
                    if ((error = pass_dc(&in, &dc[one->dc], &difference))) return error;
                    read[c] += difference;
                    if (read[c] < -32768 || read[c] > 32767) return DAMAGED;
                    /* What lies beyond the picture shows nothing: it goes on with the block before. */
                    int32_t value = index >= 0 ? blocks[(int64_t)index * BLOCK] : is_inside ? read[c] : written[c];
                    if ((error = put_dc(&out, &dc[one->dc], value - written[c]))) return error;
                    written[c] = value;
                    if ((error = pass_ac(&in, &out, &ac[one->ac], is_inside && index < 0))) return error;
                    if (index >= 0) error = put_ac(&out, &ac[one->ac], blocks + (int64_t)index * BLOCK);
                    else if (!is_inside) error = put_symbol(&out, &ac[one->ac], 0, 0, 0);
                    if (error) return error;
                }
            }
        }
    if (in.count >= 8) return DAMAGED; /* data behind the last unit */
    finish(&out);
    *consumed = in.at - data;
    return out.at - output;
}
