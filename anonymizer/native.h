/* What the files of the native code share. */

#include <float.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#error "floats would not come out as numpy's do"
#endif

/* What a pointer points to is reached by no other. */
#define ALONE restrict

/* Functions that processors with AVX2 run in a version of their own, where compilers and linkers know how. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && __GNUC__ >= 8 && !defined(__clang__)
#define FASTER __attribute__((target_clones("avx2", "default")))
#else
#define FASTER
#endif

static inline int32_t least(int32_t one, int32_t other) { return one < other ? one : other; }
