/* Draws shapes into the mask, see shapes.py. */

#include <math.h>

#include "planes.h"

/* Raises the mask to a share if that is larger; then the pixel belongs to the target of this number. Without branches,
 * so that compilers vectorise it. */
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

/* Squared distance of a pixel's centre from the ellipse's along one axis, as a share of the squared semi-axis. */
static inline float squared_radius(int32_t at, double centre, double semi_axis) {
    double distance = at + (0.5 - centre);
    return (float)(distance * distance / (semi_axis * semi_axis));
}

EXPORTED FASTER void draw_ellipse(
    const Planes *planes, int32_t top, int32_t left, int32_t bottom, int32_t right, /* bounds */
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
            /* Inside the ellipse the share is 1. */
            for (int32_t x = from; x < to; x++) claim(1, mask + x, owners + x, number);
            draw_edge(mask + to, owners + to, width - to, inner_y, inner_x + to, outer_y, outer_x + to, number);
        }
    }
}
