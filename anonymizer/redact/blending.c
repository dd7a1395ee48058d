/* Paints patches into the picture, see blending.py. */

#include "planes.h"

/* Must be as in blending.py. */
enum { MAX_CELLS = 18, CELL = 1 << 10, WEIGHT = 1 << 10 };
enum { STEP = 32 }; /* pixels that are painted at once */

/* The weight of each cell for a pixel, by its position from where the second cell begins. They add up to WEIGHT. */
static inline void weigh(
    int32_t position, int32_t length, int32_t cells, const int32_t *bell, int32_t bell_size, int32_t *weights,
    int32_t stride)
{
    const int64_t most = (int64_t)(cells - 2) * CELL + CELL / 2;
    int64_t place = (2 * (int64_t)position + 1) * ((cells - 2) * CELL / 2), sum = 0, total = 0, end = 0;
    place = place >= 0 ? place / length : -((-place + length - 1) / length); /* rounded down */
    place = place < -CELL / 2 ? -CELL / 2 : place > most ? most : place;
    for (int32_t i = 0; i < cells; i++) {
        int64_t distance = place - (i * CELL - CELL / 2);
        if (distance < 0) distance = -distance;
        weights[i * stride] = distance < bell_size ? bell[distance] : 0;
        total += weights[i * stride];
    }
    for (int32_t i = 0; i < cells; i++) {
        int64_t before = end;
        sum += weights[i * stride];
        end = (2 * WEIGHT * sum + total) / (2 * total);
        weights[i * stride] = (int32_t)(end - before);
    }
}

/* Of each STEP pixels of a part: the first cell that has any weight there, and the one behind the last. */
static inline void find_near(int32_t (*columns)[PART], int32_t cells, int32_t *first, int32_t *last) {
    for (int32_t step = 0; step < PART / STEP; step++) {
        first[step] = cells, last[step] = 0;
        for (int32_t i = 0; i < cells; i++) {
            int32_t any = 0;
            for (int32_t x = 0; x < STEP; x++) any |= columns[i][step * STEP + x];
            if (!any) continue;
            first[step] = least(first[step], i);
            last[step] = i + 1;
        }
    }
}

/* The colours of a part of a row of a patch, from those of the cells at this height, (across, channels). */
static inline void paint(
    const int32_t *cells, int32_t (*columns)[PART], int32_t part, const int32_t *first, const int32_t *last,
    int32_t channels, int32_t (*painted)[PART])
{
    for (int32_t step = 0; step * STEP < part; step++)
        for (int c = 0; c < channels; c++) {
            uint32_t sums[STEP]; /* of so many pixels at once, which fit into registers */
            for (int32_t x = 0; x < STEP; x++) sums[x] = WEIGHT * WEIGHT / 2;
            for (int32_t i = first[step]; i < last[step]; i++) {
                const uint32_t cell = (uint32_t)cells[i * channels + c];
                for (int32_t x = 0; x < STEP; x++) sums[x] += (uint32_t)columns[i][step * STEP + x] * cell;
            }
            for (int32_t x = 0; x < STEP; x++) painted[c][step * STEP + x] = (int32_t)(sums[x] / (WEIGHT * WEIGHT));
        }
}

/* Writes what was painted for pixels that lie side by side. */
static inline void lay(uint8_t *pixels, int32_t (*painted)[PART], int32_t from, int32_t to, int32_t channels) {
    if (channels == 3)
        for (int32_t i = from; i < to; i++, pixels += 3) {
            pixels[0] = (uint8_t)painted[0][i];
            pixels[1] = (uint8_t)painted[1][i];
            pixels[2] = (uint8_t)painted[2][i];
        }
    else
        for (int32_t i = from; i < to; i++)
            for (int c = 0; c < channels; c++) *pixels++ = (uint8_t)painted[c][i];
}

EXPORTED FASTER void blend_surface(
    const Planes *planes, int32_t top, int32_t left, int32_t bottom, int32_t right, /* bounds */
    int32_t number,
    int32_t core_top, int32_t core_height, const int32_t *shown_y,  /* (bottom - top,) */
    int32_t core_left, int32_t core_width, const int32_t *shown_x, /* (right - left,) */
    const int32_t *cells, int32_t down, int32_t across,             /* (down, across, channels) */
    const int32_t *bell, int32_t bell_size)
{
    const int32_t channels = planes->channels, values = across * channels;
    int32_t rows[MAX_CELLS], columns[MAX_CELLS][PART], of_row[MAX_CELLS * MAX_CHANNELS], painted[MAX_CHANNELS][PART];
    int32_t first[PART / STEP], last[PART / STEP];
    for (int32_t start = left; start < right; start += PART) {
        const int32_t part = least(PART, right - start);
        memset(columns, 0, sizeof columns);
        for (int32_t x = 0; x < part; x++)
            weigh(shown_x[start - left + x] - core_left, core_width, across, bell, bell_size, &columns[0][x], PART);
        find_near(columns, across, first, last);
        for (int32_t y = top; y < bottom; y++) {
            const int64_t at = (int64_t)y * planes->width + start;
            const float *mask = planes->mask + at;
            const int32_t *owners = planes->owners + at;
            uint8_t *pixels = planes->pixels + at * channels;
            weigh(shown_y[y - top] - core_top, core_height, down, bell, bell_size, rows, 1);
            memset(of_row, 0, (size_t)values * sizeof *of_row);
            for (int32_t i = 0; i < down; i++)
                for (int32_t j = 0; j < values; j++) of_row[j] += rows[i] * cells[i * values + j];
            paint(of_row, columns, part, first, last, channels, painted);
            for (int32_t x = 0; x < part; x++) {
                const int32_t from = x;
                while (x < part && owners[x] == number && mask[x] == 1) x++;
                lay(pixels + from * channels, painted, from, x, channels);
                if (x == part || owners[x] != number) continue;
                for (int c = 0; c < channels; c++) {
                    uint8_t *pixel = pixels + x * channels + c;
                    float color = (float)*pixel, change = ((float)painted[c][x] - color) * mask[x];
                    *pixel = (uint8_t)(int)(color + change + 0.5f);
                }
            }
        }
    }
}
