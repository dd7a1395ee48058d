/* Patches of pictures, see patches.py. */

#include "../native.h"

/* Squared differences of one row of two patches. */
static inline int32_t difference(const uint8_t *one, const uint8_t *other, int32_t length)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < length; i++) {
        const int32_t by = one[i] - other[i];
        sum += by * by;
    }
    return sum;
}

/* Takes a candidate as the source of a target where its patch is more alike than that of the source so far. */
EXPORTED FASTER void take_better(
    const uint8_t *filled,    /* (height + 2 * radius, width + 2 * radius, channels) */
    const uint8_t *seen,      /* (height, width, channels) */
    const uint8_t *is_source, /* (height, width) */
    int32_t height, int32_t width, int32_t channels, int32_t radius,
    const int32_t *targets, int32_t count, /* (count, 2) */
    const int32_t *candidates,             /* (count, 2) */
    int32_t *sources, int32_t *costs)      /* (count, 2), (count,) */
{
    const int32_t side = 2 * radius + 1, length = side * channels, of_filled = (width + 2 * radius) * channels;
    for (int32_t i = 0; i < count; i++) {
        const int32_t y = candidates[2 * i], x = candidates[2 * i + 1];
        if (y < 0 || x < 0 || y >= height || x >= width || !is_source[(int64_t)y * width + x]) continue;
        const uint8_t *one = filled + (int64_t)targets[2 * i] * of_filled + targets[2 * i + 1] * channels;
        const uint8_t *other = seen + ((int64_t)(y - radius) * width + x - radius) * channels;
        int32_t cost = 0;
        for (int32_t row = 0; row < side && cost < costs[i]; row++)
            cost += difference(one + (int64_t)row * of_filled, other + (int64_t)row * width * channels, length);
        if (cost >= costs[i]) continue;
        costs[i] = cost;
        sources[2 * i] = y;
        sources[2 * i + 1] = x;
    }
}

/* What the patches that cover a pixel put there, by their weights. */
EXPORTED void vote(
    const uint8_t *seen,    /* (height, width, channels) */
    const int32_t *numbers, /* (height, width): of the targets, -1 elsewhere */
    int32_t height, int32_t width, int32_t channels, int32_t radius,
    const int32_t *sources, const int32_t *weights, /* of the targets, (.., 2) and (..,) */
    const int32_t *wanted, int32_t count,           /* (count, 2) */
    uint8_t *voted)                                 /* (count, channels) */
{
    for (int32_t i = 0; i < count; i++) {
        int64_t sums[8] = {0}, total = 0;
        for (int32_t y = -radius; y <= radius; y++)
            for (int32_t x = -radius; x <= radius; x++) {
                const int32_t row = wanted[2 * i] - y, column = wanted[2 * i + 1] - x;
                if (row < 0 || column < 0 || row >= height || column >= width) continue;
                const int32_t number = numbers[(int64_t)row * width + column];
                if (number < 0) continue;
                const uint8_t *from =
                    seen + ((int64_t)(sources[2 * number] + y) * width + sources[2 * number + 1] + x) * channels;
                for (int32_t c = 0; c < channels; c++) sums[c] += (int64_t)weights[number] * from[c];
                total += weights[number];
            }
        for (int32_t c = 0; c < channels; c++) voted[i * channels + c] = (uint8_t)((2 * sums[c] + total) / (2 * total));
    }
}
