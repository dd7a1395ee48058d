/* By this name native.py knows that the library was built for it. */

#include "native.h"

EXPORTED void interface_2(void) {}

/* No module for Python; but on Windows setuptools asks for what would be its beginning. */
EXPORTED void *PyInit__native(void) { return NULL; }
