/* What redaction does pixel by pixel, in one pass each over pictures of 8 bits. All of it gives the same, to the last
 * bit, as what stands beside its call in pixelwise.py, which says what each argument means.
 *
 * Built as a library without Python's headers and called by way of ctypes.
 */

#include <math.h>

#include "../native.h"

enum { PART = 256 }; /* pixels that are worked on at once */

/* Must be as in pixelwise.py. */
enum { MAX_CHANNELS = 4, MAX_CELLS = 18, CELL = 1 << 10, WEIGHT = 1 << 10 };
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

/* The squared distance of the centre of a pixel from that of an axis, as a share of the square of the semi-axis. */
static inline float squared_radius(int32_t at, double centre, double semi_axis) {
    double distance = at + (0.5 - centre);
    return (float)(distance * distance / (semi_axis * semi_axis));
}

EXPORTED FASTER void draw_ellipse(
    const Planes *planes, int32_t top, int32_t left, int32_t bottom, int32_t right, /* reach */
    double centre_y, double semi_axis_y, double centre_x, double semi_axis_x,
    double edge, int32_t number)
{
    float inner_x[PART], outer_x[PART];
    for (int32_t start = left; start < right; start += PART) {
        const int32_t width = least(PART, right - start);
        for (int32_t x = 0; x < width; x++) {
            inner_x[x] = squared_radius(start + x, centre_x, semi_axis_x);
            outer_x[x] = squared_radius(start + x, centre_x, semi_axis_x + edge);
        }
        for (int32_t y = top; y < bottom; y++) {
            const float inner_y = squared_radius(y, centre_y, semi_axis_y);
            const float outer_y = squared_radius(y, centre_y, semi_axis_y + edge);
            float *mask = planes->mask + (int64_t)y * planes->width + start;
            int32_t *owners = planes->owners + (int64_t)y * planes->width + start, from = 0, to;
            while (from < width && !(inner_y + inner_x[from] <= 1)) from++;
            for (to = from; to < width && inner_y + inner_x[to] <= 1;) to++;
            draw_edge(mask, owners, from, inner_y, inner_x, outer_y, outer_x, number);
            /* What lies in the inner ellipse needs no arithmetic. */
            for (int32_t x = from; x < to; x++) claim(1, mask + x, owners + x, number);
            draw_edge(mask + to, owners + to, width - to, inner_y, inner_x + to, outer_y, outer_x + to, number);
        }
    }
}

/* The sums of the visible pixels at every so many rows and columns of each cell of some grids, and behind them their
 * count. */
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
            for (int32_t top = y_edge[0]; top < y_edge[1]; top += PART) { /* so many rows have sums below 2^16 */
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

/* The weight of each of some cells for a pixel, WEIGHT altogether, by its position in or around the inner ones. */
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

/* The colours of a part of a row of a surface: of (across, channels) cells at this height. */
static inline void paint(
    const int32_t *cells, int32_t (*columns)[PART], int32_t part, const int across, int32_t channels,
    int32_t (*painted)[PART])
{
    for (int c = 0; c < channels; c++)
        for (int32_t x = 0; x < part; x++) {
            int32_t sum = WEIGHT * WEIGHT / 2;
            for (int i = 0; i < across; i++) sum += columns[i][x] * cells[i * channels + c];
            painted[c][x] = sum / (WEIGHT * WEIGHT);
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
    const Planes *planes, int32_t top, int32_t left, int32_t bottom, int32_t right, /* reach */
    int32_t number,
    int32_t core_top, int32_t core_height, const int32_t *shown_y,  /* (bottom - top,) */
    int32_t core_left, int32_t core_width, const int32_t *shown_x, /* (right - left,) */
    const int32_t *cells, int32_t down, int32_t across,             /* (down, across, channels) */
    const int32_t *bell, int32_t bell_size)
{
    const int32_t channels = planes->channels, values = across * channels;
    int32_t rows[MAX_CELLS], columns[MAX_CELLS][PART], of_row[MAX_CELLS * MAX_CHANNELS], painted[MAX_CHANNELS][PART];
    for (int32_t start = left; start < right; start += PART) {
        const int32_t part = least(PART, right - start);
        for (int32_t x = 0; x < part; x++)
            weigh(shown_x[start - left + x] - core_left, core_width, across, bell, bell_size, &columns[0][x], PART);
        for (int32_t y = top; y < bottom; y++) {
            const int64_t at = (int64_t)y * planes->width + start;
            const float *mask = planes->mask + at;
            const int32_t *owners = planes->owners + at;
            uint8_t *pixels = planes->pixels + at * channels;
            weigh(shown_y[y - top] - core_top, core_height, down, bell, bell_size, rows, 1);
            memset(of_row, 0, (size_t)values * sizeof *of_row);
            for (int32_t i = 0; i < down; i++)
                for (int32_t j = 0; j < values; j++) of_row[j] += rows[i] * cells[i * values + j];
            if (across == 3) /* the usual case, which a compiler can unroll */
                paint(of_row, columns, part, 3, channels, painted);
            else
                paint(of_row, columns, part, across, channels, painted);
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
