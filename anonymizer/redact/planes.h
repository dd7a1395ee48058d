/* What the native code of redaction shares. Each *.c file here gives the same as the numpy code in the *.py file of its
 * name, to the last bit; that file also says what the arguments mean.
 */

#include "../native.h"

enum { PART = 256 }; /* pixels that are worked on at once */

/* Both must be as in planes.py. */
enum { MAX_CHANNELS = 4 };
typedef struct {
    uint8_t *pixels; /* (height, width, channels) */
    float *mask;     /* (height, width) */
    int32_t *owners; /* (height, width) */
    int32_t width, channels;
} Planes;
