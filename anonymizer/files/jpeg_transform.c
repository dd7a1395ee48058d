/* From pixels to the quantised coefficients of blocks of a JPEG file (ITU-T T.81, A.3.3; JFIF 1.02), by integers below
 * 2^53 alone, which a double holds exactly: so the result is that of jpeg_transform.py to the last bit, in whatever
 * order a compiler adds.
 *
 * Built as a library without Python's headers and called by way of ctypes from jpeg_transform.py, which says what each
 * argument means.
 */

#include "../native.h"

enum { SIDE = 8, BLOCK = SIDE * SIDE };

/* The cosine transform of each column, each row but the first times 2^11: cosines[k] = 2^11 cos(k pi / 16). */
static inline void transform_columns(const double *ALONE in, double *ALONE out, const double *cosines) {
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

static inline void transpose(const double *ALONE in, double *ALONE out) {
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) out[x * SIDE + y] = in[y * SIDE + x];
}

/* Adds up the pixels of a sample, which lie in `down` rows, channel by channel, for all samples of a row of a block. */
static inline void add_pixels(
    const uint8_t *const *lines, int down, int across, const int channels, int32_t (*sums)[SIDE])
{
    const int length = SIDE * across * channels;
    uint16_t line[SIDE * 4 * 3];
    for (int i = 0; i < length; i++) line[i] = lines[0][i];
    for (int y = 1; y < down; y++)
        for (int i = 0; i < length; i++) line[i] = (uint16_t)(line[i] + lines[y][i]);
    for (int c = 0; c < channels; c++)
        for (int x = 0; x < SIDE; x++) {
            const uint16_t *part = line + x * across * channels + c;
            sums[c][x] = part[0];
            for (int i = 1; i < across; i++) sums[c][x] += part[i * channels];
        }
}

EXPORTED FASTER void transform_blocks(
    const uint8_t *pixels, int32_t height, int32_t width, int32_t channels, /* 1 or 3 */
    const uint8_t *is_touched, int32_t rows, int32_t columns,               /* of blocks */
    int32_t down, int32_t across,                                           /* pixels per sample, up to 4 */
    const int32_t *weights, int32_t offset,                                 /* (channels,) */
    const double *cosines,                                                  /* (8,) */
    const double *factors, /* (64,), row by row: by what the sums are multiplied in the end */
    int16_t *coefficients) /* (N, 64), row by row, of the touched blocks */
{
    const int32_t reach = SIDE * across; /* pixels of a block, from left to right */
    for (int32_t row = 0; row < rows; row++)
        for (int32_t column = 0; column < columns; column++) {
            if (!is_touched[(int64_t)row * columns + column]) continue;
            double one[BLOCK], other[BLOCK];
            int32_t left = column * reach, inside = least(reach, width - left);
            for (int32_t y = 0; y < SIDE; y++) {
                const uint8_t *lines[4] = {pixels};
                uint8_t padded[4][SIDE * 4 * 3];
                int32_t sums[3][SIDE];
                for (int32_t part = 0; part < down; part++) {
                    int64_t at = least((row * SIDE + y) * down + part, height - 1);
                    lines[part] = pixels + (at * width + left) * channels;
                    if (inside == reach) continue;
                    for (int32_t x = 0; x < reach; x++) /* the last pixel goes on beyond the picture */
                        for (int c = 0; c < channels; c++)
                            padded[part][x * channels + c] = lines[part][least(x, inside - 1) * channels + c];
                    lines[part] = padded[part];
                }
                if (channels == 1)
                    add_pixels(lines, down, across, 1, sums);
                else if (across == 1) /* for compilers to see */
                    add_pixels(lines, down, 1, 3, sums);
                else if (across == 2)
                    add_pixels(lines, down, 2, 3, sums);
                else
                    add_pixels(lines, down, across, 3, sums);
                if (channels == 1)
                    for (int x = 0; x < SIDE; x++) one[y * SIDE + x] = weights[0] * sums[0][x] + offset;
                else
                    for (int x = 0; x < SIDE; x++)
                        one[y * SIDE + x] = weights[0] * sums[0][x] + weights[1] * sums[1][x] +
                                            weights[2] * sums[2][x] + offset;
            }
            transform_columns(one, other, cosines);
            transpose(other, one);
            transform_columns(one, other, cosines);
            transpose(other, one);
            /* Adding and subtracting 1.5 * 2^52 rounds to the nearest integer, ties to even. */
            for (int i = 0; i < BLOCK; i++)
                coefficients[i] = (int16_t)(int32_t)(one[i] * factors[i] + 6755399441055744.0 - 6755399441055744.0);
            coefficients += BLOCK;
        }
}
