/* From pixels to the quantised coefficients of blocks of a JPEG file (ITU-T T.81, A.3.3; JFIF 1.02), by integers below
 * 2^53 alone, which a double holds exactly: so the result is that of jpeg_transform.py to the last bit, in whatever
 * order a compiler adds.
 *
 * Built as a library without Python's headers and called by way of ctypes from jpeg_transform.py, which says what each
 * argument means.
 */

#include "native.h"

enum { SIDE = 8, BLOCK = SIDE * SIDE };

static int32_t least(int32_t one, int32_t other) { return one < other ? one : other; }

/* The cosine transform of each column, each row but the first times 2^11: cosines[k] = 2^11 cos(k pi / 16). */
static void transform_columns(const double *restrict in, double *restrict out, const double *cosines) {
    const double c1 = cosines[1], c2 = cosines[2], c3 = cosines[3], c4 = cosines[4];
    const double c5 = cosines[5], c6 = cosines[6], c7 = cosines[7];
    for (int x = 0; x < SIDE; x++) {
        double s0 = in[x] + in[x + 56], s1 = in[x + 8] + in[x + 48], s2 = in[x + 16] + in[x + 40];
        double s3 = in[x + 24] + in[x + 32];
        double d0 = in[x] - in[x + 56], d1 = in[x + 8] - in[x + 48], d2 = in[x + 16] - in[x + 40];
        double d3 = in[x + 24] - in[x + 32];
        out[x] = s0 + s1 + s2 + s3;
        out[x + 8] = c1 * d0 + c3 * d1 + c5 * d2 + c7 * d3;
        out[x + 16] = c2 * (s0 - s3) + c6 * (s1 - s2);
        out[x + 24] = c3 * d0 - c7 * d1 - c1 * d2 - c5 * d3;
        out[x + 32] = c4 * (s0 - s1 - s2 + s3);
        out[x + 40] = c5 * d0 - c1 * d1 + c7 * d2 + c3 * d3;
        out[x + 48] = c6 * (s0 - s3) - c2 * (s1 - s2);
        out[x + 56] = c7 * d0 - c5 * d1 + c3 * d2 - c1 * d3;
    }
}

static void transpose(const double *restrict in, double *restrict out) {
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) out[x * SIDE + y] = in[y * SIDE + x];
}

/* The weighted sums of the pixels of a row of a block, added up by sample. */
static void add_row(const uint8_t *row, int channels, int across, const int32_t *weights, int32_t *sums) {
    for (int x = 0; x < SIDE; x++)
        for (int part = 0; part < across; part++, row += channels)
            sums[x] += channels == 1 ? weights[0] * row[0]
                                     : weights[0] * row[0] + weights[1] * row[1] + weights[2] * row[2];
}

EXPORTED void transform_blocks(
    const uint8_t *pixels, int32_t height, int32_t width, int32_t channels,
    const uint8_t *is_touched, int32_t rows, int32_t columns, /* of blocks */
    int32_t down, int32_t across,                             /* pixels per sample */
    const int32_t *weights, int32_t offset,
    const double *cosines,  /* (8,) */
    const double *divisors, /* (64,), row by row */
    int16_t *coefficients)  /* (N, 64), row by row, of the touched blocks */
{
    const int32_t reach = SIDE * across; /* pixels of a block, from left to right */
    uint8_t padded[SIDE * 4 * 3];
    for (int32_t row = 0; row < rows; row++)
        for (int32_t column = 0; column < columns; column++) {
            if (!is_touched[(int64_t)row * columns + column]) continue;
            int32_t sums[BLOCK] = {0};
            int32_t left = column * reach, inside = least(reach, width - left);
            for (int32_t y = 0; y < SIDE * down; y++) {
                int64_t line = least(row * SIDE * down + y, height - 1);
                const uint8_t *at = pixels + (line * width + left) * channels;
                if (inside < reach) { /* the last pixel goes on beyond the picture */
                    for (int32_t x = 0; x < reach; x++)
                        for (int c = 0; c < channels; c++)
                            padded[x * channels + c] = at[least(x, inside - 1) * channels + c];
                    at = padded;
                }
                add_row(at, channels, across, weights, sums + y / down * SIDE);
            }
            double one[BLOCK], other[BLOCK];
            for (int i = 0; i < BLOCK; i++) one[i] = sums[i] + offset;
            transform_columns(one, other, cosines);
            transpose(other, one);
            transform_columns(one, other, cosines);
            transpose(other, one);
            /* Adding and subtracting 1.5 * 2^52 rounds to the nearest integer, ties to even. */
            for (int i = 0; i < BLOCK; i++)
                coefficients[i] = (int16_t)(one[i] / divisors[i] + 6755399441055744.0 - 6755399441055744.0);
            coefficients += BLOCK;
        }
}
