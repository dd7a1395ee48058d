/* Sums of pixels in the cells of grids, see sums.py. */

#include "planes.h"

/* Sums of the visible pixels in every step-th row and column of each cell of some grids, and last their number. */
EXPORTED void sum_visible(
    const Planes *planes, int32_t grids,
    const int32_t *y_edges, int32_t rows, /* (grids, rows + 1) */
    const int32_t *x_edges, int32_t columns, int32_t samples,
    int64_t *sums) /* (grids, rows, columns, channels + 1), 0 at first */
{
    const int32_t channels = planes->channels;
    for (int32_t grid = 0; grid < grids; grid++, y_edges += rows + 1, x_edges += columns + 1) {
        const int32_t height = y_edges[rows] - y_edges[0], width = x_edges[columns] - x_edges[0];
        int32_t step = (height > width ? height : width) / samples;
        if (step < 1) step = 1;
        for (int32_t row = 0; row < rows; row++, sums += columns * (channels + 1))
            for (int32_t y = y_edges[row]; y < y_edges[row + 1]; y += step)
                for (int32_t column = 0; column < columns; column++)
                    for (int32_t x = x_edges[column]; x < x_edges[column + 1]; x += step) {
                        int64_t at = (int64_t)y * planes->width + x, *cell = sums + column * (channels + 1);
                        if (planes->mask[at] != 0) continue;
                        for (int c = 0; c < channels; c++) cell[c] += planes->pixels[at * channels + c];
                        cell[channels]++;
                    }
    }
}

/* Adds the pixels of a part of a row that are wholly hidden for a target to the sums of their columns; returns their
 * number. Such pixels lie side by side, which makes the loops long. */
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

/* Sums of all pixels that are wholly hidden for one target, in each cell of some grids, and last their number. */
EXPORTED FASTER void sum_hidden(
    const Planes *planes, int32_t grids,
    const int32_t *y_edges, int32_t rows, /* (grids, rows + 1) */
    const int32_t *x_edges, int32_t columns,
    const int32_t *numbers, /* (grids,) */
    int64_t *sums)          /* (grids, rows, columns, channels + 1), 0 at first */
{
    const int32_t channels = planes->channels;
    for (int32_t cell = 0; cell < grids * rows * columns; cell++, sums += channels + 1) {
        const int32_t grid = cell / (rows * columns), row = cell / columns % rows, column = cell % columns;
        const int32_t *y_edge = y_edges + grid * (rows + 1) + row, *x_edge = x_edges + grid * (columns + 1) + column;
        for (int32_t left = x_edge[0]; left < x_edge[1]; left += PART)
            for (int32_t top = y_edge[0]; top < y_edge[1]; top += PART) { /* the sums of PART rows stay below 2^16 */
                uint16_t of_columns[PART * MAX_CHANNELS] = {0};
                const int32_t width = least(PART, x_edge[1] - left), bottom = least(top + PART, y_edge[1]);
                for (int32_t y = top; y < bottom; y++)
                    sums[channels] += add_hidden(
                        planes, (int64_t)y * planes->width + left, width, channels, numbers[grid], of_columns);
                for (int32_t x = 0; x < width; x++)
                    for (int c = 0; c < channels; c++) sums[c] += of_columns[x * channels + c];
            }
    }
}
