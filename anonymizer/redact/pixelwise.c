/* What redaction does pixel by pixel, in one pass each over pictures of 8 bits. All of it gives the same, to the last
 * bit, as what stands beside its call in pixelwise.py, which says what each argument means.
 *
 * Built as a library without Python's headers and called by way of ctypes.
 */

#include <math.h>

#include "../native.h"

enum { MAX_CHANNELS = 4, MAX_ACROSS = 64, PART = 256 };

/* Must be as in pixelwise.py. */
typedef struct {
    uint8_t *pixels; /* (height, width, channels) */
    float *mask;     /* (height, width) */
    int32_t *owners; /* (height, width) */
    int32_t width, channels;
} Planes;

/* Where the mask has less than a share, it gets that, and the pixel another owner. Without branches: compilers make
 * several pixels at once of it. */
static inline void claim(float share, float *mask, int32_t *owner, int32_t number) {
    int32_t wins = -(share > *mask);
    *owner = (number & wins) | (*owner & ~wins);
    *mask = share > *mask ? share : *mask;
}

static inline void draw_edge(
    float *mask, int32_t *owners, int32_t width, float inner_y, const float *inner_x, float outer_y,
    const float *outer_x, int32_t number)
{
    for (int32_t x = 0; x < width; x++) {
        float inner = inner_y + inner_x[x], outer = outer_y + outer_x[x], reciprocal = 1 / sqrtf(outer);
        float edge = (reciprocal - 1) / (reciprocal - 1 / sqrtf(inner));
        claim(inner <= 1 ? 1 : outer < 1 ? edge : 0, mask + x, owners + x, number);
    }
}

EXPORTED FASTER void draw_region(
    const Planes *planes, int32_t top, int32_t left, int32_t bottom, int32_t right, /* reach */
    const float *profile_y, const float *profile_x, /* (2, ...) of an ellipse, (1, ...) otherwise */
    int32_t is_ellipse, int32_t number)
{
    const int32_t height = bottom - top, width = right - left;
    for (int32_t y = 0; y < height; y++) {
        const float inside = profile_y[y], *inner_x = profile_x, *outer_x = profile_x + width;
        float *mask = planes->mask + (int64_t)(top + y) * planes->width + left;
        int32_t *owners = planes->owners + (int64_t)(top + y) * planes->width + left;
        if (!is_ellipse) {
            for (int32_t x = 0; x < width; x++) claim(inside * inner_x[x], mask + x, owners + x, number);
            continue;
        }
        /* What lies in the inner ellipse needs no arithmetic. */
        const float outside = profile_y[height + y];
        int32_t from = 0, to;
        while (from < width && !(inside + inner_x[from] <= 1)) from++;
        for (to = from; to < width && inside + inner_x[to] <= 1;) to++;
        draw_edge(mask, owners, from, inside, inner_x, outside, outer_x, number);
        for (int32_t x = from; x < to; x++) claim(1, mask + x, owners + x, number);
        draw_edge(mask + to, owners + to, width - to, inside, inner_x + to, outside, outer_x + to, number);
    }
}

/* The sums of the visible pixels at every `step`-th row and column of each cell, and behind them their count. */
EXPORTED void sum_visible(
    const Planes *planes, int32_t step, const int32_t *y_edges, int32_t rows, const int32_t *x_edges, int32_t columns,
    int64_t *sums) /* (rows, columns, channels + 1), 0 at first */
{
    const int32_t channels = planes->channels;
    for (int32_t row = 0; row < rows; row++)
        for (int32_t y = y_edges[row]; y < y_edges[row + 1]; y += step)
            for (int32_t column = 0; column < columns; column++) {
                int64_t *cell = sums + ((int64_t)row * columns + column) * (channels + 1);
                for (int32_t x = x_edges[column]; x < x_edges[column + 1]; x += step) {
                    int64_t at = (int64_t)y * planes->width + x;
                    if (planes->mask[at] != 0) continue;
                    for (int c = 0; c < channels; c++) cell[c] += planes->pixels[at * channels + c];
                    cell[channels]++;
                }
            }
}

/* Adds the pixels of a part of a row that are wholly hidden for a region to the sums of their columns; returns how many
 * they are. Such pixels lie side by side, which makes long loops of the same kind. */
static inline int64_t add_hidden(
    const Planes *planes, int64_t at, int32_t width, int32_t channels, int32_t number, uint16_t *sums)
{
    const uint8_t *pixels = planes->pixels + at * channels;
    const float *mask = planes->mask + at;
    const int32_t *owners = planes->owners + at;
    int64_t count = 0;
    for (int32_t x = 0; x < width; x++) {
        int32_t from = x;
        while (x < width && owners[x] == number && mask[x] == 1) x++;
        for (int32_t i = from * channels; i < x * channels; i++) sums[i] = (uint16_t)(sums[i] + pixels[i]);
        count += x - from;
    }
    return count;
}

/* The same of all pixels that are wholly hidden for a region. */
EXPORTED FASTER void sum_hidden(
    const Planes *planes, int32_t number, const int32_t *y_edges, int32_t rows, const int32_t *x_edges, int32_t columns,
    int64_t *sums) /* (rows, columns, channels + 1), 0 at first */
{
    const int32_t channels = planes->channels;
    for (int32_t row = 0; row < rows; row++)
        for (int32_t column = 0; column < columns; column++, sums += channels + 1)
            for (int32_t left = x_edges[column]; left < x_edges[column + 1]; left += PART)
                for (int32_t top = y_edges[row]; top < y_edges[row + 1]; top += PART) { /* sums below 2^16 */
                    uint16_t of_columns[PART * MAX_CHANNELS] = {0};
                    int32_t part = least(PART, x_edges[column + 1] - left), bottom = least(top + PART, y_edges[row + 1]);
                    for (int32_t y = top; y < bottom; y++)
                        sums[channels] += add_hidden(
                            planes, (int64_t)y * planes->width + left, part, channels, number, of_columns);
                    for (int32_t x = 0; x < part; x++)
                        for (int c = 0; c < channels; c++) sums[c] += of_columns[x * channels + c];
                }
}

/* The colours of a part of a row of a surface: (across, channels) cells at this height, (across, ...) weights. */
static inline void paint(
    const int32_t *cells, const int32_t *columns, int32_t width, int32_t part, const int across, int32_t channels,
    int32_t (*painted)[PART])
{
    for (int c = 0; c < channels; c++)
        for (int32_t x = 0; x < part; x++) {
            int32_t sum = 1 << 19;
            for (int i = 0; i < across; i++) sum += columns[(int64_t)i * width + x] * cells[i * channels + c];
            painted[c][x] = sum >> 20;
        }
}

EXPORTED FASTER void blend_surface(
    const Planes *planes, int32_t top, int32_t left, int32_t bottom, int32_t right, /* reach */
    int32_t number,
    const int32_t *rows, int32_t down,      /* (bottom - top, down): weights, 2^10 altogether */
    const int32_t *columns, int32_t across, /* (across, right - left) */
    const int32_t *cells)                   /* (down, across, channels) */
{
    const int32_t channels = planes->channels, values = across * channels;
    int32_t of_row[MAX_ACROSS * MAX_CHANNELS], painted[MAX_CHANNELS][PART];
    for (int32_t y = top; y < bottom; y++, rows += down) {
        memset(of_row, 0, (size_t)values * sizeof *of_row);
        for (int32_t i = 0; i < down; i++)
            for (int32_t j = 0; j < values; j++) of_row[j] += rows[i] * cells[i * values + j];
        for (int32_t x = left; x < right; x += PART) {
            int64_t at = (int64_t)y * planes->width + x;
            int32_t part = least(PART, right - x);
            if (across == 3) /* the usual case, which a compiler can unroll */
                paint(of_row, columns + x - left, right - left, part, 3, channels, painted);
            else
                paint(of_row, columns + x - left, right - left, part, across, channels, painted);
            for (int32_t i = 0; i < part; i++, at++) {
                uint8_t *pixel = planes->pixels + at * channels;
                float share = planes->mask[at];
                if (planes->owners[at] != number) continue;
                for (int c = 0; c < channels; c++) {
                    float color = (float)pixel[c], change = ((float)painted[c][i] - color) * share;
                    pixel[c] = share == 1 ? (uint8_t)painted[c][i] : (uint8_t)(int)(color + change + 0.5f);
                }
            }
        }
    }
}
